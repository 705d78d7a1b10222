"""Suggestions for misspelt words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 64
"""Compared characters of a word: the comparison is quadratic, and no known name is longer."""
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


def folded(word: str) -> str:
    """A name in lower case, without `-` and `_`, to compare different conventions."""
    return word.lower().replace("-", "").replace("_", "")
