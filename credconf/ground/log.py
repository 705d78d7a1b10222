"""What an engine logs: lines that name the client and the entry, written when no request is under way."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("credconf")

_T = TypeVar("_T")
_Line = tuple[int, str, tuple[object, ...]]


class _Held(threading.local):
    lines: list[_Line] | None = None


class Log:
    """The logger `credconf`, for one identity.

    A handler of the application's may need the very token that is being fetched, to send the line somewhere. So the
    lines of a thread that leads a request are written when its followers have the outcome.

    Args:
        client: the client id as messages may show it.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._entries: dict[str, None] = {}
        self._held = _Held()

    def name(self, entry: str | None) -> None:
        """Name an entry in all lines from now on. Several entries may lead to one engine."""
        if entry is not None:
            self._entries[entry] = None

    def info(self, text: str, *arguments: object) -> None:
        """Log an INFO line; the arguments are those of `%`."""
        self._say(logging.INFO, text, arguments)

    def warning(self, text: str, *arguments: object) -> None:
        """Log a WARNING."""
        self._say(logging.WARNING, text, arguments)

    def _say(self, level: int, text: str, arguments: tuple[object, ...]) -> None:
        if self._held.lines is None:
            self._write(level, text, arguments)
        else:
            self._held.lines.append((level, text, arguments))

    def _write(self, level: int, text: str, arguments: tuple[object, ...]) -> None:
        entries = f" ({', '.join(self._entries)})" if self._entries else ""
        logger.log(level, f"client %s%s: {text}", self._client, entries, *arguments)  # noqa: G004 - it is no value

    def held_during(self, work: Callable[[], _T]) -> _T:
        """The result of some work. The lines that this thread logs meanwhile are written after it."""
        outer, lines = self._held.lines, list[_Line]()
        try:
            try:
                self._held.lines = lines
                return work()
            finally:
                self._held.lines = outer
        finally:
            self._held.lines = outer  # an interrupt may have come just before the first time
            for level, text, arguments in lines:
                self._say(level, text, arguments)
