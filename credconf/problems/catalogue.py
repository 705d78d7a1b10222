"""The explanations of all codes: those of problems, and Entra's own (AADSTS)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .codes_of_settings import SETTINGS, WARNINGS
from .codes_of_sources import ENTRIES, FILES, SOURCES
from .failure import ADVICE
from .rendering import paragraphs

if TYPE_CHECKING:
    from .rendering import Explanation


CODES: Final[dict[str, Explanation]] = {
    **FILES,
    **SETTINGS,
    **ENTRIES,
    **SOURCES,
    **WARNINGS,
}
"""The codes of problems, by family."""

_AADSTS = re.compile(r"(?:AADSTS)?\s*([0-9]{4,9}):?", re.IGNORECASE)
_CODE = re.compile(r"(?:(?:error|warning)\[)?([a-z0-9-]+)\]?:?")
_REFERENCE = "Microsoft's own text, which may be newer: https://login.microsoftonline.com/error?code="


def explain(text: str) -> str | None:
    """The meaning of a code, the usual causes and the fix, for a terminal of 80 columns.

    Args:
        text: a code of a problem (`unknown-key`), or one of Entra's in any spelling (`AADSTS7000215`, `7000215`).

    Returns:
        The explanation; `None` for an unknown code.
    """
    aadsts = _AADSTS.fullmatch(text.strip())
    if aadsts is not None:
        return _refusal(int(aadsts[1]))
    code = _CODE.fullmatch(text.strip().lower().replace("_", "-"))
    return CODES[code[1]].shown(code[1]) if code is not None and code[1] in CODES else None


def _refusal(code: int) -> str | None:
    if code not in MEANINGS:
        return None
    return "\n\n".join([paragraphs(f"AADSTS{code}: {ADVICE[code]}"), paragraphs(MEANINGS[code]), f"{_REFERENCE}{code}"])


_PROOFS = {
    7000215: """Entra knows the application, but the secret that was sent is not one of its secrets. The usual cause is
        a copied Secret ID (a GUID) instead of the Value, which the portal shows only once. Other causes: a line
        break, a space or quotes were copied too, or the secret belongs to another application or was deleted.
        `credconf check --resolve` warns about most of these. If the Value is lost, create a new secret in the app
        registration (Certificates & secrets). Entra may need a minute or two to accept it everywhere.""",
    7000222: """The secret was correct, but it is past its expiry date. Create a new one in the app registration
        (Certificates & secrets), store it where the configuration refers to, and remove the old one. With a list of
        two references, newest first, both secrets work during the change. With {file:}, no restart is needed. Set
        `secret_expires_on` to get a warning before the next expiry.""",
    70002: """Entra could not verify the application's credentials. This is an older and more general form of
        AADSTS7000215: the secret does not match the client id. Check that both belong to the same application in
        the same tenant.""",
    7000216: """The token request contained no secret and no signed assertion. With credconf, this means that the secret
        was empty when it was sent. Check the current content of the file or the variable.""",
    7000218: """The app registration requires a secret or a signed assertion, and the request contained neither. Check
        the current content of the file or the variable of `client_secret`. A proxy that rewrites request bodies can
        also cause this.""",
    700025: """The application is registered as a public client (a desktop or mobile application), which can't keep a
        secret, so Entra refuses the secret. In the app registration, under Authentication, turn off "Allow public
        client flows", or use the client id of a confidential client.""",
    700027: """No certificate of the application verifies the signature of the assertion. The certificate in the
        configuration was not uploaded, or was removed from the app registration, or its private key belongs to
        another certificate. Compare the thumbprint in the app registration (Certificates & secrets) with that of
        the file: `openssl x509 -in FILE -noout -fingerprint -sha1`. Upload the public certificate before the
        application uses the new key.""",
    700030: """The application trusts certificates by subject name and issuer, and the name of this certificate is
        not one of them. This applies with `send_certificate_chain: true`. Check that the file contains the intended
        certificate with its chain, and compare its name with those of the app registration.""",
    50012: """Entra did not accept the certificate or its signature: the chain is incomplete or not trusted, the subject
        name or thumbprint is not authorized for the application, or the tenant has no policy for it. Compare the
        certificate with those of the app registration. If the application trusts subject name and issuer, set
        `send_certificate_chain: true` and put the whole chain into the file.""",
    50013: """The assertion is expired, not yet valid, malformed, or signed with an unknown key. Check the clock of this
        machine first: an assertion is valid for ten minutes. Then compare the certificate with those of the app
        registration. With on_behalf_of(), it is the user's token: pass the access token for this application, as the
        API received it. Only Microsoft Graph can verify a token for Microsoft Graph.""",
    700023: """The assertion was made for another token endpoint (its audience), or the scope names no resource. Check
        that `authority`, `cloud` and tenant_id are those of the application, that no proxy redirects requests to
        another host, and that the scope is RESOURCE/.default.""",
    700024: """The assertion has expired, or is not valid yet. With `client_assertion: {file:}`, the file is probably
        stale: the kubelet renews the token of a projected volume, but not a copy of it, nor one that is mounted with
        `subPath`. With a certificate, credconf signs an assertion for each request by the clock of this machine:
        synchronise it (NTP). Virtual machines and WSL are often late after a suspend. `credconf doctor` shows the
        difference.""",
    70021: """No federated credential of the application matches the assertion. Entra compares issuer, subject and
        audience exactly. The error shows the assertion's, and the command that adds a federated credential with them.
        A new one needs a minute or two to be known everywhere.""",
    700211: """No federated credential of the application has the issuer of the assertion. It must be the same text; a
        slash at its end counts. For AKS, it is the cluster's OIDC issuer: `az aks show --query
        oidcIssuerProfile.issuerUrl`. Entra also gives this code for an assertion of AKS identity binding that it
        receives directly: set `token_proxy: true`.""",
    700212: """No federated credential of the application has the audience of the assertion. Entra's own is
        api://AzureADTokenExchange (api://AzureADTokenExchangeUSGov and api://AzureADTokenExchangeChina in the other
        clouds). Set the audience where the token is issued: of the projected volume in Kubernetes, or with
        `{github: {audience: …}}`.""",
    700213: """No federated credential of the application has the subject of the assertion. It must be the same text:
        `system:serviceaccount:NAMESPACE:NAME` in Kubernetes, `repo:OWNER/REPO:ref:refs/heads/BRANCH` or
        `repo:OWNER/REPO:environment:NAME` for GitHub, with ids of owner and repository in newer repositories. The
        error shows the assertion's subject. If the configuration has a secret or a certificate, another library in
        the program sent this request.""",
    7002137: """No federated credential of the application has the subject of the assertion, which Entra itself has
        issued (its subject begins with /eid1/). Write the subject in the federated credential as the error shows
        it.""",
    7002138: """The subject of a federated credential and that of the assertion differ only in upper and lower case.
        Entra compares them exactly: write the subject as the error shows it. GitHub uses the spelling of the account
        itself. If both are alike, delete the federated credential and create it again.""",
    70023: """Entra accepts an assertion that is valid for 25 hours at most. Shorten the life of the token where it is
        issued: `expirationSeconds` of the projected volume in Kubernetes.""",
    70025: """The application trusts no other issuer: it has no federated credential. The error shows the command that
        adds one for the assertion. It belongs to the app registration, or to the user-assigned identity whose
        client id is configured: then use `az identity federated-credential create`.""",
}

_APPLICATIONS = {
    700016: """The tenant has no application with this client id. Usually client_id and tenant_id belong to
        different tenants, or the id is another one: the object id, or the id of a secret. An application of another
        tenant must be multi-tenant, and an administrator of this tenant must have consented to it.""",
    700011: """The tenant has no application with this identifier. As with AADSTS700016, check that client_id and
        tenant_id belong together, and that the application was not deleted.""",
    70001: """The application is disabled, or the tenant does not know it. In the tenant, find it under Enterprise
        applications and check that sign-in is enabled. If it is missing, check client_id and tenant_id, or ask an
        administrator to consent to it.""",
    7000112: """The application exists, but an administrator has disabled it: under Enterprise applications, in its
        properties, "Enabled for users to sign in" is No. Microsoft also disables applications that it considers
        abused. Ask the tenant's administrator for the reason before you enable it again.""",
    7000114: """The caller of the API is an application that signed in as itself, so there is no user to act for: its
        token has no `scp`. Use the credential itself for such callers, and on_behalf_of() for users.""",
    7000229: """The application is registered in another tenant and has no service principal in this one. Permissions
        belong to the service principal. An administrator of this tenant creates it by consenting to the application,
        or with `az ad sp create --id CLIENT_ID`. If the tenant is wrong, correct tenant_id.""",
    50034: """The request named an account that the tenant does not have. An application that signs in as itself has no
        account: either tenant_id is wrong, or another library in the program signs in a user.""",
    50053: """Too many attempts with a wrong password locked the account, or the attempts come from an address that is
        known for attacks. This affects user accounts. Find the source of the attempts in the sign-in logs, and
        wait.""",
    50057: """The account is disabled in the directory. For an application, see also AADSTS7000112. Ask the tenant's
        administrator.""",
    50076: """A policy requires another factor, which only a person can provide. On behalf of a user, hand the error's
        `claims` on: answer the API's caller with 401 and `WWW-Authenticate: Bearer error="insufficient_claims",
        claims="BASE64"`. Its client signs the user in with them and calls again. Policies for users should not apply
        to applications that sign in as themselves: ask the tenant's administrator to exclude the service principal,
        or to use policies for workload identities.""",
    53003: """A Conditional Access policy blocks the token for this application, usually because of its address or of a
        detected risk. The tenant's sign-in logs name the policy, under Service principal sign-ins; search for the
        error's correlation id. Policies for workload identities can target single applications.""",
    530032: """A security policy of the tenant blocks the request. The tenant's sign-in logs name it; search for the
        error's correlation id. Ask the tenant's administrator.""",
    65001: """Consent for the requested permissions is missing. An application that signs in as itself needs Application
        permissions (not Delegated permissions) in the app registration, and an administrator has to choose "Grant
        admin consent". One that acts on behalf of users needs Delegated permissions, to which the user may consent:
        the API shows no page, so its clients ask for that consent together with their own (list them as known client
        applications).""",
    501051: """The API gives tokens only to applications with one of its roles, and this application has none. The API's
        owner assigns it: an app role for applications, added under API permissions of this application, with an
        administrator's consent. The switch is "Assignment required" in the API's enterprise application.""",
    50196: """The same request was sent too often within a short time, which Entra considers a loop. Create one
        credential and keep it, so that its tokens are cached, instead of one credential per call. Then check for
        code that retries without waiting. One credential of credconf sends one request per token.""",
    700051: """The app registration does not allow this response type, which belongs to applications with a browser.
        credconf does not use it: another library in the program sends this request.""",
    900971: """A reply address (redirect URI) belongs to users who sign in with a browser. An application that
        signs in as itself has none: another library in the program sends this request.""",
}

_TENANTS = {
    90002: """Entra has no tenant with this name or id in the cloud of the request. Either tenant_id is misspelt, or the
        tenant is in another cloud (login.microsoftonline.com does not know the tenants of Azure Government): set
        `cloud`. A domain name works only while it is a verified domain of the tenant; the GUID always works.""",
    90038: """The tenant exists in another cloud. Set `cloud` to usgov or china, or `authority` to the host of that
        cloud. The secret stays the same.""",
    900382: """An application with a secret or certificate gets tokens only in the cloud of its tenant. Set `cloud` (or
        `authority`) to that cloud, and use that cloud's scopes, such as https://graph.microsoft.us/.default.""",
    900023: """tenant_id is neither a GUID nor a domain name. Frequent causes are a placeholder that a template did not
        replace, and a display name such as "Contoso Ltd".""",
    900021: """tenant_id looks like an identifier, but it can't be a tenant's; an empty GUID (all zeros) is one example.
        Probably a template did not replace its placeholder.""",
    50059: """Neither the address nor the request names a tenant. `common` and `organizations` do not work for an
        application that signs in as itself: set tenant_id to the GUID or a domain of the tenant.""",
    50128: """The domain in the request is not a verified domain of any tenant. Check tenant_id, or use the tenant's
        GUID, which does not change when domains do.""",
    50194: """The application accepts only accounts of its own tenant, and the request went to `common` or
        `organizations`. Set tenant_id to the application's tenant, or make the application multi-tenant in the app
        registration.""",
    50002: """Tenant restrictions: a proxy of the network sends Entra the allowed tenants, and this tenant is not
        one of them. Ask the network's administrator to allow it, or use another route out of the network.""",
    500021: """Tenant restrictions: a proxy of the network adds a list of allowed tenants to each request, and this
        tenant is not on it. Ask the network's administrator to add it.""",
    50049: """The authority is not a known instance of Entra ID. Check the spelling of `authority`, or set `cloud`
        instead. For a private cloud or AD FS, which instance discovery does not know, set
        `disable_instance_discovery: true`; credconf then sends the secret to that host without the check.""",
    90033: """A service behind Entra was unavailable. credconf has already retried the request; if the error persists,
        check the status page of Azure. Cached tokens stay valid meanwhile.""",
    90055: """Entra throttles the tenant because of too many requests. Check for a program that creates a new
        credential, and so requests a new token, per call. The service principal sign-ins in the tenant's logs show
        which application sends the most. credconf respects Retry-After.""",
    100007: """Regional endpoints serve managed identities and Microsoft's own applications. Remove `region` from the
        configuration, and AZURE_REGIONAL_AUTHORITY_NAME from the environment. The global endpoint works from
        everywhere.""",
}

_REQUESTS = {
    50001: """The API in the scope is disabled, or does not exist for this tenant. The part of the scope before
        /.default must be exactly the API's identifier, including a slash at its end. Other clouds have other
        identifiers, such as https://graph.microsoft.us.""",
    50003: """The API is registered to sign its tokens with its own key, and that key is missing or expired. Only the
        API's owner can fix this, by renewing the key.""",
    500011: """The tenant has no service principal for the API in the scope. The name is misspelt, the API belongs to
        another cloud or tenant, or it was never added to this tenant. Registering its resource provider adds some
        Microsoft services; an administrator's consent adds others.""",
    500014: """The API exists in the tenant, but it is disabled: an administrator disabled it, or its subscription has
        ended. Find the API under Enterprise applications by the id in the error's text.""",
    70011: """An application can't request this scope. An application that signs in as itself requests all its
        permissions at once: RESOURCE/.default, such as https://storage.azure.com/.default. Single permissions
        (https://graph.microsoft.com/User.Read) are for on_behalf_of(), and one request can't be for two APIs.""",
    1002012: """For an application that signs in as itself, each scope ends in /.default. Use
        https://graph.microsoft.com/.default instead of https://graph.microsoft.com/User.Read or of the bare
        identifier. The app registration grants the single permissions; a request does not name them.""",
    700022: """A token is for one API. Call get_token() once for each API; the credential caches the tokens
        separately.""",
    90009: """The application requested a token for itself, and named itself by its URI. Use its client id in the scope:
        CLIENT_ID/.default.""",
    90013: """Some part of the request is not valid, and Entra does not name it. Check tenant_id, client_id and the
        scope for stray characters: quotes, spaces, and placeholders that a template did not replace.""",
    90014: """A required field was missing in the request. Check that client_id, the secret and the scope are not empty
        at run time. A proxy that rewrites requests can also cause this.""",
    900144: """A required parameter was missing in the request; the error's text names it. With credconf, the scope or
        client_id was empty. A proxy that rewrites request bodies can also cause this.""",
    9002313: """Entra could not parse the request. The usual causes are a value with stray characters, and a proxy that
        rewrites requests. `credconf doctor` shows whether a proxy is used.""",
}

_USERS = {
    50074: """A policy requires a second factor, and the user signed in without one. Hand the error's `claims` on:
        answer the API's caller with 401 and `WWW-Authenticate: Bearer error="insufficient_claims", claims="BASE64"`.
        Its client signs the user in with them and calls again.""",
    50079: """A policy requires a second factor, and the user has registered none, for example because an administrator
        changed the policy, or because the user is at a new place. Hand the error's `claims` on as for AADSTS50076: the
        user registers it at the next sign-in.""",
    50105: """The application requires that users are assigned to it, and this user is not. An administrator assigns the
        user, or a group, under Enterprise applications, or switches "Assignment required" off.""",
    50158: """A policy sends the user to a check outside Entra, such as another provider's second factor. Hand the
        error's `claims` on as for AADSTS50076: the check is part of the next sign-in.""",
    50173: """The user's password was changed, or an administrator revoked the user's sessions, so Entra no longer
        accepts what the user's token came from. The API answers 401, and its caller's client signs the user in
        again.""",
    240002: """The grant takes an access token, which is made for an API. An ID token is made for the client that signs
        the user in: its client must request the API's scope, such as api://CLIENT_ID/access_as_user, and send the
        access token.""",
    500131: """The user's token was made for another application. Its `aud` claim must be the client id of this
        application, or its ID URI (api://CLIENT_ID). The client of the API must request the scope of this API, and not,
        for example, one of Microsoft Graph.""",
    500133: """The user's token is not within its life, which is about an hour. The tokens that were fetched with it
        stay valid until their own end, but no new one can be fetched: the API's caller must send a new token. If it has
        not expired, synchronise the clock of this machine.""",
}

MEANINGS = {**_PROOFS, **_APPLICATIONS, **_TENANTS, **_REQUESTS, **_USERS}
"""The explanations, by number."""
