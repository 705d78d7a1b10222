"""The errors of the fake Entra: the AADSTS codes with their texts.

The error texts are those that Entra sends. The catalogue of the codes is public:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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
_FACTOR = "Due to a configuration change made by your administrator, or because you moved to a new location, "
_FEDERATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
_COMPARE = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    + _FEDERATION
)


def _mismatch(text: str) -> Entry:
    return Entry("invalid_client", 401, "No matching federated identity record found for presented assertion " + text)


_TABLE: Mapping[int, Entry] = {
    50027: Entry("invalid_request", 400, "JWT token is invalid or malformed."),
    50013: Entry("invalid_grant", 400, "Assertion failed signature validation."),
    50074: Entry("interaction_required", 400, "Strong Authentication is required."),
    50076: Entry("interaction_required", 400, _FACTOR + "you must use multi-factor authentication to access it."),
    50079: Entry("interaction_required", 400, _FACTOR + "you must enroll in multi-factor authentication to access it."),
    50158: Entry("interaction_required", 400, "External security challenge was not satisfied."),
    50173: Entry(
        "invalid_grant", 400, "The provided grant has expired due to it being revoked, a fresh auth token is needed."
    ),
    50049: Entry("invalid_instance", 400, "Unknown or invalid instance."),
    53003: Entry(
        "invalid_grant",
        400,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    65001: Entry(
        "invalid_grant",
        400,
        "The user or administrator has not consented to use the application with ID '{client_id}'. Send an "
        "interactive authorization request for this user and resource.",
    ),
    70003: Entry("unsupported_grant_type", 400, "The app requested an unsupported grant type '{detail}'."),
    70011: Entry(
        "invalid_scope",
        400,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        "'scope' is not valid. The scope {scope} is not valid.",
    ),
    70021: Entry(
        "invalid_request",
        400,
        "No matching federated identity record found for presented assertion. {detail} " + _FEDERATION,
    ),
    70023: Entry("invalid_request", 400, "The lifetime of the presented assertion is longer than allowed. {detail}"),
    70025: Entry(
        "invalid_client",
        401,
        "The client '{client_id}' has no configured federated identity credentials. " + _FEDERATION,
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
    240002: Entry(
        "invalid_grant",
        400,
        "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant.",
    ),
    500131: Entry(
        "invalid_grant",
        400,
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion "
        "must be the application's own.",
    ),
    500133: Entry("invalid_grant", 400, "Assertion is not within its valid time range."),
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
    700211: _mismatch("issuer '{detail}'. " + _COMPARE),
    700212: _mismatch("audience '{detail}'. " + _COMPARE),
    700213: _mismatch("subject '{detail}'. " + _COMPARE),
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
    7000114: Entry(
        "invalid_grant", 400, "Application '{client_id}' is not allowed to make application on-behalf-of calls."
    ),
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
    # Not about letter case: Entra's own issuer has subjects of this form, and a credential has another one.
    # https://github.com/microsoft/Agents/issues/202
    7002137: _mismatch(
        "subject '{detail}'. Please make sure the federated identity credential Subject is "
        "'/eid1/c/pub/t/{{tenantId}}/a/{{applicationId}}/{{id}}'."
    ),
    7002138: _mismatch(
        "subject '{detail}'. The subject matches with case-insensitive comparison, but not with case-sensitive "
        "comparison. " + _COMPARE + " See breaking change notification and remediation at: "
        "https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes#august-2024 ."
    ),
    9002313: Entry("invalid_request", 400, "Invalid request. Request is malformed or invalid."),
}
