"""Keeps the proofs that were read, so that each is read again only when it may have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.entra.proof import Sealed
from credconf.ground.flight import Flights
from credconf.ground.records import record
from credconf.references import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.entra.proof import Candidate, Proof
    from credconf.references import Reader, Stamp

PATIENCE = 600.0
"""Seconds for which a refused proof is tried after all others."""
SETTLED = 60.0
"""Seconds after which a file that looks half-written is no longer expected to change."""


@record
class ProofReading:
    """The state of a candidate when it was read.

    Attributes:
        stamp: taken before the read, so that a concurrent change makes the next stamp differ.
        outcome: the proof, or the reason why there is none.
        fingerprint: the fingerprint of the proof.
        at: when it was read, on the monotonic clock.
    """

    stamp: Stamp
    outcome: Sealed | NotFound
    fingerprint: bytes
    at: float

    @property
    def is_one_off(self) -> bool:
        """Whether each reading gives another proof of the same identity, so that to read again is of no use."""
        return self.stamp is None and isinstance(self.outcome, Sealed)


class ProofCache:
    """The proofs of one engine that were read, shared by all its flights.

    Several flights may read a file at once. A program runs once, and each flight that needs its output waits for it.
    """

    def __init__(self, reader: Reader, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._monotonic = monotonic
        self._kept: dict[str, ProofReading] = {}
        self._runs: Flights[ProofReading] = Flights()

    def now(self, candidate: Candidate) -> tuple[ProofReading, bool]:
        """The current state of the candidate, and whether it is a kept one, since nothing indicates a change."""
        kept = self._kept.get(candidate.path)
        stamp = candidate.stamp(self._reader)
        if kept is not None and kept.stamp == stamp and stamp is not None and self._counts(kept):
            return kept, True
        return self._read(candidate, stamp, kept), False

    def again(self, candidate: Candidate, than: ProofReading | None) -> ProofReading:
        """Read the candidate, whatever its stamp. A program runs only if it has not run since `than`."""
        return self._read(candidate, candidate.stamp(self._reader), than)

    def is_over(self, proof: Sealed) -> bool:
        """Whether it is an assertion that has expired, and must not be sent again."""
        return proof.open().is_over(self._reader.clock())

    def settled(self, reading: ProofReading) -> bool:
        """Whether it was read so long ago that no process is still writing it."""
        return self._monotonic() - reading.at >= SETTLED

    def changed(self, candidate: Candidate, since: ProofReading) -> bool:
        """Whether the stamp of the candidate shows that it has changed."""
        stamp = candidate.stamp(self._reader)
        return stamp is not None and stamp != since.stamp

    def _counts(self, kept: ProofReading) -> bool:
        """Whether a kept reading may be used again.

        A program that failed runs again after `PATIENCE`; the other secrets of a list serve until then. A file that the
        system could not read, since no descriptor was left, may be readable again without a change.
        """
        if isinstance(kept.outcome, Sealed):
            return not self.is_over(kept.outcome)
        return kept.outcome.code != "unreadable-file" and self._monotonic() - kept.at < PATIENCE

    def _read(self, candidate: Candidate, stamp: Stamp, than: ProofReading | None) -> ProofReading:
        if not candidate.runs:
            return self._fetch(candidate, stamp)

        def run() -> ProofReading:
            kept = self._kept.get(candidate.path)
            if kept is None or kept is than or kept.is_one_off or not self._counts(kept):
                return self._fetch(candidate, stamp)
            return kept

        return self._runs.run(candidate.path, run)

    def _fetch(self, candidate: Candidate, stamp: Stamp) -> ProofReading:
        reading = _reading(stamp, candidate.read(self._reader), self._monotonic())
        kept = self._kept.get(candidate.path)
        # An unreachable vault does not withdraw a secret. The removal of a file does.
        if not (candidate.runs and kept and isinstance(kept.outcome, Sealed) and isinstance(reading.outcome, NotFound)):
            self._kept[candidate.path] = reading
        return reading

    def held(self) -> list[Sealed]:
        """The proofs that are kept."""
        return [item.outcome for item in list(self._kept.values()) if isinstance(item.outcome, Sealed)]

    def clear(self) -> None:
        """Forget all proofs."""
        self._kept.clear()

    def after_fork(self) -> None:
        """Forget the programs that the parent process runs, in the child of a fork."""
        self._runs.after_fork()


def _reading(stamp: Stamp, found: Proof | NotFound, at: float) -> ProofReading:
    if isinstance(found, NotFound):
        return ProofReading(stamp, found, b"", at)
    return ProofReading(stamp, Sealed(found), found.fingerprint, at)
