"""Problems of named entries, and of the entries that they extend."""

from __future__ import annotations

from credconf.problems.codes import Explanation

EXPLAINED = {
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
