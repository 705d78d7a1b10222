"""Finds what is probably wrong with a text: white space or quotes around it, a placeholder, a character out of place.

No message shows the text. Each names at most one character of it, by its Unicode name and its position.
"""

from __future__ import annotations

import re
from typing import Final

from .placeholders import Defect, unresolved


def defect_of(text: str, *, any_character: bool = False) -> Defect | None:
    """Return what is probably wrong with a text; `None` if it looks like a value.

    Args:
        text: a value, or the path of a file.
        any_character: whether blanks inside it, and characters beyond ASCII, are usual, as in paths and passwords.
    """
    stripped = text.strip()
    if not stripped:
        return None  # an empty value is another problem
    if stripped != text:
        return _surrounding_space(text)
    is_ordinary = _ORDINARY.issuperset(text) and not _DIGITS.isdisjoint(text)
    if is_ordinary and text[0] != "_" and not text.isupper() and "=" not in text.rstrip("="):
        return None  # as ids and secrets are
    return (
        unresolved(text)
        or _surrounding_quotes(text)
        or _invisible(text)
        or _inner_line_break(text)
        or (None if any_character else _single_quote(text) or _odd_character(text))
    )


_ORDINARY: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=")
_DIGITS: Final = frozenset("0123456789")
_SPACES: Final = {"\n": "a line break", "\r": "a carriage return", "\t": "a tab", " ": "a blank"}


def _surrounding_space(text: str) -> Defect:
    at_end = text.rstrip() != text
    character = text[-1] if at_end else text[0]
    where = "ends" if at_end else "begins"
    if at_end and text.lstrip() != text:
        where = "begins and ends" if text[0] == character else where
    fix = "remove it"
    if character == "\r" or text.endswith("\r\n"):
        fix = "remove it: the value comes from a text with the line ends of Windows"
    elif character not in _SPACES:
        fix = "remove it: it usually comes from copying"
    return Defect("surrounding-space", f"{where} with {_SPACES.get(character) or _named(character)}", fix)


_NO_NAME: Final = {"\0": "NULL", "\x1b": "ESCAPE", "\x7f": "DELETE", "\b": "BACKSPACE"}


def _named(character: str) -> str:
    """Return the Unicode name and number of a character."""
    import unicodedata  # only defects need it

    number = f"U+{ord(character):04X}"
    if "\ud800" <= character <= "\udfff":
        return f"a byte that is not UTF-8 ({number})"
    name = unicodedata.name(character, _NO_NAME.get(character, ""))
    return f"{name} ({number})" if name else number


_PAIRS: Final = {
    '"': ('"', "quotes"),
    "'": ("'", "quotes"),
    "`": ("`", "backticks"),
    "<": (">", "angle brackets"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f", ("\u201c\u201d", "typographic quotes")),
    **dict.fromkeys("\u2018\u2019\u201a\u201b", ("\u2018\u2019", "typographic quotes")),
    **dict.fromkeys("\u00ab\u00bb", ("\u00ab\u00bb", "typographic quotes")),
    **dict.fromkeys("\u2039\u203a", ("\u2039\u203a", "typographic quotes")),
}
"""The characters that people put around a value, with those that end it, and their name."""


_BRACKETED: Final = re.compile(r"(?:\{[0-9a-fA-F-]{32,36}\}|\([0-9a-fA-F-]{32,36}\)|\[[0-9a-fA-F-]{32,36}\])")
"""A GUID as Windows writes it."""


def _surrounding_quotes(text: str) -> Defect | None:
    ends, name = _PAIRS.get(text[0], ("", ""))
    if text[:2] in {"b'", 'b"'} and text[-1] == text[1] and len(text) > 3:  # noqa: PLR2004 - the marks and something
        return Defect("surrounding-quotes", "is written as bytes of Python (`b'…'`)", "decode it at its source")
    if _BRACKETED.fullmatch(text):
        return Defect("surrounding-quotes", "has brackets around it", "remove them")
    if len(text) < 2 or text[-1] not in ends:  # noqa: PLR2004 - a pair
        return None
    if text[0] == "<" and not _ORDINARY.issuperset(text[1:-1]):
        return None  # a password of a generator, which may begin and end with anything
    if name == "typographic quotes":
        name = f"typographic quotes, {_named(text[0])} at position 1,"
    return Defect("surrounding-quotes", f"has {name} around it that are part of the value", "remove them")


def _single_quote(text: str) -> Defect | None:
    """Report a quote at one end of what otherwise looks like an id or a secret."""
    for where, mark, rest in (("begins", text[0], text[1:]), ("ends", text[-1], text[:-1])):
        if mark in "\"'`" and rest and _ORDINARY.issuperset(rest):
            return Defect("surrounding-quotes", f"{where} with a quote that is part of the value", "remove it")
    return None


_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_LOOK_EMPTY: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
"""Letters and marks without a shape. Source: Unicode's Default_Ignorable_Code_Point, and the empty Braille cell."""


def _is_invisible(character: str) -> bool:
    if " " < character < "\x7f" or character in _SPACES:
        return False
    import unicodedata  # only defects need it

    is_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    space = unicodedata.category(character) == "Zs"
    return space or is_selector or character in _LOOK_EMPTY or unicodedata.category(character) in _INVISIBLE


def _invisible(text: str) -> Defect | None:
    found = [index for index, character in enumerate(text) if _is_invisible(character)]
    if not found:
        return None
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    what = f"holds an invisible character, {_named(text[found[0]])} at position {found[0] + 1}{more}"
    return Defect("odd-character", what, "remove it: it usually comes from copying")


def _inner_line_break(text: str) -> Defect | None:
    index = min((text.index(character) for character in "\r\n" if character in text), default=None)
    if index is None:
        return None
    return Defect("inner-line-break", f"holds a line break at position {index + 1}", "keep only the value, in one line")


def _odd_character(text: str) -> Defect | None:
    found = [index for index, character in enumerate(text) if character in " \t" or character > "~"]
    if not found:
        return None
    character = text[found[0]]
    name = _SPACES.get(character) or _named(character)
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    what = f"holds {name} at position {found[0] + 1}{more}"
    return Defect("odd-character", what, "copy the value again, from its source")
