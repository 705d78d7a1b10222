"""How a command acquires a token: the credential, the status line while it waits, and the parts of a failure."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import credconf
from credconf.ground.records import record, replace
from credconf.problems import printable
from credconf.problems.failure import advice_on
from credconf.references import Reader

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Self

    from credconf.errors import Failure
    from credconf.references import BaseReference, NotFound

_DEFAULT: Final = "/.default"
_DELAY: Final = 0.3
"""Seconds before the status line appears. Most waits are shorter."""
_COLUMNS: Final = 80
"""The width of a terminal that does not report its own."""


def credential_on_demand(resolved: credconf.Resolved, status: StatusLine) -> credconf.Credential:
    """A credential that prefetches nothing. It shares no engine with other credentials, because its reader is its own.

    Args:
        resolved: the configuration.
        status: shows the commands that the configuration runs.

    Raises:
        ConfigError: a reference can't be read any more.
    """
    settings = resolved.settings.model_copy(update={"prefetch": ()})
    return credconf.build(replace(resolved, settings=settings, reader=_showing_commands(resolved.reader, status)))


@record
class FailureParts:
    """A failure, split for display.

    Attributes:
        summary: what failed, and for which client.
        fix: what to do; `None` if that is unknown.
        details: the server's message, and identifiers for support.
    """

    summary: str
    fix: str | None
    details: tuple[str, ...]


def parts_of(failure: Failure) -> FailureParts:
    """Split a failure's message: the first line, the advice for its AADSTS code or its type, and the rest."""
    summary, *rest = failure.message.splitlines()
    fix = advice_on(failure.codes[0]) if failure.codes else None
    if fix is None and rest and not rest[0].startswith(("The server's message: ", "Correlation id: ")):
        fix = rest[0]
    return FailureParts(summary, fix, tuple(line for line in rest if line != fix))


def scope_hint(scope: str) -> str | None:
    """Return the replacement for a scope that no service principal can get; `None` if the scope may be right."""
    if scope.endswith(_DEFAULT):
        return None
    try:
        parts = urlsplit(scope)
    except ValueError:
        parts = urlsplit("")
    resource = f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else "RESOURCE"
    return f"a service principal requests all its permissions at once: {resource}{_DEFAULT}"


class StatusLine:
    """A line on standard error that shows what a command waits for. It is erased when the wait is over.

    The line appears only on a terminal that can move its cursor.

    Args:
        activity: such as `asking login.microsoftonline.com`.
        shows: whether the output is for people. JSON and a raw token stay alone, even if both streams are one.
    """

    def __init__(self, activity: str, *, shows: bool) -> None:
        self._activity = activity
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
    def showing(self, activity: str) -> Generator[None]:
        """Show another activity meanwhile. It has no effect after the wait, when abandoned work may still run."""
        before = self._activity
        self._show(activity)
        try:
            yield
        finally:
            self._show(before)

    def _show(self, activity: str) -> None:
        with self._lock:
            self._activity = activity
            if self._draws and self._timer is not None:
                self._draw(activity)

    def _begin(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._draws = True
                self._draw(self._activity)

    def _draw(self, activity: str) -> None:
        line = f"{printable(activity)} ..."[: _columns() - 1] if activity else ""
        if line or self._width:
            with suppress(OSError):  # the line is a convenience
                # The cursor returns to the first column, so that other output, such as the log, replaces the line.
                sys.stderr.write(f"\r{line.ljust(self._width)}\r")
                sys.stderr.flush()
        self._width = len(line)


def _showing_commands(reader: Reader, status: StatusLine) -> Reader:
    """A copy of the configuration's reader that shows on the status line which command it runs."""

    class ShowingReader(Reader):
        """Finds values as `Reader` does. A copy with other field values shows commands, too."""

        __slots__ = ()

        def text(self, reference: BaseReference) -> str | NotFound:
            if not reference.runs:
                return super().text(reference)
            with status.showing(f"running {reference.label}"):
                return super().text(reference)

    fields: dict[str, Any] = {name: getattr(reader, name) for name in Reader.__match_args__}
    return ShowingReader(**fields)


def _has_cursor() -> bool:
    """Whether standard error is a terminal that can replace a line, and its user allows that."""
    stream = sys.stderr
    plain = os.environ.get("TERM") == "dumb" or os.environ.get("NO_COLOR")
    return not plain and stream is not None and stream.isatty()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS
