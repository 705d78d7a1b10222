"""What can be wrong with a file before anything is read in it as a setting."""

from __future__ import annotations

from credconf.problems.explanation import Explanation

EXPLAINED = {
    "bad-yaml": Explanation(
        "the file is not YAML that can be used",
        """The parser stopped at the place that is shown, so nothing of the file was read. Mostly it is the line
        itself or the one before: a quote or bracket that is never closed, a line that is indented with a tab or by
        another number of spaces than its neighbours, a colon without a space behind it, or a value that YAML reads
        as something else. A value that holds `: ` or ` #`, or begins with a backtick or one of
        @ % * & ! | > ' " [ ] { }, needs quotes; in single quotes, everything but the single quote itself stands for
        itself. Tags (but for those of an application outside of our section), more than one document in a file, and
        control characters are not accepted either.""",
        wrong="client_secret: @9f: x",
        right="client_secret: '@9f: x'",
    ),
    "bad-key": Explanation(
        "a key that is no text, or a merge that merges no mapping",
        """A key of a mapping is the name of a setting, so it is plain text, not a list or a mapping. The key `<<`
        merges the mapping that an alias stands for; a text or a number has nothing to merge.""",
        wrong="x-common: &common usgov\n<<: *common",
        right="x-common: &common {cloud: usgov}\n<<: *common",
    ),
    "duplicate-key": Explanation(
        "a key stands twice in one mapping",
        """YAML's readers usually let the last one win without a word, so that a line which somebody looks at may
        have no effect. Here it is an error: remove one of the two. Both lines are named in the message. In .env, which
        other programs read, too, it is a warning, and the last one counts, as it does for them.""",
        wrong="cloud: public\ncloud: usgov",
        right="cloud: usgov",
    ),
    "too-complex": Explanation(
        "the file is larger than any configuration is",
        """A file may hold 20,000 values, where an alias counts as all that it stands for, and be nested 32 levels
        deep; an entry may extend 64 others, theirs counted. What is beyond is most often a list of aliases of
        aliases, which a few lines can blow up to billions of values, or not a configuration at all. Check that the
        right file was named.""",
    ),
    "empty-file": Explanation(
        "a file, or the section that was asked for, is empty",
        """The file was named, so something was expected from it; nothing, or nothing but comments, stands in it.
        Perhaps a template was not filled in, or a volume was mounted over the file. Write the settings, or do not
        name it.""",
        wrong="# tenant_id: contoso.onmicrosoft.com",
        right="tenant_id: contoso.onmicrosoft.com",
    ),
    "missing-section": Explanation(
        "no file has the section that was asked for",
        """With section="azure.storage", on the command line `--section azure.storage`, the settings are the mapping
        `storage` in the mapping `azure` of the file. None of the files has it. A file among several layers may leave
        it out, but not all of them.""",
        wrong="azure:\n  storrage: {cloud: usgov}",
        right="azure:\n  storage: {cloud: usgov}",
    ),
    "missing-file": Explanation(
        "a file that was named does not exist",
        """A file that something names (an argument, CREDCONF_FILE, a {file:} reference) is never skipped in
        silence. The path of a reference is relative to the file that holds it, not to the working directory; that
        of an argument or a variable is relative to the working directory. In a container, check that the volume is
        mounted and that the key of the secret is called like the file.""",
        wrong="client_secret: {file: /run/secret/entra}",
        right="client_secret: {file: /run/secrets/entra}",
    ),
    "not-a-file": Explanation(
        "the path leads to no regular file",
        """Only regular files are read: a pipe or a device could block the program at its start. A directory in the
        place of a file is what Docker makes of a mount whose source does not exist; create the source, remove the
        directory, and mount again.""",
        wrong="client_secret: {file: /run/secrets}",
        right="client_secret: {file: /run/secrets/entra}",
    ),
    "unreadable-file": Explanation(
        "the file exists, and can't be read",
        """Mostly the process runs as a user who may not read the file. In Kubernetes, `fsGroup` of the pod's
        security context or `defaultMode` of the volume decide who may; elsewhere the owner, the group and the mode
        of the file and of each directory above it do.""",
    ),
    "file-too-large": Explanation(
        "the file is too large for what it should hold",
        """A configuration has at most 1 MB, and the file of a secret or a certificate 64 KB. What lies beyond is
        not read. Check that the path names the right file.""",
    ),
    "not-utf8": Explanation(
        "the text is not UTF-8",
        """Text is read as UTF-8, with or without a byte order mark. The position is that of the first byte that is
        not. PowerShell's `>` and older editors of Windows write UTF-16 or a code page: save the file as UTF-8, or
        write it with `Out-File -Encoding utf8`. In the file of a secret, it may also be that a binary file was
        named.""",
    ),
    "bad-dotenv": Explanation(
        "a line of the .env file can't be read",
        """Each line sets one variable, NAME=VALUE; quotes around the value are removed, and may hold line breaks.
        Most readers drop a line that they can't read, and the variable is then missing somewhere else. Here it is
        an error. Mostly a quote is not closed, or there is no `=`.""",
        wrong="AZURE_CLIENT_ID '11111111-1111-1111-1111-111111111111'",
        right="AZURE_CLIENT_ID='11111111-1111-1111-1111-111111111111'",
    ),
}
