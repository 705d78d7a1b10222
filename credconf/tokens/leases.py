"""Locks that end by themselves unless they are renewed, and what renews those that are held."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from credconf.ground.workers import Workers
from credconf.stores.store import Unavailable

if TYPE_CHECKING:
    from credconf.stores.store import Lock

_TRIES = 3  # renewals in the time of one lease: two may fail
_AT_ONCE = 8
_RESTS = 2.0  # seconds


class LeaseRenewer:
    """Renews the leases of the locks that this process holds, for as long as it does.

    A thread is started with the first lock that has a lease, and ends when none is held; where there are several locks,
    others help it.
    """

    def __init__(self) -> None:
        self._held: set[Lock] = set()
        self._renewing: set[Lock] = set()
        # One after the other they would take longer than a lease, where there are many and a way is long.
        self._others = Workers(_AT_ONCE, "credconf-leases", idle=_RESTS)
        self._forget()

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._held.clear()
        self._renewing.clear()
        self._others.after_fork()
        self._runs = False

    def keep(self, lock: Lock) -> None:
        """Keep a lock from being lost, until it is given away; releasing it is the caller's."""
        with self._changed:
            self._held.add(lock)
        if lock.lease is not None:
            self._start()

    def give_away(self, lock: Lock) -> None:
        """Keep it no longer."""
        with self._changed:
            self._held.discard(lock)

    def _start(self) -> None:
        with self._changed:
            if self._runs:
                return
            with contextlib.suppress(RuntimeError):  # without a thread the lease may end early: one request more
                threading.Thread(target=self._run, name="credconf-leases", daemon=True).start()
                self._runs = True

    def _run(self) -> None:
        while True:
            with self._changed:
                leases = [lock.lease for lock in self._held if lock.lease is not None]
                if not leases:
                    self._runs = False
                    return
                self._changed.wait(min(leases) / _TRIES)
                due = [lock for lock in self._held - self._renewing if lock.lease is not None]
                self._renewing.update(due)
            for lock in due[1:]:
                self._have_renewed(lock)
            for lock in due[:1]:
                self._renew(lock)

    def _have_renewed(self, lock: Lock) -> None:
        try:
            self._others.submit(lambda: self._renew(lock))
        except RuntimeError:
            self._renew(lock)

    def _renew(self, lock: Lock) -> None:
        kept = True
        try:
            kept = lock.renew()
        except Unavailable:
            pass  # there are further tries
        finally:
            with self._changed:
                self._renewing.discard(lock)
                if not kept:
                    self._held.discard(lock)

    def after_fork(self) -> None:
        """In the child of a fork the locks are the parent's."""
        for lock in list(self._held):
            lock.after_fork()
        self._forget()
