"""Sends the requests of references, and of kinds that have their own way to a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .sending import reply_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credconf.references import Unanswered

    from .http import HttpClient
    from .messages import Reply


class DeadlineWeb:
    """Sends the requests of a reference, or of a kind with its own way to a token, within one deadline.

    Args:
        http: The HTTP client.
        bounded: Whether `http` takes a `deadline`, as our transport does and an application's client does not.
        deadline: End of all requests on the monotonic clock.
        monotonic: The clock of the deadline.
        sleep: Waits between attempts.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        bounded: bool,
        deadline: float,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._http = http
        self._bounds: dict[str, Any] = {"deadline": deadline, "attempts": 1} if bounded else {}
        self._deadline = deadline
        self._monotonic = monotonic
        self._sleep = sleep

    def get(
        self, url: str, *, params: Mapping[str, str], headers: Mapping[str, str], timeout: float | None = None
    ) -> Reply | Unanswered:
        """Send one GET request. It takes at most `timeout` seconds to connect."""
        return self._send(self._http.get, url, params, headers, timeout)

    def post(
        self, url: str, *, params: Mapping[str, str], headers: Mapping[str, str], timeout: float | None = None
    ) -> Reply | Unanswered:
        """Send one POST request without a body."""
        return self._send(self._http.post, url, params, headers, timeout)

    def pause(self, seconds: float) -> bool:
        """Wait before another attempt. Returns `False`, at once, if the wait would pass the deadline."""
        if self._monotonic() + seconds >= self._deadline:
            return False
        self._sleep(seconds)
        return True

    def _send(
        self, send: Any, url: str, params: Mapping[str, str], headers: Mapping[str, str], timeout: float | None
    ) -> Reply | Unanswered:
        bounds = {**self._bounds, "connect": timeout} if self._bounds else {}
        return reply_of(send if bounds else _plainly(send), url, bounds, {"params": params, "headers": headers})


def _plainly(send: Any) -> Any:
    """Return what calls an application's client, which accepts only a plain mapping of headers."""
    return lambda url, *, params, headers: send(url, params=params, headers=dict(headers))
