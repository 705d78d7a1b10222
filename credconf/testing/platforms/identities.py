"""Managed identities, and what the endpoints that give out their tokens have in common. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from credconf.testing.answers import TokenShape
from credconf.testing.directory import EXCHANGE_AUDIENCE, new_id
from credconf.testing.exchange import Route
from credconf.testing.federation import Assertion
from credconf.testing.jwts import Grant, sign
from credconf.testing.wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.testing.wire import Call

_DAY = 86_400
# The names of the same audience in the other clouds end with the cloud.
_EXCHANGE_AUDIENCES = frozenset({EXCHANGE_AUDIENCE, f"{EXCHANGE_AUDIENCE}USGov", f"{EXCHANGE_AUDIENCE}China"})


def _new_resource_id() -> str:
    provider = "Microsoft.ManagedIdentity/userAssignedIdentities"
    return f"/subscriptions/{new_id()}/resourcegroups/fake/providers/{provider}/{new_id()}"


@dataclass(frozen=True)
class ManagedIdentity:
    """A managed identity of a fake machine.

    Attributes:
        client_id: Its client id, by default a random GUID.
        object_id: Its object id (principal id), by default a random GUID.
        resource_id: Its resource id in Azure, by default a random one.
    """

    client_id: str = field(default_factory=new_id)
    object_id: str = field(default_factory=new_id)
    resource_id: str = field(default_factory=_new_resource_id)


class Denied(Exception):
    """An endpoint refuses a request.

    Args:
        status: The HTTP status.
        error: The code of the error, if the endpoint has one.
        text: What it says.
    """

    def __init__(self, status: int, error: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.error = error
        self.text = text


@dataclass(frozen=True)
class Issued:
    """A token of a managed identity, and what its answer says about it."""

    identity: ManagedIdentity
    access_token: str = field(repr=False)
    resource: str
    issued_at: int
    life: int


@dataclass
class IdentityService:
    """The endpoint of a machine's managed identities.

    Attributes:
        clock: Returns the time, in seconds since 1970.
        tenant_id: The tenant of every identity.
        system: The machine's own identity, if it has one.
        user_assigned: The others.
        shape: The lifetime of tokens, and more fields of their answers.
    """

    clock: Callable[[], float]
    tenant_id: str
    system: ManagedIdentity | None
    user_assigned: tuple[ManagedIdentity, ...]
    shape: TokenShape = field(default_factory=lambda: TokenShape(_DAY))

    path: ClassVar[str]
    version: ClassVar[str]
    resource_parameter: ClassVar[str]
    """The parameter that holds a resource id."""

    def route(self, call: Call) -> Route:
        """Find the endpoint of a request."""
        return Route("token" if call.path == self.path else "other", None)

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a request."""
        if route.kind == "other":
            return Answer(404, b"", "text/plain")
        try:
            return self.token(call)
        except Denied as denied:
            return self.denied(denied)

    def refuse(self, code: int, call: Call, route: Route) -> Answer:
        """The endpoint's own answer with the HTTP status 429 or 503."""
        del call, route
        busy = code == 429  # noqa: PLR2004 - an HTTP status
        return self.denied(Denied(code, "too_many_requests" if busy else "service_unavailable", "Try again later."))

    def token(self, call: Call) -> Answer:
        """Answer a request for a token.

        Raises:
            Denied: The endpoint refuses it.
        """
        self.check(call)
        return self.issue(call, self.find(call))

    def check(self, call: Call) -> None:
        """Check what is not about identities.

        Raises:
            Denied: The endpoint refuses the request.
        """
        if call.method != "GET":
            raise Denied(405, "method_not_allowed", "The endpoint accepts only GET requests.")
        for name in ("api-version", "resource"):
            if not call.query.get(name):
                raise Denied(400, "invalid_request", f"Required query variable '{name}' is missing")
        if call.query["api-version"] != self.version:
            raise Denied(400, "invalid_request", "The value of 'api-version' is not supported.")
        resource = call.query["resource"]
        if resource.endswith("/.default") or " " in resource:
            text = f"AADSTS500011: The resource principal named {resource} was not found in the tenant."
            raise Denied(400, "invalid_resource", text)

    def find(self, call: Call) -> ManagedIdentity:
        """Find the identity that a request names.

        Raises:
            Denied: The machine has no such identity, or the request names several.
        """
        named = self.named(call)
        if len(named) > 1:
            raise Denied(400, "invalid_request", f"Only one of {', '.join(named)} can be given")
        for name, value in named.items():
            for identity in (*filter(None, [self.system]), *self.user_assigned):
                if self.ids(identity)[name].lower() == value.lower():
                    return identity
            raise self.not_found()
        return self.default()

    def named(self, call: Call) -> dict[str, str]:
        """The parameters of a request that name an identity."""
        names = ("client_id", "object_id", self.resource_parameter)
        return {name: call.query[name] for name in names if name in call.query}

    def ids(self, identity: ManagedIdentity) -> dict[str, str]:
        """The ids of an identity, by the parameter that holds each."""
        return {
            "client_id": identity.client_id,
            "object_id": identity.object_id,
            self.resource_parameter: identity.resource_id,
        }

    def default(self) -> ManagedIdentity:
        """The identity for a request that names none.

        Raises:
            Denied: There is none.
        """
        if self.system is None:
            raise self.not_found()
        return self.system

    def not_found(self) -> Denied:
        """The refusal where the machine has no such identity."""
        return Denied(400, "invalid_request", "Identity not found")

    def issue(self, call: Call, identity: ManagedIdentity) -> Answer:
        """The answer with a token of an identity, for any request."""
        resource, now, life = call.query.get("resource", ""), int(self.clock()), self.shape.life
        if resource in _EXCHANGE_AUDIENCES:
            claims = {"oid": identity.object_id, "tid": self.tenant_id, "azp": identity.client_id, "ver": "2.0"}
            issuer = issuer_of(self.tenant_id)
            token = Assertion(issuer, identity.object_id, resource, now, life, claims).sign()
        else:
            grant = Grant(
                tenant=self.tenant_id,
                client_id=identity.client_id,
                resource=resource,
                capabilities=(),
                issued_at=now,
                expires_on=now + life,
                principal=identity.object_id,
                extra={"xms_mirid": identity.resource_id},
            )
            token = sign(grant)
        fields = {**self.fields(Issued(identity, token, resource, now, life), call), **self.shape.extra}
        return Answer.of({name: value for name, value in fields.items() if value is not None})

    def fields(self, issued: Issued, call: Call) -> dict[str, object]:
        """The body of an answer with a token: by default, that of IMDS, whose numbers are text."""
        del call
        return {
            "access_token": issued.access_token,
            "client_id": issued.identity.client_id,
            "expires_in": str(issued.life),
            "expires_on": str(issued.issued_at + issued.life),
            "ext_expires_in": str(issued.life),
            "not_before": str(issued.issued_at),
            "resource": issued.resource,
            "token_type": "Bearer",
        }

    def denied(self, denied: Denied) -> Answer:
        """The answer to a refused request: by default, that of IMDS."""
        return Answer.of({"error": denied.error, "error_description": denied.text}, denied.status)


def issuer_of(tenant_id: str) -> str:
    """The issuer of a managed identity's assertions."""
    return f"https://login.microsoftonline.com/{tenant_id}/v2.0"
