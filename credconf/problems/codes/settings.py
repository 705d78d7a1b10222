"""Problems of one setting: its name, its value, and its conflicts with others."""

from __future__ import annotations

from credconf.problems.codes import Explanation

EXPLAINED = {
    "unknown-key": Explanation(
        "a key is not a setting",
        """An unknown key is usually misspelt, and the intended setting would silently keep its default. The names are
        those of azure-identity's keyword arguments: lower case, with `_`. Some settings belong to one kind of
        credential, or to a group (`http`, `token_cache`). A key of your own, for an anchor or a note, begins with
        `x-`.""",
        wrong="tenantId: contoso.onmicrosoft.com",
        right="tenant_id: contoso.onmicrosoft.com",
    ),
    "missing": Explanation(
        "no source sets a required setting",
        """An application needs `client_id`, a secret, a certificate or an assertion, and `tenant_id` (or
        `oidc_authority` for a server other than Entra ID). The message lists every place that credconf searched, and
        names a key and a variable that would work. An empty variable counts as unset. A named entry reads only its own
        variables: the entry `billing` reads CREDCONF__BILLING__CLIENT_SECRET, not AZURE_CLIENT_SECRET.""",
        wrong="tenant_id: contoso.onmicrosoft.com\nclient_id: 11111111-1111-1111-1111-111111111111",
        right="tenant_id: contoso.onmicrosoft.com\nclient_id: 11111111-1111-1111-1111-111111111111\n"
        "client_secret: {file: /run/secrets/entra}",
    ),
    "wrong-type": Explanation(
        "a value has the wrong type",
        """A setting takes text, a list, or a mapping. In credconf's YAML, text needs no quotes and stays as written:
        `012345`, `no` and `null` are text. A certificate is always a reference to a file. In Python, a number is
        not converted to text: put quotes around it.""",
        wrong="additionally_allowed_tenants: contoso.onmicrosoft.com",
        right="additionally_allowed_tenants: [contoso.onmicrosoft.com]",
    ),
    "bad-value": Explanation(
        "a value has the right type, but it is not valid",
        """The message describes valid values; it never shows the value itself. A tenant is a GUID or a domain name. An
        authority is a host name or an https:// URL without a path; the tenant is a separate setting. Numbers have
        limits; time-outs are in seconds. A cloud is one of public, usgov, china.""",
        wrong="authority: https://login.microsoftonline.us/contoso.onmicrosoft.com",
        right="authority: login.microsoftonline.us\ntenant_id: contoso.onmicrosoft.com",
    ),
    "empty": Explanation(
        "a value is empty, or only white space",
        """The setting is present, but it has no value. Perhaps a template had no value to fill in, or YAML took a
        value that begins with `#` for a comment: put quotes around it. If the file of a secret is empty, perhaps the
        process that writes it has not run yet.""",
        wrong="client_secret: #9f3a",
        right="client_secret: '#9f3a'",
    ),
    "conflict": Explanation(
        "one source has two settings that exclude each other, or one setting twice",
        """`cloud` presets `authority`, so one source sets only one of them; a higher source may replace either. A
        server in `oidc_authority` has no tenant, cloud or authority. `allowed_tenants` is another name of
        `additionally_allowed_tenants`. A setting comes either from a variable or from the file in the variable's
        _FILE form.""",
        wrong="cloud: usgov\nauthority: login.microsoftonline.us",
        right="cloud: usgov",
    ),
    "two-proofs": Explanation(
        "a credential has two proofs, such as a secret and a certificate",
        """A credential uses one proof, and credconf does not fall back from one to another: the identity in use must
        always be clear. Keep one of them. If one is inherited or comes from a variable, the position in the message
        and `credconf show` show its origin. With `kind`, a proof of another kind that only an AZURE_ variable gives is
        ignored, with a warning.""",
        wrong="client_secret: {file: /run/secrets/entra}\nclient_certificate: {file: /run/secrets/entra.pem}",
        right="client_certificate: {file: /run/secrets/entra.pem}",
    ),
    "unknown-kind": Explanation(
        "`kind` is not a kind of credential",
        """The kinds are client_secret, client_certificate, client_assertion, managed_identity and azure_cli. Usually
        `kind` is not needed: credconf infers it from the secret, the certificate or the assertion. A managed identity
        and the Azure CLI have none, so they are always named. AZURE_TOKEN_CREDENTIALS names a kind by azure-identity's
        class, such as ManagedIdentityCredential; its words `dev` and `prod` mean a chain of credentials, and
        credconf has none: one entry is one credential.""",
        wrong="kind: service_principal",
        right="kind: client_secret",
    ),
    "missing-extra": Explanation(
        "a setting needs a package that is not installed",
        """Tokens in memory need no package. A file that processes share needs the extra credconf[persistent], and
        Redis needs credconf[redis]; the message names the missing one. Install it on the machine that runs the
        program, and add it to the program's requirements.""",
        wrong="token_cache: {kind: redis, url: {env: REDIS_URL}}   # pip install credconf",
        right="token_cache: {kind: redis, url: {env: REDIS_URL}}   # pip install 'credconf[redis]'",
    ),
    "no-encryption": Explanation(
        "the machine can't encrypt a file of tokens",
        """credconf encrypts a file of tokens by the system's own means: DPAPI on Windows, the Keychain on macOS, and
        libsecret (GNOME's keyring, KWallet) on Linux, which needs PyGObject, gir1.2-secret-1 and a session. Servers and
        containers usually have none. There, credconf can write a plain file that only its owner can read, if the
        configuration allows it. Without `token_cache`, tokens stay in memory.""",
        wrong="token_cache: {kind: file}",
        right="token_cache: {kind: file, allow_unencrypted_storage: true}",
    ),
}
