"""The processing of a request in every fake server: faults, record, and the test's callback. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .faults import WHOLE, Intercepted
from .federation import is_made_by_client
from .jwts import carries_chain
from .wire import Answer, RecordedRequest

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from .faults import Delivery, Lanes
    from .server import Pause
    from .wire import Call, Kind, Proof, RequestLog

    Hook = Callable[[RecordedRequest], None]


class Route(NamedTuple):
    """The endpoint of a path: its kind, its tenant, and whether it is the key set."""

    kind: Kind
    tenant: str | None
    keys: bool = False


class Service(Protocol):
    """The service behind the endpoints of a fake server."""

    @property
    def clock(self) -> Callable[[], float]:
        """Returns the time, in seconds since 1970."""
        ...

    def route(self, call: Call) -> Route:
        """Find the endpoint of a request."""
        ...

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a request."""
        ...

    def refuse(self, code: int, call: Call, route: Route) -> Answer:
        """The service's own answer to any request with an HTTP status (429, 503) or an AADSTS code."""
        ...


_DROPPED = Answer(0)
_POLL = 0.005


@dataclass(frozen=True)
class Exchange:
    """The processing of a request: faults, record, and the test's callback, around a service.

    Attributes:
        service: Answers requests.
        lanes: The faults.
        log: Records requests.
        hook: Returns the current callback for token requests, if there is one.
    """

    service: Service
    lanes: Lanes
    log: RequestLog
    hook: Callable[[], Hook | None]

    def respond(self, call: Call, pause: Pause) -> tuple[Answer, Delivery]:
        """Answer a request, in the thread of its connection.

        Args:
            call: The request.
            pause: Waits for a number of seconds, or until the server goes down.

        Returns:
            The answer and its delivery.
        """
        route = self.service.route(call)
        if route.kind != "token":
            return self._pass(call, route, pause)
        with self.log.in_progress():
            return self._pass(call, route, pause)

    def _pass(self, call: Call, route: Route, pause: Pause) -> tuple[Answer, Delivery]:
        delivery = self.lanes.deliveries.take(route.kind) or WHOLE
        delay = self.lanes.delays.take(route.kind)
        answer = self._answer(call, route, delivery)
        request = _record(call, route, answer.status, self.service.clock())
        self.log.add(request)
        hook = self.hook()
        if route.kind == "token" and hook is not None:
            answer = _shown_to(hook, request) or answer
        if delay:
            _wait(delay, pause)
        return answer, delivery

    def _answer(self, call: Call, route: Route, delivery: Delivery) -> Answer:
        if delivery.how == "dropped":
            return _DROPPED  # without an answer, no fault of an answer is used up
        fault = self.lanes.answers.take(route.kind)
        if fault:
            answer = fault(Intercepted(call, lambda code: self.service.refuse(code, call, route)))
        else:
            answer = self.service.answer(call, route)
        headers = {"Date": formatdate(self.service.clock(), usegmt=True), **answer.headers}
        return replace(answer, headers=headers)


def _wait(delay: float | threading.Event, pause: Pause) -> None:
    if isinstance(delay, (int, float)):
        pause(delay)
        return
    while not delay.is_set() and not pause(_POLL):
        pass


def _shown_to(hook: Hook, request: RecordedRequest) -> Answer | None:
    try:
        hook(request)
    except Exception as exc:  # noqa: BLE001 - it is the test's code: its failure must reach the test, not stderr
        return Answer(500, f"before_token raised {type(exc).__name__}".encode(), "text/plain")
    return None


def _record(call: Call, route: Route, status: int, at: float) -> RecordedRequest:
    form = call.form
    assertion = form.get("client_assertion")
    return RecordedRequest(
        kind=route.kind,
        method=call.method,
        path=call.path,
        tenant=route.tenant,
        client_id=form.get("client_id") or call.query.get("client_id"),
        scopes=tuple(form.get("scope", "").split()),
        claims=form.get("claims"),
        proof=_proof_of(form),
        x5c=assertion is not None and carries_chain(assertion),
        status=status,
        at=at,
        headers=call.headers,
        query=call.query,
        form=form,
    )


def _proof_of(form: Mapping[str, str]) -> Proof | None:
    if assertion := form.get("client_assertion"):
        return "certificate" if is_made_by_client(assertion, form.get("client_id", "")) else "assertion"
    return "secret" if form.get("client_secret") else None
