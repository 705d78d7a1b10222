"""One request for each token, however many threads, coroutines and event loops ask for it."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_T = TypeVar("_T")


class Abandoned:
    """The outcome of a flight whose leader was interrupted: those who wait for it try again."""


class Flights(Generic[_T]):
    """The requests under way, by key. An outcome is data, so that each who waits makes an exception of its own of it.

    The lock guards a dictionary and is never held during a request.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._flying: dict[Hashable, Future[_T | Abandoned]] = {}

    def join(self, key: Hashable) -> tuple[Future[_T | Abandoned], bool]:
        """The flight of a key, and whether the caller has to lead it (`lead()`, on any thread)."""
        with self._lock:
            flight = self._flying.get(key)
            if flight is not None:
                return flight, False
            flight = self._flying[key] = Future()
            flight.set_running_or_notify_cancel()  # a running future can't be cancelled by one impatient waiter
            return flight, True

    def lead(self, key: Hashable, fetch: Callable[[], _T]) -> _T:
        """Fetch, and tell everybody. An exception (an interrupt, a bug) is the leader's own; the others try again."""
        outcome: _T | Abandoned = Abandoned()
        try:
            outcome = fetch()
            return outcome
        finally:
            self._land(key, outcome)

    def abandon(self, key: Hashable) -> None:
        """Give up a flight that nobody could be found to lead."""
        self._land(key, Abandoned())

    def _land(self, key: Hashable, outcome: _T | Abandoned) -> None:
        with self._lock:
            flight = self._flying.pop(key, None)
        if flight is not None:
            flight.set_result(outcome)

    def run(self, key: Hashable, fetch: Callable[[], _T]) -> _T:
        """Lead the flight of a key, or wait for whoever does."""
        while True:
            flight, leads = self.join(key)
            if leads:
                return self.lead(key, fetch)
            outcome = flight.result()
            if not isinstance(outcome, Abandoned):
                return outcome

    def after_fork(self) -> None:
        """In the child of a fork nobody leads the parent's flights."""
        self._lock = Lock()
        self._flying = {}
