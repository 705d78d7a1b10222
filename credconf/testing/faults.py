"""Faults of the fake: what goes wrong, for which requests, and how often.

Three lanes combine: the delay of an answer, its content, and its delivery. In each lane, faults with a number of
times apply first, in the order in which they were set. After them, the latest fault without a number applies.
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

    from .wire import Call, Kind

    Reply = Callable[["Intercepted"], Answer]

On = Literal["token", "discovery", "challenge", "all"]
"""The requests that a fault applies to: token requests, both kinds of discovery, Azure Arc's challenges, or all."""


@dataclass(frozen=True)
class Intercepted:
    """A request that a fault answers.

    Attributes:
        call: The request.
        refuse: Returns the service's own answer with an HTTP status (429, 503), or an AADSTS code.
    """

    call: Call
    refuse: Callable[[int], Answer]


@dataclass(frozen=True)
class Delivery:
    """How an answer reaches the client.

    Attributes:
        how: `whole`; `truncated`: fewer bytes than the Content-Length, then the end; `dropped`: no answer, the
            connection is reset.
        seconds_per_byte: If it is greater than zero, the pause before each byte of the body.
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
        return self.on == "all" or (kind in _DISCOVERY if self.on == "discovery" else kind == self.on)


class Lane(Generic[_Effect]):
    """The faults of one type. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: deque[_Fault[_Effect]] = deque()
        self._standing: deque[_Fault[_Effect]] = deque()

    def add(self, effect: _Effect, times: int | None, on: On) -> None:
        """Set a fault.

        Raises:
            ValueError: `times` is less than one, or `on` is none of `token`, `discovery`, `challenge`, `all`.
        """
        if times is not None and times < 1:
            raise ValueError("`times` is a number of requests, at least 1, or None for all")
        if on not in {"token", "discovery", "challenge", "all"}:
            raise ValueError('`on` is "token", "discovery", "challenge" or "all"')
        fault = _Fault(effect, times, on)
        with changing(self._lock):
            if times is None:
                self._standing.appendleft(fault)
            else:
                self._counted.append(fault)

    def take(self, kind: Kind) -> _Effect | None:
        """The effect on the next request of a kind. It counts as one of the fault's times."""
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
        """Remove every fault."""
        with changing(self._lock):
            self._counted.clear()
            self._standing.clear()


class Lanes:
    """The three lanes: the delay of the answer (seconds, or until an event), its content, its delivery."""

    def __init__(self) -> None:
        self.delays: Lane[float | threading.Event] = Lane()
        self.answers: Lane[Reply] = Lane()
        self.deliveries: Lane[Delivery] = Lane()

    def clear(self) -> None:
        """Remove every fault."""
        for lane in (self.delays, self.answers, self.deliveries):
            lane.clear()


class Faults:
    """The methods of every fake server that set faults.

    Every method takes `times`, the number of requests that it applies to (None: until `recovers()`), and `on`, the
    type of these requests: `token` (the default), `discovery` (of Entra), `challenge` (the first of Azure Arc's two
    requests for a token) or `all`. A delay (`is_slow`, `hangs`), an answer (`throttles`, `answers`, …) and a
    delivery (`truncates`, `drips`, `drops_connections`) combine. Of one type, faults with `times`
    apply first, in the order in which they were set.
    """

    def __init__(self) -> None:
        self._lanes = Lanes()

    def is_slow(self, seconds: float, times: int | None = None, *, on: On = "token") -> None:
        """Wait before the answer, in real seconds, independent of the fake's clock."""
        self._lanes.delays.add(seconds, times, on)

    def hangs(self, until: threading.Event, times: int | None = None, *, on: On = "token") -> None:
        """Give no answer before an event is set. Requests that wait end as well when the fake stops or goes down."""
        self._lanes.delays.add(until, times, on)

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
            times: The number of requests; None for all.
            body: The body; None for the service's own (Entra's AADSTS90055), `""` for an empty one.
            on: The type of the requests.
        """
        self._lanes.answers.add(_Busy(429, retry_after, body), times, on)

    def is_unavailable(
        self,
        retry_after: int | str | None = None,
        times: int | None = None,
        *,
        body: str | bytes | None = None,
        on: On = "token",
    ) -> None:
        """Answer 503 (Entra: AADSTS90033). The arguments are those of `throttles`."""
        self._lanes.answers.add(_Busy(503, retry_after, body), times, on)

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
        self._lanes.answers.add(lambda _: answer, times, on)

    def redirects(self, location: str, times: int | None = None, *, status: int = 302, on: On = "token") -> None:
        """Answer with a redirect to `location`. With `status` 307, the client sends the body again."""
        self.answers(status, b"", "text/html", {"Location": location}, times, on=on)

    def truncates(self, times: int | None = None, *, on: On = "token") -> None:
        """Announce more bytes than are sent, then close the connection."""
        self._lanes.deliveries.add(Delivery("truncated"), times, on)

    def drops_connections(self, times: int | None = None, *, on: On = "token") -> None:
        """Accept the connection, read the request, and reset the connection (RST) instead of an answer."""
        self._lanes.deliveries.add(Delivery("dropped"), times, on)

    def drips(self, seconds_per_byte: float, times: int | None = None, *, on: On = "token") -> None:
        """Send the headers at once and the body byte by byte, with a pause before each byte."""
        self._lanes.deliveries.add(Delivery(seconds_per_byte=seconds_per_byte), times, on)


@dataclass(frozen=True)
class _Busy:
    """An answer of a busy server: the service's own, or the test's own body."""

    status: int
    retry_after: int | str | None
    body: str | bytes | None

    def __call__(self, request: Intercepted) -> Answer:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        answer = request.refuse(self.status)
        if self.body is None:
            return Answer(answer.status, answer.body, answer.content_type, {**answer.headers, **headers})
        return Answer(answer.status, _bytes(self.body), answer.content_type, headers)


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
