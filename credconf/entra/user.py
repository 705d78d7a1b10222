"""A user on whose behalf an API requests tokens: the token that the API's caller sent, which is a secret.

Source: RFC 7523, and Microsoft's page "OAuth 2.0 On-Behalf-Of flow".
"""

from __future__ import annotations

from typing import Any, Final

from credconf.ground.opaque import Opaque
from credconf.ground.records import field, record
from credconf.references import fingerprint

from .assertions import claims_of

RESERVED: Final = frozenset({"openid", "profile", "offline_access"})
"""Scopes that belong to no API. MSAL refuses them, and credconf uses no refresh token."""
_TAKES: Final = "on_behalf_of() takes the access token that the API's caller sent"


@record
class User:
    """A user, as one access token names it.

    Attributes:
        assertion: the access token, which Entra calls a user assertion.
        digest: a keyed digest of it, by which the user's tokens are cached.
        ends_at: when it expires, in seconds of Unix time. Afterwards Entra gives no token for it.
    """

    assertion: Opaque = field(repr=False)
    digest: bytes = field(repr=False)
    ends_at: float


def user_of(assertion: Any) -> User | ValueError | TypeError:
    """The user whom an access token names, or the error to raise: in a frame that does not hold the token.

    Args:
        assertion: an access token, of which only its form is checked. Its signature is Entra's to verify.
    """
    if not isinstance(assertion, str):
        return TypeError(f"{_TAKES} as text, not {type(assertion).__name__}")
    if not assertion.strip():
        return ValueError(f"{_TAKES}, and it is empty")
    if assertion.strip().lower().startswith("bearer "):
        return ValueError(f"{_TAKES}: pass what follows `Bearer ` in the header")
    claims = claims_of(assertion)
    if claims is None:
        return ValueError(f"{_TAKES}: a JWT with an expiry, three parts of base64url with dots between them")
    opaque = Opaque()
    opaque.content = assertion
    return User(opaque, fingerprint(assertion), claims.ends_at)
