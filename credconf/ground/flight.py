"""One request for each token, however many threads, coroutines and event loops ask for it.

No lock is held anywhere here. An interrupt may come between any two instructions, so what must not be lost is done by
one call of C code (`setdefault`, `append`), and what must happen in any case may be done twice.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from types import FrameType

_T = TypeVar("_T")

LOOK = 1.0
"""Seconds after which a follower looks whether its flight is still led."""
LONGEST = 60.0
"""Seconds that a follower waits for one flight, where its owner gives no other number."""


class NoOutcome(Enum):
    """What a flight has instead of an outcome."""

    PENDING = "pending"
    ABANDONED = "abandoned"


PENDING: Final = NoOutcome.PENDING
ABANDONED: Final = NoOutcome.ABANDONED
"""The leader left without an outcome, by an interrupt for example. Its followers try by themselves."""


class Flight(Generic[_T]):
    """One request under way.

    Attributes:
        outcome: data, so that each caller makes an exception of its own from it.
        thread: the thread (or greenlet) that leads it, once one does.
        interrupt: the type of the exception that ended it.
    """

    __slots__ = ("_flying", "_frame", "_key", "_landed", "_waiters", "interrupt", "outcome", "thread")

    def __init__(self, flying: dict[Hashable, Flight[_T]], key: Hashable) -> None:
        self._flying = flying
        self._key = key
        self._waiters: list[Callable[[], object]] = []
        self._frame: FrameType | None = None
        self._landed = False
        self.outcome: _T | NoOutcome = PENDING
        self.thread: int | None = None
        self.interrupt: str | None = None

    def lead(self, fetch: Callable[[], _T]) -> None:
        """Fetch the outcome, and wake all followers. What `fetch` raises is the leader's alone."""
        if self._landed:  # no thread began in time, and the followers have left
            return
        try:
            self.thread = threading.get_ident()
            # The public name of it is `inspect.currentframe`, of a slow module.
            self._frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            self.outcome = fetch()
        except BaseException as exc:
            self.interrupt = type(exc).__name__
            raise
        finally:
            self.land()

    def land(self) -> None:
        """End the flight and wake its followers. To call it again completes a call that was interrupted."""
        if self._landed:
            return
        if self._flying.get(self._key) is self:
            self._flying.pop(self._key, None)
        if self.outcome is PENDING:
            self.outcome = ABANDONED
        for wake in self._waiters:  # those that are added meanwhile, too
            wake()
        self._frame = None
        self._landed = True

    def on_landing(self, wake: Callable[[], object]) -> None:
        """Call a function when the flight has landed, perhaps more than once, and at once if it has landed already."""
        self._waiters.append(wake)
        if self.outcome is not PENDING:
            wake()

    def wait(self, longest: float = LONGEST) -> _T | NoOutcome:
        """The outcome; `ABANDONED` where there is none after `longest` seconds, or the leader has left."""
        if self.outcome is PENDING:
            gate = threading.Lock()
            gate.acquire()
            self.on_landing(lambda: _open(gate))
            until = time.monotonic() + longest
            while not gate.acquire(timeout=LOOK):
                if self.has_been_left() or time.monotonic() >= until:
                    self.land()
        return self.outcome

    def has_been_left(self) -> bool:
        """Whether the leader is gone, by a second interrupt for example, without having landed the flight."""
        if self._frame is None:
            return False
        try:
            self._frame.clear()  # Python refuses that for a frame that runs, or waits in another thread or greenlet
        except RuntimeError:
            return False
        return True


class Flights(Generic[_T]):
    """The requests under way, by key. A key consists of built-in types, since a look-up must not run Python code."""

    def __init__(self) -> None:
        self.flying: dict[Hashable, Flight[_T]] = {}

    def join(self, key: Hashable, start: Callable[[Flight[_T]], object]) -> Flight[_T]:
        """The flight of a key. Where there is none, a new one is started.

        A thread that leads the flight already (a logging handler of it asks for the same token) would wait for itself.
        It gets a flight of its own.

        Args:
            key: what callers must have in common to be served by one request.
            start: has `lead()` called, on this thread or on another one.
        """
        new: Flight[_T] = Flight(self.flying, key)
        try:
            flight = self.flying.setdefault(key, new)
            if flight is new or flight.thread == threading.get_ident():
                flight = new
                start(new)
        except BaseException:
            new.land()
            raise
        return flight

    def run(
        self,
        key: Hashable,
        fetch: Callable[[], _T],
        *,
        is_poor: Callable[[_T], bool] | None = None,
        longest: float = LONGEST,
    ) -> _T:
        """Lead the flight of a key, or wait for the outcome of the one that is under way.

        Args:
            key: what callers must have in common to be served by one request.
            fetch: gets the outcome. What it raises is raised here, in the leader; the followers try by themselves.
            is_poor: whether an outcome is not good enough for a follower, which then tries by itself.
            longest: seconds that a follower waits for one flight.
        """
        while True:
            flight = self.join(key, lambda flight: flight.lead(fetch))
            outcome = flight.wait(longest)
            if isinstance(outcome, NoOutcome):
                continue
            if flight.thread == threading.get_ident() or is_poor is None or not is_poor(outcome):
                return outcome

    def after_fork(self) -> None:
        """In the child of a fork the parent's flights have no leader."""
        self.flying = {}


def _open(gate: threading.Lock) -> None:
    with contextlib.suppress(RuntimeError):  # it is open already
        gate.release()
