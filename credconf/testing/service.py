"""Entra's token service: routes a request to its endpoint, and builds the answer. No I/O here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from . import delegation
from .answers import TokenShape, adfs_configuration, instance_discovery, openid_configuration, refused
from .directory import ADFS, Directory, resource_of
from .exchange import Route
from .federation import check_federated, is_made_by_client
from .jwts import ASSERTION_TYPE, Grant, Venue, check_assertion, key_set, sign
from .refusals import Refusal
from .wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .directory import Registration
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


_BUSY = {429: 90055, 503: 90033}


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
        strict_scopes: Whether an application gets a token only for one scope that ends in `/.default`, as from Entra.
        host: The host, with port, in discovery documents for requests to an unknown host.
        proxy_path: A prefix of paths, for requests that come through the token proxy of a cluster; empty for no proxy.
    """

    clock: Callable[[], float]
    directory: Directory = field(default_factory=Directory)
    shape: TokenShape = field(default_factory=TokenShape)
    known_hosts: set[str] = field(default_factory=lambda: set(WELL_KNOWN_HOSTS))
    strict_scopes: bool = True
    host: str = ""
    proxy_path: str = ""

    def route(self, call: Call) -> Route:
        """Find the endpoint of a request."""
        return route_of(call.path.removeprefix(self.proxy_path))

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a request."""
        try:
            return self._answer(call, route)
        except Refusal as refusal:
            return refused(refusal, call, self.clock())

    def refuse(self, code: int, call: Call, route: Route) -> Answer:
        """Refuse any request with an AADSTS code, or with the code of the HTTP statuses 429 and 503."""
        facts = {
            "tenant": route.tenant or "",
            "client_id": call.form.get("client_id", ""),
            "scope": call.form.get("scope", ""),
            "detail": "refused by the test",
        }
        return refused(Refusal(_BUSY.get(code, code), **facts), call, self.clock())

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
        if grant_type not in {"client_credentials", delegation.GRANT}:
            raise Refusal(70003, detail=grant_type)
        scope = _needed(call, "scope")
        registration = self.directory.find(client_id, tenant)
        self._check_proof(call, registration, tenant)
        user: dict[str, Any] | None = None
        if grant_type == delegation.GRANT:
            user = self._user(call, registration)
            resource, names = delegation.delegated(scope)
            self._check_resource(resource, registration, tenant)
        else:
            resource, names = self._resource(scope, registration, tenant), ""
        now, shape = int(self.clock()), self.shape
        grant = Grant(
            tenant=tenant,
            client_id=registration.client_id,
            resource=resource,
            capabilities=_capabilities(call.form.get("claims")),
            issued_at=now,
            expires_on=now + shape.life,
            principal=str(user.get("oid")) if user else None,
            extra=delegation.claims_for(user, names) if user else {},
        )
        beside = delegation.beside_token(user, grant, call.form) if user else {}
        return Answer.of({**beside, **shape.body(sign(grant))})

    def _user(self, call: Call, registration: Registration) -> dict[str, Any]:
        assertion = _needed(call, "assertion")
        if call.form.get("requested_token_use") != "on_behalf_of":
            raise Refusal(900144, detail="requested_token_use")
        return delegation.check_user_token(assertion, registration, self.clock())

    def _check_proof(self, call: Call, registration: Registration, tenant: str) -> None:
        assertion, secret = call.form.get("client_assertion"), call.form.get("client_secret")
        if assertion and call.form.get("client_assertion_type") == ASSERTION_TYPE:
            self._check_assertion(assertion, call, registration, tenant)
        elif assertion:
            raise Refusal(900144, detail="client_assertion_type")
        elif secret:
            registration.check_secret(secret)
        else:
            raise Refusal(7000216)

    def _check_assertion(self, assertion: str, call: Call, registration: Registration, tenant: str) -> None:
        if is_made_by_client(assertion, registration.client_id):
            check_assertion(assertion, registration, Venue(tenant, self.known_hosts, self.clock()))
        else:
            proxied = bool(self.proxy_path) and call.path.startswith(f"{self.proxy_path}/")
            check_federated(assertion, registration, self.clock(), proxied=proxied)

    def _resource(self, scope: str, registration: Registration, tenant: str) -> str:
        scopes = scope.split()
        if self.strict_scopes and not all(resource_of(each) and each.endswith("/.default") for each in scopes):
            raise Refusal(1002012, scope=scope)
        resources = {resource_of(each) for each in scopes}
        if self.strict_scopes and len(resources) > 1:
            raise Refusal(70011, scope=scope)
        for resource in resources:
            self._check_resource(resource, registration, tenant)
        return resource_of(scopes[0])

    def _check_resource(self, resource: str, registration: Registration, tenant: str) -> None:
        if not registration.may_ask_for(resource):
            raise Refusal(500011, detail=resource, tenant=tenant)


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
