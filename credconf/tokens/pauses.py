"""How long Entra is not asked again for a token: after `Retry-After`, and shortly after a refusal.

azure-identity (MSAL's throttling) does the same. An application that asks in a loop is otherwise throttled as a whole,
for all of its users.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from credconf.ground.records import record, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credconf.entra.request import TokenRequest
    from credconf.problems.failure import Failure

    from .readings import Reading

LONGEST: Final = 60.0
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
    sent: Mapping[int, Reading] | None = None

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

    def __init__(self, monotonic: Callable[[], float], is_unchanged: Callable[[Mapping[int, Reading]], bool]) -> None:
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
        sent: Mapping[int, Reading] | None = None,
        longest: float = LONGEST,
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
