"""The endpoints: which one a path means, and what each answers. No I/O here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from .aadsts import Refusal
from .answers import TokenShape, adfs_configuration, instance_discovery, openid_configuration, refused
from .assertions import ASSERTION_TYPE, Venue, check_assertion
from .directory import ADFS, Directory, resource_of
from .signing import Grant, key_set, sign
from .wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .directory import Registration
    from .recording import Kind
    from .wire import Call

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
    """What a path means: the kind of endpoint, the tenant in it, and whether it is the key set."""

    kind: Kind
    tenant: str | None
    keys: bool = False


def route_of(path: str) -> Route:
    """Find the endpoint of a path; one that there is not is `other` with no tenant."""
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
        clock: Says what time it is, in seconds since 1970.
        directory: Tenants and registrations.
        shape: How the answers with tokens look.
        known_hosts: What instance discovery vouches for, and assertions may be made for.
        strict_scopes: Whether only scopes that end in `/.default` are accepted, as Entra does.
        host: The host, with port, that the discovery documents name for clients that came by another.
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
        """Refuse a request with an AADSTS code, whatever it says."""
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
        asked = call.query.get("authorization_endpoint")
        if not asked:
            raise Refusal(900144, detail="authorization_endpoint")
        parts = urlsplit(asked)
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
