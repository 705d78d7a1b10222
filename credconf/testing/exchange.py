"""One request from arrival to answer: faults, log and the test's hook around the token service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from .assertions import carries_chain
from .endpoints import route_of
from .faults import WHOLE
from .recording import RecordedRequest
from .wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .endpoints import Route, TokenService
    from .faults import Delivery, Lanes
    from .recording import RequestLog
    from .server import Pause
    from .wire import Call

    Hook = Callable[[RecordedRequest], None]

_DROPPED = Answer(0)


@dataclass(frozen=True)
class Exchange:
    """What happens with each request.

    Attributes:
        service: Answers it.
        lanes: The faults that it may meet.
        log: Where it is noted.
        hook: Gives the function that token requests are shown to, if there is one now.
    """

    service: TokenService
    lanes: Lanes
    log: RequestLog
    hook: Callable[[], Hook | None]

    def respond(self, call: Call, pause: Pause) -> tuple[Answer, Delivery]:
        """Answer a request, in the thread of its connection.

        Args:
            call: The request.
            pause: Waits for a number of seconds, or less where the server goes away meanwhile.

        Returns:
            The answer, and how it is to be delivered.
        """
        route = route_of(call.path)
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
            pause(delay)
        return answer, delivery

    def _answer(self, call: Call, route: Route, delivery: Delivery) -> Answer:
        if delivery.how == "dropped":
            return _DROPPED  # no fault of the answer is used up where there is none
        fault = self.lanes.answers.take(route.kind)
        answer = fault(self.service, call, route) if fault else self.service.answer(call, route)
        headers = {"Date": formatdate(self.service.clock(), usegmt=True), **answer.headers}
        return replace(answer, headers=headers)


def _shown_to(hook: Hook, request: RecordedRequest) -> Answer | None:
    try:
        hook(request)
    except Exception as exc:  # noqa: BLE001 - a test's own code: its failure must reach the test, not stderr
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
        client_id=form.get("client_id"),
        scopes=tuple(form.get("scope", "").split()),
        claims=form.get("claims"),
        proof="certificate" if assertion else "secret" if form.get("client_secret") else None,
        x5c=assertion is not None and carries_chain(assertion),
        status=status,
        at=at,
        headers=call.headers,
        query=call.query,
        form=form,
    )
