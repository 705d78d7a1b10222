"""One request for each token across all processes that share a backend.

Whoever needs a token looks first; who finds none takes the lock of its key and asks Entra; the others wait for what he
gets. Nothing here can cost a caller his token: where the backend fails, each process asks for itself.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Protocol

from credconf.ground.records import mutable_record, replace
from credconf.ground.workers import BackgroundTasks
from credconf.problems.failure import Failure, resource_failure
from credconf.stores import Opening
from credconf.stores.store import Unavailable, key_of

from .cache import entry_of, token_of
from .circuits import CircuitBreaker
from .leases import LeaseRenewer
from .policy import LONGEST_PAUSE, SPACING

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.entra.proof import Proof, Sealed
    from credconf.entra.request import TokenRequest
    from credconf.ground.log import Log
    from credconf.stores.store import Lock, Store, Stored, StoredFailure

    from .blueprint import Blueprint
    from .cache import Token
    from .source import Source, Terms

PATIENCE = 10.0
"""Seconds that a caller waits for another process's request, at most, before he asks himself."""
SHORTEST_POLL = 0.02
LONGEST_POLL = 0.5
"""Seconds between two looks of those who wait; they grow from one to the other, and are spread."""
USEFUL = 1.0
"""Seconds that a token must have left to be worth handing out."""
LAST_MINUTE = 60.0
"""Seconds before its end from which on nobody leaves the refresh of a token to another process, which may hang."""
_PART = 0.25  # of a backend's patience, that a caller waits for his token to be stored


@mutable_record
class _Lookup:
    """What one flight of this process wants of the others.

    Attributes:
        request: for the token.
        terms: of asking for it.
        key: in the backend.
        superseded: whether a caller with claims has meanwhile replaced what this was to replace.
        began: when, on the monotonic clock.
        waited: whether somebody else's request was waited for.
        slow: whether the backend has taken too long for it.
    """

    request: TokenRequest
    terms: Terms
    key: str
    superseded: Callable[[], bool]
    began: float
    waited: bool = False
    slow: bool = False


class Coordinator:
    """The processes that share a backend, as one of them sees it.

    Args:
        backend: where the tokens are.
        source: asks Entra.
        plan: the clocks, and who the tokens are for.
    """

    def __init__(self, backend: Store, source: Source, plan: Blueprint) -> None:
        self._breaker = CircuitBreaker(backend, source.log, plan.monotonic, plan.random)
        self._leases = LeaseRenewer()
        self._background = BackgroundTasks(None if backend.patience is None else backend.patience * _PART)
        self._source = source
        self._plan = plan
        self._acquainted = False
        self._asked_again = -math.inf  # on the monotonic clock: what was told before does not count

    def ask(self, request: TokenRequest, terms: Terms, superseded: Callable[[], bool]) -> Token | Failure:
        """A token that another process has got, or else one from Entra. It never raises an `Exception`.

        Args:
            request: with claims, nobody else's token will do.
            terms: of a request; a token that is due (`replacing`) is returned as it is where another process is about
                to replace it.
            superseded: whether the answer is not to be kept.
        """
        wish = _Lookup(request, terms, self._key(request), superseded, self._plan.monotonic())
        if request.claims:
            return self._asked(wish)
        try:
            outcome = self._found(wish)
        except Unavailable:
            outcome = None
        except (OSError, ImportError) as exc:  # what a token is made of can't be imported now
            outcome = resource_failure(exc)
            if outcome is None:
                raise
        finally:
            self._acquainted = True
        return self._asked(wish) if outcome is None else outcome

    def ask_anew(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        """A token from Entra, whatever anybody has."""
        return self._asked(_Lookup(request, terms, self._key(request), lambda: False, self._plan.monotonic()))

    def _key(self, request: TokenRequest) -> str:
        who = self._plan.identity
        authority = who.authority or who.oidc_authority or ""
        return key_of(authority, request.tenant, who.client_id, request.scopes, cae=request.cae)

    # Looking, locking, waiting

    def _found(self, wish: _Lookup) -> Token | Failure | None:
        """What the others have, or what came of asking for all of them; `None`: ask for yourself."""
        patience = self._patience(wish.terms)
        pause = SHORTEST_POLL
        while True:
            began = self._plan.monotonic()
            seen = self._look(wish)
            settled, outcome = self._judged(seen, wish)
            if settled:
                return outcome
            if self._is_late(began):
                self._breaker.slow()
                return None
            lock = self._breaker.lock(wish.key)
            if lock is not None:
                wish.slow = self._is_late(began)
                return self._as_holder(lock, wish)
            if wish.terms.replacing is not None:
                return self._left_to_others(wish.terms.replacing)
            if self._plan.monotonic() - wish.began >= patience:
                return None
            wish.waited = True
            self._plan.sleep(pause * (0.5 + self._plan.random()))
            pause = min(pause * 1.5, LONGEST_POLL)

    def _is_late(self, began: float) -> bool:
        """Whether it took longer than a caller should wait.

        Not in the first flight of a process: it imports a client, looks up a name and connects, and where many
        processes start together there is little CPU for each. Then only the bound of each single call counts.
        """
        patience = self._breaker.backend.patience
        return self._acquainted and patience is not None and self._plan.monotonic() - began > patience

    def _left_to_others(self, token: Token) -> Token | None:
        """A token that is valid, and that somebody sees to: there is time to look again, or there is not."""
        return token if token.monotonic_expires - self._plan.monotonic() > LAST_MINUTE else None

    def _patience(self, terms: Terms) -> float:
        whole = min(self._plan.transport.total_timeout, terms.timeout or math.inf)
        return min(PATIENCE, whole / 3) * (
            0.75 + self._plan.random() / 2
        )  # who gives up does not do so with all the others

    def _judged(self, seen: Stored, wish: _Lookup) -> tuple[bool, Token | Failure | None]:
        """Whether what is there settles it, and how."""
        token = self._usable(seen, wish.terms.replacing)
        if token is not None:
            return True, token
        told = seen.told
        if told is None or told.age >= self._plan.monotonic() - self._asked_again:
            return False, None
        if told.failure.retry_after is not None:
            return self._paused(told, wish)
        if told.age >= self._memory(wish):
            return False, None
        is_caller = wish.terms.replacing is None
        if told.failure.refused_proof or (is_caller and (told.failure.status_code is None or told.failure.unretried)):
            # It may be the other's alone: its secret, its network, its lack of retries. A caller tries by itself.
            return is_caller, None
        return True, told.failure

    def _paused(self, told: StoredFailure, wish: _Lookup) -> tuple[bool, Token | Failure | None]:
        """The server asked one process to wait: all of them wait."""
        remaining = (told.failure.retry_after or 0.0) - told.age
        if remaining <= 0 or told.age >= LONGEST_PAUSE:
            return False, None
        failure = replace(told.failure, retry_after=remaining)
        self._source.pauses.begin(wish.request, failure, longest=LONGEST_PAUSE - told.age)
        return True, failure

    def _memory(self, wish: _Lookup) -> float:
        """Seconds for which a failure counts: a caller takes one that came while he waited, and no older one.

        A refresh has time. While Entra fails, one process tries for all.
        """
        return SPACING if wish.terms.replacing is not None else self._plan.monotonic() - wish.began

    def _usable(self, seen: Stored, replacing: Token | None) -> Token | None:
        entry = seen.entry
        if entry is None or entry.remaining < USEFUL:
            return None
        monotonic = self._plan.monotonic()
        if replacing is not None:
            longer = entry.remaining > replacing.monotonic_expires - monotonic + USEFUL
            if not longer or entry.token == replacing.info.token:
                return None
        return token_of(entry, self._plan.clock(), monotonic, self._plan.random())

    # Asking

    def _as_holder(self, lock: Lock, wish: _Lookup) -> Token | Failure | None:
        self._leases.keep(lock)
        leave: Callable[[], None] | None = None
        try:
            # Whoever had the lock before may have put his answer after we had looked.
            settled, outcome = (False, None) if wish.slow else self._judged(self._look(wish), wish)
            if not settled:
                outcome = self._answered(wish)
                leave = self._leaving(wish, outcome, tell=True)
        finally:
            self._background.do(lambda: self._end(lock, leave, slow=wish.slow))
        return outcome

    def _look(self, wish: _Lookup) -> Stored:
        return self._breaker.read(lambda backend: backend.get(wish.key))

    def _end(self, lock: Lock, leave: Callable[[], None] | None, *, slow: bool) -> None:
        """Leave what there is for the others, and only then let them have the lock."""
        try:
            if leave is not None:
                leave()
        finally:
            self._leases.give_away(lock)
            self._breaker.release(lock)
            if slow:
                self._breaker.slow()

    def _asked(self, wish: _Lookup) -> Token | Failure:
        outcome = self._answered(wish)
        leave = self._leaving(wish, outcome, tell=False)
        if leave is not None:
            self._background.do(leave)
        return outcome

    def _answered(self, wish: _Lookup) -> Token | Failure:
        terms = wish.terms
        if wish.waited and terms.since is None:
            terms = replace(terms, since=wish.began)  # the time that was waited counts
        return self._source.ask(wish.request, terms)

    def _leaving(self, wish: _Lookup, outcome: Token | Failure, *, tell: bool) -> Callable[[], None] | None:
        """Leaves an outcome for the others; `None` where it is nothing for them."""
        if isinstance(outcome, Failure):
            if (not tell and not outcome.retry_after) or outcome.unavailable:
                return None
            failure, seconds = outcome, max(SPACING, min(outcome.retry_after or 0.0, LONGEST_PAUSE))
            return lambda: self._store(lambda backend: backend.tell(wish.key, failure, seconds))
        if wish.superseded():
            return None
        token = outcome
        return lambda: self._store(lambda backend: backend.put(wish.key, entry_of(token, self._plan.monotonic())))

    def _store(self, operation: Callable[[Store], None]) -> None:
        with contextlib.suppress(Unavailable):  # this process has its answer
            self._breaker.store(operation)

    # Its life

    def forget_pauses(self) -> None:
        """Ask Entra again, whatever other processes have told until now."""
        self._asked_again = self._plan.monotonic()

    def close(self) -> None:
        """Close the backend's sockets and files."""
        self._breaker.backend.close()

    def after_fork(self) -> None:
        """In the child of a fork: no lock is held, nothing is under way, no socket is shared."""
        self._acquainted = False
        self._leases.after_fork()
        self._background.after_fork()
        self._breaker.after_fork()


class Secrets(Protocol):
    """What a store needs to know of the credential: its log, and the proofs that encrypt what is shared."""

    log: Log

    @property
    def worked(self) -> Sealed | None:
        """The proof that worked last; `None` where none has."""
        ...

    def listed(self) -> list[Proof]:
        """The proofs that can be read now, in their order."""
        ...


def opened(plan: Blueprint, source: Secrets) -> Store | None:
    """Where the tokens of a blueprint are shared; `None` for memory alone.

    Raises:
        ConfigError: the store can't be used on this machine.
    """
    return plan.settings.token_cache.open(opening_of(plan, source))


def opening_of(plan: Blueprint, source: Secrets) -> Opening:
    """What the store of a blueprint is opened with."""
    verify = plan.transport.verify
    return Opening(
        settings=plan.settings.token_cache,
        identity=plan.identity,
        reader=plan.reader,
        certificates=verify if isinstance(verify, str) else None,
        cache_home=plan.surroundings.cache_home,
        clock=plan.clock,
        monotonic=plan.monotonic,
        log=source.log,
        worked=lambda: source.worked,
        listed=source.listed,
    )
