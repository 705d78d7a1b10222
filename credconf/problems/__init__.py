"""Problems of a configuration: their data, their renderings, the explanations of their codes, and suggestions.

A configuration without problems needs only the data. The rest is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .problem import Excerpt, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .catalogue import explain
    from .rendering import as_dicts, as_github, as_text, wants_colour

__all__ = ["Excerpt", "Problem", "as_dicts", "as_github", "as_text", "closest", "explain", "folded", "wants_colour"]

_HOME = {"explain": "catalogue"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    module = import_module(f".{_HOME.get(name, 'rendering')}", __name__)
    return globals().setdefault(name, getattr(module, name))


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
