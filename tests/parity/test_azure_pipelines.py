"""`AzurePipelinesCredential` of azure-identity, and `client_assertion: {azure_pipelines: ID}`."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

import credconf
from credconf.testing import FakeAzurePipelines
from tests.contract.faces import engine_of
from tests.parity.faces import SCOPE, Driven


@pytest.fixture
def pipeline(monkeypatch):
    with FakeAzurePipelines() as pipeline:
        pipeline.apply(monkeypatch)
        yield pipeline


@pytest.fixture
def make(entra, pipeline):
    """Make a credential of a face for an application that trusts the pipeline."""
    application = entra.register(federated=[pipeline.federation()])

    def made(face, **options):
        connection = options.pop("service_connection_id", pipeline.service_connection_id)
        if not face.is_ours:
            return face.make(
                kind="AzurePipelinesCredential",
                tenant_id=entra.tenant_id,
                client_id=application.client_id,
                service_connection_id=connection,
                system_access_token=options.pop("token", pipeline.access_token),
                **face.usual(entra),
            )
        fields = {"client_id": application.client_id, "client_secret": None, "http": {"retries": 0}}
        engine = engine_of(entra.config(**fields, client_assertion={"azure_pipelines": connection}))
        driven = Driven((credconf.aio if face.is_async else credconf).Credential(engine), face)
        face._made.append(driven)
        return driven

    return made


def error_of(driven):
    with pytest.raises(Exception) as caught:
        driven.get_token(SCOPE)
    return caught.value


def test_the_request_is_the_same(face, make, pipeline, entra):
    make(face).get_token(SCOPE)
    (request,) = pipeline.requests
    assert (request.method, request.form) == ("POST", {})
    assert request.query == {"api-version": "7.1", "serviceConnectionId": pipeline.service_connection_id}
    names = ("authorization", "content-length", "content-type", "x-tfs-fedauthredirect")
    assert [request.headers.get(name) for name in names] == [
        f"Bearer {pipeline.access_token}",
        "0",
        "application/json",
        "Suppress",
    ]
    assert entra.requests[-1].form["client_assertion"]


def test_an_unknown_service_connection_is_an_authentication_error_with_the_cause(face, make):
    error = error_of(make(face, service_connection_id="11111111-1111-1111-1111-111111111111"))
    assert isinstance(error, ClientAuthenticationError)
    assert "The service connection does not exist, or the pipeline may not use it." in str(error)


def test_ours_sends_the_present_access_token_and_theirs_the_one_of_its_constructor(
    theirs_and_ours, make, pipeline, monkeypatch
):
    theirs, ours = (make(face) for face in theirs_and_ours)
    monkeypatch.setenv("SYSTEM_ACCESSTOKEN", pipeline.rotate_access_token())
    assert isinstance(error_of(theirs), ClientAuthenticationError)
    assert ours.get_token(SCOPE).token


def test_a_process_outside_a_pipeline_is_unavailable(face, make, monkeypatch):
    driven = make(face)
    monkeypatch.delenv("SYSTEM_OIDCREQUESTURI")
    error = error_of(driven)
    assert isinstance(error, CredentialUnavailableError | credconf.CredentialUnavailableError)
    assert "SYSTEM_OIDCREQUESTURI" in str(error)
