"""Entra's own error codes: what they mean to a service principal, and what to do.

Each code has one line here, which an authentication error shows, and a paragraph in one of the modules beside this
one, which `credconf explain` shows.

Source: Microsoft's reference of AADSTS error codes; the words are ours.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"AADSTS(\d{4,9})")

EXPLAINED: dict[int, str] = {
    50001: "The API is not known in this tenant: check the scope's resource.",
    50002: "A proxy of the network restricts which tenants are allowed: ask who runs the network, or the tenant.",
    50003: "The API has no key to sign tokens with: ask the API's owner.",
    50012: "The certificate, its chain or its signature is not accepted: check which certificate is registered.",
    50013: "The assertion is not valid: check this machine's clock, and that the certificate is the application's.",
    50034: "The account does not exist in this tenant: check tenant_id.",
    50049: "The authority is not an instance that Entra knows: check `authority` and `cloud`.",
    50053: "The account is locked after too many failed sign-ins: wait, and find out who tried.",
    50057: "The account is disabled: ask the tenant's administrator.",
    50059: "The request names no tenant: check tenant_id.",
    50076: "The tenant's policy demands another factor, which a service principal can't give: change the policy.",
    50128: "The domain name is not one of a tenant: check tenant_id.",
    50194: "The application belongs to one tenant only: set tenant_id to it, instead of common or organizations.",
    50196: "The application asked for the same token too often: keep one credential, and look for a loop.",
    53003: "A Conditional Access policy blocks this sign-in: ask about policies for workload identities.",
    65001: "Consent is missing: an administrator must grant the application its permissions.",
    70001: "The application is disabled or not known in this tenant: check client_id and tenant_id.",
    70002: "The client secret does not match: check client_id and client_secret.",
    70011: "The scope is not valid: a service principal asks for RESOURCE/.default.",
    90002: "The tenant does not exist: check tenant_id, and that `cloud` is the one it lives in.",
    90009: "The application asks for a token for itself: use its GUID as the resource.",
    90013: "The request is not valid: check tenant_id, client_id and the scope.",
    90014: "A field is missing in the request: check that client_id, client_secret and the scope are set.",
    90033: "Entra has a passing fault: try again.",
    90038: "The tenant lives in another cloud: set `cloud`.",
    90055: "The tenant is throttled, because too many requests came for it: wait, and find out who sends them.",
    100007: "Regional endpoints are for Microsoft's own infrastructure: remove `region`.",
    500011: "The API named by the scope has no service principal in this tenant: check the scope, or have it added.",
    500014: "The API's service principal is disabled in this tenant: ask its administrator.",
    500021: "The network allows other tenants only: ask who runs it to allow this tenant.",
    501051: "The application is not assigned to a role of the API: ask the API's owner.",
    530032: "A security policy of the tenant blocks this request: ask the tenant's administrator.",
    700011: "The application is not known in this tenant: check client_id and tenant_id.",
    700016: "The application is not in this tenant: check client_id and tenant_id, or have an administrator consent.",
    700022: "The scopes belong to several APIs: ask for one token for each.",
    700023: "The assertion's audience is wrong: check `authority` and tenant_id.",
    700024: "The assertion is outside its time: check the clock of this machine.",
    700025: "The application is a public client, which has no secret: register it as a confidential client.",
    700027: "The certificate is not the application's, or its signature is wrong: upload it to the registration.",
    700030: "The subject name of the certificate is not one that the application trusts: check which one is sent.",
    700051: "The response type is not enabled for the application.",
    700213: "No federated identity of the application matches the assertion.",
    900144: "A parameter is missing in the request: check that client_id and the scope are set.",
    900023: "tenant_id is neither a GUID nor a domain name of a tenant.",
    900021: "tenant_id is not a valid identifier.",
    900382: "The tenant lives in another cloud: set `cloud`.",
    900971: "No reply address was given, which a service principal does not need: check the kind of request.",
    9002313: "The request is malformed: check tenant_id, client_id and the scope for stray characters.",
    1002012: "The scope is not valid for a service principal: it must be RESOURCE/.default.",
    7000112: "The application is disabled: ask the tenant's administrator.",
    7000114: "The application may not act on behalf of users: check its registration.",
    7000215: "The client secret is wrong: use the secret's Value from the app registration, not its Secret ID.",
    7000216: "No client secret or assertion was sent, or it was empty: check client_secret.",
    7000218: "No client secret or assertion was sent: check client_secret.",
    7000222: "The client secret has expired: create a new one in the app registration, and replace it here.",
    7000229: "The application has no service principal in this tenant: have an administrator consent to it.",
}


def codes_in(text: str) -> tuple[int, ...]:
    """The AADSTS numbers in a text, each once, in its order."""
    return tuple(dict.fromkeys(int(number) for number in _CODE.findall(text)))


def explain(code: int) -> str | None:
    """What a code asks the user to do; `None` for one that is not in the table."""
    return EXPLAINED.get(code)
