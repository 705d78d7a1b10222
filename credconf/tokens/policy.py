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
"""Seconds of life from which a token is due at half its life, as MSAL sets `refresh_in`."""
EARLY = 300.0
"""Seconds before its end at which a token of a shorter life is due: azure-identity's offset."""
SPACING = 30.0
"""Seconds between two requests for one token that is still valid: azure-identity's retry delay."""
LONGEST_WAIT = 600.0
"""Seconds after which a failed refresh is repeated at the latest."""
JITTER = 60.0
"""Seconds over which the refreshes of tokens that are due at the same moment are spread at most."""


def due_at(received: float, expires: float, refresh_on: float | None, jitter: float = 0.0) -> float:
    """When to replace a token, in seconds of the clock that gave the arguments.

    Args:
        received: when the token was requested.
        expires: when it expires.
        refresh_on: when the server wants it replaced, if given.
        jitter: from 0 to 1; postpones by up to a minute, and by up to a tenth of the remaining life.
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
    """When one of many processes that share a token should replace it.

    The first process replaces it for all. If the store is down at that moment, each process makes its own request, and
    these must be spread: from a tenth of the token's age before it is due, to half of its remaining life after that.

    Args:
        received: when the token was requested.
        due: when to replace it.
        expires: when it expires.
        jitter: from 0 to 1.
    """
    first = max(due - 0.1 * (due - received), min(received + SPACING, due))
    last = due + 0.5 * (expires - due)
    return first + jitter * (last - first)


def wait_after(failures: int, retry_after: float | None, jitter: float = 0.0) -> float:
    """Seconds to wait before the refresh of a valid token is repeated.

    Args:
        failures: the number of failures in a row, the last one included.
        retry_after: the seconds that the server asked to wait.
        jitter: from 0 to 1; adds up to a quarter.
    """
    wait = min(SPACING * 2.0 ** min(failures - 1, 10), LONGEST_WAIT) * (1 + jitter / 4)
    return max(wait, min(retry_after or 0.0, LONGEST_WAIT))


LONGEST_PAUSE: Final = 60.0
"""Seconds for which `Retry-After` is obeyed at most: MSAL's bound for the answers that it repeats."""
REFUSED: Final = 5.0
"""Seconds for which a refusal is repeated, as long as the proofs are unchanged."""
_MOST = 1000


@record
class Pause:
    """One failure that is repeated for some time.

    Attributes:
        failure: the failure as the server gave it.
        since: when it occurred, on the monotonic clock.
        until: when the server is asked again.
        sent: the proofs that were refused, by candidate; `None` if the failure does not depend on them.
        server: the name of the server.
    """

    failure: Failure
    since: float
    until: float
    sent: Mapping[int, ProofReading] | None = None
    server: str = "Entra"

    def repeated(self, now: float) -> Failure:
        """The failure as a later caller gets it."""
        failure, left = self.failure, self.until - now
        if self.sent is not None:
            again = ", or at once when the secret, certificate or assertion changes" if self.sent else ""
            text = f"This answer is {now - self.since:.0f} s old. The next request is possible in {left:.0f} s{again}."
            return replace(failure, message=f"{failure.message}\n{text}")
        text = f"{self.server} asked to wait: the next request is possible in {max(left, 1):.0f} s."
        remaining = (failure.retry_after or 0.0) - (now - self.since)
        return replace(failure, message=f"{failure.message}\n{text}", retry_after=max(remaining, left))


class Pauses:
    """The tokens that are not requested now: after `Retry-After`, and shortly after a refusal.

    azure-identity (MSAL's throttling) does the same. Otherwise Entra throttles an application that requests tokens in a
    loop as a whole, for all of its users.

    Args:
        monotonic: the monotonic clock.
        is_unchanged: whether the refused proofs are still the only ones.
        server: the name of the server in messages.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        is_unchanged: Callable[[Mapping[int, ProofReading]], bool],
        server: str = "Entra",
    ) -> None:
        self._server = server
        self._monotonic = monotonic
        self._is_unchanged = is_unchanged
        self._pauses: dict[object, Pause] = {}
        self.after_fork()

    def failure(self, request: TokenRequest) -> Failure | None:
        """The failure to repeat instead of a request, if there is one."""
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
        """Remember a failure that is to be repeated.

        Args:
            request: the request that failed.
            failure: the answer of the server; `retry_after` counts from now.
            sent: the proofs that were sent; without them a refusal is not remembered.
            longest: the seconds for which `retry_after` is obeyed at most.
        """
        now = self._monotonic()
        if failure.retry_after:
            self._remember(
                request.key, Pause(failure, now, now + min(failure.retry_after, longest), None, self._server)
            )
        elif failure.refused and sent is not None:
            self._remember(request.flight, Pause(failure, now, now + REFUSED, dict(sent), self._server))

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
        """Forget the failures of a request that now has a token."""
        if self._pauses:
            self._forget(request.key)
            self._forget(request.flight)

    def age(self, seconds: float) -> None:
        """Make all failures older."""
        with self._lock:
            for key, pause in self._pauses.items():
                self._pauses[key] = replace(pause, since=pause.since - seconds, until=pause.until - seconds)

    def clear(self) -> None:
        """Forget all failures."""
        with self._lock:
            self._pauses.clear()

    def after_fork(self) -> None:
        """Release the lock, in the child of a fork."""
        self._lock = threading.RLock()  # a signal handler of its holder may need a token
