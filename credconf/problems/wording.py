"""The words of messages: foreign text made safe to show, and suggestions for misspelt names.

No terminal, log or CI runner interprets safe text as a command. GitHub's runner executes `::name ...::` at the start of
a line, after optional white space, and `##[...]`. Azure Pipelines executes `##vso[...]` anywhere in a line. A visible
backslash breaks these commands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LONGEST = 64
"""Compared characters of a word: the comparison is quadratic, and no known name is longer."""
_LACKING = 2
"""The number of letters that a misspelt name may lack."""
_MOST = 500
"""The maximum of choices: a longer list does not consist of known names."""


def closest(word: str, choices: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The choice that is most similar to `word`, compared without case, `-` and `_`; `None` if none is similar.

    Args:
        word: the misspelt word.
        choices: the known words.
        cutoff: the minimum similarity, from 0 to 1.
    """
    from difflib import get_close_matches

    by_folded = {folded(choice): choice for choice in choices}
    if len(by_folded) > _MOST:
        return None
    matches = get_close_matches(folded(word[:_LONGEST]), by_folded, n=1, cutoff=cutoff)
    return by_folded[matches[0]] if matches else None


def misspelt(word: str, choices: Iterable[str], cutoff: float = 0.8) -> str | None:
    """The choice of which `word` is a misspelling. A name with a word more, or without one, is another name.

    Args:
        word: the name, whose words are joined by `_`.
        choices: the known names.
        cutoff: the minimum similarity, from 0 to 1.
    """
    length, words = len(folded(word)), words_in(word)
    return closest(
        word,
        [item for item in choices if words <= words_in(item) and len(folded(item)) - length <= _LACKING],
        cutoff,
    )


def words_in(name: str) -> int:
    """The number of words that `_` joins in a name."""
    return len([word for word in name.split("_") if word])


def folded(word: str) -> str:
    """A name in lower case, without `-` and `_`, to compare different conventions."""
    return word.lower().replace("-", "").replace("_", "")


def as_yaml(path: str, value: str = "…") -> str:
    """A setting as it is written in a file: `http: {timeout: 5}`."""
    group, _, leaf = path.rpartition(".")
    return f"`{group}: {{{leaf}: {value}}}`" if group else f"`{leaf}: {value}`"


_LONGEST_KEY: Final = 40
_NAME_PUNCTUATION: Final = str.maketrans("", "", "_-.$")
_MARK: Final = re.compile(r"(?<=#)#|(?<!\S)::")
"""The start of a command. `::` is escaped within a line, too, because the line may be wrapped there."""


def printable(text: str) -> str:
    r"""The text in one line, with `<U+000A>` for an unprintable character, and escapes for commands of CI runners.

    A backslash would not do: `C:\new` with a line feed in it would look like what was meant.
    """
    if not text.isprintable():
        text = "".join(character if character.isprintable() else f"<U+{ord(character):04X}>" for character in text)
    return harmless(text)


def harmless(text: str) -> str:
    """Lines without commands of CI runners. Line ends and colours stay."""
    return _broken(text, lambda mark: f"\\{mark}")


def harmless_in_place(text: str, instead: str) -> str:
    """Lines without commands, of unchanged width: the line below holds carets."""
    return _broken(text, lambda mark: instead + mark[1:])


def as_json(data: Any) -> str:
    """JSON in ASCII, for a pipe of any encoding. Its lines contain no command; its values are unchanged."""
    import json

    # No line begins with `::`, and `#` occurs only in strings.
    return json.dumps(data, indent=2).replace("##", "#\\u0023")


def _broken(text: str, escaped: Callable[[str], str]) -> str:
    if "##" not in text and "::" not in text:
        return text
    return "\n".join(_broken_line(line, escaped) for line in text.split("\n"))


def _broken_line(line: str, escaped: Callable[[str], str]) -> str:
    last = line.rfind("::")  # the end of a command's name; an address such as ::1 has none

    def mark(found: re.Match[str]) -> str:
        return escaped(found[0]) if found[0] == "#" or found.end() <= last else found[0]

    return _MARK.sub(mark, line)


_LEAST_SECRET: Final = 16


def is_like_a_secret(name: str) -> bool:
    """Whether a name of a file or variable is probably a secret that was pasted in its place."""
    if len(name) < _LEAST_SECRET or "." in name[-5:]:
        return False
    return "~" in name or all(any(map(test, name)) for test in (str.islower, str.isupper, str.isdigit))


def shown_key(key: str) -> str:
    """A key for a message; `…` if it does not look like a name, because it may be a pasted secret."""
    looks_like_a_name = len(key) <= _LONGEST_KEY and key.translate(_NAME_PUNCTUATION).isalnum()
    return key if looks_like_a_name else "…"
