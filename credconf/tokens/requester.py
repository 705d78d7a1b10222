"""Requests tokens from Entra, with one proof after another until one is accepted."""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
from typing import TYPE_CHECKING, Final

from credconf.entra.proof import warn_once
from credconf.ground.causes import is_foreign
from credconf.ground.deferred import importing, whole_packages
from credconf.ground.log import Log
from credconf.ground.records import record, replace
from credconf.kinds.readable import other_secrets
from credconf.problems import printable
from credconf.problems.failure import Failure, resource_failure
from credconf.references import NotFound

from .cache import Token, import_azure_core, import_in_background
from .policy import Pauses
from .proof_cache import ProofCache
from .proof_selection import ProofHistory, ProofSelector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from credconf.entra.client import EntraClient
    from credconf.entra.proof import Proof, Sealed
    from credconf.entra.request import TokenRequest

    from .blueprint import Blueprint
    from .proof_cache import ProofReading
    from .proof_selection import Attempt

_MENDED_BY_RETRIES: Final = {None, 408, 429, 500, 502, 503, 504}
"""Statuses after which a retry may succeed; `None` means that there was no answer."""

# MSAL imports the first two with each request, if they are installed; our transport imports the others with its first.
_LATER = ("msal_extensions", "requests.exceptions", "credconf.entra.connections")


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
        pauses: for which tokens Entra is not asked now.
    """

    def __init__(
        self, blueprint: Blueprint, tokens: Callable[[], Iterable[str]] = tuple, log: Log | None = None
    ) -> None:
        self._blueprint = blueprint
        self.log = log or Log(blueprint.identity.shown("client_id") or "")
        self._tokens = tokens
        self._lock = threading.Lock()
        self._client: EntraClient | None = None
        self._closed = False
        # Not the rest of one caller's time: all callers that wait share the output of the program.
        reader = replace(blueprint.reader, seconds=blueprint.transport.total_timeout)
        self._proofs = ProofCache(reader, blueprint.monotonic)
        self._history = ProofHistory(blueprint.monotonic)
        self._candidates = blueprint.settings.candidates()
        self.pauses = Pauses(blueprint.monotonic, self._is_unchanged)
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
        selector = ProofSelector(self._candidates, self._proofs, self._history)
        try:
            outcome = self._try(request, terms, selector)
        except Exception as exc:
            if is_foreign(exc):
                raise
            # A bug: callers get the exception's name, without the local variables of its frames.
            bug = f"credconf failed with {type(exc).__name__}, which is a bug in it"
            outcome = resource_failure(exc) or Failure(bug, "unexpected")
        if isinstance(outcome, Failure):
            self.pauses.begin(request, outcome, selector.seen)
            if not terms.retries and not outcome.retry_after and outcome.status_code in _MENDED_BY_RETRIES:
                return replace(outcome, unretried=True)
        else:
            self.pauses.end(request)
        return outcome

    def _is_unchanged(self, sent: Mapping[int, ProofReading]) -> bool:
        """Whether each proof is still the one that was refused. A program runs again: it may print another secret."""
        for position, reading in sent.items():
            candidate = self._candidates[position]
            if candidate.runs:
                known, _ = self._proofs.now(candidate)
                if self._proofs.again(candidate, known).fingerprint != reading.fingerprint:
                    return False
            elif self._proofs.changed(candidate, reading):
                return False
        return True

    def _try(self, request: TokenRequest, terms: Terms, selector: ProofSelector) -> Token | Failure:
        plan = self._blueprint
        client = self._entra()
        deadline = client.deadline(terms.timeout) - (0.0 if terms.since is None else plan.monotonic() - terms.since)
        held = functools.partial(self._held, selector)
        for attempt in selector.attempts():
            asked_at, monotonic_at = plan.clock(), plan.monotonic()
            proof, retries = attempt.proof.open(), terms.retries
            answer = client.token(proof, request, deadline, retries=retries, held=held, tokens=self._tokens)
            import_azure_core()  # waits for the other thread; two imports at a time may end in a `_DeadlockError`
            if not isinstance(answer, Failure):
                self._log_token(request, answer.lifetime, plan.monotonic() - monotonic_at)
                self._remember(attempt)
                fields = (answer.token, answer.token_type, answer.lifetime, answer.refresh_in)
                return Token(*fields, asked_at, monotonic_at, plan.random())
            if not answer.refused_proof:
                return answer
            selector.refuse(attempt, answer)
        return selector.failure()

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
        scopes = printable(" ".join(request.scopes))  # scopes of a configuration must not forge a line of the log
        self.log.info("token for tenant %s, %s: %.0f s to live, taken %.0f ms", tenant, scopes, lifetime, taken * 1000)

    def prepare(self) -> Failure | None:
        """Import here what another thread would soon import, perhaps at the same time as the application."""
        try:
            self._entra()
            import_azure_core()
        except (OSError, ImportError) as exc:
            return resource_failure(exc)
        return None

    def _entra(self) -> EntraClient:
        """The client, made on first use: this imports MSAL and the transport."""
        with self._lock:
            client = self._client
        if client is None:
            made = self._new_client()  # not under the lock: `close()` on an event loop would wait for the import
            with self._lock:
                client = self._client = made if self._client is None else self._client
                closed = self._closed
            if closed and self._blueprint.http_client is None:
                client.close()  # a closed client reports that it is closed, and leaves no connection
        return client

    def _new_client(self) -> EntraClient:
        plan = self._blueprint
        own = plan.http_client
        with importing, whole_packages():
            from credconf.entra.client import EntraClient
            from credconf.entra.transport import Transport

            for name in _LATER if own is None else _LATER[:2]:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
        return EntraClient(
            plan.identity,
            own
            if own is not None
            else Transport(plan.transport, monotonic=plan.monotonic, sent=import_in_background()),
            bounded=own is None,
            total_timeout=plan.transport.total_timeout,
            monotonic=plan.monotonic,
            instance_discovery=not plan.settings.disable_instance_discovery,
            machine_region=plan.surroundings.region,
        )

    def close(self) -> None:
        """Close the connections, including those of an application's client."""
        with self._lock:
            client, self._client = self._client, None
            self._closed = True
        self._proofs.clear()
        self._history.clear()
        if client is not None:
            client.close()
        elif self._blueprint.http_client is not None:
            self._blueprint.http_client.close()

    def after_fork(self) -> None:
        """Release the lock and forget requests under way, in the child of a fork."""
        self._lock = threading.Lock()
        self._proofs.after_fork()
        self._history.after_fork()
        if self._client is not None:
            self._client.after_fork()
