"""`{azure_pipelines: ID}`: the request to Azure Pipelines, and what it says elsewhere. See also `test_jobs`."""

from __future__ import annotations

import pytest

import credconf
from credconf.references import AzurePipelinesReference, NotFound, Reader, reference_in
from credconf.testing import FakeAzurePipelines, FakeEntra
from tests.config.project import CLIENT, TENANT
from tests.contract.faces import ASYNC, SCOPE, SYNC, engine_of

CONNECTION = "0f0a2f5c-9b5c-4c55-9a43-2f0d9a7f3c10"
ENVIRON = {
    "TF_BUILD": "True",
    "SYSTEM_OIDCREQUESTURI": "https://example.com/oidctoken",
    "SYSTEM_ACCESSTOKEN": "a-token",
}
REFERENCE = reference_in({"azure_pipelines": CONNECTION})
MAPPING = "SYSTEM_ACCESSTOKEN: $(System.AccessToken)"


@pytest.fixture
def pipeline(monkeypatch):
    with FakeEntra() as entra, FakeAzurePipelines(service_connection_id=CONNECTION) as pipeline:
        entra.apply(monkeypatch)
        pipeline.apply(monkeypatch)
        yield pipeline


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def failure(request, pipeline):
    """The failure of a token request with a service connection; no application trusts the pipeline."""

    def ask(connection=CONNECTION):
        http = {"retries": 0, "ca_bundle": pipeline.ca_bundle}
        ids = {"tenant_id": TENANT, "client_id": CLIENT}
        assertion = {"azure_pipelines": connection}
        driven = request.param.on(engine_of({**ids, "client_assertion": assertion, "http": http}))
        try:
            with pytest.raises(credconf.AuthenticationError) as caught:
                driven.get_token(SCOPE)
        finally:
            driven.close()
        return caught.value

    return ask


@pytest.mark.parametrize("end", ["", "/"])
def test_the_request_is_the_documented_one(failure, pipeline, monkeypatch, end):
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", pipeline.request_uri + end)
    pipeline.answers(500, b"")
    failure()
    (request,) = pipeline.requests
    assert (request.method, request.path) == ("POST", pipeline.request_uri.partition(pipeline.host)[2])
    assert request.query == {"api-version": "7.1", "serviceConnectionId": CONNECTION}
    assert request.form == {}
    headers = {name: request.headers[name] for name in ("authorization", "content-type", "content-length")}
    assert headers == {
        "authorization": f"Bearer {pipeline.access_token}",
        "content-type": "application/json",
        "content-length": "0",
    }
    assert request.headers["x-tfs-fedauthredirect"] == "Suppress"


def test_a_bad_token_is_refused_and_not_sent_to_a_page_for_signing_in(failure, pipeline, monkeypatch):
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", "another-token")
    error = failure()
    assert "HTTP 401" in str(error)
    assert MAPPING in str(error)
    assert pipeline.count() == 1


def test_an_unknown_service_connection_is_told_with_what_to_check(failure):
    error = failure("11111111-1111-1111-1111-111111111111")
    assert "The service connection does not exist, or the pipeline may not use it." in str(error)
    assert "check the id of the service connection" in str(error)


@pytest.mark.parametrize(
    ("environ", "message", "hint"),
    [
        ({}, "not in a job of Azure Pipelines", "another proof elsewhere"),
        ({"TF_BUILD": "True"}, "SYSTEM_OIDCREQUESTURI", "agent"),
        ({**ENVIRON, "SYSTEM_ACCESSTOKEN": ""}, "SYSTEM_ACCESSTOKEN is not set", MAPPING),
        ({**ENVIRON, "SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}, "SYSTEM_ACCESSTOKEN is not set", MAPPING),
    ],
)
@pytest.mark.parametrize("runs", [True, False])
def test_a_process_without_the_variables_is_told_why(environ, message, hint, runs):
    found = Reader(environ, runs=runs).text(REFERENCE)
    assert isinstance(found, NotFound)
    assert found.code == "missing-variable"
    assert message in found.message
    assert hint in (found.hint or "")


def test_a_file_names_it(project):
    text = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_assertion: {{azure_pipelines: {CONNECTION}}}\n"
    reference = project.flat(text, environ=ENVIRON).settings.client_assertion
    assert isinstance(reference, AzurePipelinesReference)
    assert reference.azure_pipelines == CONNECTION


@pytest.mark.parametrize("value", ["production", "''", "null", "[]", "{id: a}", f"{CONNECTION}0", f"'{CONNECTION} '"])
def test_what_is_no_id_is_refused(project, value):
    text = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_assertion: {{azure_pipelines: {value}}}\n"
    error = project.refused_text(text, environ=ENVIRON)
    (problem,) = [problem for problem in error.problems if problem.severity == "error"]
    assert (problem.code, problem.hint) == ("bad-reference", "write {azure_pipelines: SERVICE_CONNECTION_ID}")


def test_the_platform_chooses_the_audience():
    assert REFERENCE is not None
    assert REFERENCE.with_audience("a") is REFERENCE
