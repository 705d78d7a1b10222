"""The bodies of the fake's answers: tokens, AADSTS errors, discovery documents."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .refusals import Refusal, entry, text_of
from .wire import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .wire import Call


_DEFAULT_LIFE = 3600
_SHORTEST_PROOF = 8  # replacing a toy secret such as `a` would damage ids


@dataclass(frozen=True)
class TokenShape:
    """The fields of token responses.

    Attributes:
        expires_in: The field `expires_in`, in seconds, as a number or as text; None leaves it out.
        refresh_in: The field `refresh_in`, in seconds; None leaves it out.
        extra: More fields, which override the usual ones; None leaves a field out.
    """

    expires_in: int | str | None = _DEFAULT_LIFE
    refresh_in: int | str | None = None
    extra: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def life(self) -> int:
        """The lifetime of the JWT in seconds: `expires_in`, or an hour if that is not a number."""
        try:
            return int(self.expires_in or 0) or _DEFAULT_LIFE
        except ValueError:
            return _DEFAULT_LIFE

    def body(self, access_token: str) -> dict[str, object]:
        """The body of a token response."""
        usual = {
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "ext_expires_in": self.expires_in,
            "refresh_in": self.refresh_in,
            "access_token": access_token,
        }
        return {name: value for name, value in {**usual, **self.extra}.items() if value is not None}


def refused(refusal: Refusal, call: Call, now: float, **headers: str) -> Answer:
    """Entra's answer to a refused request.

    Args:
        refusal: The code and the facts of its text.
        call: The request; its `client-request-id` is the correlation id of the answer.
        now: Seconds since 1970.
        **headers: Additional headers, with `_` for `-`.
    """
    trace = str(uuid.uuid4())
    correlation = call.headers.get("client-request-id") or str(uuid.uuid4())
    timestamp = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%SZ}"
    text = text_of(refusal.code, {name: _without_proof(fact, call.form) for name, fact in refusal.facts.items()})
    content = {
        "error": entry(refusal.code).error,
        "error_description": f"{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
        "error_codes": [refusal.code],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refusal.code}",
    }
    return Answer.of(content, entry(refusal.code).status, x_ms_request_id=trace, **headers)


def _without_proof(fact: str, form: Mapping[str, str]) -> str:
    """A fact without secret, assertion and user's token: a client may send them in the wrong field, too."""
    for name in ("client_secret", "client_assertion", "assertion"):
        proof = form.get(name, "")
        if len(proof) >= _SHORTEST_PROOF:
            fact = fact.replace(proof, "***")
    return fact


def openid_configuration(base: str, tenant: str) -> dict[str, Any]:
    """The OpenID document of a tenant.

    Args:
        base: Scheme and host of the request.
        tenant: The tenant of the request.
    """
    home = f"{base}/{tenant}"
    return {
        "token_endpoint": f"{home}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{home}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{home}/v2.0",
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{home}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{home}/oauth2/v2.0/devicecode",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
        "tenant_region_scope": None,
        "cloud_instance_name": "microsoftonline.com",
    }


def adfs_configuration(base: str) -> dict[str, Any]:
    """The OpenID document of an AD FS server."""
    return {
        "issuer": f"{base}/adfs",
        "authorization_endpoint": f"{base}/adfs/oauth2/authorize/",
        "token_endpoint": f"{base}/adfs/oauth2/token",
        "jwks_uri": f"{base}/adfs/discovery/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code", "id_token"],
        "scopes_supported": ["openid", "user_impersonation"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def instance_discovery(host: str, tenant: str) -> dict[str, Any]:
    """The instance discovery document for a trusted host."""
    return {
        "tenant_discovery_endpoint": f"https://{host}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [
            {
                "preferred_network": "login.microsoftonline.com",
                "preferred_cache": "login.windows.net",
                "aliases": ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
            },
            {"preferred_network": host, "preferred_cache": host, "aliases": [host]},
        ],
    }
