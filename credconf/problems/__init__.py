"""Problems of a configuration: their data, their words, their renderings, and the explanations of their codes.

A configuration without problems needs only the data and the words. The rest is imported on first use.
"""

from typing import TYPE_CHECKING

from .problem import Excerpt, Problem
from .wording import closest, folded, misspelt, printable, shown_key

if TYPE_CHECKING:
    from .catalogue import explain
    from .rendering import as_dicts, as_github, as_text, wants_colour

__all__ = [
    "Excerpt",
    "Problem",
    "as_dicts",
    "as_github",
    "as_text",
    "closest",
    "explain",
    "folded",
    "misspelt",
    "printable",
    "shown_key",
    "wants_colour",
]

_HOME = {"explain": "catalogue"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    module = import_module(f".{_HOME.get(name, 'rendering')}", __name__)
    return globals().setdefault(name, getattr(module, name))
