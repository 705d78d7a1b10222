"""Faults: what goes wrong, for which requests, and how often.

Three lanes, which combine: how long an answer is waited for, what it says, and how it is delivered. In
each lane the faults with a number of times are used up in the order in which they were set; where none is
left, the latest one without a number holds.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from .directory import changing
from .wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .endpoints import Route, TokenService
    from .recording import Kind
    from .wire import Call

    Reply = Callable[[TokenService, Call, Route], Answer]

On = Literal["token", "discovery", "all"]
"""Which requests a fault meets: token requests, both kinds of discovery, or everything."""


@dataclass(frozen=True)
class Delivery:
    """How an answer reaches the client.

    Attributes:
        how: `whole`; `truncated`: less of it than its Content-Length says, then the end; `dropped`: not at
            all, the connection is reset.
        seconds_per_byte: Greater than zero: the body arrives a byte at a time, this far apart.
    """

    how: Literal["whole", "truncated", "dropped"] = "whole"
    seconds_per_byte: float = 0.0


WHOLE = Delivery()
_DISCOVERY: frozenset[Kind] = frozenset({"openid-configuration", "instance-discovery"})
_Effect = TypeVar("_Effect")


@dataclass
class _Fault(Generic[_Effect]):
    effect: _Effect
    times: int | None
    on: On

    def meets(self, kind: Kind) -> bool:
        return self.on == "all" or (kind in _DISCOVERY if self.on == "discovery" else kind == "token")


class Lane(Generic[_Effect]):
    """The faults of one sort. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: deque[_Fault[_Effect]] = deque()
        self._standing: deque[_Fault[_Effect]] = deque()

    def add(self, effect: _Effect, times: int | None, on: On) -> None:
        """Set a fault.

        Raises:
            ValueError: `times` is less than one, or `on` is none of `token`, `discovery`, `all`.
        """
        if times is not None and times < 1:
            raise ValueError("`times` is a number of requests, at least 1, or None for all")
        if on not in {"token", "discovery", "all"}:
            raise ValueError('`on` is "token", "discovery" or "all"')
        fault = _Fault(effect, times, on)
        with changing(self._lock):
            if times is None:
                self._standing.appendleft(fault)
            else:
                self._counted.append(fault)

    def take(self, kind: Kind) -> _Effect | None:
        """The effect that the next request of a kind meets; one of its times is used up."""
        with self._lock:
            for fault in self._counted:
                if fault.meets(kind):
                    return self._use(fault)
            return next((fault.effect for fault in self._standing if fault.meets(kind)), None)

    def _use(self, fault: _Fault[_Effect]) -> _Effect:
        fault.times = (fault.times or 1) - 1
        if not fault.times:
            self._counted.remove(fault)
        return fault.effect

    def clear(self) -> None:
        """Forget every fault."""
        with changing(self._lock):
            self._counted.clear()
            self._standing.clear()


class Lanes:
    """The three lanes: the wait before an answer in seconds, the answer itself, its delivery."""

    def __init__(self) -> None:
        self.delays: Lane[float] = Lane()
        self.answers: Lane[Reply] = Lane()
        self.deliveries: Lane[Delivery] = Lane()

    def clear(self) -> None:
        """Forget every fault."""
        for lane in (self.delays, self.answers, self.deliveries):
            lane.clear()


class Faults:
    """The methods that fill the lanes: the part of `FakeEntra` about trouble.

    Every method takes `times`, for how many requests it holds (None: until `recovers()`), and `on`, which
    requests it meets: `token` (the default), `discovery` or `all`. A wait (`is_slow`), an answer
    (`throttles`, `refuses`, …) and a delivery (`truncates`, `drips`, `drops_connections`) combine; of one
    sort, those with `times` are used up first, in the order in which they were set.
    """

    def __init__(self) -> None:
        self._lanes = Lanes()

    def is_slow(self, seconds: float, times: int | None = None, *, on: On = "token") -> None:
        """Wait before answering, for real seconds, whatever the fake's clock says."""
        self._lanes.delays.add(seconds, times, on)

    def throttles(
        self,
        retry_after: int | str | None = None,
        times: int | None = None,
        *,
        body: str | bytes | None = None,
        on: On = "token",
    ) -> None:
        """Answer 429.

        Args:
            retry_after: The header `Retry-After`: seconds, or an HTTP date; None leaves it out.
            times: For how many requests.
            body: The body; None for Entra's JSON (AADSTS90055), `""` for an empty one.
            on: Which requests.
        """
        self._lanes.answers.add(_Busy(90055, retry_after, body), times, on)

    def is_unavailable(
        self,
        retry_after: int | str | None = None,
        times: int | None = None,
        *,
        body: str | bytes | None = None,
        on: On = "token",
    ) -> None:
        """Answer 503 (AADSTS90033); the arguments are those of `throttles`."""
        self._lanes.answers.add(_Busy(90033, retry_after, body), times, on)

    def answers(
        self,
        status: int = 200,
        body: bytes | str = b"",
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
        *,
        on: On = "token",
    ) -> None:
        """Answer with any status and any body: an empty one, malformed JSON, a proxy's HTML page."""
        answer = Answer(status, _bytes(body), content_type, dict(headers or {}))
        self._lanes.answers.add(lambda _service, _call, _route: answer, times, on)

    def redirects(self, location: str, times: int | None = None, *, status: int = 302, on: On = "token") -> None:
        """Answer with a redirection to `location`; `status` may be 307, which asks to send the body again."""
        self.answers(status, b"", "text/html", {"Location": location}, times, on=on)

    def refuses(self, aadsts: int, times: int | None = None, *, on: On = "token") -> None:
        """Answer with the error of an AADSTS code, such as 7000222, whatever the request says."""
        self._lanes.answers.add(lambda service, call, route: service.refuse(aadsts, call, route), times, on)

    def truncates(self, times: int | None = None, *, on: On = "token") -> None:
        """Promise more bytes than are sent, then close the connection."""
        self._lanes.deliveries.add(Delivery("truncated"), times, on)

    def drops_connections(self, times: int | None = None, *, on: On = "token") -> None:
        """Accept the connection, read the request, and reset the connection (RST) instead of an answer."""
        self._lanes.deliveries.add(Delivery("dropped"), times, on)

    def drips(self, seconds_per_byte: float, times: int | None = None, *, on: On = "token") -> None:
        """Send the head at once and the body a byte at a time, with a pause before each."""
        self._lanes.deliveries.add(Delivery(seconds_per_byte=seconds_per_byte), times, on)


@dataclass(frozen=True)
class _Busy:
    """An answer of a server that cannot now: Entra's JSON, or a body of the test's own."""

    code: int
    retry_after: int | str | None
    body: str | bytes | None

    def __call__(self, service: TokenService, call: Call, route: Route) -> Answer:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        answer = service.refuse(self.code, call, route)
        if self.body is None:
            return Answer(answer.status, answer.body, answer.content_type, {**answer.headers, **headers})
        return Answer(answer.status, _bytes(self.body), answer.content_type, headers)


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
