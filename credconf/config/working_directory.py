"""The working directory, to which paths are relative, and the files in its parents, which credconf does not read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from credconf.ground.files import absolute
from credconf.problems import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_HIGHEST: Final = 20
"""The number of parent directories that are searched."""


def in_parent(path: str) -> str | None:
    """Return the absolute path of a file in a parent of the working directory, for messages; the nearest one.

    Args:
        path: a relative path.
    """
    here = absolute(".")
    if os.path.isabs(path) or not os.path.isabs(here):
        return None
    for _ in range(_HIGHEST):
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above
        candidate = os.path.join(here, path)
        if os.path.isfile(candidate):
            return printable(os.path.normpath(candidate))
    return None


def where(path: str) -> str | None:
    """Describe where a relative path that a user wrote leads, and a file of this path in a parent directory."""
    if os.path.isabs(path) or not path:
        return None
    whole = absolute(path)
    if not os.path.isabs(whole):
        return "it is relative to the working directory, which does not exist: write an absolute path"
    found = in_parent(path)
    near = f"\n{found} is in a parent directory, which is not searched: name that path" if found else ""
    return f"relative to the working directory, it is {printable(whole)}{near}"


def no_working_directory() -> Iterator[str]:
    """Yield why nothing can be found in the working directory."""
    try:
        os.getcwd()
    except OSError:
        yield "the working directory does not exist any more, or can't be read: name the files by absolute paths"
        return
    if not os.access(".", os.X_OK):
        yield f"this user can't search the working directory {printable(absolute('.'))}: name the files, or change it"
