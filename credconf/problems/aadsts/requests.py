"""Entra's codes about what was asked for: the scope, and the form of the request."""

from __future__ import annotations

MEANINGS = {
    50001: """The API that the scope names is disabled, or does not exist for this tenant. The part of the scope
        before /.default must be exactly the API's identifier: a missing or an additional slash at the end counts.
        APIs of other clouds have other names, such as https://graph.microsoft.us.""",
    50003: """The API is registered in such a way that its tokens are signed with a key of its own, and that key is
        missing or expired. Nothing here can mend it: the API's owner renews the key.""",
    500011: """The tenant has no service principal for the API that the scope names. The name is misspelt, the API
        belongs to another cloud or tenant, or nobody has added it to this tenant yet: some Microsoft services do so
        when their resource provider is registered, others when an administrator consents.""",
    500014: """The API exists in the tenant, and is disabled there: an administrator did so, or its subscription has
        ended. Under Enterprise applications, look for the API by the id in the error's text.""",
    70011: """The scope is not one that an application can ask for. An application that signs in as itself asks for
        all that it was granted at once: RESOURCE/.default, such as https://storage.azure.com/.default. Names of
        single permissions (User.Read) are for users, and two APIs can't be asked for at once.""",
    1002012: """For an application that signs in as itself, each scope ends in /.default. Write
        https://graph.microsoft.com/.default in place of https://graph.microsoft.com/User.Read or of the bare
        identifier; permissions are granted in the app registration, not asked for one by one.""",
    700022: """One token is for one API. Call get_token() once for each API; the credential keeps the tokens apart.""",
    90009: """The application asked for a token for itself, and named itself by its URI. Use its client id in the
        scope: CLIENT_ID/.default.""",
    90013: """Some part of the request is not valid, and Entra does not say which. Look for stray characters in
        tenant_id, client_id and the scope: quotes, spaces and placeholders that were not filled in.""",
    90014: """A field that is always needed was not in the request. Check that client_id, the secret and the scope
        are not empty when the program runs; a proxy that rewrites requests can cause it, too.""",
    900144: """A parameter that is always needed was not in the request; the text of the error names it. With this
        library it is the scope or client_id that was empty. A proxy that takes apart the requests' bodies can cause
        it, too.""",
    9002313: """The request could not be read as one for a token. A value with stray characters, or a proxy that
        rewrites requests, is the usual cause; `credconf doctor` shows whether one is in between.""",
}
