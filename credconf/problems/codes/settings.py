"""What can be wrong with one setting: its name, its value, what stands beside it."""

from __future__ import annotations

from credconf.problems.explanation import Explanation

EXPLAINED = {
    "unknown-key": Explanation(
        "a key is not a setting",
        """A key that means nothing is mostly a misspelt one, and the setting that was meant would silently keep its
        default. The names are those of azure-identity's keyword arguments: lower case, with `_`. Some settings
        belong to one kind of credential only, or stand in a group (`http`, `token_cache`). A key of your own, for
        an anchor or a note, begins with `x-`.""",
        wrong="tenantId: contoso.onmicrosoft.com",
        right="tenant_id: contoso.onmicrosoft.com",
    ),
    "missing": Explanation(
        "a setting that is needed is set nowhere",
        """An application needs `client_id`, a secret or a certificate, and `tenant_id` (or `oidc_authority` for a
        server that is not Entra ID). The message lists every place that was looked at, and names a key and a
        variable that would work. An empty variable counts as unset. A named entry reads its own variables
        only: the entry `billing` to CREDCONF__BILLING__CLIENT_SECRET, and not to AZURE_CLIENT_SECRET.""",
        wrong="tenant_id: contoso.onmicrosoft.com\nclient_id: 11111111-1111-1111-1111-111111111111",
        right="tenant_id: contoso.onmicrosoft.com\nclient_id: 11111111-1111-1111-1111-111111111111\n"
        "client_secret: {file: /run/secrets/entra}",
    ),
    "wrong-type": Explanation(
        "a value is of another type than the setting takes",
        """Some settings take text, some a list, some a mapping. Text in YAML needs no quotes, and stays what is
        written: `012345`, `no` and `null` are text here. A certificate is always a reference to a file. From
        Python, a number is not taken for text: put quotes around it.""",
        wrong="additionally_allowed_tenants: contoso.onmicrosoft.com",
        right="additionally_allowed_tenants: [contoso.onmicrosoft.com]",
    ),
    "bad-value": Explanation(
        "a value is of the right type, and not one that can be used",
        """The message says what the setting takes; the value itself is never shown. A tenant is a GUID or a domain
        name. An authority is the name of a host or an https:// URL without a path; the tenant stands in its own
        setting. Numbers have bounds: time-outs are seconds. A cloud is one of public, usgov, china.""",
        wrong="authority: https://login.microsoftonline.us/contoso.onmicrosoft.com",
        right="authority: login.microsoftonline.us\ntenant_id: contoso.onmicrosoft.com",
    ),
    "empty": Explanation(
        "a value is empty, or holds only white space",
        """The setting was written, so something was meant by it. A template may have had nothing to fill in, or a
        value that begins with `#` was taken for a comment: put quotes around it. If the file of a secret is empty,
        whoever writes it has perhaps not done so yet.""",
        wrong="client_secret: #9f3a",
        right="client_secret: '#9f3a'",
    ),
    "conflict": Explanation(
        "two settings of one source exclude each other, or are one setting twice",
        """`cloud` presets `authority`, so one source gives only one of them; a higher source may replace either. A
        server that is named by `oidc_authority` has no tenant, cloud or authority. `allowed_tenants` is another
        name of `additionally_allowed_tenants`. A setting may come from a variable or from the file that the
        variable's _FILE form names, not from both.""",
        wrong="cloud: usgov\nauthority: login.microsoftonline.us",
        right="cloud: usgov",
    ),
    "two-proofs": Explanation(
        "a credential has a secret and a certificate",
        """An application proves itself in one way, and nothing falls through from one to the other: which identity
        was at work must never be a guess. Keep one. Where one of the two is inherited or comes from a variable, the
        message's position and `credconf show` tell where it stands.""",
        wrong="client_secret: {file: /run/secrets/entra}\nclient_certificate: {file: /run/secrets/entra.pem}",
        right="client_certificate: {file: /run/secrets/entra.pem}",
    ),
    "unknown-kind": Explanation(
        "`kind` names no kind of credential",
        """There are client_secret and client_certificate; managed identities, users and the Azure CLI are not among
        them. Mostly `kind` can be left out: the secret or certificate that is there tells it.""",
        wrong="kind: service_principal",
        right="kind: client_secret",
    ),
    "missing-extra": Explanation(
        "a setting needs a package that is not installed",
        """Tokens are kept in memory without any further package. A file that processes share needs the extra
        credconf[persistent], a Redis credconf[redis]; the message names the one that is missing. Install it where the
        program runs, and write it into what lists the program's requirements.""",
        wrong="token_cache: {kind: redis, url: {env: REDIS_URL}}   # pip install credconf",
        right="token_cache: {kind: redis, url: {env: REDIS_URL}}   # pip install 'credconf[redis]'",
    ),
    "no-encryption": Explanation(
        "the machine has nothing to encrypt a file of tokens with",
        """A file of tokens is encrypted by what the system has for it: DPAPI on Windows, the Keychain on macOS,
        libsecret (GNOME's keyring, KWallet) on Linux, which needs PyGObject, gir1.2-secret-1 and a session. Servers and
        containers mostly have none. A plain file, which only its owner can read, is an answer there, but it is written
        only where the configuration allows it. Leaving `token_cache` out keeps tokens in memory.""",
        wrong="token_cache: {kind: file}",
        right="token_cache: {kind: file, allow_unencrypted_storage: true}",
    ),
}
