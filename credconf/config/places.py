"""The places that a request looks at, whether or not anything is there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from credconf.records import record

from .request import DEFAULT_DOTENV, DEFAULT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .request import Request

_SWITCHED_OFF: Final = "switched off"


@record
class Place:
    """A place that values may come from.

    Attributes:
        name: as messages call it; of a file, the path as it was given.
        exists: whether there is one.
        note: why it is looked at, or that it is not.
        is_of_the_process: it is no file, and always there.
    """

    name: str
    exists: bool = True
    note: str | None = None
    is_of_the_process: bool = False

    def __str__(self) -> str:
        if self.note == _SWITCHED_OFF:
            return f"{self.name} ({self.note})"
        return self.name if self.exists else f"{self.name} (no such file)"


_OF_THE_PROCESS: Final = tuple(Place(name, is_of_the_process=True) for name in ("arguments", "environment"))


def places(request: Request) -> tuple[Place, ...]:
    """Arguments, the environment, `.env`, and the files, the lowest layer first."""
    return (*_OF_THE_PROCESS, _dotenv(request), *_files(request))


def _dotenv(request: Request) -> Place:
    if isinstance(request.env_file, bool):
        # A directory may be called `.env`: the virtual environment.
        exists = os.path.isfile(DEFAULT_DOTENV)
        return Place(DEFAULT_DOTENV, exists, None if request.env_file else _SWITCHED_OFF)
    name = os.fspath(request.env_file)
    return Place(name, os.path.exists(name))


def _files(request: Request) -> Iterator[Place]:
    paths, found, variable = request.named_files()
    note = "found here" if found else f"named by {variable}" if variable else None
    for path in paths:
        yield Place(path, os.path.exists(path), note)
    if not paths:
        off = request.path is False
        yield Place(DEFAULT_FILE, os.path.lexists(DEFAULT_FILE), _SWITCHED_OFF if off else None)
