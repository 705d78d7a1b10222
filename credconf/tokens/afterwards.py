"""What is done for other processes once a caller could have his answer: he waits a little for it, and no longer."""

from __future__ import annotations

import atexit
import contextlib
import threading
from typing import TYPE_CHECKING

from .workers import TooLong, Workers, bounded

if TYPE_CHECKING:
    from collections.abc import Callable

AT_END = 1.0
"""Seconds that the end of the process waits for what is under way: the next process finds a token that is stored."""
_AT_ONCE = 64  # as many as ask at once
_RESTS = 2.0  # seconds


class Afterwards:
    """Does things that should be done at once, and may take longer.

    Args:
        patience: seconds that a caller waits for them; `None`: until they are done, because they never take long.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._workers = Workers(_AT_ONCE, "credconf-after", idle=_RESTS)

    def do(self, work: Callable[[], object]) -> None:
        """Do something, which raises no `Exception`."""
        if self._patience is None:
            work()
            return
        done = threading.Event()

        def accompanied() -> None:
            try:
                work()
            finally:
                done.set()
                _under_way.discard(done)

        _under_way.add(done)
        try:
            with contextlib.suppress(TooLong):
                bounded(self._workers, accompanied, self._patience)
        except RuntimeError:  # no thread can be started
            accompanied()

    def after_fork(self) -> None:
        """In the child of a fork nothing is under way."""
        self._workers.after_fork()
        _under_way.clear()


_under_way: set[threading.Event] = set()


def _wait() -> None:
    for done in list(_under_way):
        if not done.wait(AT_END):
            return  # one that hangs is enough to wait for


atexit.register(_wait)
