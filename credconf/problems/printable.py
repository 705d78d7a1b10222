"""Names of files and variables as a terminal may show them."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with an escape for each unprintable character: what a file is called must not move a cursor."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
