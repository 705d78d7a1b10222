"""Why there is no token, as data, with one line of advice for each of Entra's error codes (AADSTS).

A failure is what the callers receive from Entra; the exceptions are in `credconf.errors`. An authentication error shows
the line of advice. `credconf explain` also shows the paragraph in `problems.refusals`.

Source of the codes: Microsoft's reference of AADSTS error codes. The wording is our own.
"""

from __future__ import annotations

import re

from credconf.ground.causes import shortage
from credconf.ground.records import record

_THROTTLED = 429
_CLIENT_ERRORS = range(400, 500)
_TEMPORARY = {408, _THROTTLED}


@record
class Failure:
    """Why there is no token, as data. One failure may reach many callers, each as an exception of its own.

    Attributes:
        message: what happened, to whom, and what to do; no secret is in it.
        error: the OAuth error (`invalid_client`), or the sort of failure (`timeout`, `tls`, `dns`, ...).
        codes: the AADSTS numbers, most specific first.
        correlation_id: Entra's, for its sign-in logs and for support.
        trace_id: Entra's.
        timestamp: Entra's.
        status_code: of the HTTP answer, if there was one.
        retry_after: seconds for which the server asked not to be asked again.
        unavailable: the credential could not even try, because a reference can't be read.
        unretried: the only attempt failed in a way that a further attempt may mend. Requests of callers are
            retried, background refreshes and `verify()` are not.
        claims: what the user's client must sign in with again, as JSON (`interaction_required`).
    """

    message: str
    error: str
    codes: tuple[int, ...] = ()
    correlation_id: str | None = None
    trace_id: str | None = None
    timestamp: str | None = None
    status_code: int | None = None
    retry_after: float | None = None
    unavailable: bool = False
    unretried: bool = False
    claims: str | None = None

    @property
    def refused_proof(self) -> bool:
        """Entra refused the secret, the certificate or the assertion itself; another one may be accepted."""
        return self.error == "invalid_client" or not FEDERATION.isdisjoint(self.codes)

    @property
    def refused(self) -> bool:
        """Entra answered and refused: the same request gets the same answer."""
        is_final = self.status_code in _CLIENT_ERRORS and self.status_code not in _TEMPORARY
        return is_final and bool(self.codes or self.refused_proof)


def resource_failure(exc: BaseException) -> Failure | None:
    """The failure of a token request for which the system had no thread, descriptor or memory; `None` for others."""
    lack = shortage(exc)
    return None if lack is None else Failure(f"there is no token: {lack.what}\n{lack.advice}", "resources")


_CODE = re.compile(r"AADSTS(\d{4,9})")

ADVICE: dict[int, str] = {
    50001: "The tenant does not know the API: check the scope's resource.",
    50002: "A proxy of the network restricts the allowed tenants: ask the network's administrator.",
    50003: "The API has no signing key: ask the API's owner.",
    50012: "Entra does not accept the certificate, its chain or its signature: check the registered certificates.",
    50013: "The assertion is not valid: check the clock and the certificate; a user's token must be for this API.",
    50034: "The account does not exist in this tenant: check tenant_id.",
    50049: "The authority is not a known instance of Entra: check `authority` and `cloud`.",
    50053: "The account is locked after too many failed sign-ins: wait, and check the sign-in logs.",
    50057: "The account is disabled: ask the tenant's administrator.",
    50059: "The request names no tenant: check tenant_id.",
    50074: "The user must sign in with a second factor: hand the error's `claims` on to your caller.",
    50076: "A policy requires a second factor: hand a user's `claims` on to your caller; exclude service principals.",
    50079: "The user must register a second factor: hand the error's `claims` on to your caller.",
    50105: "The application is not assigned to the user: ask the tenant's administrator.",
    50128: "The domain name belongs to no tenant: check tenant_id.",
    50158: "A policy demands another sign-in of the user: hand the error's `claims` on to your caller.",
    50173: "The user's sign-in was revoked: answer your caller with 401, so that its client signs the user in again.",
    50194: "The application is single-tenant: set tenant_id to its tenant, not to common or organizations.",
    50196: "The application requested the same token too often: keep one credential, and check for a loop.",
    53003: "A Conditional Access policy blocks this sign-in: ask the tenant's administrator.",
    65001: "Consent is missing: an administrator, or the user, must grant the application its permissions.",
    70001: "The application is disabled, or the tenant does not know it: check client_id and tenant_id.",
    70021: "No federated credential of the application matches the assertion: compare issuer, subject and audience.",
    70023: "The assertion is valid for more than 25 hours, which Entra refuses: shorten the life of the token.",
    70025: "The application has no federated credential: add one.",
    70002: "The client secret does not match: check client_id and client_secret.",
    70011: "The scope is not valid: a service principal requests RESOURCE/.default; for a user, one API's scopes work.",
    90002: "The tenant does not exist: check tenant_id, and that `cloud` is the tenant's cloud.",
    90009: "The application requests a token for itself: use its GUID as the resource.",
    90013: "The request is not valid: check tenant_id, client_id and the scope.",
    90014: "The request lacks a field: check that client_id, client_secret and the scope are set.",
    90033: "Entra has a temporary fault: try again.",
    90038: "The tenant is in another cloud: set `cloud`.",
    90055: "Entra throttles the tenant after too many requests: wait, and find their source.",
    100007: "Regional endpoints serve only Microsoft's own infrastructure: remove `region`.",
    240002: "on_behalf_of() got an ID token: it takes the access token that the API's caller sent.",
    500011: "The scope's API has no service principal in this tenant: check the scope, or add the API.",
    500014: "The API's service principal is disabled in this tenant: ask the tenant's administrator.",
    500131: "The user's token is not for this application: its `aud` must be client_id or the application's ID URI.",
    500133: "The user's token has expired: answer your caller with 401, so that its client gets a new one.",
    500021: "The network allows only other tenants: ask the network's administrator to allow this one.",
    501051: "The application has no role of the API: ask the API's owner.",
    530032: "A security policy of the tenant blocks this request: ask the tenant's administrator.",
    700011: "The tenant does not know the application: check client_id and tenant_id.",
    700016: "The application is not in this tenant: check client_id and tenant_id, or ask an administrator to consent.",
    700022: "The scopes belong to several APIs: request one token for each.",
    700023: "The assertion's audience is wrong: check `authority` and tenant_id.",
    700024: "The assertion has expired or is not valid yet: check that its file is renewed, and this machine's clock.",
    700025: "The application is a public client, which can't have a secret: register it as a confidential client.",
    700027: "The certificate is not the application's, or its signature is wrong: upload it to the registration.",
    700030: "The application does not trust the certificate's subject name: check the certificate.",
    700051: "The response type is not enabled for the application: check which library sends the request.",
    700211: "No federated credential has the assertion's issuer: it must match exactly, with any slash at its end.",
    700212: "No federated credential has the assertion's audience: it must match exactly.",
    700213: "No federated credential has the assertion's subject: it must match exactly.",
    900144: "The request lacks a parameter: check that client_id and the scope are set.",
    900023: "tenant_id is neither a GUID nor a domain name of a tenant: check tenant_id.",
    900021: "tenant_id is not a valid identifier: check tenant_id.",
    900382: "The tenant is in another cloud: set `cloud`.",
    900971: "The request has no reply address, which only users need: check which library sends the request.",
    7002137: "No federated credential has the assertion's subject, which Entra issued: it must match exactly.",
    7002138: "The subject of a federated credential differs from the assertion's only in case: write it exactly alike.",
    9002313: "The request is malformed: check tenant_id, client_id and the scope for stray characters.",
    1002012: "The scope is not valid for a service principal: it must be RESOURCE/.default.",
    7000112: "The application is disabled: ask the tenant's administrator.",
    7000114: "The token that on_behalf_of() got is an application's, not a user's: use the credential itself.",
    7000215: "The client secret is wrong: use the secret's Value from the app registration, not its Secret ID.",
    7000216: "No client secret or assertion was sent, or it was empty: check client_secret.",
    7000218: "No client secret or assertion was sent: check client_secret.",
    7000222: "The client secret has expired: create a new one in the app registration, and replace the old one.",
    7000229: "The application has no service principal in this tenant: ask an administrator to consent to it.",
}


FEDERATION = frozenset({70021, 70023, 70025, 700024, 700211, 700212, 700213, 7002137, 7002138})
"""The refusals of an assertion itself: another assertion may be accepted."""


def codes_in(text: str) -> tuple[int, ...]:
    """The AADSTS numbers of a text, each once, in their order."""
    return tuple(dict.fromkeys(int(number) for number in _CODE.findall(text)))


def advice_on(code: int) -> str | None:
    """The advice for a code; `None` for an unknown one."""
    return ADVICE.get(code)
