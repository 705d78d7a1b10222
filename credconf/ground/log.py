"""The log of an engine: lines that name the client and the entry, written when no request is under way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger("credconf")

_T = TypeVar("_T")


class _Held(threading.local):
    work: list[Callable[[], object]] | None = None


class Log:
    """The logger `credconf` for one identity.

    A log handler of the application may need the token that is being fetched, to send the line. So a thread that leads
    a request writes its lines after its followers have the outcome.

    Args:
        who: the credential as messages may show it, such as `client ID`.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self._entries: dict[str, None] = {}
        self._held = _Held()

    def name(self, entry: str | None) -> None:
        """Name an entry in all lines from now on. Several entries may lead to one engine."""
        if entry is not None:
            self._entries[entry] = None

    def info(self, text: str, *arguments: object) -> None:
        """Log an INFO line; the arguments are those of `%`."""
        self._log(logging.INFO, text, arguments)

    def warning(self, text: str, *arguments: object) -> None:
        """Log a WARNING."""
        self._log(logging.WARNING, text, arguments)

    def _log(self, level: int, text: str, arguments: tuple[object, ...]) -> None:
        self.afterwards(lambda: self._write(level, text, arguments))

    def afterwards(self, work: Callable[[], object]) -> None:
        """Run some work of the application's, such as a log handler, when this thread leads no request."""
        if self._held.work is None:
            work()
        else:
            self._held.work.append(work)

    def _write(self, level: int, text: str, arguments: tuple[object, ...]) -> None:
        entries = f" ({', '.join(self._entries)})" if self._entries else ""
        logger.log(level, f"%s%s: {text}", self._who, entries, *arguments)  # noqa: G004 - the text is a constant

    def held_during(self, work: Callable[[], _T]) -> _T:
        """Run some work and return its result. The lines that this thread logs meanwhile are written afterwards."""
        outer, held = self._held.work, list[Callable[[], object]]()
        try:
            return self.held_in(held, work)
        finally:
            self._held.work = outer  # an interrupt may come just before the same assignment in `held_in`
            for each in held:
                self.afterwards(each)

    def held_in(self, held: list[Callable[[], object]], work: Callable[[], _T]) -> _T:
        """Run some work and return its result. What this thread would do `afterwards` is added to a list."""
        outer = self._held.work
        try:
            self._held.work = held
            return work()
        finally:
            self._held.work = outer
