"""The JWTs of the fake: the access tokens that it signs, and the client assertions that it checks.

The rules for assertions: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

import base64
import functools
import json
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from jwt.algorithms import RSAAlgorithm

from .directory import ADFS
from .refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cryptography import x509

    from .directory import Registration


@dataclass(frozen=True)
class SigningKey:
    """The key that signs access tokens, and its identifier in their headers."""

    identifier: str
    private: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """The content of one access token.

    Attributes:
        tenant: The tenant, as in the path of the request.
        client_id: The application.
        resource: The audience.
        capabilities: The client's capabilities, such as `CP1`.
        issued_at: In seconds since 1970.
        expires_on: In seconds since 1970.
        principal: The object id; None for one that follows from tenant and application.
        extra: More claims.
    """

    tenant: str
    client_id: str
    resource: str
    capabilities: Sequence[str]
    issued_at: int
    expires_on: int
    principal: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict[str, object])


_key_lock = threading.Lock()


def signing_key() -> SigningKey:
    """The process's signing key, made on first use, which takes about 100 ms."""
    with _key_lock:  # with a cache alone, two concurrent callers would make two keys
        return _make_key()


@functools.cache
def _make_key() -> SigningKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    identifier = base64.urlsafe_b64encode(digest.finalize()[:20]).rstrip(b"=").decode()
    return SigningKey(identifier, key)


def key_set() -> dict[str, Any]:
    """The public half of the signing key, as a JSON Web Key Set."""
    key = signing_key()
    public: dict[str, Any] = RSAAlgorithm.to_jwk(key.private.public_key(), as_dict=True)
    return {"keys": [{**public, "kid": key.identifier, "use": "sig", "alg": "RS256"}]}


def sign(grant: Grant) -> str:
    """Make an access token. Every token is unique, even for equal grants."""
    principal = grant.principal or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{grant.tenant}/{grant.client_id}"))
    claims: dict[str, Any] = {
        "aud": grant.resource,
        "iss": f"https://sts.windows.net/{grant.tenant}/",
        "iat": grant.issued_at,
        "nbf": grant.issued_at,
        "exp": grant.expires_on,
        "appid": grant.client_id,
        "idtyp": "app",
        "oid": principal,
        "sub": principal,
        "tid": grant.tenant,
        "uti": uuid.uuid4().hex,
        "ver": "1.0",
    }
    if grant.capabilities:
        claims["xms_cc"] = list(grant.capabilities)
    return encode({**claims, **grant.extra})


def encode(claims: Mapping[str, object]) -> str:
    """Sign claims with the process's key."""
    key = signing_key()
    return jwt.encode(dict(claims), key.private, algorithm="RS256", headers={"kid": key.identifier})


ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_SKEW = 300.0
_END_OF_TIME = 253_402_300_799  # the year 9999: later moments have no date
_ALGORITHMS = ["RS256", "PS256"]


@dataclass(frozen=True)
class Venue:
    """Where and when an assertion is presented.

    Attributes:
        tenant: The tenant of the token endpoint.
        hosts: The hosts, with port, whose token endpoints an assertion may be made for.
        now: Seconds since 1970.
    """

    tenant: str
    hosts: Collection[str]
    now: float


def carries_chain(assertion: str) -> bool:
    """Whether the header of an assertion holds a certificate chain (`x5c`)."""
    try:
        return "x5c" in jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError:
        return False


def check_assertion(assertion: str, registration: Registration, venue: Venue) -> None:
    """Verify an assertion: certificate, signature, subject, audience, time.

    Raises:
        Refusal: AADSTS50027, malformed; 700027, signature or certificate; 700021, another application's;
            700023, made for another endpoint; 700024, not valid at this time; 1000502, the certificate is not.
    """
    certificate = _find_certificate(header_of(assertion), registration)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refusal(700027, detail="The key is not an RSA key.")
    claims = verified_claims(assertion, key)
    if not claims.get("iss") == claims.get("sub") == registration.client_id:
        raise Refusal(700021)
    if not claims.get("jti"):
        raise Refusal(50027)
    if not _is_meant_for(claims.get("aud"), venue):
        raise Refusal(700023)
    check_time(claims, venue.now)
    if not certificate.not_valid_before_utc.timestamp() <= venue.now <= certificate.not_valid_after_utc.timestamp():
        raise Refusal(1000502)


def _find_certificate(header: dict[str, Any], registration: Registration) -> x509.Certificate:
    thumbprint = header.get("x5t#S256") or header.get("x5t")
    certificate = registration.certificate(thumbprint) if isinstance(thumbprint, str) else None
    if certificate is None:
        raise Refusal(700027, detail="The key was not found.")
    if "x5c" in header and _first(header["x5c"]) != _der(certificate):
        raise Refusal(700027, detail="The chain does not begin with the certificate of the key.")
    return certificate


def _first(chain: object) -> object:
    """The first certificate of a chain: a list by the standard, a bare string from some clients."""
    return next(iter(cast("list[object]", chain)), None) if isinstance(chain, list) else chain


def _der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def header_of(assertion: str) -> dict[str, Any]:
    """The header of an assertion, unverified.

    Raises:
        Refusal: AADSTS50027, it is no JWT.
    """
    try:
        return jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError:
        pass
    raise Refusal(50027)


def verified_claims(assertion: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    """The claims of an assertion whose signature a key verifies. Their meaning is for the caller to check.

    Raises:
        Refusal: AADSTS700027, the signature is wrong; 50027, the payload is no JSON object.
    """
    try:  # only the signature: the fake's clock decides about the times
        payload = jwt.PyJWS().decode(assertion, key=key, algorithms=_ALGORITHMS)
    except jwt.InvalidTokenError:
        payload = None
    if payload is None:
        raise Refusal(700027, detail="The key was found, but use of the key to verify the signature failed.")
    try:
        claims: object = json.loads(payload)
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise Refusal(50027)
    return cast("dict[str, Any]", claims)


def _is_meant_for(audience: object, venue: Venue) -> bool:
    if not isinstance(audience, str):
        return False
    parts = urlsplit(audience)
    expected = "/adfs/oauth2/token" if venue.tenant == ADFS else f"/{venue.tenant}/oauth2/v2.0/token"
    return parts.scheme == "https" and parts.netloc in venue.hosts and parts.path.lower() == expected.lower()


def check_time(claims: Mapping[str, Any], now: float) -> None:
    """Check that an assertion is valid at a moment, with a tolerance of five minutes.

    Raises:
        Refusal: AADSTS700024, not valid at this time; 50027, the times are missing or malformed.
    """
    begin, end = claims.get("nbf", claims.get("iat")), claims.get("exp")
    if not isinstance(begin, (int, float)) or not isinstance(end, (int, float)):
        raise Refusal(50027)
    if not 0 <= begin <= end <= _END_OF_TIME:
        raise Refusal(50027)
    if not begin - _SKEW <= now <= end + _SKEW:
        times = [f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in (now, begin, end)]
        detail = "Current time: {}, assertion valid from {}, expiry time of assertion {}.".format(*times)
        raise Refusal(700024, detail=detail)
