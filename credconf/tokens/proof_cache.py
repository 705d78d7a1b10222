"""What was read of the ways to a proof, so that each is read again only when it may have changed."""

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
"""Seconds after which a refused proof is worth a request again, although another one works."""
SETTLED = 60.0
"""Seconds after which a file that looks half-written is one that somebody left so."""


@record
class ProofReading:
    """What a candidate was when it was read.

    Attributes:
        stamp: from before it was read, so that a change meanwhile makes the next one differ.
        outcome: the proof, or why there was none.
        fingerprint: of the proof.
        at: when, on the monotonic clock.
    """

    stamp: Stamp
    outcome: Sealed | NotFound
    fingerprint: bytes
    at: float


class ProofCache:
    """The readings of one engine, shared by all its flights.

    Files may be read by several flights at once; a program runs once, and whoever needs its output waits for it.
    """

    def __init__(self, reader: Reader, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._monotonic = monotonic
        self._kept: dict[str, ProofReading] = {}
        self._runs: Flights[ProofReading] = Flights()

    def now(self, candidate: Candidate) -> tuple[ProofReading, bool]:
        """The candidate as it is now, and whether it was not read for that, because nothing says that it changed."""
        kept = self._kept.get(candidate.path)
        stamp = candidate.stamp(self._reader)
        if kept is not None and kept.stamp == stamp and stamp is not None and self._counts(kept):
            return kept, True
        return self._read(candidate, stamp, kept), False

    def again(self, candidate: Candidate, than: ProofReading | None) -> ProofReading:
        """Read the candidate, whatever its stamp; a program only if nobody has run it since a reading."""
        return self._read(candidate, candidate.stamp(self._reader), than)

    def settled(self, reading: ProofReading) -> bool:
        """Whether it was read so long ago that nobody is still in the middle of writing it."""
        return self._monotonic() - reading.at >= SETTLED

    def changed(self, candidate: Candidate, since: ProofReading) -> bool:
        """Whether the candidate tells by itself that it is another one than it was."""
        stamp = candidate.stamp(self._reader)
        return stamp is not None and stamp != since.stamp

    def _counts(self, kept: ProofReading) -> bool:
        """A program that failed is run again after a while: one secret of a list may do without it until then.

        A file that the system could not read (no descriptor was left) may be readable again without having changed.
        """
        if isinstance(kept.outcome, Sealed):
            return True
        return kept.outcome.code != "unreadable-file" and self._monotonic() - kept.at < PATIENCE

    def _read(self, candidate: Candidate, stamp: Stamp, than: ProofReading | None) -> ProofReading:
        if not candidate.runs:
            return self._fetch(candidate, stamp)

        def run() -> ProofReading:
            kept = self._kept.get(candidate.path)
            return kept if kept is not None and kept is not than else self._fetch(candidate, stamp)

        return self._runs.run(candidate.path, run)

    def _fetch(self, candidate: Candidate, stamp: Stamp) -> ProofReading:
        reading = _reading(stamp, candidate.read(self._reader), self._monotonic())
        kept = self._kept.get(candidate.path)
        # A vault that is out of reach takes nothing back, as somebody who removes a file does.
        if not (candidate.runs and kept and isinstance(kept.outcome, Sealed) and isinstance(reading.outcome, NotFound)):
            self._kept[candidate.path] = reading
        return reading

    def held(self) -> list[Sealed]:
        """The proofs that were read, and are kept."""
        return [item.outcome for item in list(self._kept.values()) if isinstance(item.outcome, Sealed)]

    def clear(self) -> None:
        """Forget everything that was read."""
        self._kept.clear()

    def after_fork(self) -> None:
        """In the child of a fork nobody runs the parent's programs."""
        self._runs.after_fork()


def _reading(stamp: Stamp, found: Proof | NotFound, at: float) -> ProofReading:
    if isinstance(found, NotFound):
        return ProofReading(stamp, found, b"", at)
    return ProofReading(stamp, Sealed(found), found.fingerprint, at)
