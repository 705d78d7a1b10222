"""The order in which one flight tries proofs, until one is accepted.

Each proof costs one request at most. The order is:

1. proofs that are not known to be refused: the preferred candidate, the one that was accepted last, the others;
2. every reference again, because the first read may have met it in the middle of a change;
3. the proof that was accepted last, although its reference has changed;
4. references that have changed once more;
5. proofs that were refused recently.
"""

from __future__ import annotations

import time
from threading import RLock
from typing import TYPE_CHECKING, Final

from credconf.ground.records import record, replace
from credconf.problems.failure import Failure
from credconf.references import NotFound

from .proof_cache import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from credconf.entra.proof import Candidate, Sealed

    from .proof_cache import ProofCache, ProofReading


_LIMIT = 64


@record
class Attempt:
    """One proof to try.

    Attributes:
        path: the path of its candidate.
        name: the name of its candidate in messages.
        position: the position of its candidate, from 0.
        fingerprint: the fingerprint of the proof.
        proof: the proof that is sent.
        kept: whether its reference holds another value by now.
    """

    path: str
    name: str
    position: int
    fingerprint: bytes
    proof: Sealed
    kept: bool = False


class ProofHistory:
    """The accepted and refused proofs of one engine, shared by all its flights.

    The lock guards a few assignments, never a request.

    Attributes:
        worked: the proof that was accepted last, unless it has been refused since.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = RLock()  # a signal handler of its holder may need a token
        self._refused: dict[bytes, float] = {}
        self.worked: Attempt | None = None
        self._announced: tuple[str, bytes] | None = None

    def refused_lately(self, fingerprint: bytes) -> bool:
        """Whether a proof was refused recently, so that others are tried first."""
        refused_at = self._refused.get(fingerprint)
        return refused_at is not None and self._monotonic() - refused_at < PATIENCE

    def refuse(self, attempt: Attempt) -> None:
        """Remember that Entra refused a proof."""
        with self._lock:
            self._refused.pop(attempt.fingerprint, None)
            self._refused[attempt.fingerprint] = self._monotonic()
            while len(self._refused) > _LIMIT:  # a program may print a new secret each time
                del self._refused[next(iter(self._refused))]
            if self.worked is not None and self.worked.fingerprint == attempt.fingerprint:
                self.worked = None

    def accept(self, attempt: Attempt) -> tuple[str, bytes] | None:
        """Remember that Entra accepted a proof.

        Returns:
            The path and fingerprint of the proof accepted before.
        """
        with self._lock:
            self._refused.pop(attempt.fingerprint, None)
            self.worked = attempt
            before, self._announced = self._announced, (attempt.path, attempt.fingerprint)
            return before

    def age(self, seconds: float) -> None:
        """Make refusals older."""
        with self._lock:
            self._refused = {fingerprint: at - seconds for fingerprint, at in self._refused.items()}

    def clear(self) -> None:
        """Forget all proofs."""
        with self._lock:
            self._refused.clear()
            self.worked = None

    def after_fork(self) -> None:
        """Release the lock, in the child of a fork."""
        self._lock = RLock()


_HALF_WRITTEN: Final = frozenset({"empty", "not-utf8", "bad-certificate", "bad-assertion"})
"""The codes of a file that may be in the middle of a write in place."""
_PAUSES: Final = (0.01, 0.04, 0.15, 0.3, 0.5)
"""Seconds to wait for the end of that write, one after the other."""


class ProofSelector:
    """Selects the next proof to try within one flight.

    Args:
        candidates: the places of proofs, the preferred one first.
        cache: the proof cache of the engine.
        history: the proof history of the engine.
        pause: waits for some seconds.

    Attributes:
        proofs: the proofs that were tried.
        seen: the state of each candidate when it was last read, by position.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        cache: ProofCache,
        history: ProofHistory,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._candidates = candidates
        self._cache = cache
        self._history = history
        self._pause = pause
        self.seen: dict[int, ProofReading] = {}
        self._unchanged: set[int] = set()
        self._tried: set[bytes] = set()
        self._later: list[Attempt] = []
        self.proofs: list[Sealed] = []
        self._refusals: list[tuple[Attempt, Failure]] = []

    def attempts(self) -> Iterator[Attempt]:
        """The attempts in their order. Call `refuse()` before the next one; stop when one is accepted."""
        for position in self._order():
            reading, kept = self._cache.now(self._candidates[position])
            if kept and (self._candidates[position].runs or self._cache.settled(reading)):
                self._unchanged.add(position)
            yield from self._judged(position, reading)
        if not self._tried:
            yield from self._last_that_worked()
        yield from self._read_again()
        yield from self._last_that_worked()
        yield from self._changed_meanwhile()
        for attempt in self._later:
            if attempt.fingerprint not in self._tried:
                yield self._begun(attempt)

    def refuse(self, attempt: Attempt, failure: Failure) -> None:
        """Note that Entra refused the proof of an attempt."""
        self._refusals.append((attempt, failure))
        self._history.refuse(attempt)

    def _order(self) -> Iterator[int]:
        worked = self._history.worked
        remembered = [position for position, item in enumerate(self._candidates) if worked and item.path == worked.path]
        yield from dict.fromkeys((0, *remembered, *range(len(self._candidates))))

    def _judged(self, position: int, reading: ProofReading) -> Iterator[Attempt]:
        """An attempt with the proof that was read. One that was refused recently is tried after all others."""
        self.seen[position] = reading
        if isinstance(reading.outcome, NotFound) or reading.fingerprint in self._tried:
            return
        candidate = self._candidates[position]
        attempt = Attempt(candidate.path, str(candidate), position, reading.fingerprint, reading.outcome)
        if self._history.refused_lately(reading.fingerprint):
            self._later.append(attempt)
        else:
            yield self._begun(attempt)

    def _begun(self, attempt: Attempt) -> Attempt:
        self._tried.add(attempt.fingerprint)
        self.proofs.append(attempt.proof)
        return attempt

    def _read_again(self) -> Iterator[Attempt]:
        if self._tried or self._later or self._unchanged:
            for position, candidate in enumerate(self._candidates):
                seen = self.seen.get(position)
                if seen is None or not seen.is_one_off:
                    yield from self._judged(position, self._cache.again(candidate, seen))
        for pause in _PAUSES:
            # A file that has not changed for some time is not being written.
            fresh = {position: item for position, item in self.seen.items() if position not in self._unchanged}
            halves = [
                position
                for position, item in fresh.items()
                if _is_half_written(item) and not self._candidates[position].runs
            ]
            if self._tried or self._later or not halves:
                return
            self._pause(pause)
            for position in halves:
                yield from self._judged(position, self._cache.again(self._candidates[position], None))

    def _changed_meanwhile(self) -> Iterator[Attempt]:
        """Files that were completed while half of their content was refused. The check is cheap."""
        for position, candidate in enumerate(self._candidates):
            if self._cache.changed(candidate, self.seen[position]):
                yield from self._judged(position, self._cache.again(candidate, self.seen[position]))

    def _last_that_worked(self) -> Iterator[Attempt]:
        """The proof accepted last, instead of a refused one; not if the reference is gone: then it was withdrawn."""
        worked = self._history.worked
        if worked is None or worked.fingerprint in self._tried or self._cache.is_over(worked.proof):
            return
        if self._tried or self._later:
            yield self._begun(replace(worked, kept=True))

    def failure(self) -> Failure:
        """The failure of the flight: the refusals, and the references that could not be read."""
        unread = [
            (item.outcome.path or self._candidates[position].path, item.outcome)
            for position, item in sorted(self.seen.items())
            if isinstance(item.outcome, NotFound)
        ]
        if not self._refusals:
            return _unavailable(unread)
        last = self._refusals[-1][1]
        if len(self._refusals) + len(unread) == 1:
            return last
        lines = [f"  {_named(attempt)}: {_verdict(failure)}" for attempt, failure in self._refusals]
        lines += [f"  {path}: it can't be read now: {why.message}" for path, why in unread]
        codes = dict.fromkeys(code for _, failure in reversed(self._refusals) for code in failure.codes)
        return replace(last, message="\n".join([last.message, "Tried, in this order:", *lines]), codes=tuple(codes))


def _is_half_written(reading: ProofReading) -> bool:
    return isinstance(reading.outcome, NotFound) and reading.outcome.code in _HALF_WRITTEN


def _named(attempt: Attempt) -> str:
    return f"{attempt.name}, as it was when it last worked" if attempt.kept else attempt.name


def _verdict(failure: Failure) -> str:
    return f"AADSTS{failure.codes[0]}" if failure.codes else failure.error


def _unavailable(unread: list[tuple[str, NotFound]]) -> Failure:
    if not unread:
        return Failure("the configuration holds no proof", "unexpected")
    texts = [text for path, why in unread for text in (f"`{path}` can't be read now: {why.message}", why.hint) if text]
    why = unread[0][1]
    return Failure("\n".join(texts), why.code, unavailable=True, retry_after=why.retry_after)
