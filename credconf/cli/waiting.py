"""What a command waits for: one line at a terminal, which is erased when the wait is over."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from credconf.problems.printable import printable
from credconf.references import Reader

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Self

    from credconf.references import BaseReference, NotFound

_DELAY: Final = 0.3
"""Seconds before the line is shown: most waits are shorter."""
_COLUMNS: Final = 80
"""Of a terminal that does not tell its own."""


class Waiting:
    """Shows on standard error what is waited for, where that is a terminal whose cursor may be moved.

    Args:
        doing: such as `asking login.microsoftonline.com`.
        shows: whether the command writes for people; JSON and a raw token stay alone also where both streams are one.
    """

    def __init__(self, doing: str, *, shows: bool) -> None:
        self._doing = doing
        self._lock = threading.Lock()
        self._width = 0
        self._timer = threading.Timer(_DELAY, self._begin) if shows and _has_cursor() else None
        self._draws = False

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            with suppress(RuntimeError):  # no thread can be started: there is no line
                self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is None:
            return
        self._timer.cancel()
        with self._lock:
            self._timer = None
            self._draw("")

    @contextmanager
    def instead(self, doing: str) -> Generator[None]:
        """Show something else meanwhile; nothing once the wait is over, since work may be left behind on a thread."""
        before = self._doing
        self._show(doing)
        try:
            yield
        finally:
            self._show(before)

    def _show(self, doing: str) -> None:
        with self._lock:
            self._doing = doing
            if self._draws and self._timer is not None:
                self._draw(doing)

    def _begin(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._draws = True
                self._draw(self._doing)

    def _draw(self, doing: str) -> None:
        line = f"{printable(doing)} ..."[: _columns() - 1] if doing else ""
        if line or self._width:
            with suppress(OSError):  # what can't be shown is not needed
                # The cursor goes back, so that what others write meanwhile, such as the log, replaces the line.
                sys.stderr.write(f"\r{line.ljust(self._width)}\r")
                sys.stderr.flush()
        self._width = len(line)


def telling(reader: Reader, waiting: Waiting) -> Reader:
    """A reader that shows which command is waited for.

    Args:
        reader: of the configuration.
        waiting: shows it.
    """

    class Telling(Reader):
        """Finds values as `Reader` does; a copy with other values in its fields shows commands, too."""

        __slots__ = ()

        def text(self, reference: BaseReference) -> str | NotFound:
            if not reference.runs:
                return super().text(reference)
            with waiting.instead(f"running {reference.label}"):
                return super().text(reference)

    fields: dict[str, Any] = {name: getattr(reader, name) for name in Reader.__match_args__}
    return Telling(**fields)


def _has_cursor() -> bool:
    """Whether standard error is a terminal on which a line can be replaced, and its user has nothing against that."""
    stream = sys.stderr
    plain = os.environ.get("TERM") == "dumb" or os.environ.get("NO_COLOR")
    return not plain and stream is not None and stream.isatty()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS
