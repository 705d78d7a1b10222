"""The on-behalf-of grant of the fake: users' tokens, and an API that acts for them."""

from __future__ import annotations

import json

import jwt
import msal
import pytest

from credconf.testing import FakeEntra

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRAPH = "https://graph.microsoft.com"
READ = f"{GRAPH}/User.Read"


@pytest.fixture
def act(entra, ask):
    """Asks for a token on behalf of a user; a field of the form can be changed by its name."""

    def act(**changes):
        usual = {"grant_type": GRANT, "requested_token_use": "on_behalf_of", "scope": READ}
        return ask(**{**usual, "assertion": entra.user_token(), **changes})

    return act


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_a_users_token_names_user_tenant_and_api(entra):
    claims = claims_of(entra.user_token("grace@contoso.com", scopes="read write"))
    assert (claims["upn"], claims["scp"]) == ("grace@contoso.com", "read write")
    assert (claims["aud"], claims["tid"]) == (entra.client_id, entra.tenant_id)
    assert claims["oid"] == claims_of(entra.user_token("grace@contoso.com"))["oid"]
    assert claims["oid"] != claims_of(entra.user_token())["oid"]
    assert claims["exp"] - claims["iat"] == 3600


def test_a_users_token_is_as_the_test_wants_it(entra):
    api = entra.register()
    claims = claims_of(entra.user_token(client_id=api.client_id, lifetime=60, issued_at=1000, scp=None, roles=["r"]))
    assert (claims["aud"], claims["iat"], claims["exp"], claims["roles"]) == (api.client_id, 1000, 1060, ["r"])
    assert "scp" not in claims


def test_the_token_is_the_users_for_the_other_api(entra, act):
    answer = act(scope=f"{READ} {GRAPH}/Mail.Read openid profile")
    claims = claims_of(answer.json()["access_token"])
    user = claims_of(entra.user_token())
    assert (claims["aud"], claims["scp"], claims["idtyp"]) == (GRAPH, "Mail.Read User.Read", "user")
    assert (claims["oid"], claims["upn"], claims["appid"]) == (user["oid"], user["upn"], entra.client_id)
    assert "refresh_token" not in answer.json()


@pytest.mark.parametrize(
    ("scope", "resource", "scp"),
    [
        (f"{GRAPH}/.default", GRAPH, "user_impersonation"),
        ("User.Read", GRAPH, "User.Read"),
        ("api://other/access", "api://other", "access"),
    ],
)
def test_scopes_name_the_api(act, scope, resource, scp):
    claims = claims_of(act(scope=scope).json()["access_token"])
    assert (claims["aud"], claims["scp"]) == (resource, scp)


def test_a_client_that_asks_for_a_refresh_token_gets_one(act):
    assert act(scope=f"{READ} offline_access").json()["refresh_token"]


def test_the_id_uri_of_the_api_is_its_audience_too(entra, act):
    assert act(assertion=entra.user_token(aud=f"api://{entra.client_id}")).ok


REFUSALS = {
    "no assertion": ({"assertion": None}, 900144),
    "no such use": ({"requested_token_use": None}, 900144),
    "no scope": ({"scope": None}, 900144),
    "several APIs": ({"scope": f"{READ} api://other/access"}, 70011),
    "default and another": ({"scope": f"{READ} {GRAPH}/.default"}, 70011),
    "only identity scopes": ({"scope": "openid profile"}, 70011),
    "wrong secret": ({"client_secret": "wrong"}, 7000215),
    "no proof": ({"client_secret": None}, 7000216),
    "no JWT": ({"assertion": "a.b.c"}, 50027),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_wrong_request_is_refused(act, why):
    changes, code = REFUSALS[why]
    assert act(**changes).json()["error_codes"] == [code]


TOKENS = {
    "of another API": ({"aud": "another"}, 500131),
    "expired": ({"issued_at": 1000}, 500133),
    "without times": ({"exp": None}, 50027),
    "an ID token": ({"scp": None}, 240002),
    "an application's": ({"scp": None, "roles": ["r"]}, 7000114),
}


@pytest.mark.parametrize("why", TOKENS)
def test_a_users_token_of_the_wrong_sort_is_refused(entra, act, why):
    claims, code = TOKENS[why]
    answer = act(assertion=entra.user_token(**claims))
    assert answer.json()["error_codes"] == [code]
    assert answer.status_code == 400


def test_a_token_that_another_key_signed_is_refused(entra, act):
    head, payload, _ = entra.user_token().split(".")
    assert act(assertion=f"{head}.{payload}.{'A' * 342}").json()["error_codes"] == [50013]


def test_an_api_gets_tokens_for_its_own_scopes_only(entra, act):
    entra.register(entra.client_id, secrets=entra.registration.secrets, scopes=[GRAPH])
    assert act(client_secret=entra.client_secret).ok
    assert act(client_secret=entra.client_secret, scope="api://other/access").json()["error_codes"] == [500011]


def test_interaction_is_required_on_request_with_claims(entra, act):
    claims = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'
    entra.refuses(50076, times=1, claims=claims)
    refused = act().json()
    assert (refused["error"], refused["error_codes"], refused["claims"]) == ("interaction_required", [50076], claims)
    assert act().ok


def test_the_answer_quotes_no_token_of_a_user(entra, act):
    token = entra.user_token()
    assert token not in json.dumps(act(assertion=token, scope=f"{token} {READ}").json())


def test_msal_acts_on_behalf_of_a_user(session):
    with FakeEntra() as entra:
        session.verify = entra.ca_bundle
        app = msal.ConfidentialClientApplication(
            entra.client_id,
            client_credential=entra.client_secret,
            authority=f"{entra.authority}/{entra.tenant_id}",
            instance_discovery=False,
            http_client=session,
        )
        answer = app.acquire_token_on_behalf_of(entra.user_token("grace@contoso.com"), [READ])
    assert claims_of(answer["access_token"])["upn"] == "grace@contoso.com"
