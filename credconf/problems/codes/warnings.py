"""What works, and is probably not meant."""

from __future__ import annotations

from credconf.problems.explanation import Explanation

EXPLAINED = {
    "secret-in-file": Explanation(
        "a secret is written in the configuration file",
        """Whoever can read the file, its backups and the history of its repository can read the secret, and
        changing it means changing the file. Name the place where it stands instead: a file that your platform
        mounts, which may also change while the program runs, or a variable. If the file was ever committed, make a
        new secret.""",
        wrong="client_secret: 9f3a…",
        right="client_secret: {file: /run/secrets/entra}",
    ),
    "secret-is-guid": Explanation(
        "the secret looks like the id of a secret",
        """The portal lists each client secret with a Value and a Secret ID. The ID is a GUID and proves nothing;
        the Value is shown once, right after the secret was made, and is about 40 characters long. If the Value is
        lost, make a new secret. Entra would answer AADSTS7000215.""",
    ),
    "surrounding-space": Explanation(
        "the secret begins or ends with white space",
        """One line break at the end of a secret's file is dropped; everything else is a part of the secret. Mostly
        it comes from copying, or from a second line break that a template added. Entra would answer AADSTS7000215.""",
        wrong="client_secret: '9f3a… '",
        right="client_secret: '9f3a…'",
    ),
    "inner-line-break": Explanation(
        "the secret goes over more than one line",
        """A client secret is one line. A line break inside it mostly means that the file or the variable holds
        something else as well: a second secret, a comment, a line NAME=VALUE. All of it would be sent, and Entra
        would answer AADSTS7000215.""",
        wrong='client_secret: "9f3a…\\n# rotated in May"',
        right='client_secret: "9f3a…"',
    ),
    "surrounding-quotes": Explanation(
        "the secret stands in quotes that are a part of it",
        """Quotes are removed where the format has them: in YAML and in .env. In a variable of the process (Docker's
        --env-file, a systemd unit, a pipeline) and in the file of a secret, they are characters like all others.""",
        wrong="docker run -e AZURE_CLIENT_SECRET=\"'9f3a…'\" app",
        right="docker run -e AZURE_CLIENT_SECRET='9f3a…' app",
    ),
    "cut-value": Explanation(
        "a secret was perhaps cut at ` #`",
        """Outside of quotes, ` #` begins a comment, in YAML and in .env. A password that holds it loses its end. It
        is said only where one word adheres to the `#`; if that is a comment, put a space behind the `#`.""",
        wrong="client_certificate_password: ab #cd",
        right="client_certificate_password: 'ab #cd'",
    ),
    "expires-soon": Explanation(
        "the secret or the certificate ends within 30, 7 or 1 days",
        """Once it has ended, Entra refuses it (AADSTS7000222, AADSTS700027). Make a new one beside it, write its
        reference first into the list of `client_secret`, newest first, with the old one behind it, and remove the old
        one when the new one is in use (`describe()` and the log tell). The day comes from `secret_expires_on`, or
        from the certificate.""",
        wrong="client_secret: {file: secrets/old}",
        right="client_secret: [{file: secrets/new}, {file: secrets/old}]",
    ),
    "expired": Explanation(
        "the secret or the certificate has ended",
        """By `secret_expires_on`, or by its own dates, it is over, and Entra refuses it (AADSTS7000222,
        AADSTS700027). Make a new one. If that was done, `secret_expires_on` still tells of the old one: correct
        it.""",
        wrong="secret_expires_on: 2020-01-31",
        right="secret_expires_on: 2028-01-31",
    ),
    "not-expanded": Explanation(
        "a value is written in a notation that is not expanded",
        """Nothing expands variables inside of values here, neither in YAML nor in .env, because a secret may hold a
        `$`. The value is the text itself, `${NAME}` or `$NAME`. In YAML, refer to the variable; elsewhere, let
        whatever starts the program write the value. Nor is a path: `~/secret` is a directory that is called `~`.""",
        wrong="client_secret: ${BILLING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "readable-by-others": Explanation(
        "every user of the machine can read the file of the secret",
        """The file's mode lets everybody read it. Take that away with `chmod o-r`, or mount it so: in Kubernetes,
        `defaultMode: 0400` of the volume, with `fsGroup` if the program does not run as root.""",
    ),
    "client-id-no-guid": Explanation(
        "the client id is not a GUID",
        """Entra ID knows applications by GUIDs. The name of an application, its identifier URI or its object id (a
        GUID, too) are something else: copy the Application (client) ID from the overview of the app registration.""",
        wrong="client_id: my-app",
        right="client_id: 11111111-1111-1111-1111-111111111111",
    ),
    "unknown-authority": Explanation(
        "the authority is not a host that Microsoft is known to operate",
        """The secret is sent to this host. If it is the host of a private or a new cloud, all is well; if it is a
        misspelt one, whoever owns that name is sent your secret. Where the cloud is one of the usual ones, write
        `cloud` instead.""",
        wrong="authority: login.microsoftonline.con",
        right="cloud: public",
    ),
    "authority-displaced": Explanation(
        "a higher source replaces the host of a lower one",
        """`cloud` and `authority` are two ways to say one thing, so either of them in a higher source (mostly
        AZURE_AUTHORITY_HOST in the environment) displaces both below. Here the host differs: the program talks to
        another cloud than the lower source says. Remove one of them if that is not meant.""",
    ),
    "identity-replaced": Explanation(
        "the environment replaces the whole identity of the file",
        """The file has a client id with its secret or certificate, and a higher source has both, too. The program
        signs in as the one of the higher source. That is consistent, so it is allowed; it is said because variables
        of a machine or a pipeline do it without anybody having meant it. A named entry does not read the
        AZURE_ variables.""",
    ),
}
