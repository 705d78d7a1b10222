"""Renews the leases of locks: a lease expires unless it is renewed."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from credconf.ground.workers import Workers
from credconf.stores.store import Unavailable

if TYPE_CHECKING:
    from credconf.stores.store import Lock

_RENEWALS = 3  # in the time of one lease: two of them may fail
_THREADS = 8
_IDLE = 2.0  # seconds


class LeaseRenewer:
    """Renews the leases of the locks that this process holds.

    The first lock that has a lease starts a thread, which ends when no such lock is held. Further threads help if there
    are several locks.
    """

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
            with contextlib.suppress(
                RuntimeError
            ):  # without a thread the lease may expire early, which costs one more request
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
