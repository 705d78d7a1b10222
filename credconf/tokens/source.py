"""Tokens from Entra: with each proof until one is not refused, by a client that is made when it is first needed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import threading
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from credconf.ground.expiry import warn_once
from credconf.ground.imports import importing, whole_packages
from credconf.ground.interrupts import is_foreign
from credconf.ground.limits import use_reserve
from credconf.ground.log import Log
from credconf.ground.records import record, replace
from credconf.problems.failure import Failure, resource_failure
from credconf.problems.printable import printable
from credconf.references import NotFound

from .memory import Token
from .pauses import Pauses
from .readings import Readings
from .trial import Trial, Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from credconf.entra.client import EntraClient
    from credconf.entra.proof import Proof, Sealed
    from credconf.entra.request import TokenRequest

    from .blueprint import Blueprint
    from .readings import Reading
    from .trial import Attempt

_MENDED_BY_RETRIES: Final = {None, 408, 429, 500, 502, 503, 504}
"""Statuses after which a retry may succeed; `None` is no answer at all."""

# What MSAL would import with each request, if it is there, and our transport with the first one.
_LATER = ("msal_extensions", "requests.exceptions", "credconf.entra.connections")


@record
class Terms:
    """How one token is asked for.

    Attributes:
        timeout: seconds, where that is less than the configuration allows.
        since: when a coroutine asked, on the steady clock: the time it waited for a thread counts, too.
        retries: whether a failed attempt is repeated: not for a refresh, which has time.
        replacing: the token that is due.
    """

    timeout: float | None = None
    since: float | None = None
    retries: bool = True
    replacing: Token | None = None


class _Once:
    """Starts a thread at the first call, and does nothing at the others."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work: list[Callable[[], object]] = [work]

    def __call__(self) -> None:
        if threading.active_count() > 1:
            # Two threads that import parts of one package may be told of a deadlock (`_DeadlockError`), the
            # application's as well as ours. The only thread of a process is this one, and waits for an answer.
            return
        with contextlib.suppress(IndexError, RuntimeError):  # a thread that can't be started is none that is needed
            work = self._work.pop()
            threading.Thread(target=lambda: _suppressed(work), name="credconf-import", daemon=True).start()


def _suppressed(work: Callable[[], object]) -> None:
    with contextlib.suppress(OSError, ImportError):  # the thread that needs it imports it again, and reports that
        work()


def _import_azure_core() -> None:
    """What a token is handed out in takes about as long to import as a server takes to answer."""
    with importing, whole_packages():
        importlib.import_module("azure.core.credentials")
        importlib.import_module("credconf.errors")  # of the same package; nothing has to be kept for it any more
    use_reserve()


class Source:
    """Asks Entra, by a blueprint.

    Args:
        blueprint: who asks, and how.
        tokens: the texts of the tokens that are held, for what no failure may show.
        log: of the engine; a new one by default.

    Attributes:
        log: of the engine.
        pauses: how long Entra is not asked again.
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
        # Not the rest of one caller's time: what the program prints is for all who wait for it.
        reader = replace(blueprint.reader, seconds=blueprint.transport.total_timeout)
        self._readings = Readings(reader, blueprint.monotonic)
        self._verdicts = Verdicts(blueprint.monotonic)
        self._candidates = blueprint.settings.candidates()
        self.pauses = Pauses(blueprint.monotonic, self._is_unchanged)
        self._rescued = False

    @property
    def worked(self) -> Sealed | None:
        """The proof that worked last, unless it has been refused since."""
        worked = self._verdicts.worked
        return worked.proof if worked is not None else None

    def listed(self) -> list[Proof]:
        """The proofs that can be read now, in their order."""
        found = [self._readings.now(candidate)[0].outcome for candidate in self._candidates]
        return [each.open() for each in found if not isinstance(each, NotFound)]

    def ask(self, request: TokenRequest, terms: Terms) -> Token | Failure:
        """A token, or why there is none. It raises only what is not ours."""
        trial = Trial(self._candidates, self._readings, self._verdicts)
        try:
            outcome = self._try(request, terms, trial)
        except Exception as exc:
            if is_foreign(exc):
                raise
            # A bug. The callers get its name, without the locals of its frames.
            bug = f"credconf failed with {type(exc).__name__}, which is a bug in it"
            outcome = resource_failure(exc) or Failure(bug, "unexpected")
        if isinstance(outcome, Failure):
            self.pauses.begin(request, outcome, trial.seen)
            if not terms.retries and not outcome.retry_after and outcome.status_code in _MENDED_BY_RETRIES:
                return replace(outcome, unretried=True)
        else:
            self.pauses.end(request)
        return outcome

    def _is_unchanged(self, sent: Mapping[int, Reading]) -> bool:
        """Whether all that can be sent has been refused. A program may print another secret, so it runs again."""
        for position, reading in sent.items():
            candidate = self._candidates[position]
            if candidate.runs:
                known, _ = self._readings.now(candidate)
                if self._readings.again(candidate, known).fingerprint != reading.fingerprint:
                    return False
            elif self._readings.changed(candidate, reading):
                return False
        return True

    def _try(self, request: TokenRequest, terms: Terms, trial: Trial) -> Token | Failure:
        plan = self._blueprint
        client = self._entra()
        deadline = client.deadline(terms.timeout) - (0.0 if terms.since is None else plan.monotonic() - terms.since)
        held = functools.partial(self._held, trial)
        for attempt in trial.attempts():
            asked_at, steady_at = plan.clock(), plan.monotonic()
            proof, retries = attempt.proof.open(), terms.retries
            answer = client.token(proof, request, deadline, retries=retries, held=held, tokens=self._tokens)
            _import_azure_core()  # errors are made of it, too: nobody is to import it while the other thread does
            if not isinstance(answer, Failure):
                self._log_token(request, answer.lifetime, plan.monotonic() - steady_at)
                self._remember(attempt)
                said = (answer.token, answer.token_type, answer.lifetime, answer.refresh_in)
                return Token(*said, asked_at, steady_at, plan.random())
            if not answer.refused_proof:
                return answer
            trial.refuse(attempt, answer)
        return trial.failure()

    def _held(self, trial: Trial) -> Iterator[str]:
        """What no failure may show, beside the proof that was refused: the others of a list, and those before it."""
        worked = self.worked
        for sealed in (*trial.proofs, *self._readings.held(), *([worked] if worked is not None else [])):
            yield from sealed.open().secrets
        key = self._blueprint.settings.token_cache.key
        text = key.get_secret_value() if isinstance(key, SecretStr) else key and self._blueprint.reader.text(key)
        if isinstance(text, str):
            yield text

    def _remember(self, attempt: Attempt) -> None:
        """Remember what worked, and tell where it is another one than before."""
        before = self._verdicts.accept(attempt)
        expires_on = attempt.proof.open().expires_on
        if expires_on is not None:
            client, now = self._blueprint.identity.client_id, self._blueprint.clock()
            warn_once(self.log.warning, client, attempt.name, expires_on, now)
        count = len(self._candidates)
        if attempt.kept:
            if not self._rescued:
                self.log.warning("%s has changed and was refused: it serves on as it was", attempt.name)
        elif before is None or before[0] != attempt.path:
            if count > 1:
                self.log.info("%s is in use, %d of %d", attempt.name, attempt.position + 1, count)
        elif before[1] != attempt.fingerprint:
            self.log.info("%s has changed, and is in use", attempt.name)
        self._rescued = attempt.kept

    def in_use(self) -> str | None:
        """Which reference gave the proof that worked last; `None` before one has."""
        worked = self._verdicts.worked
        return None if worked is None else worked.name

    def _log_token(self, request: TokenRequest, lifetime: float, taken: float) -> None:
        identity = self._blueprint.identity
        tenant = identity.shown("tenant_id") if request.tenant == identity.tenant_id else request.tenant
        scopes = printable(" ".join(request.scopes))  # they may come from a configuration, and forge no line of a log
        self.log.info("token for tenant %s, %s: %.0f s to live, taken %.0f ms", tenant, scopes, lifetime, taken * 1000)

    def prepare(self) -> Failure | None:
        """Import on this thread what another one would soon import, while the application does so, too."""
        try:
            self._entra()
            _import_azure_core()
        except (OSError, ImportError) as exc:
            return resource_failure(exc)
        return None

    def _entra(self) -> EntraClient:
        """MSAL and the transport are imported here, when a token is first needed."""
        with self._lock:
            client = self._client
        if client is None:
            made = self._new_client()  # not under the lock: whoever closes, on an event loop, would wait for the import
            with self._lock:
                client = self._client = made if self._client is None else self._client
                closed = self._closed
            if closed and self._blueprint.http_client is None:
                client.close()  # it tells so, and leaves no connection
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
        sent = None if "azure.core.credentials" in sys.modules else _Once(_import_azure_core)
        return EntraClient(
            plan.identity,
            own if own is not None else Transport(plan.transport, monotonic=plan.monotonic, sent=sent),
            bounded=own is None,
            total_timeout=plan.transport.total_timeout,
            monotonic=plan.monotonic,
            instance_discovery=not plan.settings.disable_instance_discovery,
            machine_region=plan.surroundings.region,
        )

    def close(self) -> None:
        """Close the connections, those of an application's client, too."""
        with self._lock:
            client, self._client = self._client, None
            self._closed = True
        self._readings.clear()
        self._verdicts.clear()
        if client is not None:
            client.close()
        elif self._blueprint.http_client is not None:
            self._blueprint.http_client.close()

    def after_fork(self) -> None:
        """In the child of a fork no lock is held, and nobody discovers anything."""
        self._lock = threading.Lock()
        self._readings.after_fork()
        self._verdicts.after_fork()
        if self._client is not None:
            self._client.after_fork()
