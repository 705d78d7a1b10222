"""Workload identity federation: assertions of other identity providers, made and checked.

The rules: https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jwt

from .jwts import check_time, encode, header_of, signing_key, verified_claims
from .refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .directory import FederatedCredential, Registration

PROXY_AUDIENCE = "api://AKSIdentityBinding"
"""The audience of assertions that only the token proxy of an AKS cluster may present."""

_LONGEST_LIFE = 25 * 3600


@dataclass(frozen=True)
class Assertion:
    """The content of an assertion that a fake identity provider signs.

    Attributes:
        issuer: The claim `iss`.
        subject: The claim `sub`.
        audience: The claim `aud`.
        issued_at: In seconds since 1970; also the claim `nbf`.
        lifetime: In seconds.
        extra: More claims, which override the usual ones; None leaves a claim out.
    """

    issuer: str
    subject: str
    audience: str
    issued_at: int
    lifetime: int
    extra: Mapping[str, object] = field(default_factory=dict[str, object])

    def sign(self) -> str:
        """The assertion as a signed JWT. Each is unique, even for equal content."""
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.audience,
            "iat": self.issued_at,
            "nbf": self.issued_at,
            "exp": self.issued_at + self.lifetime,
            "jti": str(uuid.uuid4()),
            **self.extra,
        }
        return encode({name: value for name, value in claims.items() if value is not None})


def is_made_by_client(assertion: str, client_id: str) -> bool:
    """Whether a client made an assertion itself, with its certificate."""
    try:
        header = header_of(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.InvalidTokenError, Refusal):
        return False
    return bool({"x5t", "x5t#S256"} & header.keys()) or claims.get("iss") == claims.get("sub") == client_id


def check_federated(assertion: str, registration: Registration, now: float, *, proxied: bool = False) -> None:
    """Verify an assertion of another identity provider: signature, issuer, subject, audience, time.

    Args:
        assertion: The assertion.
        registration: The application that it is presented for.
        now: Seconds since 1970.
        proxied: Whether it came through the token proxy of a cluster, the only way for the audience of AKS.

    Raises:
        Refusal: AADSTS50027, malformed; 70025, no federated credential exists; 700027, another key signed it;
            700211, issuer; 700213, subject; 7002138, subject in its letter case; 700212, audience; 70023, valid for
            more than 25 hours; 700024, not valid at this time.
    """
    header_of(assertion)
    credentials = registration.federated
    if not credentials:
        raise Refusal(70025, client_id=registration.client_id)
    claims = verified_claims(assertion, signing_key().private.public_key())
    credential = _match(claims, credentials)
    if credential.audience == PROXY_AUDIENCE and not proxied:
        raise Refusal(700212, detail=credential.audience)
    check_time(claims, now)
    life = claims["exp"] - claims.get("iat", claims.get("nbf", 0))
    if life > _LONGEST_LIFE:
        raise Refusal(70023, detail=f"It is {int(life)} seconds; {_LONGEST_LIFE} seconds are allowed.")


def _match(claims: Mapping[str, Any], credentials: Collection[FederatedCredential]) -> FederatedCredential:
    issuer, subject, audiences = claims.get("iss"), claims.get("sub"), _audiences(claims.get("aud"))
    if not isinstance(issuer, str) or not isinstance(subject, str) or not audiences:
        raise Refusal(50027)
    of_issuer = [each for each in credentials if each.issuer == issuer]
    if not of_issuer:
        raise Refusal(700211, detail=issuer)
    of_subject = [each for each in of_issuer if each.subject == subject]
    if not of_subject:
        similar = any(each.subject.lower() == subject.lower() for each in of_issuer)
        raise Refusal(7002138 if similar else 700213, detail=subject)
    for each in of_subject:
        if each.audience in audiences:
            return each
    raise Refusal(700212, detail=", ".join(audiences))


def _audiences(audience: object) -> list[str]:
    """The audiences of an assertion: a text, or a list, as Kubernetes writes it."""
    if isinstance(audience, str):
        return [audience]
    given = cast("list[object]", audience) if isinstance(audience, list) else []
    return [each for each in given if isinstance(each, str)]


def replace_file(path: str | os.PathLike[str], assertion: str) -> Path:
    """Write an assertion, readable only by its owner. A reader sees the old content or the new one, never a part."""
    target = Path(path)
    new = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(assertion)
    os.replace(new, target)
    return target
