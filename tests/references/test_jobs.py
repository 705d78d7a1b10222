"""`{github: {}}` and `{azure_pipelines: ID}`: what the assertions of CI jobs have in common."""

from __future__ import annotations

import json
import logging
import os
from typing import NamedTuple

import pytest

import credconf
from credconf.entra.http import Response
from credconf.errors import AuthenticationError, CredentialUnavailableError
from credconf.references import NOT_RUN, NotFound, Reader, reference_in
from credconf.testing import FakeAzurePipelines, FakeEntra, FakeGitHub
from tests.config.project import assert_nothing_shows, only
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, engine_of

CONNECTION = "0f0a2f5c-9b5c-4c55-9a43-2f0d9a7f3c10"


class Platform(NamedTuple):
    """A platform: its fake, the reference, and its variables."""

    fake: object
    reference: dict[str, object]
    url: str
    token: str
    method: str

    @property
    def secret(self):
        return self.fake.environ()[self.token]


GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GET")
PIPELINES = ("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", "POST")


@pytest.fixture(params=["github", "azure_pipelines"])
def platform(request):
    if request.param == "github":
        with FakeGitHub() as fake:
            yield Platform(fake, {"github": {}}, *GITHUB)
    else:
        with FakeAzurePipelines(service_connection_id=CONNECTION) as fake:
            yield Platform(fake, {"azure_pipelines": CONNECTION}, *PIPELINES)


@pytest.fixture
def entra(platform, monkeypatch):
    with FakeEntra() as fake:
        fake.apply(monkeypatch)
        for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
            monkeypatch.delenv(name, raising=False)
        platform.fake.apply(monkeypatch)
        yield fake


@pytest.fixture
def fields(platform, entra):
    application = entra.register(federated=[platform.fake.federation()])
    return entra.config(
        client_id=application.client_id, client_secret=None, client_assertion=platform.reference, http={"retries": 0}
    )


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def face(request):
    return request.param


@pytest.fixture
def made(face):
    """Make a credential of a face, which is closed with the test."""
    drivens = []

    def make(fields, **changes):
        drivens.append(face.on(engine_of(fields, **changes)))
        return drivens[-1]

    yield make
    for driven in drivens:
        driven.close()


def failure_of(driven, kind=CredentialUnavailableError):
    with pytest.raises(AuthenticationError) as caught:
        driven.get_token(SCOPE)
    assert type(caught.value) is kind
    return caught.value


def sent_assertions(entra):
    return [request.form["client_assertion"] for request in entra.requests if request.kind == "token"]


# The request


def test_each_token_request_fetches_an_assertion_of_its_own(made, fields, platform, entra):
    driven = made(fields)
    for scope in (SCOPE, SCOPE, OTHER_SCOPE):
        driven.get_token(scope)
    assert platform.fake.count() == entra.count() == 2
    assert len(set(sent_assertions(entra))) == 2


def test_a_token_that_changes_counts_for_the_next_request(made, fields, platform, monkeypatch):
    driven = made(fields)
    driven.get_token(SCOPE)
    rotate = "rotate_request_token" if "github" in platform.reference else "rotate_access_token"
    monkeypatch.setenv(platform.token, getattr(platform.fake, rotate)())
    driven.get_token(OTHER_SCOPE)
    assert [request.status for request in platform.fake.requests] == [200, 200]


def test_loading_sends_nothing(fields, platform, entra):
    resolved = credconf.load(False, env_file=False, **fields)
    assert isinstance(resolved.reader.text(reference_in(platform.reference)), NotFound)  # it has nothing to send with
    assert platform.fake.requests == entra.requests == []


def test_it_is_fetched_anew_for_each_reading(fields, platform):
    reader = credconf.load(False, env_file=False, **fields).reader
    assert reader.stamp(reference_in(platform.reference)) is None


# The variables


@pytest.mark.parametrize("variable", ["url", "token"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_that_is_not_set_is_told_when_the_configuration_is_loaded(
    fields, platform, monkeypatch, variable, value
):
    name = getattr(platform, variable)
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.from_config(False, env_file=False, **fields)
    problem = only(caught.value)
    assert (problem.code, problem.path) == ("missing-variable", "client_assertion")
    assert name in problem.message
    assert problem.hint
    assert_nothing_shows(caught.value, platform.secret)
    assert platform.fake.requests == []


def test_a_variable_that_vanishes_later_is_told_by_the_failure(made, fields, platform, monkeypatch):
    driven = made(fields)
    monkeypatch.delenv(platform.token)
    assert platform.token in str(failure_of(driven))
    assert platform.fake.requests == []


def test_dotenv_can_not_give_the_variables(fields, platform, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = platform.fake.environ()
    (tmp_path / ".env").write_text("".join(f"{name}={environ[name]}\n" for name in (platform.url, platform.token)))
    for name in (platform.url, platform.token):
        monkeypatch.delenv(name)
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.load(False, **fields)
    assert only(caught.value).code == "missing-variable"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/idtoken?a=b",
        "http://localhost.example.com/x",
        "ftp://localhost/x",
        "https://user:canary@example.com/x",
        "https://example.com/x#y",
        "https:///x",
        "https://[a/x",
        "https://example.com:x/y",
        "example.com/x",
        "https://example.com/a b",
        "https://example.com/\x01",
    ],
)
def test_the_token_of_a_job_is_sent_by_https_only(platform, url):
    def web():
        raise AssertionError("it is sent")

    environ = {platform.url: url, platform.token: "a-token", "GITHUB_ACTIONS": "true", "TF_BUILD": "True"}
    for runs in (True, False):
        found = Reader(environ, web=web, runs=runs).text(reference_in(platform.reference))
        assert isinstance(found, NotFound)
        assert (found.code, platform.url in found.message, url in found.message) == ("bad-variable", True, False)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "127.1.2.3:1", "[::1]:8080"])
def test_plain_http_reaches_this_machine(platform, host):
    environ = {platform.url: f"http://{host}/x", platform.token: "a-token"}
    assert Reader(environ, runs=False).text(reference_in(platform.reference)) == NOT_RUN


@pytest.mark.parametrize("token", ["two words", "a\r\nX: y", "é", "\x00"])
def test_a_token_that_no_header_can_carry_is_not_sent(platform, token):
    environ = {platform.url: "https://example.com/x", platform.token: token}
    found = Reader(environ, runs=False).text(reference_in(platform.reference))
    assert isinstance(found, NotFound)
    assert (found.code, token in repr(found)) == ("bad-variable", False)


@pytest.mark.parametrize("setting", ["client_secret", "tenant_id", "client_certificate"])
def test_it_proves_nothing_but_an_assertion(fields, platform, setting):
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.load(False, env_file=False, **{**fields, "client_assertion": None, setting: platform.reference})
    assert "bad-reference" in [problem.code for problem in caught.value.problems]


# Failures


def test_a_refused_job_token_is_told_with_what_to_check(made, fields, platform, entra, monkeypatch):
    monkeypatch.setenv(platform.token, "another-t0ken-of-a-job")
    error = failure_of(made(fields))
    first, second = str(error).splitlines()
    assert f"{platform.fake.host} refused to issue an assertion (HTTP 401)" in first
    assert "The token of the request is missing, wrong or expired." in first
    assert "id-token: write" in second or "SYSTEM_ACCESSTOKEN" in second
    assert_nothing_shows(error, "another-t0ken")
    assert entra.requests == []


def test_a_reply_that_quotes_the_token_is_not_shown(made, fields, platform):
    body = json.dumps({"message": f"Bad token {platform.secret[:20]}. Ask again. {'x' * 5000}"}).encode()
    platform.fake.answers(403, body, "application/json")
    error = failure_of(made(fields))
    assert_nothing_shows(error, platform.secret[:12])
    assert "Ask again." in str(error)
    assert len(str(error)) < 1500


def test_a_redirect_is_not_followed(made, fields, platform, entra):
    platform.fake.redirects(f"{entra.authority}/sign-in")
    error = failure_of(made(fields))
    assert "redirects (HTTP 302)" in str(error)
    assert platform.fake.count() == 1
    assert entra.requests == []


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<html>a sign-in page with canary-of-a-page</html>", "text/html"),
        (b"", "application/json"),
        (b'"canary-of-a-page"', "application/json"),
        (b'{"value": 5, "oidcToken": null, "other": "canary-of-a-page"}', "application/json"),
        (b'{"value": "canary-of-a-page", "oidcToken": "canary-of-a-page"}', "application/json"),
        (b'{"value": "", "oidcToken": ""}', "application/json"),
        (b"[" * 100_000, "application/json"),
    ],
)
def test_an_answer_without_an_assertion_is_told_and_not_quoted(made, fields, platform, entra, body, media_type):
    platform.fake.answers(200, body, media_type)
    error = failure_of(made(fields))
    assert_nothing_shows(error, "canary-of-a-page")
    assert entra.requests == []


def test_an_unreachable_platform_is_named(made, fields, platform):
    platform.fake.goes_down()
    first, second = str(failure_of(made(fields))).splitlines()
    assert platform.fake.host.partition(":")[0] in first
    assert "authority" not in second


@pytest.mark.parametrize("fault", ["throttles", "is_unavailable"])
def test_a_passing_fault_is_retried(made, fields, platform, fault):
    waited = []
    getattr(platform.fake, fault)(None, times=2)
    made({**fields, "http": {**fields["http"], "retries": 3}}, sleep=waited.append).get_token(SCOPE)
    assert platform.fake.count() == 3
    assert waited == [0.5, 1.0]


def test_the_platform_decides_how_long_to_wait(made, fields, platform):
    waited = []
    platform.fake.throttles(7, times=1)
    made({**fields, "http": {**fields["http"], "retries": 3}}, sleep=waited.append).get_token(SCOPE)
    assert waited == [7.0]


def test_a_wait_beyond_the_deadline_fails_at_once(made, fields, platform):
    waited = []
    platform.fake.is_unavailable(3600, times=1)
    error = failure_of(made({**fields, "http": {**fields["http"], "retries": 3}}, sleep=waited.append))
    assert "not available (HTTP 503)" in str(error)
    assert (platform.fake.count(), waited) == (1, [])


def test_without_retries_one_request_is_made(made, fields, platform):
    platform.fake.is_unavailable(None, times=1)
    failure_of(made(fields))
    assert platform.fake.count() == 1
    made(fields).get_token(SCOPE)


def test_a_refusal_is_not_retried(made, fields, platform, monkeypatch):
    monkeypatch.setenv(platform.token, "another-token")
    failure_of(made({**fields, "http": {**fields["http"], "retries": 3}}, sleep=lambda _: pytest.fail("it waits")))
    assert platform.fake.count() == 1


# Secrets


def test_neither_the_token_nor_the_assertion_is_shown(made, fields, platform, entra, caplog):
    caplog.set_level(logging.DEBUG)
    driven = made(fields)
    driven.get_token(SCOPE)
    entra.refuses(700213)
    with pytest.raises(AuthenticationError) as caught:
        driven.get_token(OTHER_SCOPE)
    assertions = sent_assertions(entra)
    assert len(assertions) == 2
    shown = f"{driven.credential!r} {driven.credential.describe()} {caplog.text}"
    for secret in (platform.secret, *assertions, *(text.rpartition(".")[2] for text in assertions)):
        assert_nothing_shows(caught.value, secret)
        assert secret not in shown


class Client:
    """An application's client that answers with one response, and keeps what it was called with."""

    def __init__(self, status, body):
        self.called = []
        self._answer = Response(status, json.dumps(body), {})

    def get(self, url, *, params, headers):
        self.called.append(("GET", url, params, dict(headers)))
        return self._answer

    def post(self, url, *, params, headers):
        self.called.append(("POST", url, params, dict(headers)))
        return self._answer

    def close(self): ...


def test_an_applications_client_gets_the_same_request(made, fields, platform):
    client = Client(403, {"message": "no"})
    failure_of(made(fields, http_client=client))
    ((method, url, _, headers),) = client.called
    assert (method, url) == (platform.method, os.environ[platform.url])
    assert headers["Authorization"].partition(" ")[2] == platform.secret


def test_no_frame_holds_the_token_while_the_client_is_called(made, fields, platform):
    shown = []

    class Looking(Client):
        def get(self, url, *, params, headers):
            import sys

            frame = sys._getframe(1)
            while frame is not None and "credconf" in frame.f_code.co_filename:
                shown.extend(repr(value) for name, value in frame.f_locals.items() if name != "environ")
                frame = frame.f_back
            return super().get(url, params=params, headers=headers)

        post = get

    failure_of(made(fields, http_client=Looking(403, {})))
    assert len(shown) > 20
    assert not any(platform.secret in text for text in shown)
