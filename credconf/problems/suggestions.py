"""What a misspelt word was probably meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 64
"""Characters of a word that are compared: the comparison is quadratic, and no name of ours is longer."""


_MOST = 500
"""Choices that a word is compared with: whoever has more to choose from, has not just misspelt one of ours."""


def closest(word: str, choices: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The choice that `word` was probably meant to be, compared without case, `-` and `_`.

    Args:
        word: as it was written.
        choices: what it may be.
        cutoff: how alike they must be, from 0 to 1.
    """
    from difflib import get_close_matches

    by_folded = {folded(choice): choice for choice in choices}
    if len(by_folded) > _MOST:
        return None
    matches = get_close_matches(folded(word[:_LONGEST]), by_folded, n=1, cutoff=cutoff)
    return by_folded[matches[0]] if matches else None


def folded(word: str) -> str:
    """A name without what other habits of writing change: case, `-` and `_`."""
    return word.lower().replace("-", "").replace("_", "")
