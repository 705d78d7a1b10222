"""The explanations of problems with sources: files, their named entries, variables, references."""

from __future__ import annotations

from typing import Final

from .rendering import Explanation

FILES: Final = {
    "bad-yaml": Explanation(
        "the file is not valid YAML",
        """The parser stopped at this position, and credconf ignores the whole file. Check this line and the one
        before: a quote or bracket that is not closed, an indentation by a tab or by another number of spaces, a colon
        without a space after it, or a value that YAML reads as something else. A value needs quotes if it contains
        `: ` or ` #`, or begins with a backtick or one of @ % * & ! | > ' " [ ] { }. Between single quotes, every
        character except the single quote is literal. credconf also rejects tags (outside of its section, tags are
        allowed), several documents in one file, and control characters.""",
        wrong="client_secret: @9f: x",
        right="client_secret: '@9f: x'",
    ),
    "bad-key": Explanation(
        "a key is not text, or a merge has no mapping",
        """A key is the name of a setting, so it must be plain text, not a list or a mapping. The key `<<` merges the
        mapping of an alias; it can't merge a text or a number.""",
        wrong="x-common: &common usgov\n<<: *common",
        right="x-common: &common {cloud: usgov}\n<<: *common",
    ),
    "duplicate-key": Explanation(
        "a mapping has the same key twice",
        """Most YAML parsers silently use the last one, so the first line has no effect. In credconf this is an
        error: remove one of the two lines that the message names. In .env, which other programs also read, it is a
        warning, and the last line wins, as it does for them.""",
        wrong="cloud: public\ncloud: usgov",
        right="cloud: usgov",
    ),
    "too-complex": Explanation(
        "the file exceeds the limits of a configuration",
        """A file may contain 20,000 values, where an alias counts as everything that it refers to, and 32 levels of
        nesting. An entry may extend 64 others, directly or through others. A larger file is usually not a
        configuration, or it is an attack: a few lines of nested aliases can expand to billions of values. Check
        the path of the file.""",
    ),
    "empty-file": Explanation(
        "a file, or its requested section, is empty",
        """A named file must contain settings, and this one is empty or contains only comments. Perhaps a template was
        not filled in, or a volume is mounted over the file. Add the settings, or do not name the file.""",
        wrong="# tenant_id: contoso.onmicrosoft.com",
        right="tenant_id: contoso.onmicrosoft.com",
    ),
    "missing-section": Explanation(
        "no file has the requested section",
        """With section="azure.storage", on the command line `--section azure.storage`, credconf reads the mapping
        `storage` in the mapping `azure` of the file. No file has it. With several layers, at least one must have
        it.""",
        wrong="azure:\n  storrage: {cloud: usgov}",
        right="azure:\n  storage: {cloud: usgov}",
    ),
    "missing-file": Explanation(
        "a named file does not exist",
        """credconf never skips a file that an argument, CREDCONF_FILE or a {file:} reference names. It does not look
        in parent directories; the message names a file that is there. The path in a reference is relative to the file
        that contains it, not to the working directory. The path in an argument or a variable is relative to the
        working directory. In a container, check that the volume is mounted, and that the secret's key is the name of
        the file.""",
        wrong="client_secret: {file: /run/secret/entra}",
        right="client_secret: {file: /run/secrets/entra}",
    ),
    "not-a-file": Explanation(
        "the path is not a regular file",
        """credconf reads only regular files: a pipe or a device could block the program at its start. Docker creates
        a directory if the source of a mount does not exist: create the source, remove the directory, and mount
        again.""",
        wrong="client_secret: {file: /run/secrets}",
        right="client_secret: {file: /run/secrets/entra}",
    ),
    "unreadable-file": Explanation(
        "the file exists, but it can't be read",
        """Usually the user of the process lacks the permission. In Kubernetes, `fsGroup` of the pod's security context
        and `defaultMode` of the volume control it. Elsewhere, check the owner, the group and the mode of the file
        and of each directory above it.""",
    ),
    "file-too-large": Explanation(
        "the file is too large for its purpose",
        """The limit for a configuration is 1 MB, and for the file of a secret or a certificate 64 KB. credconf does not
        read more than that. Check the path.""",
    ),
    "not-utf8": Explanation(
        "the text is not UTF-8",
        """credconf reads text as UTF-8, with or without a byte order mark. The position is that of the first invalid
        byte. PowerShell's `>` and older editors on Windows write UTF-16 or a code page: save the file as UTF-8, or
        write it with `Out-File -Encoding utf8`. For a secret, check that the path is not that of a binary file.""",
    ),
    "bad-dotenv": Explanation(
        "a line of the .env file is not valid",
        """Each line sets one variable, NAME=VALUE. Quotes around the value are removed, and may contain line breaks.
        Most parsers drop an invalid line, and the variable is then missing. In credconf this is an error. It is a
        warning if the file was only discovered, and the configuration takes nothing from it and lacks nothing. Usually
        a quote is not closed, the `=` is missing, or the line begins with the `set` of a shell. `env_file=False` or
        --no-env-file reads no .env.""",
        wrong="AZURE_CLIENT_ID '11111111-1111-1111-1111-111111111111'",
        right="AZURE_CLIENT_ID='11111111-1111-1111-1111-111111111111'",
    ),
    "bad-assertion": Explanation(
        "a reference gives no signed token",
        """The assertion of a `client_assertion` is a JWT: three parts of base64url with dots between them, with an
        expiry. credconf sends nothing else to Entra, so that a wrong path never sends the content of another file.
        Check the path, and that the platform has written the token.""",
        wrong="client_assertion: {file: /run/secrets/entra}",
        right="client_assertion: {file: /var/run/secrets/azure/tokens/azure-identity-token}",
    ),
    "expired-assertion": Explanation(
        "a signed token has expired",
        """The platform that writes the token must write a new one before it expires. In Kubernetes, the kubelet renews
        the token of a projected volume, but not a copy of it, nor one that is mounted with `subPath`. The runner of a
        job writes its token once: use `{github: {}}` or `{azure_pipelines: ID}` instead of a file, and each request
        gets a new one. If the file is new, check the clock of this machine.""",
    ),
    "no-assertion": Explanation(
        "a service gives no assertion",
        """A reference that asks a service for an assertion (`github`, `azure_pipelines`, `managed_identity`) got none.
        The message says what the service answered, and what it needs: a permission of the job, a variable that the
        pipeline maps, or an identity that is assigned to the machine.""",
        wrong="jobs: {deploy: {runs-on: ubuntu-latest}}",
        right="jobs: {deploy: {runs-on: ubuntu-latest, permissions: {id-token: write}}}",
    ),
}
"""Problems of a file that prevent credconf from reading its settings."""

ENTRIES: Final = {
    "bad-name": Explanation(
        "the name of an entry is not valid",
        """A name has lower-case letters and digits, begins with a letter, and may contain single `-` or `_` between
        them. It becomes part of the entry's variables: CREDCONF__MY_APP__CLIENT_SECRET for `my-app`. So two names must
        not differ only in `-` and `_`.""",
        wrong="credentials:\n  My App: {cloud: usgov}",
        right="credentials:\n  my-app: {cloud: usgov}",
    ),
    "flat-and-named": Explanation(
        "a configuration mixes the flat and the named form",
        """A configuration is either one credential, with its settings at the top of the file, or several, below
        `credentials`. In a mixture, it would be unclear which credential the settings at the top belong to. Put
        common settings into an entry that others extend. All layers of a configuration use the same form.""",
        wrong="cloud: usgov\ncredentials:\n  billing: {tenant_id: contoso.onmicrosoft.com}",
        right="credentials:\n  base: {abstract: true, cloud: usgov}\n"
        "  billing: {extends: base, tenant_id: contoso.onmicrosoft.com}",
    ),
    "no-name": Explanation(
        "there are several entries, and none is chosen",
        """With named entries, credconf needs the name of one: the argument name=, the variable CREDCONF_NAME of the
        process, or `default:` in the file, in this order. A single entry is not chosen automatically either: a second
        entry, added later, would change which identity the program uses.""",
        wrong="credentials:\n  billing: {cloud: usgov}",
        right="default: billing\ncredentials:\n  billing: {cloud: usgov}",
    ),
    "unknown-name": Explanation(
        "the chosen entry does not exist",
        """The position shows where the name comes from: an argument, CREDCONF_NAME, or `default:` in a file. No file
        has an entry with this name. If layers define the entries, check that all files are named.""",
        wrong="default: biling\ncredentials:\n  billing: {cloud: usgov}",
        right="default: billing\ncredentials:\n  billing: {cloud: usgov}",
    ),
    "abstract": Explanation(
        "the chosen entry is abstract",
        """An entry with `abstract: true` holds settings for other entries to inherit. It can't be used itself, and
        may be incomplete. Choose an entry that extends it.""",
        wrong="default: base\ncredentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: base}",
        right="default: billing\ncredentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: base}",
    ),
    "unknown-parent": Explanation(
        "an entry extends another that does not exist",
        """`extends` names other entries of the same configuration, in this file or in another layer. No file has this
        entry. credconf can't know what it would provide, so it reports no missing settings.""",
        wrong="credentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: bsae}",
        right="credentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: base}",
    ),
    "cycle": Explanation(
        "an entry extends itself, directly or through others",
        """An entry inherits from the entries that it extends, so these must not lead back to it. The hint shows the
        cycle: remove one of its steps. If several layers set `extends` of an entry, the highest layer wins.""",
        wrong="credentials:\n  a: {extends: b}\n  b: {extends: a}",
        right="credentials:\n  a: {extends: b}\n  b: {cloud: usgov}",
    ),
}
"""Problems of named entries, and of the entries that they extend."""

SOURCES: Final = {
    "bad-reference": Explanation(
        "a mapping is not a valid reference",
        """A reference is a mapping with exactly one key: {env: NAME} for a variable, {file: PATH} for a file, and for
        `client_secret` also {command: [PROGRAM, ARGUMENT]}. Write the name of a variable without `$`. A command is a
        list, because no shell parses it.""",
        wrong="client_secret: {environment: $BILLING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "missing-variable": Explanation(
        "a variable in a reference is not set",
        """credconf looks for {env: NAME} in the environment of the process, then in the .env file of its working
        directory. An empty variable counts as unset. A service manager, a container or a scheduler passes only the
        variables of its own configuration, not those of your shell.""",
        wrong="client_secret: {env: BILING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "not-allowed": Explanation(
        "a reference needs a permission that the application did not give",
        """Write access to a configuration file must not mean permission to run programs. So {command:} works only if
        the application calls from_config(allow={"command"}). On the command line, use --allow command.""",
        wrong="credconf.from_config()",
        right='credconf.from_config(allow={"command"})',
    ),
    "command-failed": Explanation(
        "the program of a reference did not print a secret",
        """It could not be started, had an exit status other than 0, ran for more than 10 seconds, or printed more than
        64 KB or text that is not UTF-8. It runs without a shell and without input, so it can't ask a question. Run
        it yourself, with the application's user and variables. credconf discards its standard error, which may
        contain secrets.""",
        wrong="client_secret: {command: [sh, -c, pass entra]}",
        right="client_secret: {command: [pass, show, entra]}",
    ),
    "bad-certificate": Explanation(
        "the file of the certificate is not valid",
        """The file must contain one RSA private key and its certificate, as PEM (both in one file, in any order) or as
        PFX. `client_certificate_password` decrypts an encrypted key. Entra accepts only signatures of RSA keys. A
        .cer or .crt file alone, which you upload to Entra, has no private key; nor has a .p7b or a request (.csr).
        Azure Key Vault and the CSI driver give a PFX as base64: decode it with `base64 -d`, or set
        `objectFormat: pem` there. A PEM that passed through a variable or JSON may have `\\n` in place of its line
        breaks, and one that PowerShell's `>` wrote is UTF-16. The message names the contents of the file, and the
        command that converts it.""",
        wrong="client_certificate: {file: entra.cer}",
        right="client_certificate: {file: entra.pem}   # cat entra.key entra.cer > entra.pem",
    ),
    "bad-bundle": Explanation(
        "a file or directory of trusted certificates contains no usable one",
        """`http.ca_bundle`, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE names it. OpenSSL reads PEM: blocks
        that begin with BEGIN CERTIFICATE. It reads no DER (.cer, .der), no .p7b, no PFX, no Java keystore, and no
        UTF-16, which PowerShell's `>` writes. The message names the contents of the file, and the command that converts
        it. In a directory, OpenSSL looks for names that `openssl rehash` creates.""",
        wrong="http: {ca_bundle: company.p7b}",
        right="http: {ca_bundle: company.pem}   # openssl pkcs7 -print_certs < company.p7b > company.pem",
    ),
    "unknown-variable": Explanation(
        "a variable is almost one of credconf's",
        """A variable that begins with CREDCONF_ and resembles a known one is an error, because it is probably misspelt:
        the setting would silently come from another source, or keep its default. The name for a setting is
        CREDCONF_<FIELD>, in a group CREDCONF_HTTP__TIMEOUT, of an entry CREDCONF__<NAME>__<FIELD>. credconf ignores
        variables that resemble none of these.""",
        wrong="CREDCONF_TENNANT_ID=contoso.onmicrosoft.com",
        right="CREDCONF_TENANT_ID=contoso.onmicrosoft.com",
    ),
    "bad-variable": Explanation(
        "a variable can't set this setting directly",
        """A certificate and its private key are a file of many lines, so a variable holds the path, not the content.
        The name of the variable for the path ends in _FILE, or is AZURE_CLIENT_CERTIFICATE_PATH.""",
        wrong="CREDCONF_CLIENT_CERTIFICATE='-----BEGIN CERTIFICATE-----…'",
        right="CREDCONF_CLIENT_CERTIFICATE_FILE=/run/secrets/entra.pem",
    ),
    "mixed-identity": Explanation(
        "a client id would be combined with the secret of another identity",
        """A source sets a client id, and the secret or certificate comes from a lower source that sets a different
        client id. Entra would refuse the combination, or accept an unintended one. Set the secret in the same source
        as the client id, or remove one client id. A secret alone from the environment is allowed. If
        AZURE_FEDERATED_TOKEN_FILE is set, a workload-identity webhook of Kubernetes has probably put AZURE_CLIENT_ID
        into the pod: use a named entry, which does not read it, or set `env_prefix`.""",
        wrong="AZURE_CLIENT_ID=22222222-2222-2222-2222-222222222222   # the file has another one, with its secret",
        right="AZURE_CLIENT_ID=22222222-2222-2222-2222-222222222222 AZURE_CLIENT_SECRET_FILE=/run/secrets/entra",
    ),
    "redirected-secret": Explanation(
        "a discovered file would redirect a secret",
        """credconf reads credconf.yaml and .env in the working directory automatically. An attacker with write access
        to that directory could send a secret from another source to another server. So a discovered file must not set
        an authority that is not well known, a region of one, `disable_instance_discovery`, a proxy, certificates, or
        the place and protection of stored tokens, if the secret, or the target of a reference in an id, comes from
        elsewhere: the environment, an argument, a named file, or a file that is not beside the discovered one. The
        message says which. A file is beside it in the same directory or one directory below, with links resolved.
        Hidden files and directories are not, except those of a Kubernetes volume (`..data`), and no file in the home
        directory is. A discovered .env must not set these for a named file either. A discovered file can't use
        {github:}, {azure_pipelines:} or {managed_identity:}, with which the platform would vouch for the program to
        the tenant that the file names. Name the file, and all its settings are allowed.""",
        wrong="credconf.from_config()",
        right='credconf.from_config("credconf.yaml")',
    ),
}
"""Problems of variables and references, and between sources."""
