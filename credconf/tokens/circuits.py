"""Keeps a backend that is down, slow or broken out of the way: a circuit breaker with back-off.

There are three circuits. A store that is full, or a replica, can be read and not written; and where a user may write
but not release a lock, each success of the one would hide the failures of the other. Where reading fails nothing is
tried. Where storing fails nobody takes a lock: the others would wait for a token that they can't find.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from credconf.ground.interrupts import is_foreign
from credconf.ground.limits import shortage
from credconf.stores.store import Busy, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.ground.log import Log
    from credconf.stores.store import Lock, Store

_T = TypeVar("_T")

FIRST_PAUSE = 1.0
"""Seconds without a try after the first failure; they double with each further one."""
LONGEST_PAUSE = 60.0
_SLOW = "it is too slow"


class _Circuit:
    """Closed while all is well; open after a failure, but for one trial after each pause.

    Whatever it is told comes with the failures that there were when the call began: of many that run at the same time
    only the first to fail counts, and one that is late neither ends nor shortens the trial of another.
    """

    __slots__ = ("failures", "trial", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = 0.0
        self.trial = 0.0

    def enter(self, monotonic: float) -> bool:
        if not self.failures:
            return True
        if monotonic < max(self.until, self.trial):
            return False
        self.trial = monotonic + LONGEST_PAUSE  # an end, because an interrupt may end the caller without a word to us
        return True

    def fail(self, before: int, monotonic: float, jitter: float) -> None:
        if self.failures != before:
            return
        pause = min(FIRST_PAUSE * 2.0 ** min(self.failures, 10), LONGEST_PAUSE)
        self.failures += 1
        self.until = monotonic + pause * (1 + jitter / 4)
        self.trial = 0.0

    def succeed(self, before: int) -> None:
        if self.failures == before:
            self.failures = 0
            self.trial = 0.0

    def leave(self, before: int) -> None:
        """The call has shown nothing; the next one may."""
        if self.failures == before:
            self.trial = 0.0


class CircuitBreaker:
    """Calls a backend, as long as that makes sense.

    Args:
        backend: which may be down at any time.
        log: of the engine.
        monotonic: the monotonic clock.
        random: from 0 to 1; processes that lost it together do not come back together.
    """

    def __init__(self, backend: Store, log: Log, monotonic: Callable[[], float], random: Callable[[], float]) -> None:
        self.backend = backend
        self._log = log
        self._monotonic = monotonic
        self._random = random
        self._lock = threading.Lock()
        self._reading = _Circuit()
        self._locking = _Circuit()
        self._storing = _Circuit()
        self._proving: Lock | None = None  # the lock of the latest trial
        self._troubled = False

    def read(self, operation: Callable[[Store], _T]) -> _T:
        """The result of an operation that only reads.

        Raises:
            Unavailable: it failed now, or did so lately.
        """
        began, patience = self._monotonic(), self.backend.patience
        result, before = self._call(self._reading, operation)
        # A look takes several answers. One that takes half the time of a look is no sign that it is well again.
        if before and patience is not None and self._monotonic() - began > patience / 2:
            self._failed(self._reading, before, _SLOW)
        else:
            self._succeeded(self._reading, before)
        return result

    def slow(self) -> None:
        """It has answered, in a time that callers had better not lose: count that as a failure."""
        self._failed(self._reading, 0, _SLOW)

    def store(self, operation: Callable[[Store], object]) -> None:
        """Do what leaves something for the others.

        Raises:
            Unavailable: it failed now, or did so lately, or not even reading works.
        """
        if self._reading.failures:
            raise Unavailable
        _, before = self._call(self._storing, operation)
        self._succeeded(self._storing, before)

    def lock(self, key: str) -> Lock | None:
        """The lock of a key; `None` where somebody else has it. That locks work is not shown before its release.

        Raises:
            Unavailable: it failed now, or did so lately, or what it is for does not work.
        """
        if self._reading.failures or self._storing.failures:
            raise Unavailable
        lock, before = self._call(self._locking, lambda backend: backend.lock(key))
        if lock is None:
            with self._lock:
                self._locking.leave(before)
        elif before:
            self._proving = lock
        return lock

    def release(self, lock: Lock) -> None:
        """Release a lock, even where storing has just failed. Where it is not possible the lease ends by itself."""
        if self._reading.failures and not lock.local:
            return
        # A lock from before the first failure shows nothing new, whether it can be released or not.
        before = self._locking.failures if lock is self._proving else 0
        try:
            self._tried(self._locking, before, lambda _: lock.release())
        except Unavailable:
            return
        self._succeeded(self._locking, before)

    def _call(self, circuit: _Circuit, operation: Callable[[Store], _T]) -> tuple[_T, int]:
        """The result of an operation, and the failures before it, if the circuit lets it through."""
        with self._lock:
            entered, before = circuit.enter(self._monotonic()), circuit.failures
        if not entered:
            raise Unavailable
        return self._tried(circuit, before, operation), before

    def _tried(self, circuit: _Circuit, before: int, operation: Callable[[Store], _T]) -> _T:
        reason = "it was interrupted"
        try:
            return operation(self.backend)
        except Busy as exc:
            reason = str(exc)
            with self._lock:
                circuit.leave(before)
        except Unavailable as exc:
            reason = str(exc)
            self._failed(circuit, before, reason)
        except Exception as exc:  # a bug in a backend costs no caller a token
            if is_foreign(exc):
                self._failed(circuit, before, reason)
                raise
            reason = str(shortage(exc) or f"{type(exc).__name__}, which is a bug in credconf")
            self._failed(circuit, before, reason)
        except BaseException:  # passed on: an interrupt ends this try, too, or the circuit would wait for it
            self._failed(circuit, before, reason)
            raise
        raise Unavailable(reason)

    def _failed(self, circuit: _Circuit, before: int, reason: str) -> None:
        with self._lock:
            circuit.fail(before, self._monotonic(), self._random())
            first, self._troubled = not self._troubled, True
        if first:
            self._log.warning("%s can't be used: %s; tokens are kept in memory alone", self.backend.label, reason)

    def _succeeded(self, circuit: _Circuit, before: int) -> None:
        if not circuit.failures and not self._troubled:
            return
        with self._lock:
            circuit.succeed(before)
            back = self._troubled and not any(each.failures for each in self._circuits())
            self._troubled = self._troubled and not back
        if back:
            self._log.info("%s is back", self.backend.label)

    def _circuits(self) -> tuple[_Circuit, ...]:
        return self._reading, self._locking, self._storing

    def after_fork(self) -> None:
        """In the child of a fork nobody is in the middle of a try."""
        self._lock = threading.Lock()
        for circuit in self._circuits():
            circuit.trial = 0.0
        self.backend.after_fork()
