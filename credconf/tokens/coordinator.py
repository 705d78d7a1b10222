"""One request for each token across all processes that share a store.

A process that needs a token reads the store first. If there is none, it takes the lock of the key and requests the
token; other processes wait for it. If the store fails, each process makes its own request, so no caller loses its
token.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING

from credconf.ground.aging import real_age
from credconf.ground.records import mutable_record, replace
from credconf.ground.workers import BackgroundTasks
from credconf.problems.failure import Failure, resource_failure
from credconf.stores.store import Unavailable, key_of

from .cache import entry_of, token_of
from .policy import LONGEST_PAUSE, SPACING
from .store_calls import CircuitBreaker, LeaseRenewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.entra.request import TokenRequest
    from credconf.stores.store import Lock, Store, Stored

    from .blueprint import Blueprint
    from .cache import Token
    from .requester import Requester, Terms

PATIENCE = 10.0
"""Seconds that a caller waits for the request of another process at most, before it makes its own."""
SHORTEST_POLL = 0.02
LONGEST_POLL = 0.5
"""Seconds between two reads of a process that waits; they grow from the shortest to the longest, and are spread."""
USEFUL = 1.0
"""Seconds of life without which a stored token is not used."""
LAST_MINUTE = 60.0
"""Seconds before a token expires in which a process no longer leaves its refresh to another one, which may hang."""
_PART = 0.25  # of the patience of a store: how long a caller waits for its token to be stored


@mutable_record
class _Lookup:
    """One flight of this process that needs a token of the store, or a new one.

    Attributes:
        request: the request for the token.
        terms: the terms of the request.
        key: the key in the store.
        superseded: whether a caller with claims has replaced the token that is due.
        began: when the flight began, on the monotonic clock.
        waited: whether it waited for another process.
        slow: whether the store took too long.
    """

    request: TokenRequest
    terms: Terms
    key: str
    superseded: Callable[[], bool]
    began: float
    waited: bool = False
    slow: bool = False


class Coordinator:
    """Coordinates this process with those that share a store.

    Args:
        store: the store of the tokens.
        requester: requests tokens from Entra.
        plan: gives the clocks and the identity.
    """

    def __init__(self, store: Store, requester: Requester, plan: Blueprint) -> None:
        self._breaker = CircuitBreaker(store, requester.log, plan.monotonic, plan.random)
        self._leases = LeaseRenewer()
        self._background = BackgroundTasks(None if store.patience is None else store.patience * _PART)
        self._requester = requester
        self._plan = plan
        self._acquainted = False
        self._asked_again = -math.inf  # on the monotonic clock: older failures do not count

    def ask(self, request: TokenRequest, terms: Terms, superseded: Callable[[], bool]) -> Token | Failure:
        """A token of another process, or else one from Entra. It raises no `Exception`.

        Args:
            request: the request; with claims, it always goes to Entra.
            terms: the terms of the request. A token that is due (`replacing`) is returned as it is while another
                process replaces it.
            superseded: whether the answer must not be stored.
        """
        lookup = _Lookup(request, terms, self._key(request), superseded, self._plan.monotonic())
        if request.claims:
            return self._asked(lookup)
        try:
            outcome = self._found(lookup)
        except Unavailable:
            outcome = self._postponed(terms.replacing)
        except (OSError, ImportError) as exc:  # azure-core, which a token needs, can't be imported now
            outcome = resource_failure(exc)
            if outcome is None:
                raise
        finally:
            self._acquainted = True
        return self._asked(lookup) if outcome is None else outcome

    def ask_anew(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        """A token from Entra, whatever is stored."""
        return self._asked(_Lookup(request, terms, self._key(request), lambda: False, self._plan.monotonic()))

    def _key(self, request: TokenRequest) -> str:
        who = self._plan.identity
        authority = who.authority or who.oidc_authority or ""
        return key_of(authority, request.tenant, who.client_id, request.scopes, cae=request.cae)

    def _found(self, lookup: _Lookup) -> Token | Failure | None:
        """The outcome of another process, or that of a request for all of them; `None`: make your own request."""
        patience = self._patience(lookup.terms)
        pause = SHORTEST_POLL
        while True:
            began = self._plan.monotonic()
            found = self._look(lookup)
            settled, outcome = self._judged(found, lookup)
            if settled:
                return outcome
            if self._is_late(began):
                self._breaker.slow()
                return None
            lock = self._breaker.lock(lookup.key)
            if lock is not None:
                lookup.slow = self._is_late(began)
                return self._as_holder(lock, lookup)
            if lookup.terms.replacing is not None:
                return self._left_to_others(lookup.terms.replacing)
            if self._plan.monotonic() - lookup.began >= patience:
                return None
            lookup.waited = True
            self._plan.sleep(pause * (0.5 + self._plan.random()))
            pause = min(pause * 1.5, LONGEST_POLL)

    def _is_late(self, began: float) -> bool:
        """Whether the store took longer than a caller should wait.

        The first flight of a process is exempt: it imports a client, resolves a name and connects, and processes that
        start together share the CPU. There only the time limit of each call counts.
        """
        patience = self._breaker.store.patience
        return self._acquainted and patience is not None and self._plan.monotonic() - began > patience

    def _left_to_others(self, token: Token) -> Token | None:
        """The valid token that another process refreshes; `None` if too little time is left for that."""
        return token if token.monotonic_expires - self._plan.monotonic() > LAST_MINUTE else None

    def _postponed(self, token: Token | None) -> Token | None:
        """The valid token while a failover may be under way; `None` for a request: many processes would make one."""
        return self._left_to_others(token) if token is not None and self._breaker.is_interrupted() else None

    def _patience(self, terms: Terms) -> float:
        whole = min(self._plan.transport.total_timeout, terms.timeout or math.inf)
        spread = 0.75 + self._plan.random() / 2  # processes do not give up all at once
        return min(PATIENCE, whole / 3) * spread

    def _judged(self, found: Stored, lookup: _Lookup) -> tuple[bool, Token | Failure | None]:
        """Whether the stored outcome can be used, and that outcome."""
        token = self._usable(found, lookup.terms.replacing)
        if token is not None:
            return True, token
        stored, age = found.failure, found.failure_age
        if stored is None or age >= self._plan.monotonic() - self._asked_again:
            return False, None
        if stored.retry_after is not None:
            return self._paused(stored, age, lookup)
        if age >= self._memory(lookup):
            return False, None
        is_caller = lookup.terms.replacing is None
        if stored.refused_proof or (is_caller and (stored.status_code is None or stored.unretried)):
            # The other process may be the cause: its secret, its network, its lack of retries. A caller tries itself.
            return is_caller, None
        return True, stored

    def _paused(self, stored: Failure, age: float, lookup: _Lookup) -> tuple[bool, Failure | None]:
        """Obey the `Retry-After` that another process got."""
        remaining = (stored.retry_after or 0.0) - age
        if remaining <= 0 or age >= LONGEST_PAUSE:
            return False, None
        failure = replace(stored, retry_after=remaining)
        self._requester.pauses.begin(lookup.request, failure, longest=LONGEST_PAUSE - age)
        return True, failure

    def _memory(self, lookup: _Lookup) -> float:
        """Seconds for which a stored failure counts: for a caller, those that it has waited.

        A refresh has time: while Entra fails, one process tries for all.
        """
        return SPACING if lookup.terms.replacing is not None else self._plan.monotonic() - lookup.began

    def _usable(self, found: Stored, replacing: Token | None) -> Token | None:
        entry = found.entry
        if entry is None or entry.remaining < USEFUL:
            return None
        monotonic = self._plan.monotonic()
        if replacing is not None:
            longer = entry.remaining > replacing.monotonic_expires - monotonic + USEFUL
            if not longer or entry.token == replacing.info.token:
                return None
        self._requester.metrics.found(self._plan.settings.token_cache.kind)
        return token_of(entry, self._plan.clock(), monotonic, self._plan.random())

    def _as_holder(self, lock: Lock, lookup: _Lookup) -> Token | Failure | None:
        self._leases.add(lock)
        write: Callable[[], None] | None = None
        try:
            # The previous holder of the lock may have stored its answer after our first read.
            settled, outcome = (False, None) if lookup.slow else self._judged(self._look(lookup), lookup)
            if not settled:
                outcome = self._answered(lookup)
                write = self._write_of(lookup, outcome, keep_failure=True)
        finally:
            self._background.run(lambda: self._end(lock, write, slow=lookup.slow))
        return outcome

    def _look(self, lookup: _Lookup) -> Stored:
        found = self._breaker.read(lambda store: store.get(lookup.key))
        # The ages of a store that has another clock are no ages of this process.
        return _aged(found) if self._plan.monotonic is time.monotonic else found

    def _end(self, lock: Lock, write: Callable[[], None] | None, *, slow: bool) -> None:
        """Store the outcome for other processes, and only then release the lock."""
        try:
            if write is not None:
                write()
        finally:
            self._leases.remove(lock)
            self._breaker.release(lock)
            if slow:
                self._breaker.slow()

    def _asked(self, lookup: _Lookup) -> Token | Failure:
        outcome = self._answered(lookup)
        write = self._write_of(lookup, outcome, keep_failure=False)
        if write is not None:
            self._background.run(write)
        return outcome

    def _answered(self, lookup: _Lookup) -> Token | Failure:
        terms = lookup.terms
        if lookup.waited and terms.since is None:
            terms = replace(terms, since=lookup.began)  # the time spent waiting counts
        return self._requester.ask(lookup.request, terms)

    def _write_of(self, lookup: _Lookup, outcome: Token | Failure, *, keep_failure: bool) -> Callable[[], None] | None:
        """The function that stores an outcome for other processes; `None` if it is of no use to them."""
        if isinstance(outcome, Failure):
            if (not keep_failure and not outcome.retry_after) or outcome.unavailable:
                return None
            failure, seconds = outcome, max(SPACING, min(outcome.retry_after or 0.0, LONGEST_PAUSE))
            return lambda: self._write(lambda store: store.put_failure(lookup.key, failure, seconds))
        if lookup.superseded():
            return None
        token = outcome
        return lambda: self._write(lambda store: store.put(lookup.key, entry_of(token, self._plan.monotonic())))

    def _write(self, operation: Callable[[Store], None]) -> None:
        with contextlib.suppress(Unavailable):  # this process has its answer
            self._breaker.write(operation)

    def forget_pauses(self) -> None:
        """Ignore the failures that other processes have stored until now."""
        self._asked_again = self._plan.monotonic()

    def close(self) -> None:
        """Close the sockets and files of the store."""
        self._breaker.store.close()

    def after_fork(self) -> None:
        """Forget locks, tasks and sockets of the parent process, in the child of a fork."""
        self._acquainted = False
        self._leases.after_fork()
        self._background.after_fork()
        self._breaker.after_fork()


def _aged(found: Stored) -> Stored:
    """What a store holds, with the seconds that tests have let pass since."""
    entry = found.entry and replace(found.entry, age=real_age(found.entry.age))
    return replace(found, entry=entry, failure_age=real_age(found.failure_age))
