"""What can be wrong with named entries, and with what they extend."""

from __future__ import annotations

from credconf.problems.explanation import Explanation

EXPLAINED = {
    "bad-name": Explanation(
        "the name of an entry can't be used",
        """A name is made of lower-case letters and digits, begins with a letter, and may be joined by single `-` or
        `_`: it becomes a part of the entry's variables, CREDCONF__MY_APP__CLIENT_SECRET for `my-app`. For the same
        reason two names may not differ in `-` and `_` only.""",
        wrong="credentials:\n  My App: {cloud: usgov}",
        right="credentials:\n  my-app: {cloud: usgov}",
    ),
    "flat-and-named": Explanation(
        "a configuration mixes the flat and the named form",
        """A configuration is one credential, whose settings stand at the top of the file, or several, which stand
        below `credentials`. In a mixture, nobody could tell whom the settings at the top are for. What several
        entries share stands in an entry that they extend. All layers of a configuration have the same form.""",
        wrong="cloud: usgov\ncredentials:\n  billing: {tenant_id: contoso.onmicrosoft.com}",
        right="credentials:\n  base: {abstract: true, cloud: usgov}\n"
        "  billing: {extends: base, tenant_id: contoso.onmicrosoft.com}",
    ),
    "no-name": Explanation(
        "there are several entries, and none was chosen",
        """With named entries, something says which one is meant: the argument name=, the variable CREDCONF_NAME of
        the process, or `default:` in the file. The first of these that is there decides. One entry alone is not
        chosen by itself either: a second one, added later, would change the meaning of the program.""",
        wrong="credentials:\n  billing: {cloud: usgov}",
        right="default: billing\ncredentials:\n  billing: {cloud: usgov}",
    ),
    "unknown-name": Explanation(
        "the entry that was chosen does not exist",
        """The position tells what chose it: an argument, CREDCONF_NAME, or `default:` in a file. None of the files
        that were read has an entry of this name. Where entries are spread over layers, check that all the files
        were named.""",
        wrong="default: biling\ncredentials:\n  billing: {cloud: usgov}",
        right="default: billing\ncredentials:\n  billing: {cloud: usgov}",
    ),
    "abstract": Explanation(
        "the entry that was chosen is only there to be extended",
        """An entry with `abstract: true` holds what others share. It is not meant to be used itself, and need not
        be complete. Choose one that extends it.""",
        wrong="default: base\ncredentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: base}",
        right="default: billing\ncredentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: base}",
    ),
    "unknown-parent": Explanation(
        "an entry extends another that does not exist",
        """`extends` names other entries of the same configuration, of this file or of another layer. No file that
        was read has it. What the entry would inherit is not known then, so nothing is said to be missing from it.""",
        wrong="credentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: bsae}",
        right="credentials:\n  base: {abstract: true, cloud: usgov}\n  billing: {extends: base}",
    ),
    "cycle": Explanation(
        "an entry extends itself, directly or through others",
        """What an entry extends is looked at first, so a circle has no beginning. The hint writes the circle out:
        remove one of its steps. Where layers say different things about `extends` of one entry, the highest layer
        decides.""",
        wrong="credentials:\n  a: {extends: b}\n  b: {extends: a}",
        right="credentials:\n  a: {extends: b}\n  b: {cloud: usgov}",
    ),
}
