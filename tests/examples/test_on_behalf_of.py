"""The example of an API that acts on behalf of its caller."""

from __future__ import annotations

import base64
import json
import warnings
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from credconf.testing import FakeEntra

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette's test client has begun to prefer another version of httpx
    from fastapi.testclient import TestClient

CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'


class Graph:
    """Microsoft Graph: it answers for the user whom its token names."""

    def __init__(self):
        self.tokens = []

    def __call__(self, request):
        assert str(request.url) == "https://graph.microsoft.com/v1.0/me"
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        payload = self.tokens[-1].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert (claims["aud"], claims["scp"]) == ("https://graph.microsoft.com", "User.Read")
        return httpx.Response(200, json={"displayName": claims["upn"]})


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def api(tmp_path, monkeypatch, credconf_environment, module, graph):
    monkeypatch.chdir(tmp_path)  # no credconf.yaml and no .env of anybody's
    example = module("on_behalf_of_api/main.py")
    client = httpx.AsyncClient(base_url=example.GRAPH, transport=httpx.MockTransport(graph))
    example.app.dependency_overrides[example.the_graph] = lambda: client
    with TestClient(example.app) as api:
        yield api


def me(api, token):
    return api.get("/me", headers={"Authorization": f"Bearer {token}"})


def test_each_user_sees_graph_as_that_user(api, credconf_environment: FakeEntra, graph):
    tokens = {upn: credconf_environment.user_token(upn) for upn in ("ada@contoso.com", "grace@contoso.com")}
    for _ in range(2):
        for upn, token in tokens.items():
            assert me(api, token).json() == {"name": upn}
    assert credconf_environment.count() == 2
    assert len(graph.tokens) == 4
    assert not {*tokens.values()} & {*graph.tokens}  # the user's token for the API goes to no other API


def test_the_claims_challenge_is_handed_on(api, credconf_environment: FakeEntra, graph):
    token = credconf_environment.user_token()
    credconf_environment.refuses(50076, claims=CLAIMS)
    answer = me(api, token)
    assert answer.status_code == 401
    scheme, _, parameters = answer.headers["WWW-Authenticate"].partition(" ")
    assert (scheme, parameters.partition(",")[0]) == ("Bearer", 'error="insufficient_claims"')
    claims = parameters.partition('claims="')[2].removesuffix('"')
    assert base64.b64decode(claims).decode() == CLAIMS
    assert token not in answer.text
    assert not graph.tokens


WRONG = {
    "another API's": {"aud": "another"},
    "expired": {"issued_at": 1_000_000_000},
    "another tenant's": {"iss": "https://login.microsoftonline.com/other/v2.0"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_is_not_for_the_api_is_refused_before_anything_is_asked(api, credconf_environment, wrong):
    answer = me(api, credconf_environment.user_token(**WRONG[wrong]))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert credconf_environment.count() == 0


def test_text_that_is_no_token_and_no_token_at_all_are_refused(api, credconf_environment):
    assert me(api, "no token").status_code == 401
    assert api.get("/me").status_code == 401
    assert me(api, credconf_environment.user_token(scopes="other")).status_code == 403


def test_another_refusal_is_not_the_callers_to_mend(api, credconf_environment):
    credconf_environment.registration.rotate_secret()
    answer = me(api, credconf_environment.user_token())
    assert answer.status_code == 503
    assert answer.json()["correlation_id"]
    assert "AADSTS" not in answer.text
