"""`{github: {}}`: the request to GitHub, and what it says where there is no job. See also `test_jobs`."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

import credconf
from credconf.references import GitHubReference, NotFound, Reader, reference_in
from credconf.testing import FakeEntra, FakeGitHub
from tests.config.project import CLIENT, TENANT
from tests.contract.faces import ASYNC, SCOPE, SYNC, engine_of

ENVIRON = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/idtoken?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-token",
}
IDS = {"tenant_id": TENANT, "client_id": CLIENT}


@pytest.fixture
def github(monkeypatch):
    with FakeEntra() as entra, FakeGitHub() as github:
        entra.apply(monkeypatch)
        github.apply(monkeypatch)
        yield github


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def ask(request, github):
    """Ask for a token with a reference; Entra refuses it, since no credential is registered."""

    def get_token(value, **fields):
        http = {"retries": 0, "ca_bundle": github.ca_bundle}
        driven = request.param.on(engine_of({**IDS, "client_assertion": {"github": value}, "http": http, **fields}))
        try:
            driven.get_token(SCOPE)
        finally:
            driven.close()

    return get_token


@pytest.mark.parametrize(
    ("value", "cloud", "audience"),
    [
        ({}, "public", "api://AzureADTokenExchange"),
        ({}, "usgov", "api://AzureADTokenExchangeUSGov"),
        ({}, "china", "api://AzureADTokenExchangeChina"),
        ({"audience": "api://of my own?&a=b"}, "china", "api://of my own?&a=b"),
    ],
)
def test_the_audience_is_added_to_the_query_of_the_url(github, monkeypatch, ask, value, cloud, audience):
    github.answers(500, b"")
    with pytest.raises(credconf.AuthenticationError):
        ask(value, cloud=cloud)
    (request,) = github.requests
    assert (request.method, request.form) == ("GET", {})
    assert request.query == {"api-version": "2.0", "audience": audience}
    assert request.headers["authorization"] == f"bearer {github.request_token}"


def test_the_url_may_have_any_query():
    asked = []

    class Web:
        def get(self, url, *, params, headers, timeout=None):
            asked.append((url, params))
            raise StopIteration

        post = pause = None

    environ = {**ENVIRON, "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/x/?a=b%26c&d="}
    with pytest.raises(StopIteration):
        Reader(environ, web=Web).text(reference_in({"github": {"audience": "e"}}))
    assert asked == [("https://example.com/x/?a=b%26c&d=", {"audience": "e"})]
    assert parse_qsl(urlsplit(asked[0][0]).query, keep_blank_values=True) == [("a", "b&c"), ("d", "")]


@pytest.mark.parametrize(
    ("environ", "message", "hint"),
    [
        ({}, "not in a job of GitHub Actions", "another proof elsewhere"),
        ({"GITHUB_ACTIONS": "false"}, "not in a job of GitHub Actions", "another proof elsewhere"),
        ({"GITHUB_ACTIONS": "true"}, "may not request an assertion", "`permissions: {id-token: write}`"),
        ({**ENVIRON, "ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "ACTIONS_ID_TOKEN_REQUEST_URL", "id-token: write"),
        ({**ENVIRON, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "id-token: write"),
    ],
)
@pytest.mark.parametrize("runs", [True, False])
def test_a_process_without_the_variables_is_told_why(environ, message, hint, runs):
    found = Reader(environ, runs=runs).text(reference_in({"github": {}}))
    assert isinstance(found, NotFound)
    assert found.code == "missing-variable"
    assert message in found.message
    assert hint in (found.hint or "")


@pytest.mark.parametrize("value", ["{}", "{audience: api://AzureADTokenExchange}"])
def test_a_file_names_it(project, value):
    text = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_assertion: {{github: {value}}}\n"
    reference = project.flat(text, environ=ENVIRON).settings.client_assertion
    assert isinstance(reference, GitHubReference)
    assert reference.github.audience == (None if value == "{}" else "api://AzureADTokenExchange")


@pytest.mark.parametrize("value", ["true", "null", "''", "[]", "{audience: ''}", "{audience: [a]}", "{url: a}"])
def test_another_value_is_refused(project, value):
    text = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_assertion: {{github: {value}}}\n"
    error = project.refused_text(text, environ=ENVIRON)
    (problem,) = [problem for problem in error.problems if problem.severity == "error"]
    assert (problem.code, problem.hint) == ("bad-reference", "write {github: {}}")


def test_an_audience_of_ones_own_is_kept():
    own = reference_in({"github": {"audience": "a"}})
    assert own is not None
    assert own.with_audience("b") is own
    assert reference_in({"github": {}}).with_audience("b") == reference_in({"github": {"audience": "b"}})
