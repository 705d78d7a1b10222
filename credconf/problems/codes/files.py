"""Problems of a file that prevent credconf from reading its settings."""

from __future__ import annotations

from credconf.problems.codes import Explanation

EXPLAINED = {
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
        """credconf never skips a file that an argument, CREDCONF_FILE or a {file:} reference names. The path in a
        reference is relative to the file that contains it, not to the working directory. The path in an argument
        or a variable is relative to the working directory. In a container, check that the volume is mounted, and
        that the secret's key is the name of the file.""",
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
        Most parsers drop an invalid line, and the variable is then missing. In credconf this is an error. Usually
        a quote is not closed, or the `=` is missing.""",
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
