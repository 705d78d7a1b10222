"""The explanations of problems with settings, and of warnings."""

from __future__ import annotations

from typing import Final

from .rendering import Explanation

SETTINGS: Final = {
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
        `oidc_authority` for a server other than Entra ID). The message lists every place that credconf searched,
        and names a key and a variable that would work. It also names variables that are set and nearly right, and a
        file in a parent directory, which credconf does not search. An empty variable counts as unset. A named entry
        reads only its own variables: the entry `billing` reads CREDCONF__BILLING__CLIENT_SECRET, not
        AZURE_CLIENT_SECRET.""",
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
        """The message describes valid values; it never shows the value itself. A tenant is a GUID or a domain name: the
        words common, organizations and consumers are for signing in users. An authority is a host name or an https://
        URL without a path; the tenant is a separate setting. In the URL of a proxy or a Redis, write a special
        character of the user or the password by its number: `%23` for `#`, `%40` for `@`. credconf reads no PAC file.
        Numbers have limits; time-outs are in seconds. A cloud is one of public, usgov, china.""",
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
        class, such as ManagedIdentityCredential. Its words `dev` and `prod` name chains of credentials, which credconf
        does not have: one entry is one credential.""",
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
"""Problems of one setting: its name, its value, and its conflicts with others."""

WARNINGS: Final = {
    "secret-in-file": Explanation(
        "a secret is written in the configuration file",
        """Everyone with access to the file, its backups or the history of its repository can read the secret, and a
        new secret requires a change of the file. Refer to its place instead: a variable, or a file that your platform
        mounts, which may change while the program runs. If the file was ever committed, create a new secret.""",
        wrong="client_secret: 9f3a…",
        right="client_secret: {file: /run/secrets/entra}",
    ),
    "secret-is-guid": Explanation(
        "the secret looks like the id of a secret",
        """The portal shows a Value and a Secret ID for each client secret. The ID is a GUID, and Entra does not accept
        it (AADSTS7000215). The Value has about 40 characters, and is shown only once, when the secret is created. If
        the Value is lost, create a new secret.""",
    ),
    "surrounding-space": Explanation(
        "a value begins or ends with white space",
        """credconf drops one line break at the end of a secret's file; everything else is part of the value. The
        white space usually comes from copying, from the line ends of Windows, from a second line break that a template
        added, or from a YAML block (`|` or `>`), which keeps its last line break. With a secret, Entra would answer
        AADSTS7000215.""",
        wrong="client_secret: '9f3a… '",
        right="client_secret: '9f3a…'",
    ),
    "inner-line-break": Explanation(
        "a value has more than one line",
        """A client secret is one line, and so is every other setting. A line break inside it usually means that the
        file or the variable contains more: a second secret, a comment, a line NAME=VALUE. credconf would send all of
        it, and Entra would answer AADSTS7000215.""",
        wrong='client_secret: "9f3a…\\n# rotated in May"',
        right='client_secret: "9f3a…"',
    ),
    "surrounding-quotes": Explanation(
        "a value contains the quotes around it",
        """YAML and .env remove quotes around a value. In a variable of the process (Docker's --env-file, a Kubernetes
        manifest, a pipeline) and in the file of a secret, quotes are ordinary characters. Backticks, angle brackets and
        typographic quotes, which text processors and chats insert, are ordinary characters everywhere. A quote at one
        end only is usually left from copying.""",
        wrong="docker run -e AZURE_CLIENT_SECRET=\"'9f3a…'\" app",
        right="docker run -e AZURE_CLIENT_SECRET='9f3a…' app",
    ),
    "cut-value": Explanation(
        "a secret may have been cut at ` #`",
        """Outside of quotes, ` #` begins a comment, in YAML and in .env. A password that contains it loses its end.
        The warning appears only if a word follows the `#` directly. If it is a comment, put a space after the
        `#`.""",
        wrong="client_certificate_password: ab #cd",
        right="client_certificate_password: 'ab #cd'",
    ),
    "expires-soon": Explanation(
        "the secret or the certificate expires within 30, 7 or 1 days",
        """After its expiry, Entra refuses it (AADSTS7000222, AADSTS700027). Create a new one. Put the reference of a
        new secret first in the list of `client_secret`, before the old one, and remove the old one when the new one is
        in use (`describe()` and the log show that). Replace the file of a certificate: it is read again. The date comes
        from `secret_expires_on`, or from the certificate.""",
        wrong="client_secret: {file: secrets/old}",
        right="client_secret: [{file: secrets/new}, {file: secrets/old}]",
    ),
    "expired": Explanation(
        "the secret or the certificate has expired",
        """By `secret_expires_on`, or by the dates of the certificate, it has expired, and Entra refuses it
        (AADSTS7000222, AADSTS700027). Create a new one. If you have done that, `secret_expires_on` is the date of the
        old one: correct it.""",
        wrong="secret_expires_on: 2020-01-31",
        right="secret_expires_on: 2028-01-31",
    ),
    "not-valid-yet": Explanation(
        "the certificate is not valid yet",
        """The validity of the certificate begins on a later day, and Entra refuses it until then (AADSTS700027). It may
        have been issued in advance. If today is not the day that this machine shows, set its clock.""",
        wrong="client_certificate: {file: certs/next-year.pem}",
        right="client_certificate: {file: certs/this-year.pem}",
    ),
    "not-expanded": Explanation(
        "a value is a placeholder that nothing replaced",
        """credconf does not expand variables inside values, neither in YAML nor in .env, because a secret may contain a
        `$`. The value is the literal text `${NAME}` or `$NAME`. In YAML, use a reference to the variable; elsewhere,
        let the program's launcher write the value. Paths are not expanded either: `~/secret` is a directory named
        `~`. The warning also appears if the whole value is a placeholder of another tool, which did not replace it:
        @Microsoft.KeyVault(…), $(NAME), #{NAME}#, %NAME%, ${{ secrets.NAME }}, {{ NAME }}, op://…, ENC[…],
        <your secret>, ***.""",
        wrong="client_secret: ${BILLING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "odd-character": Explanation(
        "a value contains a character that does not belong in it",
        """Ids and client secrets consist of printable ASCII characters without blanks. An invisible character (a
        zero-width space, a no-break space), a letter of another alphabet that looks like an ASCII letter, or a blank
        inside the value usually comes from copying out of a chat, a document or a web page. The message names the
        character by its Unicode name and its position, counted from 1. Copy the value again, from its source.""",
    ),
    "decoded-escape": Explanation(
        "double quotes have decoded a backslash",
        """In double quotes, YAML and .env decode escapes: `\\n` becomes a line break and `\\t` a tab. A path of Windows
        such as "C:\\new\\team.pem" is then another path. Single quotes keep backslashes, and so does a value without
        quotes. Windows accepts `/` in paths, too.""",
        wrong='client_certificate: {file: "C:\\new\\team.pem"}',
        right="client_certificate: {file: 'C:\\new\\team.pem'}",
    ),
    "path-as-value": Explanation(
        "a value is the path of a file instead of its content",
        """The text of the setting is the path of a file that exists. credconf would send the path itself, and Entra
        would refuse it. To read the file, write a reference, or use the variable whose name ends in _FILE.""",
        wrong="client_secret: secrets/entra",
        right="client_secret: {file: secrets/entra}",
    ),
    "readable-by-others": Explanation(
        "every user of the machine can read the file of the secret",
        """The file's mode allows everyone to read it. Remove that permission with `chmod o-r`. A mounted file can't be
        changed that way: in Kubernetes, set `defaultMode: 0440` of the volume, with `fsGroup` if the program does not
        run as root; for a secret of Docker, set its `mode`.""",
    ),
    "client-id-no-guid": Explanation(
        "the client id is not a GUID",
        """Entra ID identifies applications by GUIDs. The name of an application, its identifier URI and its object id
        (also a GUID) are something else: copy the Application (client) ID from the overview of the app
        registration.""",
        wrong="client_id: my-app",
        right="client_id: 11111111-1111-1111-1111-111111111111",
    ),
    "unknown-authority": Explanation(
        "the authority is not a known host of Microsoft",
        """credconf sends the secret to this host. That is correct for a private or a new cloud. If the name is
        misspelt, its owner receives your secret. For a public or national cloud, set `cloud` instead.""",
        wrong="authority: login.microsoftonline.con",
        right="cloud: public",
    ),
    "unheard-variable": Explanation(
        "a variable is set, but it has no effect",
        """A named entry reads only CREDCONF__<NAME>__<FIELD>, so variables of the flat form do not affect it. credconf
        reads CREDCONF_FILE and CREDCONF_NAME only from the environment of the process: a discovered .env file can't
        choose the identity. HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE have no effect in .env either, and a line of
        .env without `=`, or in the notation of PowerShell, sets nothing. With a secret, azure-identity's options for
        certificates (AZURE_CLIENT_CERTIFICATE_PASSWORD) have no effect, as in azure-identity.""",
        wrong="CREDCONF_NAME=billing CREDCONF_CLOUD=usgov",
        right="CREDCONF_NAME=billing CREDCONF__BILLING__CLOUD=usgov",
    ),
    "authority-displaced": Explanation(
        "a higher source replaces the host of a lower one",
        """`cloud` and `authority` both choose the server, so either of them in a higher source replaces both below.
        credconf warns if the hosts differ, and if one comes from the environment, an argument, `.env` or a discovered
        file and the other from elsewhere, or if one file contains the secret and its host, and another file sends that
        secret to another host. An entry may replace the host of what it extends, and a layer
        that of a layer without the secret. Remove one of them if this is not intended.""",
        wrong="cloud: usgov   # and in the environment: AZURE_AUTHORITY_HOST=login.microsoftonline.com",
        right="cloud: usgov   # and AZURE_AUTHORITY_HOST is unset",
    ),
    "identity-replaced": Explanation(
        "the environment replaces the whole identity of the file",
        """The file sets a client id with its secret or certificate, and a higher source sets both, too. The program
        uses the identity of the higher source. That is consistent, and therefore allowed, but variables of a machine
        or a pipeline often do it by accident. A named entry does not read the AZURE_ variables.""",
    ),
}
"""Warnings: configurations that work, but are probably not intended."""
