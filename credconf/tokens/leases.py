"""Locks that end by themselves unless they are renewed, and the one thread that renews those that are held."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from .shared import Unavailable

if TYPE_CHECKING:
    from collections.abc import Generator

    from .shared import Lock

_TRIES = 3  # renewals in the time of one lease: two may fail


class Keeper:
    """Renews the leases of the locks that this process holds, for as long as it does.

    The thread is started with the first lock that has a lease, and ends when none is held.
    """

    def __init__(self) -> None:
        self._held: set[Lock] = set()
        self._forget()

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._held.clear()
        self._runs = False

    @contextlib.contextmanager
    def holding(self, lock: Lock) -> Generator[None]:
        """Keep a lock from being lost in the meantime; releasing it is the caller's."""
        with self._changed:
            self._held.add(lock)
        if lock.lease is not None:
            self._start()
        try:
            yield
        finally:
            with self._changed:
                self._held.discard(lock)

    def _start(self) -> None:
        with self._changed:
            if self._runs:
                return
            with contextlib.suppress(RuntimeError):  # without a thread the lease may end early: one request more
                threading.Thread(target=self._renew, name="credconf-leases", daemon=True).start()
                self._runs = True

    def _renew(self) -> None:
        while True:
            with self._changed:
                leases = [lock.lease for lock in self._held if lock.lease is not None]
                if not leases:
                    self._runs = False
                    return
                self._changed.wait(min(leases) / _TRIES)
                held = [lock for lock in self._held if lock.lease is not None]
            for lock in held:
                with contextlib.suppress(Unavailable):
                    if not lock.renew():
                        with self._changed:
                            self._held.discard(lock)

    def after_fork(self) -> None:
        """In the child of a fork the locks are the parent's."""
        for lock in list(self._held):
            lock.after_fork()
        self._forget()
