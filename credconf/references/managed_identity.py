"""`{managed_identity: {client_id: ID}}`: a token of a managed identity, as the assertion of an application.

Entra accepts it where the application has a federated credential with the identity's principal id as its subject. Only
a user-assigned identity of the same tenant can have one. Source: Microsoft's page "Configure an application to trust a
managed identity".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, model_validator

from credconf.ground.deferred import STRICT
from credconf.ground.opaque import Opaque
from credconf.ground.records import field, record, replace
from credconf.problems.wording import printable

from .base import EXCHANGE_AUDIENCES, BaseReference, NotFound
from .identity_endpoints import VARIABLES, NoToken, endpoint_of

if TYPE_CHECKING:
    from .base import Reader, Stamp
    from .identity_endpoints import Endpoint
    from .web import Reply

IDS: Final = ("client_id", "object_id", "resource_id")
"""The fields that identify a managed identity."""
WAITS: Final = (2.0, 4.0, 8.0, 16.0)
"""Seconds between attempts, which are then at 0, 2, 6, 14 and 30 s: Microsoft's guidance, an exponential wait."""

_Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@record
class NamedIdentity:
    """The identity that a token is wanted of.

    Attributes:
        name: one of `IDS`.
        value: the id.
        hidden: whether no message may show the id, since it was read from a file.
    """

    name: str
    value: str = field(repr=False)
    hidden: bool = False

    def __str__(self) -> str:
        shown = "(hidden: read from a file)" if self.hidden else printable(self.value)
        return f"the managed identity with {self.name} {shown}"

    def is_echoed(self, reply: Reply) -> bool | None:
        """Whether an answer names the same identity; `None` if it names none."""
        echoes = ("msi_res_id", "mi_res_id", "resource_id") if self.name == "resource_id" else (self.name,)
        found = next((reply.payload[name] for name in echoes if isinstance(reply.payload.get(name), str)), None)
        return found.strip().lower() == self.value.lower() if found else None


def token_reply(
    identity: NamedIdentity | None, resource: str, reader: Reader, *, retries: bool = True
) -> Reply | NoToken:
    """Ask the machine's endpoint for a token; returns the reply that holds it, or why there is none.

    Args:
        identity: the user-assigned identity; `None` for that of the machine.
        resource: the resource, which is a scope without `/.default`.
        reader: the process environment, and what sends requests.
        retries: whether a failed attempt may be repeated.
    """
    from .identity_requests import Question  # only a token request needs it

    endpoint = endpoint_of(reader.environ)
    if isinstance(endpoint, NoToken):
        return endpoint
    if reader.web is None:
        return NoToken("not_asked", f"{endpoint.name} was not asked", "request a token", unavailable=True)
    parameter = endpoint.resource_id if identity and identity.name == "resource_id" else identity and identity.name
    params = {"api-version": endpoint.version, "resource": resource}
    params |= {parameter: identity.value} if identity and parameter else {}
    question = Question(endpoint, params, reader, reader.web(), _hidden(identity))
    waits = iter(WAITS if retries else ())
    while True:
        outcome = _checked(question.ask(), identity, endpoint)
        if not isinstance(outcome, NoToken):
            return outcome
        wait = next(waits, None) if outcome.temporary else None
        if wait is None or not question.web.pause(max(wait, outcome.retry_after or 0.0)):
            return replace(outcome, place=endpoint.name)


def _hidden(identity: NamedIdentity | None) -> tuple[Opaque, ...]:
    if identity is None or not identity.hidden:
        return ()
    opaque = Opaque()
    opaque.content = identity.value
    return (opaque,)


def _checked(reply: Reply | NoToken, identity: NamedIdentity | None, endpoint: Endpoint) -> Reply | NoToken:
    """Accept only an answer with a token, and of the wanted identity."""
    if isinstance(reply, NoToken):
        return reply
    if not _holds_token(reply):
        what = _form_of(reply)
        hint = "check what answers there: perhaps a proxy, a login page or another program, instead of the endpoint"
        return NoToken("malformed", f"its answer (HTTP 200) {what}", hint, reply.status)
    is_echoed = identity is None or identity.is_echoed(reply)
    if is_echoed or (is_echoed is None and endpoint.source != "arc"):
        return reply
    if is_echoed is None:
        what = "its answer does not identify the owner of the token"
        hint = "update the agent: an old one ignores ids, and gives the token of the machine's own identity"
    else:
        what = "its answer is the token of another identity"
        hint = "check which identities the machine or app has, and restart it"
    return NoToken("another_identity", what, hint, reply.status)


def _holds_token(reply: Reply) -> bool:
    is_text = isinstance(reply.payload, dict) and isinstance(reply.payload.get("access_token"), str)
    return is_text and bool(reply.payload["access_token"])


def _form_of(reply: Reply) -> str:
    if not reply.text.strip():
        return "is empty"
    if reply.payload is None:
        return "is a page of HTML" if reply.text.lstrip().startswith("<") else "is not JSON"
    return "holds no token"


class FederatedIdentity(BaseModel):
    """The identity: one of three ids."""

    model_config = STRICT | ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    client_id: Annotated[_Id | None, Field(description="The client id of a user-assigned managed identity.")] = None
    object_id: Annotated[_Id | None, Field(description="Its object (principal) id.")] = None
    resource_id: Annotated[_Id | None, Field(description="Its resource id: `/subscriptions/…`.")] = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in IDS) != 1:
            message = "exactly one of client_id, object_id and resource_id"
            raise ValueError(message)
        return self

    def named(self) -> NamedIdentity:
        """Return the id that is given."""
        name = next(name for name in IDS if getattr(self, name) is not None)
        return NamedIdentity(name, getattr(self, name))


class ManagedIdentityReference(BaseReference):
    """A token of a user-assigned managed identity.

    Attributes:
        managed_identity: the identity. One that is assigned by the system can't be federated.
    """

    key: ClassVar = "managed_identity"
    placeholder: ClassVar = "{client_id: ID}"
    expected: ClassVar = "a mapping with one of `client_id`, `object_id` and `resource_id`"
    meaning: ClassVar = (
        "A user-assigned managed identity of this machine, whose token is the assertion. The application needs a "
        "federated credential with the identity's principal id as its subject."
    )
    snippet: ClassVar[Any] = {"client_id": "${1:11111111-1111-1111-1111-111111111111}"}
    also_called: ClassVar = frozenset({"msi", "identity", "user_assigned_identity", "managed_identity_client_id"})
    is_mapping: ClassVar = True
    variables: ClassVar = VARIABLES
    for_any_text: ClassVar = False
    only_assertions: ClassVar = True
    needs_named_file: ClassVar = True
    runs: ClassVar = True

    managed_identity: FederatedIdentity

    _audience: str = PrivateAttr(EXCHANGE_AUDIENCES["public"])

    @property
    def label(self) -> str:
        """Its name in messages."""
        return str(self.managed_identity.named())

    @property
    def name(self) -> str:
        """The id of the identity."""
        return self.managed_identity.named().value

    def with_audience(self, audience: str) -> Self:
        """Return the reference with the resource of its token."""
        copy = self.model_copy()
        copy._audience = audience  # noqa: SLF001 - a copy of itself
        return copy

    def read(self, reader: Reader) -> str | NotFound:
        """Ask the machine's endpoint for the token."""
        reply = token_reply(self.managed_identity.named(), self._audience, reader, retries=reader.retries > 0)
        if isinstance(reply, NoToken):
            return NotFound("no-assertion", reply.message(self.label), reply.hint, retry_after=reply.retry_after)
        return reply.payload["access_token"]  # type: ignore[no-any-return]

    def stamp(self, reader: Reader) -> Stamp:  # noqa: ARG002 - the endpoint must be asked
        """Return `None`: each token request asks the endpoint, which caches."""
        return None
