"""The identity providers of jobs in CI, asked with plain HTTP."""

from __future__ import annotations

import os

import jwt
import pytest
import requests

from credconf.testing import FakeAzurePipelines, FakeGitHub

AUDIENCE = "api://AzureADTokenExchange"


def ask_github(github, url=None, **headers):
    """Ask as a client does that knows nothing but the variables."""
    environ = github.environ()
    url = url or f"{environ['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=api%3A%2F%2FAzureADTokenExchange"
    sent = {"Authorization": f"bearer {environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}", **headers}
    return requests.get(url, headers=sent, verify=environ["REQUESTS_CA_BUNDLE"], timeout=20)


def ask_pipeline(pipeline, method="POST", connection=None, version="7.1", token=None, *, follow=True, **headers):
    environ = pipeline.environ()
    sent = {
        "Authorization": f"Bearer {token or environ['SYSTEM_ACCESSTOKEN']}",
        "Content-Type": "application/json",
        "X-TFS-FedAuthRedirect": "Suppress",
        **headers,
    }
    return requests.request(
        method,
        environ["SYSTEM_OIDCREQUESTURI"],
        params={"api-version": version, "serviceConnectionId": connection or pipeline.service_connection_id},
        headers={name: value for name, value in sent.items() if value},
        verify=environ["SSL_CERT_FILE"],
        timeout=20,
        allow_redirects=follow,
    )


def ask(fake):
    return ask_github(fake) if isinstance(fake, FakeGitHub) else ask_pipeline(fake)


def assertion_of(answer):
    return next(answer.json()[name] for name in ("value", "oidcToken") if name in answer.json())


@pytest.fixture
def github():
    with FakeGitHub() as github:
        yield github


@pytest.fixture
def pipeline():
    with FakeAzurePipelines() as pipeline:
        yield pipeline


@pytest.fixture(params=[FakeGitHub, FakeAzurePipelines], ids=lambda fake: fake.__name__)
def fake(request):
    with request.param() as fake:
        yield fake


def test_a_job_of_github_gets_an_assertion_that_lives_five_minutes(github):
    answer = ask_github(github)
    assert answer.json().keys() == {"value"}
    claims = jwt.decode(answer.json()["value"], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == ("https://token.actions.githubusercontent.com", AUDIENCE)
    assert claims["sub"] == "repo:contoso/app:ref:refs/heads/main"
    assert claims["exp"] - claims["iat"] == 300


def test_github_has_an_audience_of_its_own_where_none_is_asked_for(github):
    answer = ask_github(github, url=github.request_url)
    claims = jwt.decode(answer.json()["value"], options={"verify_signature": False})
    assert claims["aud"] == "https://github.com/contoso"
    lost = ask_github(github, url=f"{github.request_url.partition('?')[0]}?audience=x")
    assert (lost.status_code, "api-version" in lost.text) == (400, True)
    assert ask_github(github, url=f"https://{github.host}/").status_code == 404


def test_a_job_of_azure_pipelines_gets_an_assertion_that_lives_ten_minutes(pipeline):
    answer = ask_pipeline(pipeline)
    assert answer.json().keys() == {"oidcToken"}
    claims = jwt.decode(answer.json()["oidcToken"], options={"verify_signature": False})
    assert claims["iss"].startswith("https://vstoken.dev.azure.com/")
    assert (claims["sub"], claims["aud"]) == ("sc://contoso/app/production", AUDIENCE)
    assert claims["exp"] - claims["iat"] == 600
    assert (pipeline.requests[0].method, pipeline.requests[0].form) == ("POST", {})


def test_azure_pipelines_checks_the_request(pipeline):
    assert ask_pipeline(pipeline, "GET").status_code == 405
    assert ask_pipeline(pipeline, version="6.0").status_code == 400
    assert ask_pipeline(pipeline, version="7.1-preview.1").ok
    assert ask_pipeline(pipeline, connection="other").status_code == 404


def test_azure_pipelines_redirects_to_a_sign_in_page_unless_the_client_suppresses_it(pipeline):
    assert ask_pipeline(pipeline, token="wrong").status_code == 401
    redirect = ask_pipeline(pipeline, token="wrong", follow=False, **{"X-TFS-FedAuthRedirect": ""})
    assert (redirect.status_code, redirect.headers["Location"]) == (302, "/_signin")
    page = ask_pipeline(pipeline, token="wrong", **{"X-TFS-FedAuthRedirect": ""})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert requests.get(f"https://{pipeline.host}/x", verify=pipeline.ca_bundle, timeout=20).status_code == 404


def test_a_job_convinces_the_fake_entra(fake, entra, session):
    app = entra.register(federated=[fake.federation()])
    form = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "scope": "https://storage.azure.com/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion_of(ask(fake)),
    }
    url = f"{entra.authority}/{entra.tenant_id}/oauth2/v2.0/token"
    assert session.post(url, data=form, timeout=20).ok


@pytest.mark.parametrize("fake_type", [FakeGitHub, FakeAzurePipelines])
def test_issuer_subject_and_lifetime_can_be_chosen(fake_type, clock):
    with fake_type(subject="s", issuer="https://i.example", lifetime=60, clock=clock) as fake:
        claims = jwt.decode(assertion_of(ask(fake)), options={"verify_signature": False})
    assert (claims["iss"], claims["sub"], claims["exp"]) == ("https://i.example", "s", int(clock()) + 60)


def test_an_expired_token_of_a_job_is_refused(github, pipeline):
    old = github.request_token
    new = github.rotate_request_token()
    assert ask_github(github, Authorization=f"bearer {old}").status_code == 401
    assert ask_github(github, Authorization=f"Bearer {new}").ok
    assert ask_github(github, Authorization=new).status_code == 401
    old = pipeline.access_token
    assert pipeline.rotate_access_token() == pipeline.access_token != old
    assert ask_pipeline(pipeline, token=old).status_code == 401
    assert ask_pipeline(pipeline).ok


def test_a_provider_fails_in_every_way(fake):
    fake.throttles(retry_after=1, times=1)
    fake.is_unavailable(times=1)
    fake.answers(500, "<html>", "text/html", times=1)
    answers = [ask(fake) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 503, 500, 200]
    assert answers[1].json()["message"]
    assert fake.count() == 4


def test_the_variables_of_github(github, monkeypatch):
    assert github.environ() == {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": github.request_url,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": github.request_token,
        "CREDCONF_HTTP__CA_BUNDLE": github.ca_bundle,
        "REQUESTS_CA_BUNDLE": github.ca_bundle,
        "SSL_CERT_FILE": github.ca_bundle,
    }
    github.apply(monkeypatch)
    assert github.environ().items() <= os.environ.items()
    github.apply(monkeypatch, permitted=False)
    assert {name for name in os.environ if name.startswith(("ACTIONS_ID", "GITHUB_ACTIONS"))} == {"GITHUB_ACTIONS"}


def test_the_variables_of_azure_pipelines(pipeline, monkeypatch):
    assert pipeline.environ() == {
        "TF_BUILD": "True",
        "SYSTEM_OIDCREQUESTURI": pipeline.request_uri,
        "SYSTEM_ACCESSTOKEN": pipeline.access_token,
        "CREDCONF_HTTP__CA_BUNDLE": pipeline.ca_bundle,
        "REQUESTS_CA_BUNDLE": pipeline.ca_bundle,
        "SSL_CERT_FILE": pipeline.ca_bundle,
    }
    pipeline.apply(monkeypatch)
    assert pipeline.environ().items() <= os.environ.items()
    pipeline.apply(monkeypatch, mapped=False)
    assert "SYSTEM_ACCESSTOKEN" not in os.environ


def test_nothing_shows_a_token(fake):
    assertion = assertion_of(ask(fake))
    shown = repr([fake, fake._job, fake._exchange, fake.requests])
    for secret in (assertion, fake._job.token):
        assert secret not in shown
