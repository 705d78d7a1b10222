"""The bodies of the fake's answers: tokens, AADSTS errors, discovery documents.

The error texts are those that Entra sends. The catalogue of the codes is public:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .wire import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .wire import Call


@dataclass(frozen=True)
class Entry:
    """Entra's answer with one code: the OAuth error, the HTTP status, and the text."""

    error: str
    status: int
    text: str


class Refusal(Exception):
    """Entra refuses the request with an AADSTS code.

    Args:
        code: The number after `AADSTS`.
        **facts: The values in the text of that code: `client_id`, `tenant`, `scope`, `detail`.
    """

    def __init__(self, code: int, **facts: str) -> None:
        super().__init__(f"AADSTS{code}")
        self.code = code
        self.facts = facts


def entry(code: int) -> Entry:
    """The entry of a code. A code that is not in the table is an `invalid_grant` with a general text."""
    return _TABLE.get(code) or Entry("invalid_grant", 400, "The request was refused.")


def text_of(code: int, facts: Mapping[str, str]) -> str:
    """The text of a code, with the facts filled in."""
    return f"AADSTS{code}: " + entry(code).text.format_map(defaultdict(str, facts))


_ASSERTIONS = (
    "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
)
_WRONG_TENANT = (
    "This can happen if the application has not been installed by the administrator of the tenant or consented to "
    "by any user in the tenant. You may have sent your authentication request to the wrong tenant."
)

_TABLE: Mapping[int, Entry] = {
    50027: Entry("invalid_request", 400, "JWT token is invalid or malformed."),
    50049: Entry("invalid_instance", 400, "Unknown or invalid instance."),
    53003: Entry(
        "invalid_grant",
        400,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    70003: Entry("unsupported_grant_type", 400, "The app requested an unsupported grant type '{detail}'."),
    70011: Entry(
        "invalid_scope",
        400,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        "'scope' is not valid. The scope {scope} is not valid.",
    ),
    90002: Entry(
        "invalid_request",
        400,
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    ),
    90033: Entry("temporarily_unavailable", 503, "A transient error has occurred. Please try again."),
    90055: Entry("temporarily_unavailable", 429, "There are too many incoming requests. Please try again later."),
    500011: Entry(
        "invalid_resource",
        400,
        "The resource principal named {detail} was not found in the tenant named {tenant}. " + _WRONG_TENANT,
    ),
    700016: Entry(
        "unauthorized_client",
        400,
        "Application with identifier '{client_id}' was not found in the directory '{tenant}'. " + _WRONG_TENANT,
    ),
    700021: Entry(
        "invalid_client",
        401,
        "Client assertion application identifier doesn't match 'client_id' parameter. " + _ASSERTIONS,
    ),
    700023: Entry("invalid_client", 401, "Client assertion audience claim does not match Realm issuer. " + _ASSERTIONS),
    700024: Entry(
        "invalid_client", 401, "Client assertion is not within its valid time range. {detail} " + _ASSERTIONS
    ),
    700027: Entry(
        "invalid_client", 401, "Client assertion failed signature validation. [Reason - {detail}] " + _ASSERTIONS
    ),
    900144: Entry("invalid_request", 400, "The request body must contain the following parameter: '{detail}'."),
    900561: Entry("invalid_request", 400, "The endpoint only accepts POST requests. Received a {detail} request."),
    1000502: Entry("invalid_client", 401, "The provided certificate is not within its specified validity period."),
    1002012: Entry(
        "invalid_scope",
        400,
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    7000112: Entry("unauthorized_client", 400, "Application '{client_id}' is disabled."),
    7000215: Entry(
        "invalid_client",
        401,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        "not the client secret ID, for a secret added to app '{client_id}'.",
    ),
    7000216: Entry(
        "invalid_client",
        401,
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
    ),
    7000218: Entry(
        "invalid_client",
        401,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    7000222: Entry(
        "invalid_client",
        401,
        "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new "
        "keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added "
        "security: https://aka.ms/certCreds.",
    ),
    9002313: Entry("invalid_request", 400, "Invalid request. Request is malformed or invalid."),
}

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
    """A fact without the client's secret or assertion: a client may send it in the wrong field, too."""
    for name in ("client_secret", "client_assertion"):
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
