"""Access tokens: signed JWTs that look like Entra's, and the key set that verifies them."""

from __future__ import annotations

import base64
import functools
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class SigningKey:
    """The key that signs access tokens, with the identifier that their headers name."""

    identifier: str
    private: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """What one access token says.

    Attributes:
        tenant: The tenant, as it was named in the request's path.
        client_id: The application.
        resource: The audience.
        capabilities: The client's capabilities, such as `CP1`.
        issued_at: In seconds since 1970.
        expires_on: In seconds since 1970.
    """

    tenant: str
    client_id: str
    resource: str
    capabilities: Sequence[str]
    issued_at: int
    expires_on: int


_key_lock = threading.Lock()


def signing_key() -> SigningKey:
    """The process's signing key, made when first asked for (which takes about 100 ms)."""
    with _key_lock:  # a cache alone would let two first callers make two keys
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
    """Make an access token. No two are equal, however alike their grants."""
    key = signing_key()
    principal = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{grant.tenant}/{grant.client_id}"))
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
    return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.identifier})
