"""The on-behalf-of grant: an API requests tokens with the access token of a user.

The rules: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from .jwts import check_time, encode, header_of, signing_key, verified_claims
from .refusals import Refusal
from .wire import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .directory import Registration
    from .jwts import Grant

GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GRAPH: Final = "https://graph.microsoft.com"
_IDENTITY_SCOPES: Final = frozenset({"openid", "profile", "email", "offline_access"})
_DEFAULT: Final = "user_impersonation"
_MALFORMED: Final = 50027
_WRONG_KEY: Final = 700027
_WRONG_TIME: Final = 700024


def check_user_token(token: str, registration: Registration, now: float) -> dict[str, Any]:
    """Verify the token of a user for the API that presents it.

    Args:
        token: The field `assertion`.
        registration: The application that presents it.
        now: Seconds since 1970.

    Returns:
        Its claims.

    Raises:
        Refusal: AADSTS50027, malformed; 50013, another key signed it; 500131, it is for another application; 500133,
            not valid at this time; 240002, it has neither scopes nor roles; 7000114, it is an application's.
    """
    try:
        header_of(token)
        claims = verified_claims(token, signing_key().private.public_key())
        check_time(claims, now)
        code = 0
    except Refusal as refusal:
        code, claims = {_WRONG_KEY: 50013, _WRONG_TIME: 500133}.get(refusal.code, _MALFORMED), {}
    if code:
        raise Refusal(code)
    client_id = registration.client_id
    if claims.get("aud") not in {client_id, f"api://{client_id}"}:
        raise Refusal(500131)
    if not isinstance(claims.get("scp"), str):
        raise Refusal(7000114 if claims.get("idtyp") == "app" or "roles" in claims else 240002, client_id=client_id)
    return claims


def delegated(scope: str) -> tuple[str, str]:
    """The resource of delegated scopes, and their names, as in the claim `scp`.

    Raises:
        Refusal: AADSTS70011, they are for several APIs, or `.default` is not alone.
    """
    scopes = [each for each in scope.split() if each not in _IDENTITY_SCOPES]
    parts = [each.rpartition("/") if "/" in each else (_GRAPH, "/", each) for each in scopes]
    resources, names = {resource.rstrip("/") for resource, _, _ in parts}, [name for _, _, name in parts]
    if len(resources) != 1 or (".default" in names and len(names) > 1):
        raise Refusal(70011, scope=scope)
    return resources.pop(), _DEFAULT if names == [".default"] else " ".join(sorted(names))


def claims_for(user: dict[str, Any], names: str) -> dict[str, object]:
    """The claims of a token on behalf of a user, beside the usual ones."""
    return {"idtyp": "user", "scp": names, **{name: user[name] for name in ("upn",) if name in user}}


def beside_token(user: dict[str, Any], grant: Grant, form: Mapping[str, str]) -> dict[str, str]:
    """What a client that asks for it gets beside the access token: an ID token, a refresh token, the user's ids.

    MSAL caches by them. credconf asks for no refresh token and uses none of them.
    """
    scopes, found = form.get("scope", "").split(), dict[str, str]()
    if "openid" in scopes:
        times = {"iat": grant.issued_at, "nbf": grant.issued_at, "exp": grant.expires_on}
        who: dict[str, object] = {name: user[name] for name in ("oid", "upn", "sub", "tid", "iss") if name in user}
        found["id_token"] = encode({**who, **times, "aud": grant.client_id, "preferred_username": user.get("upn")})
    if "offline_access" in scopes:
        found["refresh_token"] = f"refresh-{uuid.uuid4()}"
    if form.get("client_info") == "1":
        ids = json.dumps({"uid": user.get("oid"), "utid": user.get("tid")}).encode()
        found["client_info"] = base64.urlsafe_b64encode(ids).rstrip(b"=").decode()
    return found


def with_claims(answer: Answer, claims: str | None) -> Answer:
    """A refusal with the claims that the user's client must sign in with."""
    if claims is None:
        return answer
    content = {**json.loads(answer.body), "claims": claims}
    return Answer(answer.status, json.dumps(content).encode(), answer.content_type, answer.headers)
