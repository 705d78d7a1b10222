"""Single flight: one request for each key, however many threads, coroutines and event loops need its outcome.

No lock is held here. An interrupt may come between any two instructions. So a step that must not be lost is one call of
C code (`setdefault`, `append`), and a step that must happen may happen twice. In a Python without the global lock,
dictionaries and lists have locks of their own, so these calls are whole there, too.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Hashable
    from types import FrameType

_T = TypeVar("_T")

CHECK_INTERVAL = 1.0
"""Seconds between two checks of a follower that its flight still has a leader."""
LONGEST = 60.0
"""Seconds that a follower waits for one flight by default."""


class NoOutcome(Enum):
    """The state of a flight without an outcome."""

    PENDING = "pending"
    ABANDONED = "abandoned"


PENDING: Final = NoOutcome.PENDING
ABANDONED: Final = NoOutcome.ABANDONED
"""The leader ended without an outcome, by an interrupt for example. Each follower makes its own attempt."""


class Flight(Generic[_T]):
    """One request under way.

    Attributes:
        outcome: data, from which each caller makes its own exception.
        thread: the thread (or greenlet) that leads the flight, once there is one.
        interrupt: the type of the exception that ended the flight.
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
        """Fetch the outcome, and wake all followers. Only the leader gets what `fetch` raises."""
        if self._landed:  # no thread started in time, and the followers have given up
            return
        try:
            self.thread = threading.get_ident()
            # Its public name is `inspect.currentframe`; the import of that module is slow.
            self._frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            outcome = fetch()
            self._remove()  # first: otherwise a later caller would get an outcome that is older than its call
            self.outcome = outcome
        except BaseException as exc:  # also an interrupt: the followers get its name
            self.interrupt = type(exc).__name__
            raise
        finally:
            self.land()

    def land(self) -> None:
        """End the flight and wake its followers. A second call completes one that was interrupted."""
        if self._landed:
            return
        self._remove()
        if self.outcome is PENDING:
            self.outcome = ABANDONED
        for wake in self._waiters:  # including those that are added during the loop
            wake()
        self._frame = None
        self._landed = True

    def _remove(self) -> None:
        """End the joining of callers. Only the leader calls this, or a follower that finds it gone."""
        if self._flying.get(self._key) is self:
            self._flying.pop(self._key, None)

    def on_landing(self, wake: Callable[[], object]) -> None:
        """Call a function when the flight has landed: perhaps more than once, and now if it has landed already."""
        self._waiters.append(wake)
        if self.outcome is not PENDING:
            wake()

    def wait(self, longest: float = LONGEST) -> _T | NoOutcome:
        """Wait for the outcome. It is `ABANDONED` after `longest` seconds, or if the leader is gone."""
        if self.outcome is PENDING:
            gate = threading.Lock()
            gate.acquire()
            self.on_landing(lambda: _open(gate))
            until = time.monotonic() + longest
            while not gate.acquire(timeout=CHECK_INTERVAL) and not self._has_outcome():
                if self.is_abandoned() or time.monotonic() >= until:
                    self.land()
        return self.outcome

    async def wait_async(self, longest: float = LONGEST) -> _T | NoOutcome:
        """Wait for the outcome in a coroutine. Each caller has its own future: its cancellation affects no other."""
        import asyncio  # imported already where coroutines run; threads do without it

        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        until = loop.time() + longest
        timer: asyncio.TimerHandle | None = None

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and its callers are gone
                loop.call_soon_threadsafe(_settle, waiter)

        def check() -> None:
            nonlocal timer
            if self.is_abandoned() or loop.time() >= until:
                self.land()
            if self._has_outcome():
                _settle(waiter)
            timer = loop.call_later(CHECK_INTERVAL, check)

        self.on_landing(wake)
        timer = loop.call_later(CHECK_INTERVAL, check)
        try:
            await waiter
        finally:
            timer.cancel()
        return self.outcome

    def _has_outcome(self) -> bool:
        return self.outcome is not PENDING

    def is_abandoned(self) -> bool:
        """Whether the leader is gone without having landed the flight, after a second interrupt for example.

        Without the interpreter's global lock it is not known: there, no thread may touch the frame of another one.
        """
        frame = self._frame  # the leader sets it to `None` when it lands
        if frame is None or not _has_global_lock():
            return False
        try:
            frame.clear()  # Python refuses this for a frame that executes, in whatever thread or greenlet
        except RuntimeError:
            return False
        return True


class Flights(Generic[_T]):
    """The requests under way, by key. A key consists of built-in types: a look-up must not run Python code."""

    def __init__(self) -> None:
        self.flying: dict[Hashable, Flight[_T]] = {}

    def join(self, key: Hashable, start: Callable[[Flight[_T]], object]) -> Flight[_T]:
        """Return the flight of a key, and start one if there is none.

        A thread that leads the flight already would wait for itself, if one of its logging handlers needs the same
        token. It gets its own flight.

        Args:
            key: what callers have in common that one request serves.
            start: calls `lead()`, or has another thread call it.
        """
        new: Flight[_T] = Flight(self.flying, key)
        try:
            flight = self.flying.setdefault(key, new)
            if flight is new or flight.thread == threading.get_ident():
                flight = new
                start(new)
        except BaseException:  # also an interrupt: otherwise its followers would wait for ever
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
            key: what callers have in common that one request serves.
            fetch: gets the outcome. Only the leader raises what it raises; each follower makes its own attempt.
            is_poor: whether a follower rejects an outcome and makes its own attempt.
            longest: the seconds that a follower waits for one flight.
        """
        while True:
            flight = self.join(key, lambda flight: flight.lead(fetch))
            outcome = flight.wait(longest)
            if isinstance(outcome, NoOutcome):
                continue
            if flight.thread == threading.get_ident() or is_poor is None or not is_poor(outcome):
                return outcome

    def after_fork(self) -> None:
        """Forget the flights of the parent process, which have no leader in the child of a fork."""
        self.flying = {}


def _has_global_lock() -> bool:
    asked = getattr(sys, "_is_gil_enabled", None)  # since Python 3.13
    return asked is None or asked()


def _open(gate: threading.Lock) -> None:
    with contextlib.suppress(RuntimeError):  # it is open already
        gate.release()


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():  # it may be cancelled
        waiter.set_result(None)
