"""What a token request is answered, when nothing is wrong with it and when something is."""

from __future__ import annotations

import json
import re
import uuid

import jwt
import pytest
import requests

from credconf.testing import FakeEntra


def claims_of(answer):
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


def test_a_token_is_a_jwt_as_azurite_wants_it(ask, entra):
    answer = ask()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["ext_expires_in"]) == ("Bearer", 3600, 3600)
    claims = claims_of(answer)
    assert claims["iss"] == f"https://sts.windows.net/{entra.tenant_id}/"
    assert claims["aud"] == "https://storage.azure.com"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["iat"] == claims["nbf"]
    assert (claims["appid"], claims["tid"], claims["ver"]) == (entra.client_id, entra.tenant_id, "1.0")


def test_a_token_is_verified_by_the_published_keys(ask, entra, session):
    token = ask().json()["access_token"]
    published = session.get(f"{entra.authority}/common/discovery/v2.0/keys", timeout=20).json()
    assert published == entra.jwks
    key = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key.key, algorithms=["RS256"], audience="https://storage.azure.com")


def test_every_token_is_unique(ask):
    assert len({ask().json()["access_token"] for _ in range(5)}) == 5


def test_tokens_look_as_configured(ask, entra):
    entra.tokens(expires_in=600, refresh_in=300, token_type="pop", ext_expires_in=None, foo="bar")
    body = ask().json()
    del body["access_token"]
    assert body == {"token_type": "pop", "expires_in": 600, "refresh_in": 300, "foo": "bar"}
    entra.tokens(expires_in="900")
    answer = ask()
    assert answer.json()["expires_in"] == "900"
    assert claims_of(answer)["exp"] - claims_of(answer)["iat"] == 900
    entra.tokens(expires_in="soon")
    assert ask().json()["expires_in"] == "soon"
    entra.tokens(expires_in=None)
    assert "expires_in" not in ask().json()


def test_the_times_in_a_token_are_the_injected_clocks(clock):
    with FakeEntra(clock=clock) as entra, requests.Session() as session:
        session.trust_env = False
        form = {
            "grant_type": "client_credentials",
            "client_id": entra.client_id,
            "client_secret": entra.client_secret,
            "scope": "s/.default",
        }
        url = f"{entra.authority}/{entra.tenant_id}/oauth2/v2.0/token"
        answer = session.post(url, data=form, verify=entra.ca_bundle, timeout=20)
        assert claims_of(answer)["iat"] == int(clock.now)
        assert entra.requests[0].at == clock.now


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        ("https://storage.azure.com/.default", "https://storage.azure.com"),
        ("https://management.azure.com//.default", "https://management.azure.com"),
        ("api://7f3e/.default", "api://7f3e"),
        ("scope", "scope"),
    ],
)
def test_the_audience_is_the_resource_of_the_scope(ask, entra, scope, audience):
    entra.strict_scopes = False
    assert claims_of(ask(scope=scope))["aud"] == audience


def test_the_capability_of_a_client_is_in_its_token(ask, entra):
    claims = json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}})
    assert claims_of(ask(claims=claims))["xms_cc"] == ["CP1"]
    assert entra.requests[0].claims == claims
    assert "xms_cc" not in claims_of(ask())
    assert ask(claims='["no object"]').json()["error_codes"] == [9002313]


@pytest.mark.parametrize(
    ("changes", "code", "status", "error"),
    [
        ({"client_secret": "wrong"}, 7000215, 401, "invalid_client"),
        ({"client_secret": None}, 7000216, 401, "invalid_client"),
        ({"client_secret": ""}, 7000216, 401, "invalid_client"),
        ({"client_id": str(uuid.uuid4())}, 700016, 400, "unauthorized_client"),
        ({"client_id": None}, 900144, 400, "invalid_request"),
        ({"grant_type": None}, 900144, 400, "invalid_request"),
        ({"scope": None}, 900144, 400, "invalid_request"),
        ({"scope": " "}, 900144, 400, "invalid_request"),
        ({"grant_type": "password"}, 70003, 400, "unsupported_grant_type"),
        ({"tenant": "elsewhere.onmicrosoft.com"}, 90002, 400, "invalid_request"),
        ({"client_assertion": "no-jwt"}, 900144, 400, "invalid_request"),
    ],
)
def test_a_wrong_request_is_refused_as_entra_refuses_it(ask, entra, changes, code, status, error):
    answer = ask(**changes)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert re.search(r"Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$", body["error_description"])
    assert f"Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']}" in body["error_description"]
    assert str(code) in body["error_uri"]
    assert entra.requests[0].status == status


def test_an_error_echoes_the_correlation_id_and_never_the_secret(ask, entra):
    canary = "canary-9Zq~secret"
    correlation = str(uuid.uuid4())
    answer = ask(client_secret=canary, client_id=canary, headers={"client-request-id": correlation})
    assert answer.json()["correlation_id"] == correlation
    assert canary not in answer.text
    assert entra.client_secret not in answer.text


def test_secrets_are_added_expired_and_revoked(ask, entra):
    old, new = entra.client_secret, "brand-new~secret"
    entra.registration.add_secret(new)
    assert entra.client_secret == new
    assert entra.registration.secrets == (old, new)
    assert ask(client_secret=old).ok
    assert ask(client_secret=new).ok
    entra.registration.expire_secret(old)
    assert ask(client_secret=old).json()["error_codes"] == [7000222]
    entra.registration.revoke_secret(new)
    assert ask(client_secret=new).json()["error_codes"] == [7000215]
    entra.registration.add_secret(old)
    assert ask(client_secret=old).ok
    entra.registration.revoke_secret(old)
    with pytest.raises(LookupError):
        _ = entra.client_secret


def test_the_ready_secret_looks_like_entras(entra):
    assert len(entra.client_secret) == 40
    assert entra.client_secret[3:6] == "8Q~"
    assert set("._-~") <= set(entra.client_secret)


def test_an_application_is_registered_in_its_tenants(ask, entra):
    entra.add_tenant("contoso.onmicrosoft.com")
    assert ask("contoso.onmicrosoft.com").json()["error_codes"] == [700016]
    home = entra.register(tenants=["Contoso.onmicrosoft.com"])
    assert ask("contoso.onmicrosoft.com", client_id=home.client_id, client_secret=home.client_secret).ok
    assert ask(client_id=home.client_id, client_secret=home.client_secret).json()["error_codes"] == [700016]
    everywhere = entra.register(tenants="*", secrets=["one", "two"])
    for tenant in (entra.tenant_id, "contoso.onmicrosoft.com", str(uuid.uuid4())):
        assert ask(tenant, client_id=everywhere.client_id, client_secret="one").ok


def test_any_tenant_can_be_allowed(ask, entra):
    tenant = str(uuid.uuid4())
    assert ask(tenant).json()["error_codes"] == [90002]
    entra.allow_any_tenant()
    assert claims_of(ask(tenant))["tid"] == tenant


def test_an_id_is_the_same_in_capitals(ask, entra):
    assert ask(entra.tenant_id.upper(), client_id=entra.client_id.upper()).ok


def test_a_registration_may_be_limited_to_scopes(ask, entra):
    limited = entra.register(scopes=["https://storage.azure.com/.default"])
    proof = {"client_id": limited.client_id, "client_secret": limited.client_secret}
    assert ask(**proof).ok
    answer = ask(**proof, scope="https://vault.azure.net/.default")
    assert (answer.json()["error"], answer.json()["error_codes"]) == ("invalid_resource", [500011])


def test_scopes_are_checked_as_entra_does_unless_a_test_says_otherwise(ask, entra):
    assert ask().ok
    for scope in ("scope", "User.Read", ".default", "https://graph.microsoft.com"):
        assert ask(scope=scope).json()["error_codes"] == [1002012]
    two = ask(scope="https://a.example/.default https://b.example/.default")
    assert (two.json()["error"], two.json()["error_codes"]) == ("invalid_scope", [70011])
    assert entra.strict_scopes
    entra.strict_scopes = False
    assert ask(scope="one two").ok


def test_an_adfs_server_answers_under_its_own_path(ask, entra):
    assert claims_of(ask(path="/adfs/oauth2/token"))["tid"] == "adfs"
    assert entra.requests[0].tenant == "adfs"
    assert ask(path="/adfs/oauth2/token", client_secret="wrong").json()["error_codes"] == [7000215]
