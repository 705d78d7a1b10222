"""The token service: routes a request to its endpoint, applies faults, and builds the answer. No I/O here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from .answers import Refusal, TokenShape, adfs_configuration, instance_discovery, openid_configuration, refused
from .directory import ADFS, Directory, resource_of
from .faults import WHOLE
from .jwts import ASSERTION_TYPE, Grant, Venue, carries_chain, check_assertion, key_set, sign
from .wire import Answer, RecordedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .directory import Registration
    from .wire import Call, Kind


WELL_KNOWN_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "login.microsoftonline.us",
        "login.usgovcloudapi.net",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
    }
)


class Route(NamedTuple):
    """The endpoint of a path: its kind, its tenant, and whether it is the key set."""

    kind: Kind
    tenant: str | None
    keys: bool = False


def route_of(path: str) -> Route:
    """Find the endpoint of a path. An unknown path is `other` with no tenant."""
    match [unquote(segment) for segment in path.split("/")[1:]]:
        case ["adfs", "oauth2", "token"]:
            return Route("token", ADFS)
        case ["adfs", ".well-known", "openid-configuration"]:
            return Route("openid-configuration", ADFS)
        case ["adfs", "discovery", "keys"]:
            return Route("other", ADFS, keys=True)
        case ["common", "discovery", "instance"]:
            return Route("instance-discovery", None)
        case [tenant, "oauth2", "v2.0", "token"] if tenant:
            return Route("token", tenant)
        case [tenant, "v2.0", ".well-known", "openid-configuration"] if tenant:
            return Route("openid-configuration", tenant)
        case [tenant, "discovery", "v2.0", "keys"] if tenant:
            return Route("other", tenant, keys=True)
        case _:
            return Route("other", None)


@dataclass
class TokenService:
    """The service behind the endpoints.

    Attributes:
        clock: Returns the time, in seconds since 1970.
        directory: Tenants and registrations.
        shape: The fields of token responses.
        known_hosts: The hosts that instance discovery trusts, and that assertions may be made for.
        strict_scopes: Whether to accept only scopes that end in `/.default`, as Entra does.
        host: The host, with port, in discovery documents for requests to an unknown host.
    """

    clock: Callable[[], float]
    directory: Directory = field(default_factory=Directory)
    shape: TokenShape = field(default_factory=TokenShape)
    known_hosts: set[str] = field(default_factory=lambda: set(WELL_KNOWN_HOSTS))
    strict_scopes: bool = False
    host: str = ""

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a request."""
        try:
            return self._answer(call, route)
        except Refusal as refusal:
            return refused(refusal, call, self.clock())

    def refuse(self, code: int, call: Call, route: Route, **headers: str) -> Answer:
        """Refuse any request with an AADSTS code."""
        facts = {
            "tenant": route.tenant or "",
            "client_id": call.form.get("client_id", ""),
            "scope": call.form.get("scope", ""),
            "detail": "refused by the test",
        }
        return refused(Refusal(code, **facts), call, self.clock(), **headers)

    def _answer(self, call: Call, route: Route) -> Answer:
        if route.kind == "token" and route.tenant:
            if call.method != "POST":
                raise Refusal(900561, detail=call.method)
            return self._token(call, route.tenant)
        if call.method == "GET":
            if route.kind == "openid-configuration" and route.tenant:
                return self._openid_configuration(call, route.tenant)
            if route.kind == "instance-discovery":
                return self._instance_discovery(call)
            if route.keys:
                return Answer.of(key_set())
        return Answer(404, b"", "text/plain")

    def _openid_configuration(self, call: Call, tenant: str) -> Answer:
        if not self.directory.knows(tenant):
            raise Refusal(90002, tenant=tenant)
        host = call.headers.get("host", "")
        base = f"https://{host if host in self.known_hosts else self.host}"
        return Answer.of(adfs_configuration(base) if tenant == ADFS else openid_configuration(base, tenant))

    def _instance_discovery(self, call: Call) -> Answer:
        endpoint = call.query.get("authorization_endpoint")
        if not endpoint:
            raise Refusal(900144, detail="authorization_endpoint")
        parts = urlsplit(endpoint)
        if parts.scheme != "https" or parts.netloc.lower() not in self.known_hosts:
            raise Refusal(50049)
        return Answer.of(instance_discovery(parts.netloc.lower(), parts.path.strip("/").partition("/")[0]))

    def _token(self, call: Call, tenant: str) -> Answer:
        grant_type, client_id = _needed(call, "grant_type"), _needed(call, "client_id")
        if grant_type != "client_credentials":
            raise Refusal(70003, detail=grant_type)
        scope = _needed(call, "scope")
        registration = self.directory.find(client_id, tenant)
        self._check_proof(call, registration, tenant)
        resource = self._resource(scope, registration, tenant)
        now, shape = int(self.clock()), self.shape
        grant = Grant(
            tenant=tenant,
            client_id=registration.client_id,
            resource=resource,
            capabilities=_capabilities(call.form.get("claims")),
            issued_at=now,
            expires_on=now + shape.life,
        )
        return Answer.of(shape.body(sign(grant)))

    def _check_proof(self, call: Call, registration: Registration, tenant: str) -> None:
        assertion, secret = call.form.get("client_assertion"), call.form.get("client_secret")
        if assertion and call.form.get("client_assertion_type") == ASSERTION_TYPE:
            check_assertion(assertion, registration, Venue(tenant, self.known_hosts, self.clock()))
        elif assertion:
            raise Refusal(900144, detail="client_assertion_type")
        elif secret:
            registration.check_secret(secret)
        else:
            raise Refusal(7000216)

    def _resource(self, scope: str, registration: Registration, tenant: str) -> str:
        scopes = scope.split()
        if self.strict_scopes and not all(each.endswith("/.default") for each in scopes):
            raise Refusal(1002012, scope=scope)
        resources = {resource_of(each) for each in scopes}
        if self.strict_scopes and len(resources) > 1:
            raise Refusal(70011, scope=scope)
        for resource in resources:
            if not registration.may_ask_for(resource):
                raise Refusal(500011, detail=resource, tenant=tenant)
        return resource_of(scopes[0])


def _needed(call: Call, name: str) -> str:
    value = call.form.get(name, "").strip()
    if not value:
        raise Refusal(900144, detail=name)
    return value


def _capabilities(claims: str | None) -> tuple[str, ...]:
    """The client's capabilities, from `{"access_token": {"xms_cc": {"values": ["CP1"]}}}`."""
    if not claims:
        return ()
    try:
        values = json.loads(claims).get("access_token", {}).get("xms_cc", {}).get("values", [])
        return tuple(str(value) for value in values)
    except (ValueError, AttributeError, TypeError):
        pass
    raise Refusal(9002313)


if TYPE_CHECKING:
    from collections.abc import Callable

    from .faults import Delivery, Lanes
    from .server import Pause
    from .wire import Call, RequestLog

    Hook = Callable[[RecordedRequest], None]

_DROPPED = Answer(0)


@dataclass(frozen=True)
class Exchange:
    """The processing of a request: faults, record, and the test's callback, around the token service.

    Attributes:
        service: Answers requests.
        lanes: The faults.
        log: Records requests.
        hook: Returns the current callback for token requests, if there is one.
    """

    service: TokenService
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
            return _DROPPED  # without an answer, no fault of an answer is used up
        fault = self.lanes.answers.take(route.kind)
        answer = (
            fault(lambda code: self.service.refuse(code, call, route)) if fault else self.service.answer(call, route)
        )
        headers = {"Date": formatdate(self.service.clock(), usegmt=True), **answer.headers}
        return replace(answer, headers=headers)


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
