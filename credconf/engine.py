"""The tokens of one identity: cache, single flight and refresh.

The synchronous and the asynchronous credential read `tokens` themselves in the common case, and call the engine in all
others.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from .entra.request import TokenRequest, token_request
from .ground.causes import reserve, without_frames
from .problems.failure import Failure
from .sharing import forget, mend_after_fork
from .tokens.azure_core import exception_of
from .tokens.blueprint import opened_store
from .tokens.cache import Token, TokenCache, UserTokenCache
from .tokens.dispatch import Dispatcher, Refreshes
from .tokens.requester import Requester, Terms

if TYPE_CHECKING:
    from .entra.user import User
    from .ground.log import Log
    from .tokens.blueprint import Blueprint
    from .tokens.coordinator import Coordinator


class Engine:
    """Serves the tokens of one identity to any number of threads, coroutines and event loops.

    A cache hit uses `tokens`, `now` and `monotonic` alone: it looks up the scopes and compares both clocks with the
    times of the token.
    """

    def __init__(self, blueprint: Blueprint, log: Log | None = None) -> None:
        self.blueprint = blueprint
        self.now = blueprint.clock
        self.monotonic = blueprint.monotonic
        limit = blueprint.settings.token_cache.max_entries
        self.cache = TokenCache(limit, self.now, self.monotonic)
        self.tokens = self.cache.tokens
        self._user_cache = UserTokenCache(limit, self.now, self.monotonic)
        self.holds = 0
        self._released = False
        self._lock = threading.RLock()  # a signal handler of its holder may need a token
        self._requester = Requester(blueprint, self._newest, log)
        self.log = self._requester.log
        self._requests = Dispatcher(blueprint.transport.total_timeout, self.log)
        self._refreshes = Refreshes(blueprint, self.log)
        self._coordinator = (
            None if blueprint.settings.token_cache.kind == "memory" else _coordinator_of(blueprint, self._requester)
        )
        mend_after_fork(self)
        reserve()

    def __repr__(self) -> str:
        return f"<engine of {self.blueprint.settings.named_by(self.blueprint.identity)}>"

    def request(
        self,
        method: str,
        scopes: tuple[str, ...],
        claims: str | None,
        tenant_id: str | None,
        *,
        cae: bool,
        user: User | None = None,
    ) -> TokenRequest:
        """Validate the arguments of a call.

        Raises:
            ValueError: there is no scope, or the tenant is malformed.
            TypeError: a scope, the claims or the tenant is not a text.
            AuthenticationError: the configuration does not allow the tenant.
        """
        default, allowed = self.blueprint.identity.tenant_id, self.blueprint.settings.tenants()
        request = token_request(method, scopes, claims, tenant_id, default, allowed, cae=cae, user=user)
        if isinstance(request, Failure):
            raise exception_of(request)
        return request

    def _cache_of(self, request: TokenRequest) -> TokenCache:
        """The application's own tokens, or those of users: these evict none of the others."""
        return self.cache if request.user is None else self._user_cache

    def _newest(self) -> list[str]:
        return [*self.cache.newest(), *self._user_cache.newest()]

    def proof_in_use(self) -> str | None:
        """The reference that gave the secret or certificate that was accepted last; `None` before one is."""
        return self._requester.in_use()

    def token(self, request: TokenRequest) -> Token:
        """A token from the cache or from Entra. The calling thread waits.

        Raises:
            AuthenticationError: Entra gave no token.
        """
        token = self._kept(request)
        if token is not None:
            return token
        since = self.monotonic()
        outcome = self._requests.run(request.flight, lambda: self._fetch(request), is_poor=_is_unretried)
        return _raised(self._waited(since, outcome))

    async def token_async(self, request: TokenRequest) -> Token:
        """A token from the cache or from Entra. A thread of the engine waits; a cancellation affects one caller only.

        Raises:
            AuthenticationError: Entra gave no token.
        """
        token = self._kept(request)
        if token is not None:
            return token
        since = self.monotonic()
        outcome = await self._requests.run_async(
            request.flight, lambda: self._fetch(request, since=since), is_poor=_is_unretried
        )
        return _raised(self._waited(since, outcome))

    def _waited(self, since: float, outcome: Token | Failure) -> Token | Failure:
        self._requester.metrics.waited(self.monotonic() - since, outcome)
        return outcome

    def _kept(self, request: TokenRequest) -> Token | None:
        """A valid token of the cache. One that is due is refreshed in the background."""
        if request.claims:
            return None
        token = self._cache_of(request).get(request.key)
        # A user's token that has expired gets no new one: the tokens for it serve until their own end.
        if token is not None and token.is_due(self.now(), self.monotonic()) and request.seconds_left(self.now()):
            self._refresh(request, token)
        return token

    def _refresh(self, request: TokenRequest, token: Token) -> None:
        self._refreshes.start(request.key, token, lambda: self._refreshed(request, token))

    def _refreshed(self, request: TokenRequest, token: Token) -> None:
        # A token that has been replaced or has expired since is left to the next caller.
        if self._cache_of(request).get(request.key) is token:
            self._requests.lead(request.flight, lambda: self._fetch(request, token))

    def verify(self, request: TokenRequest, timeout: float | None = None) -> Token:
        """Request a token from Entra now, whatever is cached. A failure evicts nothing.

        Raises:
            AuthenticationError: Entra gave no token.
        """
        terms = Terms(timeout, retries=False)
        key = ("verify", request.flight, timeout)
        return _raised(self._requests.run(key, lambda: self._verified(request, terms)))

    async def verify_async(self, request: TokenRequest, timeout: float | None = None) -> Token:
        """As `verify`, on a thread of the engine."""
        terms = Terms(timeout, self.monotonic(), retries=False)
        key = ("verify", request.flight, timeout)
        return _raised(await self._requests.run_async(key, lambda: self._verified(request, terms)))

    def _verified(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        coordinator = self._coordinator_for(request)
        ask = self._requester.ask if coordinator is None else coordinator.ask_anew
        outcome = without_frames(lambda: ask(request, terms))
        if isinstance(outcome, Token):
            self._cache_of(request).put(request.key, outcome)
        return outcome

    def prefetch(self) -> None:
        """Fetch the tokens of the configured scopes in the background, while the application starts."""
        scopes = self.blueprint.settings.prefetch
        requests = [self.request("prefetch", (scope,), None, None, cae=False) for scope in scopes]
        wanted = [request for request in requests if self.cache.get(request.key) is None]
        # A token that another process has stored needs no client.
        lack = self._requester.prepare() if wanted and self._coordinator is None else None
        for request in wanted:
            lack = lack or self._requests.launch(request.flight, partial(self._prefetched, request))
        if lack is not None:
            self._warn_of_prefetch(lack)

    def _prefetched(self, request: TokenRequest) -> Token | Failure:
        outcome = self._fetch(request)
        if isinstance(outcome, Failure):
            self._warn_of_prefetch(outcome)
        return outcome

    def _warn_of_prefetch(self, failure: Failure) -> None:
        self.log.warning("a token could not be prefetched; the first caller tries again: %s", failure.message)

    def _fetch(self, request: TokenRequest, due: Token | None = None, since: float | None = None) -> Token | Failure:
        """The work of one flight: request a token, or the replacement of one that is due.

        The flight before this one may have brought the token, and a failure may have begun a pause.
        """
        held = None if request.claims else self._cache_of(request).get(request.key)
        if held is not None and held is not due:
            return held
        if due is None:
            return self._requester.pauses.failure(request) or self._ask(request, Terms(since=since))
        terms = Terms(retries=False, replacing=due)
        return self._refreshes.replacement(due, lambda: self._ask(request, terms))

    def _ask(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        def superseded() -> bool:
            # A caller with claims may have replaced the token meanwhile, by one that satisfies its claims.
            return terms.replacing is not None and cache.tokens.get(request.key) not in {None, terms.replacing}

        cache, coordinator = self._cache_of(request), self._coordinator_for(request)
        if coordinator is None:
            ask = partial(self._requester.ask, request, terms)
        else:
            ask = partial(coordinator.ask, request, terms, superseded)
        outcome = without_frames(ask)
        if isinstance(outcome, Token) and not superseded():
            cache.put(request.key, outcome)
        return outcome

    def _coordinator_for(self, request: TokenRequest) -> Coordinator | None:
        """The coordination with other processes. The tokens of users are never shared."""
        return self._coordinator if request.user is None else None

    def hold(self) -> bool:
        """Count one more credential that uses this engine; false if the last one has released it."""
        with self._lock:
            if self._released:
                return False
            self.holds += 1
            return True

    def release(self) -> None:
        """Count one credential less. The last one closes the connections and removes the tokens."""
        with self._lock:
            self.holds -= 1
            last = self._released = self.holds <= 0
        if last:
            forget(self)
            self.cache.clear()
            self._user_cache.clear()
            self._requester.close()
            if self._coordinator is not None:
                self._coordinator.close()

    def forget_pauses(self) -> None:
        """Request tokens from Entra again, whatever it answered. For tests: the fake calls it when it changes."""
        self._requester.pauses.clear()
        if self._coordinator is not None:
            self._coordinator.forget_pauses()

    def age(self, seconds: float) -> None:
        """Make what it holds older, as if that time had passed. For tests: no clock is read for it."""
        self.cache.age(seconds)
        self._user_cache.age(seconds)
        self._requester.age(seconds)

    def after_fork(self) -> None:
        """Release locks and forget threads and requests under way, in the child of a fork."""
        self._lock = threading.RLock()
        self._requests.after_fork()
        self._refreshes.after_fork()
        self.cache.after_fork()
        self._user_cache.after_fork()
        self._requester.after_fork()
        if self._coordinator is not None:
            self._coordinator.after_fork()


def _coordinator_of(blueprint: Blueprint, requester: Requester) -> Coordinator | None:
    """The coordination with other processes, if the tokens are shared; imported only then.

    Raises:
        ConfigError: the store can't be used on this machine.
    """
    from .tokens.coordinator import Coordinator

    store = opened_store(blueprint, requester)
    return None if store is None else Coordinator(store, requester, blueprint)


def _is_unretried(outcome: Token | Failure) -> bool:
    """Whether a caller makes a full attempt of its own: the outcome is from a request without retries."""
    return isinstance(outcome, Failure) and outcome.unretried


def _raised(outcome: Token | Failure) -> Token:
    if isinstance(outcome, Failure):
        raise exception_of(outcome)
    return outcome
