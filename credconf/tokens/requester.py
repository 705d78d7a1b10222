"""Requests tokens from Entra, with one proof after another until one is accepted."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from credconf.entra.proof import warn_once
from credconf.entra.request import TokenRequest
from credconf.ground.causes import is_foreign
from credconf.ground.log import Log
from credconf.ground.records import record, replace
from credconf.ground.third_parties import despite_warnings
from credconf.kinds.readable import other_secrets
from credconf.problems import printable
from credconf.problems.failure import Failure, resource_failure
from credconf.references import NotFound

from .azure_core import import_azure_core
from .cache import Token, entry_of
from .clients import Clients
from .metrics import Metrics
from .policy import Pauses
from .proof_cache import ProofCache
from .proof_selection import ProofHistory, ProofSelector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from credconf.entra.messages import Answer
    from credconf.entra.proof import Proof, Sealed
    from credconf.kinds.common import Inspection
    from credconf.stores.store import Entry

    from .blueprint import Blueprint
    from .proof_cache import ProofReading
    from .proof_selection import Attempt

_MENDED_BY_RETRIES: Final = {None, 408, 429, 500, 502, 503, 504}
"""Statuses after which a retry may succeed; `None` means that there was no answer."""


@record
class Terms:
    """The terms of one request for a token.

    Attributes:
        timeout: seconds, if fewer than the configuration allows.
        since: when a coroutine called, on the monotonic clock: its wait for a thread counts, too.
        retries: whether a failed attempt is repeated. A refresh does not: it has time.
        replacing: the token that is due.
    """

    timeout: float | None = None
    since: float | None = None
    retries: bool = True
    replacing: Token | None = None


class Requester:
    """Requests the tokens of one engine from Entra.

    Args:
        blueprint: the identity, and how requests are sent.
        tokens: gives the texts of the tokens in memory, which no failure may show.
        log: the log of the engine; a new one by default.

    Attributes:
        log: the log of the engine.
        metrics: those of the engine.
        pauses: for which tokens Entra is not asked now.
    """

    def __init__(
        self, blueprint: Blueprint, tokens: Callable[[], Iterable[str]] = tuple, log: Log | None = None
    ) -> None:
        self._blueprint = blueprint
        self.log = log or Log(blueprint.settings.named_by(blueprint.identity))
        self.metrics = Metrics(blueprint.settings.kind, self.log)
        self._tokens = tokens
        self._clients = Clients(blueprint)
        # Not the rest of one caller's time: all callers that wait share the output of the program.
        seconds = blueprint.transport.total_timeout
        known = {"seconds": seconds, "retries": blueprint.transport.retries, "clock": blueprint.clock}
        self._reader = replace(blueprint.reader, web=lambda: self._clients.web(seconds), **known)
        self._proofs = ProofCache(self._reader, blueprint.monotonic)
        self._history = ProofHistory(blueprint.monotonic)
        self._candidates = blueprint.settings.candidates()
        self.pauses = Pauses(blueprint.monotonic, self._is_unchanged, "Entra" if self._candidates else "The endpoint")
        self._rescued = False

    @property
    def worked(self) -> Sealed | None:
        """The proof that was accepted last, unless it has been refused since."""
        worked = self._history.worked
        return worked.proof if worked is not None else None

    def listed(self) -> list[Proof]:
        """The proofs that can be read now, in their order."""
        found = [self._proofs.now(candidate)[0].outcome for candidate in self._candidates]
        return [each.open() for each in found if not isinstance(each, NotFound)]

    def ask(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        """Request a token. It raises only what is not an `Exception` of ours."""
        began = self._blueprint.monotonic()
        selectors: list[ProofSelector] = []

        def attempt() -> Token | Failure:
            selectors.append(ProofSelector(self._candidates, self._proofs, self._history))
            return self._try(request, terms, selectors[-1])

        try:
            outcome = despite_warnings(attempt)
        except Exception as exc:
            if is_foreign(exc):
                raise
            # A bug: callers get the exception's name, without the local variables of its frames.
            bug = f"credconf failed with {type(exc).__name__}, which is a bug in it"
            outcome = resource_failure(exc) or Failure(bug, "unexpected")
        seconds = self._blueprint.monotonic() - began
        self.metrics.requested(seconds, outcome, refresh=terms.replacing is not None)
        if isinstance(outcome, Failure):
            self.pauses.begin(request, outcome, selectors[-1].seen)
            mendable = outcome.unretried or outcome.status_code in _MENDED_BY_RETRIES
            if not terms.retries and not outcome.retry_after and mendable:
                return replace(outcome, unretried=True)
        else:
            self.pauses.end(request)
        return outcome

    def entry(self, scope: str) -> Entry | Failure:
        """A new token for a scope, from Entra: what a store needs can't be looked for in that store.

        Args:
            scope: of the service that a store signs in to.
        """
        request = TokenRequest((scope,), self._blueprint.identity.tenant_id, None, cae=False, key=(scope,))
        paused = self.pauses.failure(request)
        outcome = self.ask(request, Terms(retries=False)) if paused is None else paused
        return outcome if isinstance(outcome, Failure) else entry_of(outcome, self._blueprint.monotonic())

    def _is_unchanged(self, sent: Mapping[int, ProofReading]) -> bool:
        """Whether each proof is still the one that was refused. A program runs again: it may print another secret."""
        for position, reading in sent.items():
            candidate = self._candidates[position]
            if reading.is_one_off:
                continue
            if candidate.runs:
                known, _ = self._proofs.now(candidate)
                if self._proofs.again(candidate, known).fingerprint != reading.fingerprint:
                    return False
            elif self._proofs.changed(candidate, reading):
                return False
        return True

    def _try(self, request: TokenRequest, terms: Terms, selector: ProofSelector) -> Token | Failure:
        plan = self._blueprint
        if not self._candidates:
            return self._acquired(request, terms)
        if not request.seconds_left(plan.clock()):
            return self._expired(request)
        client = self._clients.entra()
        deadline = client.deadline(terms.timeout) - (0.0 if terms.since is None else plan.monotonic() - terms.since)
        held = functools.partial(self._held, selector)
        for attempt in selector.attempts():
            asked_at, monotonic_at = plan.clock(), plan.monotonic()
            proof, retries = attempt.proof.open(), terms.retries
            # A retry must not send an assertion again after its end.
            end = min(deadline, monotonic_at + min(proof.seconds_left(asked_at), request.seconds_left(asked_at)))
            answer = client.token(proof, request, end, retries=retries, held=held, tokens=self._tokens)
            import_azure_core()  # waits for the other thread; two imports at a time may end in a `_DeadlockError`
            if not isinstance(answer, Failure):
                self._remember(attempt)
                return self._token(request, answer, asked_at, monotonic_at)
            if not answer.refused_proof:
                return answer
            selector.refuse(attempt, answer)
        return selector.failure()

    def _expired(self, request: TokenRequest) -> Failure:
        """The failure for a user whose token Entra would no longer accept."""
        from credconf.entra.assertions import utc

        ended = utc(request.user.ends_at) if request.user is not None else ""
        return Failure(
            f"no token on behalf of a user for {self._blueprint.settings.named_by(self._blueprint.identity)}: "
            f"the user's token expired at {ended}\n"
            "Answer your caller with 401: its client gets a new token. Check this machine's clock, too.",
            "expired-assertion",
        )

    def _acquired(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        """A token of a kind that has its own way to it."""
        plan = self._blueprint
        asked_at, monotonic_at = plan.clock(), plan.monotonic()
        waited = 0.0 if terms.since is None else monotonic_at - terms.since
        seconds = min(plan.transport.total_timeout, terms.timeout or plan.transport.total_timeout) - waited
        reader = replace(self._reader, seconds=seconds, web=lambda: self._clients.web(seconds))
        answer = plan.settings.acquire(request, reader, retries=terms.retries)
        import_azure_core()
        return answer if isinstance(answer, Failure) else self._token(request, answer, asked_at, monotonic_at)

    def _token(self, request: TokenRequest, answer: Answer, asked_at: float, monotonic_at: float) -> Token:
        self._log_token(request, answer.lifetime, self._blueprint.monotonic() - monotonic_at)
        jitter, life, advised = self._blueprint.random(), answer.lifetime, answer.refresh_in
        return Token(answer.token, answer.token_type, life, advised, asked_at, monotonic_at, jitter)

    def inspect(self) -> Inspection | NotFound:
        """Look at what a token depends on besides Entra, for `credconf doctor`."""
        return self._blueprint.settings.inspect(self._reader)

    def _held(self, selector: ProofSelector) -> Iterator[str]:
        """The secrets that no failure may show beside the refused one: the others of a list, and earlier ones."""
        worked = self.worked
        for sealed in (*selector.proofs, *self._proofs.held(), *([worked] if worked is not None else [])):
            yield from sealed.open().secrets
        yield from other_secrets(self._blueprint.settings, self._blueprint.reader)

    def _remember(self, attempt: Attempt) -> None:
        """Remember an accepted proof, and log when it differs from the one before."""
        before = self._history.accept(attempt)
        expires_on = attempt.proof.open().expires_on
        if expires_on is not None:
            client, now = self._blueprint.identity.client_id, self._blueprint.clock()
            warn_once(self.log.warning, client, attempt.name, expires_on, now)
        count = len(self._candidates)
        if attempt.kept:
            if not self._rescued:
                self.log.warning(
                    "%s has changed and was refused: the value that worked before is still used", attempt.name
                )
        elif before is None or before[0] != attempt.path:
            if count > 1:
                self.log.info("%s is in use, %d of %d", attempt.name, attempt.position + 1, count)
        elif before[1] != attempt.fingerprint:
            self.log.info("%s has changed, and is in use", attempt.name)
        self._rescued = attempt.kept

    def in_use(self) -> str | None:
        """The reference that gave the proof that was accepted last; `None` before one is."""
        worked = self._history.worked
        return None if worked is None else worked.name

    def _log_token(self, request: TokenRequest, lifetime: float, taken: float) -> None:
        identity = self._blueprint.identity
        tenant = identity.shown("tenant_id") if request.tenant == identity.tenant_id else request.tenant
        where = f"tenant {tenant}, " if tenant else ""
        scopes = printable(" ".join(request.scopes))  # scopes of a configuration must not forge a line of the log
        whose = "token" if request.user is None else "token on behalf of a user"
        self.log.info("%s for %s%s: %.0f s to live, taken %.0f ms", whose, where, scopes, lifetime, taken * 1000)

    def prepare(self) -> Failure | None:
        """Import here what another thread would soon import, perhaps at the same time as the application."""
        try:
            if self._candidates:
                self._clients.entra()
            import_azure_core()
        except (OSError, ImportError) as exc:
            return resource_failure(exc)
        return None

    def age(self, seconds: float) -> None:
        """Make refusals and pauses older."""
        self.pauses.age(seconds)
        self._history.age(seconds)

    def close(self) -> None:
        """Close the connections, including those of an application's client."""
        self._proofs.clear()
        self._history.clear()
        self._clients.close()

    def after_fork(self) -> None:
        """Release locks and forget requests under way, in the child of a fork."""
        self._proofs.after_fork()
        self._history.after_fork()
        self.pauses.after_fork()
        self._clients.after_fork()
