"""Runs one request for all callers that need its outcome, threads and coroutines alike, and refreshes tokens early."""

from __future__ import annotations

import contextlib
from threading import RLock
from typing import TYPE_CHECKING

from credconf.ground.flight import Flights, NoOutcome
from credconf.ground.workers import Workers
from credconf.problems.failure import Failure, resource_failure

from .policy import LONGEST_WAIT, SPACING, wait_after

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from credconf.ground.flight import Flight
    from credconf.ground.log import Log

    from .blueprint import Blueprint
    from .cache import Token


CALLERS = 64
"""Threads that request tokens for coroutines: from a server that takes 50 ms they get 1,280 tokens a second, as many as
one core can handle."""
_BESIDE_REQUESTS = 30.0
"""Seconds that a flight may take beyond `total_timeout`: for programs, other processes, an `http_client`."""
_LAUNCHES = 3
"""Attempts for a coroutine, if the thread that makes the request is interrupted."""


class Dispatcher:
    """The requests of one engine that are under way.

    Each key has one request at a time. A calling thread makes it itself; for a coroutine a thread of the engine does.

    Args:
        total_timeout: the seconds that HTTP may take for one token.
        log: the log of the engine.

    Attributes:
        flights: the requests under way, by key.
        workers: the threads that request tokens for coroutines.
    """

    def __init__(self, total_timeout: float, log: Log) -> None:
        self.flights: Flights[Token | Failure] = Flights()
        self.workers = Workers(CALLERS, "credconf")
        self._longest = total_timeout + _BESIDE_REQUESTS
        self._log = log

    def run(
        self,
        key: Hashable,
        fetch: Callable[[], Token | Failure],
        is_poor: Callable[[Token | Failure], bool] | None = None,
    ) -> Token | Failure:
        """The outcome for a calling thread.

        Args:
            key: what callers have in common that one request serves.
            fetch: makes the request.
            is_poor: whether a caller that joined a request rejects its outcome and makes its own attempt.
        """
        return self._log.held_during(lambda: self.flights.run(key, fetch, is_poor=is_poor, longest=self._longest))

    async def run_async(
        self,
        key: Hashable,
        fetch: Callable[[], Token | Failure],
        is_poor: Callable[[Token | Failure], bool] | None = None,
    ) -> Token | Failure:
        """As `run`, for a coroutine: a thread of the engine makes the request."""
        led: list[Flight[Token | Failure]] = []
        while len(led) < _LAUNCHES:
            flight = self._joined(key, fetch, led)
            if isinstance(flight, Failure):
                return flight
            outcome = await flight.wait_async(self._longest)
            if isinstance(outcome, NoOutcome):
                continue
            if flight in led or is_poor is None or not is_poor(outcome):
                return outcome
        reason = led[-1].interrupt or "no answer in time"
        return Failure(f"the request was interrupted {_LAUNCHES} times: {reason}", "unexpected")

    def launch(self, key: Hashable, fetch: Callable[[], Token | Failure]) -> Failure | None:
        """Have a thread of the engine make a request. The result is a failure where no thread can be started."""
        flight = self._joined(key, fetch, [])
        return flight if isinstance(flight, Failure) else None

    def _joined(
        self, key: Hashable, fetch: Callable[[], Token | Failure], led: list[Flight[Token | Failure]]
    ) -> Flight[Token | Failure] | Failure:
        """The flight of a key, which is added to `led` if it is new."""

        def start(flight: Flight[Token | Failure]) -> None:
            led.append(flight)
            self.workers.submit(lambda: self._lead(flight, fetch))

        try:
            return self.flights.join(key, start)
        except Exception as exc:  # no thread, memory or descriptor is a failure to retry; all else is raised
            lack = resource_failure(exc)
            if lack is None:
                raise
        return lack

    def lead(self, key: Hashable, fetch: Callable[[], Token | Failure]) -> None:
        """Make a request on this thread of the engine, unless one is under way."""
        self.flights.join(key, lambda flight: self._lead(flight, fetch))

    def _lead(self, flight: Flight[Token | Failure], fetch: Callable[[], Token | Failure]) -> None:
        """Lead a flight on this thread, which has no caller to raise to. After an interrupt the followers try again."""
        with contextlib.suppress(BaseException):
            self._log.held_during(lambda: flight.lead(fetch))

    def after_fork(self) -> None:
        """Forget the requests and threads of the parent process, in the child of a fork."""
        self.flights.after_fork()
        self.workers.after_fork()


REFRESHERS = 4


class Refreshes:
    """The refreshes of one engine that wait for a thread or run on one, at most one for each token.

    A refresh that waits for a thread is not a flight yet: a caller whose token expires meanwhile makes its own request,
    and does not wait for the refreshes of other tokens.

    Args:
        blueprint: gives the clocks.
        log: the log of the engine.

    Attributes:
        workers: the threads that refresh.
    """

    def __init__(self, blueprint: Blueprint, log: Log) -> None:
        self.workers = Workers(REFRESHERS, "credconf-refresh")
        self._blueprint = blueprint
        self._log = log
        self._forget()

    def _forget(self) -> None:
        self._lock = RLock()  # a signal handler of its holder may need a token
        self._begun: dict[Hashable, float] = {}

    def after_fork(self) -> None:
        """Forget the refreshes of the parent process, which do not run in the child of a fork."""
        self._forget()
        self.workers.after_fork()

    def start(self, key: Hashable, token: Token, refresh: Callable[[], object]) -> None:
        """Refresh a token on a thread, unless that is under way.

        Args:
            key: the key of the token.
            token: the token that is due.
            refresh: does it, and handles its own exceptions.
        """
        if not self._begin(key, token):
            return

        def run() -> None:
            try:
                refresh()
            finally:
                self._end(key)

        try:
            self.workers.submit(run)
        except BaseException as exc:  # an interrupt, too, must not leave the token marked as being refreshed
            self._end(key)
            if not isinstance(exc, RuntimeError):
                raise
            self._log.warning("no thread could be started to refresh a token; it is tried again in %.0f s", SPACING)

    def _begin(self, key: Hashable, token: Token) -> bool:
        """Whether this caller must refresh a token, and call `_end()` afterwards.

        Several callers find the token due at the same time. One refreshes it; another may arrive here after that
        refresh has failed. A refresh that began long ago is lost: an interrupt came before its thread was started.
        """
        with self._lock:
            now, monotonic = self._blueprint.clock(), self._blueprint.monotonic()
            begun = self._begun.get(key)
            if begun is not None and monotonic - begun < LONGEST_WAIT:
                return False
            if not token.is_due(now, monotonic):
                return False
            self._begun[key] = monotonic
            token.postpone(now, monotonic, SPACING)  # other callers take their fast path meanwhile
            return True

    def _end(self, key: Hashable) -> None:
        with self._lock:
            self._begun.pop(key, None)

    def replacement(self, token: Token, ask: Callable[[], Token | Failure]) -> Token | Failure:
        """The token that replaces one that is due. A failure postpones the next refresh and is logged.

        Args:
            token: the token that is due.
            ask: requests its replacement.
        """
        try:
            outcome = ask()
        except BaseException as exc:  # noqa: BLE001 - an interrupt of this thread is a failure like any other
            outcome = Failure(f"the refresh was ended by {type(exc).__name__}", "unexpected", unretried=True)
        if isinstance(outcome, Failure):
            plan = self._blueprint
            token.failures += 1
            wait = wait_after(token.failures, outcome.retry_after, plan.random())
            token.postpone(plan.clock(), plan.monotonic(), wait)
            self._log.warning("a token could not be refreshed; the old one is still used: %s", outcome.message)
        return outcome

    def __len__(self) -> int:
        return len(self._begun)
