"""Foreign text as a terminal, a log and a CI runner may have it: what others wrote is text, and no command.

GitHub's runner takes `::name ...::` at the start of a line for a command, white space before it aside; Azure Pipelines
takes `##vso[...]` for one anywhere in a line, and GitHub's runner `##[...]`. A backslash that can be seen breaks them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_KEY: Final = 40
_NAME_PUNCTUATION: Final = str.maketrans("", "", "_-.$")
_MARK: Final = re.compile(r"(?<=#)#|(?<!\S)::")
"""What a command begins with. `::` also within a line, since who shows the text may wrap it there."""


def printable(text: str) -> str:
    """The text in one line, with an escape for each unprintable character and for what a runner takes for a command."""
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
        )
    return harmless(text)


def harmless(text: str) -> str:
    """Lines that hold no command, whatever parts they were made of; their ends and their colours stay."""
    return _broken(text, lambda mark: f"\\{mark}")


def harmless_in_place(text: str, instead: str) -> str:
    """The same with one character instead of another, for a line below which carets stand."""
    return _broken(text, lambda mark: instead + mark[1:])


def as_json(data: Any) -> str:
    """JSON in ASCII, for a pipe of any encoding. Its lines hold no command; its values are what was given."""
    import json

    # `::` begins no line of it, and `#` is nowhere but in a string.
    return json.dumps(data, indent=2).replace("##", "#\\u0023")


def _broken(text: str, escaped: Callable[[str], str]) -> str:
    if "##" not in text and "::" not in text:
        return text
    return "\n".join(_broken_line(line, escaped) for line in text.split("\n"))


def _broken_line(line: str, escaped: Callable[[str], str]) -> str:
    last = line.rfind("::")  # behind the name of a command; an address such as ::1 has none

    def mark(found: re.Match[str]) -> str:
        return escaped(found[0]) if found[0] == "#" or found.end() <= last else found[0]

    return _MARK.sub(mark, line)


def shown_key(key: str) -> str:
    """A key as a message may show it: what does not look like a name may be a pasted secret."""
    looks_like_a_name = len(key) <= _LONGEST_KEY and key.translate(_NAME_PUNCTUATION).isalnum()
    return key if looks_like_a_name else "…"
