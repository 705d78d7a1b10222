"""One identity's tokens: cache, flight and refresh, behind both faces.

The faces (`credential`, `aio`) look into `tokens` themselves for the common case; everything else comes here.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from .entra.request import TokenRequest, token_request
from .ground.flight import LOOK, Flights, NoOutcome
from .ground.interrupts import without_frames
from .ground.limits import reserve
from .ground.workers import Workers
from .problems.failure import Failure, resource_failure
from .sharing import forget, mend_after_fork
from .tokens.exceptions import exception_of
from .tokens.memory import MemoryStore, Refreshes, Token
from .tokens.policy import SPACING, wait_after
from .tokens.source import Source, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from .ground.flight import Flight
    from .ground.log import Log
    from .tokens.blueprint import Blueprint
    from .tokens.coordinator import Fleet

_T = TypeVar("_T")

CALLERS = 64  # a server that takes 50 ms gives 1,280 tokens a second to so many, which is what one core can take
REFRESHERS = 4
_BESIDE_REQUESTS = 30.0
"""Seconds that a flight may take beside `total_timeout`: for programs, other processes, an `http_client`'s own time."""
_LAUNCHES = 3
"""Times that a coroutine has a request made, where the thread that makes it is interrupted."""


class Engine:
    """Serves the tokens of one identity to any number of threads, coroutines and event loops.

    `tokens`, `now` and `steady` are what a cache hit needs: a look-up by the scopes, and a comparison with the times of
    the token.
    """

    def __init__(self, blueprint: Blueprint, log: Log | None = None) -> None:
        self.blueprint = blueprint
        self.now = blueprint.clock
        self.steady = blueprint.monotonic
        self.store = MemoryStore(blueprint.settings.token_cache.max_entries, self.now, self.steady)
        self.tokens = self.store.tokens
        self.holds = 0
        self._flights: Flights[Token | Failure] = Flights()
        self._longest = blueprint.transport.total_timeout + _BESIDE_REQUESTS
        self._refreshes = Refreshes()
        self._callers = Workers(CALLERS, "credconf")
        self._refreshers = Workers(REFRESHERS, "credconf-refresh")
        self._lock = threading.Lock()
        self._source = Source(blueprint, self.store.newest, log)
        self.log = self._source.log
        self._fleet = None if blueprint.settings.token_cache.kind == "memory" else _fleet(blueprint, self._source)
        mend_after_fork(self)
        reserve()

    def __repr__(self) -> str:
        return f"<engine of client {self.blueprint.identity.shown('client_id')}>"

    # What is asked

    def request(
        self, method: str, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, cae: bool
    ) -> TokenRequest:
        """The validated form of a call.

        Raises:
            ValueError: no scopes, or a tenant that is none.
            TypeError: a scope, the claims or the tenant is no text.
            AuthenticationError: a tenant that the configuration does not allow.
        """
        default, allowed = self.blueprint.identity.tenant_id, self.blueprint.settings.additionally_allowed_tenants
        request = token_request(method, scopes, claims, tenant_id, default, allowed, cae=cae)
        if isinstance(request, Failure):
            raise exception_of(request)
        return request

    def proof_in_use(self) -> str | None:
        """Which reference gave the secret or certificate that worked last; `None` before one has."""
        return self._source.in_use()

    # How it is answered

    def token(self, request: TokenRequest) -> Token:
        """The token, from the store or from Entra; the calling thread waits.

        Raises:
            AuthenticationError: there is none.
        """
        token = self._kept(request)
        return token or _raised(self._run(request.flight, lambda: self._fetch(request), is_poor=_is_unretried))

    def _run(
        self,
        key: Hashable,
        fetch: Callable[[], Token | Failure],
        is_poor: Callable[[Token | Failure], bool] | None = None,
    ) -> Token | Failure:
        return self.log.held_during(lambda: self._flights.run(key, fetch, is_poor=is_poor, longest=self._longest))

    async def token_async(self, request: TokenRequest) -> Token:
        """The token, from the store or from Entra; a thread of ours waits, and cancelling one caller cancels only it.

        Raises:
            AuthenticationError: there is none.
        """
        token = self._kept(request)
        since = self.steady()
        return token or _raised(
            await self._fly(request.flight, lambda: self._fetch(request, since=since), is_poor=_is_unretried)
        )

    async def _fly(
        self,
        key: Hashable,
        fetch: Callable[[], Token | Failure],
        is_poor: Callable[[Token | Failure], bool] | None = None,
    ) -> Token | Failure:
        """As `_run`, for a coroutine: a thread of ours leads."""
        led: list[Flight[Token | Failure]] = []
        while len(led) < _LAUNCHES:
            flight = self._launch(key, fetch, led)
            if isinstance(flight, Failure):
                return flight
            outcome = await _landed(flight, self._longest)
            if isinstance(outcome, NoOutcome):
                continue
            if flight in led or is_poor is None or not is_poor(outcome):
                return outcome
        reason = led[-1].interrupt or "no answer in time"
        return Failure(f"the request was interrupted {_LAUNCHES} times: {reason}", "unexpected")

    def _launch(
        self, key: Hashable, fetch: Callable[[], Token | Failure], led: list[Flight[Token | Failure]] | None = None
    ) -> Flight[Token | Failure] | Failure:
        """The flight of a key, led by a thread of ours if it is new; or why there is no thread for it.

        Args:
            key: of the flight.
            fetch: gets the outcome.
            led: the flight is added here if it is new.
        """

        def start(flight: Flight[Token | Failure]) -> None:
            if led is not None:
                led.append(flight)
            self._callers.submit(lambda: self._lead(flight, fetch))

        try:
            return self._flights.join(key, start)
        except Exception as exc:
            lack = resource_failure(exc)
            if lack is None:
                raise
        return lack

    def _lead(self, flight: Flight[Token | Failure], fetch: Callable[[], Token | Failure]) -> None:
        """Lead a flight on a thread of ours. An interrupt of it has no caller; the followers try again."""
        with contextlib.suppress(BaseException):
            self.log.held_during(lambda: flight.lead(fetch))

    def _kept(self, request: TokenRequest) -> Token | None:
        """A valid token of the store; one that is due is refreshed behind the caller's back."""
        if request.claims:
            return None
        token = self.store.get(request.key)
        if token is not None and (self.now() >= token.due or self.steady() >= token.steady_due):
            self._refresh(request, token)
        return token

    def _refresh(self, request: TokenRequest, token: Token) -> None:
        if not self._refreshes.begin(request.key, token, self.now(), self.steady()):
            return
        try:
            self._refreshers.submit(lambda: self._refreshed(request, token))
        except BaseException as exc:  # an interrupt, too, must not leave the token marked as being refreshed
            self._refreshes.end(request.key)
            if not isinstance(exc, RuntimeError):
                raise
            self.log.warning("no thread could be started to refresh a token; it is tried again in %.0f s", SPACING)

    def _refreshed(self, request: TokenRequest, token: Token) -> None:
        try:
            # Not if it has been replaced, or has expired, since: then the next caller asks by itself.
            if self.store.get(request.key) is token:
                self._flights.join(
                    request.flight, lambda flight: self._lead(flight, lambda: self._fetch(request, token))
                )
        finally:
            self._refreshes.end(request.key)

    def verify(self, request: TokenRequest, timeout: float | None = None) -> Token:
        """Ask Entra now, whatever is cached; a failure evicts nothing.

        Raises:
            AuthenticationError: it gave no token.
        """
        terms = Terms(timeout, retries=False)
        key = ("verify", request.flight, timeout)
        return _raised(self._run(key, lambda: self._verified(request, terms)))

    async def verify_async(self, request: TokenRequest, timeout: float | None = None) -> Token:
        """As `verify`, on a thread of ours."""
        terms = Terms(timeout, self.steady(), retries=False)
        key = ("verify", request.flight, timeout)
        return _raised(await self._fly(key, lambda: self._verified(request, terms)))

    def _verified(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        ask = self._source.ask if self._fleet is None else self._fleet.ask_anew
        outcome = without_frames(lambda: ask(request, terms))
        if isinstance(outcome, Token):
            self.store.put(request.key, outcome)
        return outcome

    def prefetch(self) -> None:
        """Fetch the tokens of the configured scopes behind the application's own start."""
        scopes = self.blueprint.settings.prefetch
        requests = [self.request("prefetch", (scope,), None, None, cae=False) for scope in scopes]
        wanted = [request for request in requests if self.store.get(request.key) is None]
        # What the others have needs no client.
        lack = self._source.prepare() if wanted and self._fleet is None else None
        for request in wanted:
            if lack is None:
                flight = self._launch(request.flight, partial(self._prefetched, request))
                lack = flight if isinstance(flight, Failure) else None
        if lack is not None:
            self._warn_of_prefetch(lack)

    def _prefetched(self, request: TokenRequest) -> Token | Failure:
        outcome = self._fetch(request)
        if isinstance(outcome, Failure):
            self._warn_of_prefetch(outcome)
        return outcome

    def _warn_of_prefetch(self, failure: Failure) -> None:
        self.log.warning("a token could not be prefetched; the first caller tries again: %s", failure.message)

    # The request

    def _fetch(self, request: TokenRequest, due: Token | None = None, since: float | None = None) -> Token | Failure:
        """What one flight does: ask for a token, or for the replacement of one that is due.

        A flight that has just landed may have brought the token, and a failure may have begun a pause.
        """
        held = None if request.claims else self.store.get(request.key)
        if held is not None and held is not due:
            return held
        if due is None:
            return self._source.pauses.failure(request) or self._ask(request, Terms(since=since))
        outcome = _contained(lambda: self._ask(request, Terms(retries=False, replacing=due)))
        if isinstance(outcome, Failure):
            due.failures += 1
            wait = wait_after(due.failures, outcome.retry_after, self.blueprint.random())
            due.postpone(self.now(), self.steady(), wait)
            self.log.warning("a token could not be refreshed; the old one is still used: %s", outcome.message)
        return outcome

    def _ask(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        def superseded() -> bool:
            # A caller with claims may have replaced the token that is due meanwhile, by one that satisfies them.
            return terms.replacing is not None and self.store.tokens.get(request.key) not in {None, terms.replacing}

        fleet = self._fleet
        outcome = without_frames(
            lambda: self._source.ask(request, terms) if fleet is None else fleet.ask(request, terms, superseded)
        )
        if isinstance(outcome, Token) and not superseded():
            self.store.put(request.key, outcome)
        return outcome

    # Its life

    def hold(self) -> Engine:
        """Count one more credential that uses this engine."""
        with self._lock:
            self.holds += 1
        return self

    def release(self) -> None:
        """Count one less; the last one closes the connections and forgets the tokens."""
        with self._lock:
            self.holds -= 1
            last = self.holds <= 0
        if last:
            forget(self)
            self.store.clear()
            self._source.close()
            if self._fleet is not None:
                self._fleet.close()

    def forget_pauses(self) -> None:
        """Ask Entra again, whatever it said. For tests: the fake calls this when it is changed."""
        self._source.pauses.clear()
        if self._fleet is not None:
            self._fleet.forget_pauses()

    def after_fork(self) -> None:
        """In the child of a fork: no lock is held, no thread runs, no request is under way."""
        self._lock = threading.Lock()
        self._flights.after_fork()
        self._refreshes.after_fork()
        self.store.after_fork()
        self._callers.after_fork()
        self._refreshers.after_fork()
        self._source.after_fork()
        if self._fleet is not None:
            self._fleet.after_fork()


def _fleet(blueprint: Blueprint, source: Source) -> Fleet | None:
    """The other processes, where the tokens are shared; imported only then.

    Raises:
        ConfigError: the cache can't be used on this machine.
    """
    from .tokens.coordinator import Fleet, opened

    backend = opened(blueprint, source)
    return None if backend is None else Fleet(backend, source, blueprint)


async def _landed(flight: Flight[_T], longest: float) -> _T | NoOutcome:
    """The outcome of a flight. Each caller waits for a future of its own: to cancel it cancels nothing else."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    until = loop.time() + longest
    timer: asyncio.TimerHandle | None = None

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and the caller with it
            loop.call_soon_threadsafe(_settle, waiter)

    def look() -> None:
        nonlocal timer
        if flight.has_been_left() or loop.time() >= until:
            flight.land()
        timer = loop.call_later(LOOK, look)

    flight.on_landing(wake)
    timer = loop.call_later(LOOK, look)
    try:
        await waiter
    finally:
        timer.cancel()
    return flight.outcome


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():  # it may have been cancelled
        waiter.set_result(None)


def _contained(ask: Callable[[], Token | Failure]) -> Token | Failure:
    """What a background refresh comes to: an interrupt of its thread is a failure like any other."""
    try:
        return ask()
    except BaseException as exc:  # noqa: BLE001 - see above
        return Failure(f"the refresh was ended by {type(exc).__name__}", "unexpected", unretried=True)


def _is_unretried(outcome: Token | Failure) -> bool:
    """Whether a caller, whose own request is retried, makes a full attempt instead of taking an outcome."""
    return isinstance(outcome, Failure) and outcome.unretried


def _raised(outcome: Token | Failure) -> Token:
    if isinstance(outcome, Failure):
        raise exception_of(outcome)
    return outcome
