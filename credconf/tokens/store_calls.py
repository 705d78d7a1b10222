"""Calls a shared store through circuit breakers with back-off, and renews the leases of its locks.

A store that is unreachable, slow or broken is bypassed. There are three circuits: for reads, writes and locks. A full
store or a replica can be read and not written. A user may be allowed to write and not to release a lock: with a shared
circuit, writes would mask failed releases. If reads fail, nothing is tried. If writes fail, no lock is taken: other
processes would wait for a token that never arrives.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

from credconf.ground.causes import is_foreign, shortage
from credconf.ground.third_parties import despite_warnings
from credconf.ground.workers import Workers
from credconf.stores.store import Busy, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.ground.log import Log
    from credconf.stores.store import Lock, Store


_T = TypeVar("_T")

FIRST_PAUSE = 1.0
"""Seconds without a call after the first failure. Each further failure doubles them."""
LONGEST_PAUSE = 60.0
FAILOVER = 60.0  # seconds in which another server takes over from one that fails, also in a managed Redis
_SLOW = "it is too slow"


class _Circuit:
    """Closed while calls succeed. Open after a failure, except for one trial call after each pause.

    Each result comes with the number of failures at the start of its call. So only the first failure of many concurrent
    calls counts, and a late result neither ends nor shortens the trial of another call.
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
        # The trial ends by itself: an interrupt may end its caller without a result.
        self.trial = monotonic + LONGEST_PAUSE
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
        """End a trial that has no result; the next call is a trial."""
        if self.failures == before:
            self.trial = 0.0


class CircuitBreaker:
    """Calls a store, unless recent calls have failed.

    Args:
        store: may be unreachable at any time.
        log: the log of the engine.
        monotonic: the monotonic clock.
        random: gives a number from 0 to 1, which spreads the retries of many processes.
    """

    def __init__(self, store: Store, log: Log, monotonic: Callable[[], float], random: Callable[[], float]) -> None:
        self.store = store
        self._log = log
        self._monotonic = monotonic
        self._random = random
        self._lock = threading.RLock()  # a signal handler of its holder may need a token
        self._reading = _Circuit()
        self._locking = _Circuit()
        self._writing = _Circuit()
        self._circuits = (self._reading, self._locking, self._writing)
        self._proving: Lock | None = None  # the lock of the latest trial
        self._troubled: float | None = None  # since when

    def read(self, operation: Callable[[Store], _T]) -> _T:
        """The result of an operation that only reads.

        Raises:
            Unavailable: the read failed, or one did recently.
        """
        began, patience = self._monotonic(), self.store.patience
        result, before = self._call(self._reading, operation)
        # A lookup needs several answers. One that takes half the time of a lookup does not prove a recovery.
        if before and patience is not None and self._monotonic() - began > patience / 2:
            self._failed(self._reading, before, _SLOW)
        else:
            self._succeeded(self._reading, before)
        return result

    def is_interrupted(self) -> bool:
        """Whether the store fails, and has not failed for long: another server may be taking over."""
        return self._troubled is not None and self._monotonic() - self._troubled < FAILOVER

    def slow(self) -> None:
        """Count an answer that took too long as a failure."""
        self._failed(self._reading, 0, _SLOW)

    def write(self, operation: Callable[[Store], object]) -> None:
        """Write something for other processes.

        Raises:
            Unavailable: the write failed, or a read or a write did recently.
        """
        if self._reading.failures:
            raise Unavailable
        _, before = self._call(self._writing, operation)
        self._succeeded(self._writing, before)

    def lock(self, key: str) -> Lock | None:
        """The lock of a key; `None` if it is held elsewhere. Only its release proves that locks work.

        Raises:
            Unavailable: locking failed, or any call did recently.
        """
        if self._reading.failures or self._writing.failures:
            raise Unavailable
        lock, before = self._call(self._locking, lambda store: store.lock(key))
        if lock is None:
            with self._lock:
                self._locking.leave(before)
        elif before:
            self._proving = lock
        return lock

    def release(self, lock: Lock) -> None:
        """Release a lock, also after a failed write. If the release fails, the lease expires."""
        if self._reading.failures and not lock.local:
            return
        # A lock from before the first failure proves nothing, whether its release succeeds or not.
        before = self._locking.failures if lock is self._proving else 0
        try:
            self._tried(self._locking, before, lambda _: lock.release())
        except Unavailable:
            return
        self._succeeded(self._locking, before)

    def _call(self, circuit: _Circuit, operation: Callable[[Store], _T]) -> tuple[_T, int]:
        """The result of an operation and the number of failures before it, if the circuit permits the call."""
        with self._lock:
            entered, before = circuit.enter(self._monotonic()), circuit.failures
        if not entered:
            raise Unavailable
        return self._tried(circuit, before, operation), before

    def _tried(self, circuit: _Circuit, before: int, operation: Callable[[Store], _T]) -> _T:
        reason = "it was interrupted"
        try:
            return despite_warnings(lambda: operation(self.store))
        except Busy as exc:
            reason = str(exc)
            with self._lock:
                circuit.leave(before)
        except Unavailable as exc:
            reason = str(exc)
            self._failed(circuit, before, reason)
        except Exception as exc:  # a bug in a store fails no caller
            if is_foreign(exc):
                self._failed(circuit, before, reason)
                raise
            reason = str(shortage(exc) or f"{type(exc).__name__}, which is a bug in credconf")
            self._failed(circuit, before, reason)
        except BaseException:  # an interrupt ends this call, too, or the circuit would wait for its result
            self._failed(circuit, before, reason)
            raise
        raise Unavailable(reason)

    def _failed(self, circuit: _Circuit, before: int, reason: str) -> None:
        with self._lock:
            now = self._monotonic()
            circuit.fail(before, now, self._random())
            first, self._troubled = self._troubled is None, now if self._troubled is None else self._troubled
        if first:
            self._log.warning("%s can't be used: %s; tokens are kept in memory only", self.store.label, reason)

    def _succeeded(self, circuit: _Circuit, before: int) -> None:
        if not circuit.failures and self._troubled is None:
            return
        with self._lock:
            circuit.succeed(before)
            back = self._troubled is not None and not any(each.failures for each in self._circuits)
            self._troubled = None if back else self._troubled
        if back:
            self._log.info("%s is back", self.store.label)

    def after_fork(self) -> None:
        """Forget trials under way, in the child of a fork."""
        self._lock = threading.RLock()
        for circuit in self._circuits:
            circuit.trial = 0.0
        self.store.after_fork()


_RENEWALS = 3  # in the time of one lease: two of them may fail
_THREADS = 8
_IDLE = 2.0  # seconds


class LeaseRenewer:
    """Renews the leases of the locks that this process holds, on a thread that ends when no such lock is held."""

    def __init__(self) -> None:
        self._held: set[Lock] = set()
        self._renewing: set[Lock] = set()
        # One by one, the renewals of many locks over a slow network would take longer than a lease.
        self._others = Workers(_THREADS, "credconf-leases", idle=_IDLE)
        self._forget()

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._held.clear()
        self._renewing.clear()
        self._others.after_fork()
        self._runs = False

    def add(self, lock: Lock) -> None:
        """Renew a lock until it is removed. The caller releases it."""
        with self._changed:
            self._held.add(lock)
        if lock.lease is not None:
            self._start()

    def remove(self, lock: Lock) -> None:
        """Stop renewing a lock."""
        with self._changed:
            self._held.discard(lock)

    def _start(self) -> None:
        with self._changed:
            if self._runs:
                return
            # Without a thread the lease may expire early, which costs one more request.
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=self._run, name="credconf-leases", daemon=True).start()
                self._runs = True

    def _run(self) -> None:
        while True:
            with self._changed:
                leases = [lock.lease for lock in self._held if lock.lease is not None]
                if not leases:
                    self._runs = False
                    return
                self._changed.wait(min(leases) / _RENEWALS)
                due = [lock for lock in self._held - self._renewing if lock.lease is not None]
                self._renewing.update(due)
            for lock in due[1:]:
                self._renew_elsewhere(lock)
            for lock in due[:1]:
                self._renew(lock)

    def _renew_elsewhere(self, lock: Lock) -> None:
        try:
            self._others.submit(lambda: self._renew(lock))
        except RuntimeError:
            self._renew(lock)

    def _renew(self, lock: Lock) -> None:
        kept = True
        try:
            kept = lock.renew()
        except Unavailable:
            pass  # the next renewal is due before the lease expires
        finally:
            with self._changed:
                self._renewing.discard(lock)
                if not kept:
                    self._held.discard(lock)

    def after_fork(self) -> None:
        """Forget the locks of the parent process, in the child of a fork."""
        for lock in list(self._held):
            lock.after_fork()
        self._forget()
