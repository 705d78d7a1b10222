"""Entra's codes about the tenant, the cloud, and the network between."""

from __future__ import annotations

MEANINGS = {
    90002: """Entra has no tenant of this name or id in the cloud that was asked. Either tenant_id has a typing
        error, or the tenant lives in another cloud (a tenant of Azure Government is unknown to
        login.microsoftonline.com): set `cloud`. A domain name works only while it is a verified domain of the
        tenant; the GUID always does.""",
    90038: """The tenant exists, in another cloud than the one that was asked. Set `cloud` to usgov or china, or
        `authority` to the host of that cloud; the secret stays the same.""",
    900382: """An application with a secret or certificate can get tokens only in the cloud where its tenant lives.
        Set `cloud` (or `authority`) to that cloud, and use that cloud's scopes, such as
        https://graph.microsoft.us/.default.""",
    900023: """tenant_id can't be the name of a tenant: it is neither a GUID nor a domain name. Placeholders of
        templates that were not filled in are a frequent cause, and so are names for people, such as "Contoso Ltd".""",
    900021: """tenant_id has the form of an identifier, and can't be one of a tenant; an empty GUID (all zeros) is
        refused so. A template was probably not filled in.""",
    50059: """Neither the address nor the request tells which tenant is meant. With `common` or `organizations` for
        tenant_id an application that signs in as itself has no tenant: set tenant_id to the GUID or a domain of the
        tenant.""",
    50128: """The domain in the request is not a verified domain of any tenant. Check tenant_id, or use the tenant's
        GUID, which does not change when domains do.""",
    50194: """The application accepts accounts of its own tenant only, and the request went to `common` or
        `organizations`. Set tenant_id to the tenant of the application; or make it a multi-tenant one in the app
        registration.""",
    50002: """Tenant restrictions: a proxy of the network tells Entra which tenants may be used from here, and this
        one is not among them. Ask who runs the network to add the tenant, or let the program use another way out.""",
    500021: """Tenant restrictions: a proxy of the network adds a list of allowed tenants to each request, and this
        tenant is not on it. Ask who runs the network to add it.""",
    50049: """The authority is not an instance of Entra ID that the well-known ones vouch for. Check `authority` for
        typing errors, or set `cloud` instead. For a private cloud or AD FS, which nobody vouches for, set
        `disable_instance_discovery: true`; the secret is then sent to that host because you say so.""",
    90033: """A service behind Entra was not there for a moment. The request was tried again already; if it goes on,
        look at the status page of Azure. Tokens that are held stay valid meanwhile.""",
    90055: """So many requests came for the tenant that Entra turned some away. Look for a program that makes a new
        credential, and so a new token, for each call; service principal sign-ins in the tenant's logs show who asks
        most. The answer's Retry-After was respected already.""",
    100007: """Regional endpoints serve managed identities, and Microsoft's own applications. Remove `region` from
        the configuration, and AZURE_REGIONAL_AUTHORITY_NAME from the environment: the global endpoint works from
        everywhere.""",
}
