"""`kind: managed_identity`: the identity that Azure gives to a machine or an app.

Source: Microsoft's page "Managed identities for Azure resources". The platform caches tokens for up to 24 hours, and
nothing forces it to give a new one: a changed permission may take hours. For this reason the claims of a claims
challenge make credconf ask the endpoint again, and are not sent: the supported versions of the endpoints have no
parameter for them. azure-identity does the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self

from pydantic import model_validator

from credconf.problems.failure import Failure, advice_on, codes_in
from credconf.problems.wording import printable
from credconf.references import BaseReference, NotFound, Unanswered
from credconf.references.identity_endpoints import CONNECT, VARIABLES, NoToken, endpoint_of
from credconf.references.managed_identity import IDS, NamedIdentity, token_reply
from credconf.settings.declaration import Setting
from credconf.settings.faults import fault
from credconf.settings.fields import Text

from .common import KIND, CommonOverrides, CommonSettings, Given, Inspection

if TYPE_CHECKING:
    from credconf.entra.messages import Answer
    from credconf.entra.request import Identity, TokenRequest
    from credconf.references import Reader, Reply

_RESOURCE_ID: Final = (
    "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/app/providers/"
    "Microsoft.ManagedIdentity/userAssignedIdentities/app"
)


class ManagedIdentitySettings(CommonSettings):
    """A managed identity of the machine or app: no secret, only where Azure runs it, or Azure Arc."""

    also_called: ClassVar = "msi managedidentity managed-identity useridentity userassignedidentity"
    azure_identity: ClassVar = "ManagedIdentityCredential"
    exclusive: ClassVar = IDS
    seals: ClassVar = False
    inspected: ClassVar = "identity endpoint"

    kind: Annotated[Literal["managed_identity"], KIND] = "managed_identity"
    client_id: Annotated[
        Text | None,
        Setting(
            "The client id of a user-assigned identity. Without an id, credconf uses the system-assigned identity.",
            ("11111111-1111-1111-1111-111111111111",),
            environment=("AZURE_CLIENT_ID",),
        ),
    ] = None
    object_id: Annotated[
        Text | None,
        Setting(
            "The object (principal) id of a user-assigned managed identity, instead of its `client_id`.",
            ("22222222-2222-2222-2222-222222222222",),
            also_called="principal principalid objectidentifier",
        ),
    ] = None
    resource_id: Annotated[
        Text | None,
        Setting(
            "The resource id of a user-assigned managed identity, instead of its `client_id`.",
            (_RESOURCE_ID,),
            also_called="miresid msiresid identityresourceid managedidentityresourceid",
        ),
    ] = None

    def acquire(self, request: TokenRequest, reader: Reader, *, retries: bool) -> Answer | Failure:
        """Ask the machine's endpoint for a token."""
        identity = self._identity(reader)
        if isinstance(identity, NotFound):
            return Failure(f"{identity.message}\n{identity.hint or ''}".strip(), identity.code, unavailable=True)
        wanted = "the machine's managed identity" if identity is None else str(identity)
        scope, *others = request.scopes
        if others:
            what = "its endpoint gives a token for one scope only: request each scope separately"
            return Failure(f"no token for {wanted}: {what}", "invalid_scope")
        reply = token_reply(
            identity, scope.removesuffix("/.default"), reader, retries=retries and self.http.retries > 0
        )
        if isinstance(reply, NoToken):
            return _failure(reply, wanted, unretried=reply.temporary and not retries)
        return _answer(reply, wanted, reader.clock())

    def inspect(self, reader: Reader) -> Inspection | NotFound:
        """Find the machine's endpoint, and send it a request without what a token needs: any answer will do."""
        endpoint = endpoint_of(reader.environ)
        if isinstance(endpoint, NoToken):
            return NotFound(endpoint.error, endpoint.what, endpoint.hint)
        reply = None if reader.web is None else reader.web().get(endpoint.url, params={}, headers={}, timeout=CONNECT)
        if isinstance(reply, Unanswered):
            return NotFound(reply.reason, f"{endpoint.name}: {reply.message}", endpoint.absent)
        return Inspection(f"{endpoint.name} answers at {printable(endpoint.url)}")

    def named_by(self, identity: Identity) -> str:
        """Return the name of the identity in logs: that of the machine has no id here."""
        given = [name for name in IDS if identity.shown(name)]
        return f"managed identity with {given[0]} {identity.shown(given[0])}" if given else "managed identity"

    def variables(self) -> tuple[str, ...]:
        """Return those by which the endpoint is found."""
        return VARIABLES

    def _identity(self, reader: Reader) -> NamedIdentity | NotFound | None:
        for name in IDS:
            value = getattr(self, name)
            if not isinstance(value, BaseReference):
                if value is not None:
                    return NamedIdentity(name, value.strip())
                continue
            found = reader.text(value)
            return found if isinstance(found, NotFound) else NamedIdentity(name, found.strip(), not value.is_shown)
        return None

    @model_validator(mode="after")
    def _has_one_id(self) -> Self:
        given = [name for name in IDS if getattr(self, name) is not None]
        if len(given) > 1:
            message = f"`{given[0]}` and `{given[1]}` exclude each other"
            raise fault("conflict", message, "keep one of them", step=given[1])
        return self


class ManagedIdentityOverrides(CommonOverrides, total=False):
    """The fields as keyword arguments."""

    object_id: Given | None
    resource_id: Given | None


def _failure(why: NoToken, wanted: str, *, unretried: bool) -> Failure:
    codes = tuple(codes_in(why.what))
    meaning = advice_on(codes[0]) if codes else None
    text = "\n".join(
        line for line in (why.message(wanted), meaning, f"{why.hint[:1].upper()}{why.hint[1:].rstrip('.')}.") if line
    )
    known = {"codes": codes, "status_code": why.status, "retry_after": why.retry_after}
    return Failure(text, why.error, unavailable=why.unavailable, unretried=unretried, **known)  # type: ignore[arg-type]


def _answer(reply: Reply, wanted: str, now: float) -> Answer | Failure:
    """Read the token of a reply. An endpoint gives its expiry as a moment or as a duration, as text or as a number."""
    from credconf.entra.messages import token_in  # only a token request needs it

    # For a token that the platform has cached, `expires_in` may still count from its issuance. The earlier end is safe.
    ends = (_number(reply.payload.get("expires_in")), _number(reply.payload.get("expires_on"), now))
    reply.payload["expires_in"] = min((each for each in ends if each is not None), default=None)
    answer = token_in(reply)  # type: ignore[arg-type]
    if answer is None or isinstance(answer, str):
        what = answer or "the answer holds no token"
        do = "Check what answers there: perhaps a proxy or another program, instead of the endpoint."
        return Failure(f"no token for {wanted}: {what}\n{do}", "malformed", status_code=reply.status)
    return answer


def _number(value: object, since: float = 0.0) -> float | None:
    """Return a number, or one that is text, as the distance from another one; `None` if it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value) - since
    except ValueError:
        return None
    return number if math.isfinite(number) else None
