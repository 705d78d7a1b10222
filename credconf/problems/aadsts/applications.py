"""Entra's codes about the application, its permissions, and the policies that apply to it."""

from __future__ import annotations

MEANINGS = {
    700016: """In the tenant that was asked there is no application with this client id. Mostly client_id and
        tenant_id belong to different tenants, or the id is that of something else: the object id, or that of a
        secret. An application of another tenant must be multi-tenant, and an administrator of this tenant must have
        consented to it once.""",
    700011: """The tenant has no application with this identifier. As with AADSTS700016: check that client_id and
        tenant_id belong together, and whether the application was deleted.""",
    70001: """The application is disabled, or the tenant does not know it. Look for it under Enterprise applications
        in the tenant, and check that sign-in is enabled there; if it is missing, check client_id and tenant_id, or
        have an administrator consent to it.""",
    7000112: """The application exists, and an administrator has disabled it: under Enterprise applications, in its
        properties, "Enabled for users to sign in" is No. Microsoft also disables applications that it takes for
        abused. Ask the tenant's administrator why before it is enabled again.""",
    7000114: """The request asked for a token on behalf of a user, and the application may not do that. A credential
        of this library asks for tokens of the application itself, so something else in the program sends this
        request.""",
    7000229: """The application is registered in another tenant, and has no service principal in this one, which is
        what permissions are given to. An administrator of this tenant creates it by consenting to the application,
        or with `az ad sp create --id CLIENT_ID`. If the tenant is the wrong one, mend tenant_id.""",
    50034: """The name of an account was sent, and the tenant has no such account. An application that signs in as
        itself has no account, so either tenant_id is wrong or another library in the program signs in a user.""",
    50053: """Too many attempts with a wrong password locked the account, or the address that the attempts come from
        is known for attacks. It concerns accounts of users. Look into the sign-in logs for who tried, and wait.""",
    50057: """The account that signs in is disabled in the directory. For an application, see also AADSTS7000112.
        Ask the tenant's administrator.""",
    50076: """A policy asks for another factor, which only a person can give. Policies for users should not apply to
        applications: ask the tenant's administrator to exclude the service principal, or to use policies for
        workload identities. If the program signs in a user somewhere, that is what is refused.""",
    53003: """A Conditional Access policy does not let this application have the token, mostly because of the
        address that it comes from, or of the risk that Entra sees. The sign-in logs of the tenant, under Service
        principal sign-ins, name the policy; the correlation id of the error finds the line. Policies for workload
        identities are made for single applications.""",
    530032: """A security policy on the level of the tenant blocks the request. The sign-in logs of the tenant,
        found by the correlation id of the error, name it. Ask the tenant's administrator.""",
    65001: """Nobody consented to what the application asks for. For an application that signs in as itself, the
        permissions are those under Application permissions (not Delegated permissions) in the app registration, and
        an administrator has to press "Grant admin consent" for them.""",
    501051: """The API gives tokens only to applications that are assigned to one of its roles, and this one is not.
        The API's owner assigns it: an app role for applications, granted under API permissions of this application
        and consented to by an administrator. (The switch is "Assignment required" in the API's enterprise
        application.)""",
    50196: """The same request was sent too often within a short time, which Entra takes for a loop. Make one
        credential and keep it, so that its tokens are kept, too, instead of one for each call; then look for code
        that tries again without waiting. One credential of this library sends one request for each token.""",
    700051: """The registration does not allow this way to get a token (response type), which belongs to
        applications with a browser. A credential of this library does not use it, so something else in the program
        sends this request.""",
    900971: """A reply address (redirect URI) belongs to users who sign in with a browser. An application that signs
        in as itself has none: something else in the program sends this request.""",
}
