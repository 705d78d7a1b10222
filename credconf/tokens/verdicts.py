"""What Entra said of the proofs: which were refused lately, and which one worked last."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .trial import Attempt

PATIENCE = 600.0
"""Seconds after which a refused proof is worth a request again, although another one works."""
_LIMIT = 64


class Verdicts:
    """The verdicts of one engine, shared by all its flights. The lock guards a few assignments, never a request."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._refused: dict[bytes, float] = {}
        self.worked: Attempt | None = None
        self._announced: tuple[str, bytes] | None = None

    def refused_lately(self, fingerprint: bytes) -> bool:
        """Whether there is no hope in this proof, as long as there is another."""
        refused_at = self._refused.get(fingerprint)
        return refused_at is not None and self._monotonic() - refused_at < PATIENCE

    def refuse(self, attempt: Attempt) -> None:
        """Entra does not take it for a proof (any more)."""
        with self._lock:
            self._refused.pop(attempt.fingerprint, None)
            self._refused[attempt.fingerprint] = self._monotonic()
            while len(self._refused) > _LIMIT:  # a program may print another secret each time
                del self._refused[next(iter(self._refused))]
            if self.worked is not None and self.worked.fingerprint == attempt.fingerprint:
                self.worked = None

    def accept(self, attempt: Attempt) -> tuple[str, bytes] | None:
        """It worked.

        Returns:
            Path and fingerprint of what had worked before.
        """
        with self._lock:
            self._refused.pop(attempt.fingerprint, None)
            self.worked = attempt
            before, self._announced = self._announced, (attempt.path, attempt.fingerprint)
            return before

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._refused.clear()
            self.worked = None

    def after_fork(self) -> None:
        """In the child of a fork nobody holds the lock."""
        self._lock = Lock()
