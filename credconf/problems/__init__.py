"""What is wrong, as data: the model of a problem, its three renderings, and what each code means.

A configuration without problems needs only the model: the rest is bound on first use.
"""

from typing import TYPE_CHECKING

from .model import Excerpt, Problem
from .suggestions import closest

if TYPE_CHECKING:
    from .catalogue import explain
    from .colour import wants_colour
    from .github import as_github
    from .records import as_dicts
    from .text import as_text

__all__ = ["Excerpt", "Problem", "as_dicts", "as_github", "as_text", "closest", "explain", "wants_colour"]

_HOME = {
    "as_dicts": "records",
    "as_github": "github",
    "as_text": "text",
    "explain": "catalogue",
    "wants_colour": "colour",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return globals().setdefault(name, getattr(import_module(f".{_HOME[name]}", __name__), name))
