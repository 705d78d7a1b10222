"""When a token is due, how long to wait after a failure, and how long Entra is not asked again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from credconf.ground.records import record, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credconf.entra.request import TokenRequest
    from credconf.problems.failure import Failure

    from .proof_cache import ProofReading


LONG_LIFE = 7200.0
"""Seconds: a token that lives this long is due at half its life, as MSAL's `refresh_in` would have it."""
EARLY = 300.0
"""Seconds before its end at which a shorter token is due, azure-identity's offset."""
SPACING = 30.0
"""Seconds between two requests for one token that is still valid, azure-identity's retry delay."""
LONGEST_WAIT = 600.0
"""Seconds after which a failing refresh is tried again at the latest."""


JITTER = 60.0
"""Seconds by which tokens that are due at the same moment, in many processes, are spread at the most."""


def due_at(received: float, expires: float, refresh_on: float | None, jitter: float = 0.0) -> float:
    """When a token should be replaced, in the seconds of the clock that gave the arguments.

    Args:
        received: when it was asked for.
        expires: when it ends.
        refresh_on: when the server wants it replaced, if it said so.
        jitter: from 0 to 1; later by up to a minute, and by no more than a tenth of what is left of its life.
    """
    half = received + (expires - received) / 2
    if refresh_on is not None:
        due = refresh_on
    elif expires - received >= LONG_LIFE:
        due = half
    else:
        due = max(expires - EARLY, half)
    due = max(due, received + SPACING)
    return min(due + jitter * min(JITTER, 0.1 * max(expires - due, 0.0)), expires)


def due_among_many(received: float, due: float, expires: float, jitter: float) -> float:
    """When one of many processes that hold the same token should see to its replacement.

    One will do it for all, the first. Should what they share be down just then, each does it for itself, and they must
    not come all at once: from a tenth of its age earlier, to half of what is left of its life later.

    Args:
        received: when it was asked for.
        due: when it should be replaced.
        expires: when it ends.
        jitter: from 0 to 1.
    """
    first = max(due - 0.1 * (due - received), min(received + SPACING, due))
    last = due + 0.5 * (expires - due)
    return first + jitter * (last - first)


def wait_after(failures: int, retry_after: float | None, jitter: float = 0.0) -> float:
    """Seconds to wait before a refresh of a token that is still valid is tried again.

    Args:
        failures: in a row, the last one included.
        retry_after: seconds that the server asked to wait.
        jitter: from 0 to 1; up to a quarter longer.
    """
    wait = min(SPACING * 2.0 ** min(failures - 1, 10), LONGEST_WAIT) * (1 + jitter / 4)
    return max(wait, min(retry_after or 0.0, LONGEST_WAIT))


LONGEST_PAUSE: Final = 60.0
"""Seconds for which `Retry-After` is obeyed at most: MSAL's bound for an answer that it repeats."""
REFUSED: Final = 5.0
"""Seconds for which a refusal is repeated, as long as what was sent is still the same."""
_MOST = 1000


@record
class Pause:
    """One failure that is repeated for a while.

    Attributes:
        failure: as the server gave it.
        since: when, on the monotonic clock.
        until: when the server is asked again.
        sent: the readings of the proofs at a refusal, by candidate; `None` where the proofs do not matter.
    """

    failure: Failure
    since: float
    until: float
    sent: Mapping[int, ProofReading] | None = None

    def repeated(self, now: float) -> Failure:
        """The failure as a caller gets it later."""
        failure, left = self.failure, self.until - now
        if self.sent is not None:
            again = "or at once when the secret or certificate changes"
            text = f"This answer is {now - self.since:.0f} s old. Entra is asked again in {left:.0f} s, {again}."
            return replace(failure, message=f"{failure.message}\n{text}")
        text = f"Entra is not asked now: it asked to wait, and is asked again in {max(left, 1):.0f} s."
        remaining = (failure.retry_after or 0.0) - (now - self.since)
        return replace(failure, message=f"{failure.message}\n{text}", retry_after=max(remaining, left))


class Pauses:
    """The pauses of one engine, by token.

    Args:
        monotonic: the clock.
        is_unchanged: whether the proofs that were refused are still all that there is.
    """

    def __init__(
        self, monotonic: Callable[[], float], is_unchanged: Callable[[Mapping[int, ProofReading]], bool]
    ) -> None:
        self._monotonic = monotonic
        self._is_unchanged = is_unchanged
        self._pauses: dict[object, Pause] = {}
        self.after_fork()

    def failure(self, request: TokenRequest) -> Failure | None:
        """The failure to repeat instead of asking, if there is one."""
        for key in dict.fromkeys((request.key, request.flight)):
            pause = self._pauses.get(key)
            if pause is None:
                continue
            if self._monotonic() < pause.until and (pause.sent is None or self._is_unchanged(pause.sent)):
                return pause.repeated(self._monotonic())
            self._forget(key)
        return None

    def begin(
        self,
        request: TokenRequest,
        failure: Failure,
        sent: Mapping[int, ProofReading] | None = None,
        longest: float = LONGEST_PAUSE,
    ) -> None:
        """Remember a failure, if it is one after which Entra is not asked for a while.

        Args:
            request: that failed.
            failure: the server's answer; `retry_after` counts from now.
            sent: what was tried; without it a refusal is not remembered.
            longest: seconds for which `retry_after` is obeyed.
        """
        now = self._monotonic()
        if failure.retry_after:
            self._remember(request.key, Pause(failure, now, now + min(failure.retry_after, longest)))
        elif failure.refused and sent is not None:
            self._remember(request.flight, Pause(failure, now, now + REFUSED, dict(sent)))

    def _remember(self, key: object, pause: Pause) -> None:
        with self._lock:
            self._pauses.pop(key, None)
            self._pauses[key] = pause
            while len(self._pauses) > _MOST:
                del self._pauses[next(iter(self._pauses))]

    def _forget(self, key: object) -> None:
        with self._lock:
            self._pauses.pop(key, None)

    def end(self, request: TokenRequest) -> None:
        """The request was answered by a token."""
        if self._pauses:
            self._forget(request.key)
            self._forget(request.flight)

    def clear(self) -> None:
        """Ask again."""
        with self._lock:
            self._pauses.clear()

    def after_fork(self) -> None:
        """In the child of a fork the lock is free."""
        self._lock = threading.Lock()
