"""azure-identity against the fakes: a client that was written for the real services."""

from __future__ import annotations

import jwt
import pytest
from azure.identity import AzurePipelinesCredential, ClientAssertionCredential, WorkloadIdentityCredential

from credconf.testing import FakeAzurePipelines

SCOPE = "https://storage.azure.com/.default"
CLUSTER = ("https://oidc.example/cluster/", "system:serviceaccount:shop:billing")


def client_of(token):
    return jwt.decode(token, options={"verify_signature": False})["appid"]


@pytest.fixture
def options(entra, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_bundle)
    return {"authority": entra.authority, "disable_instance_discovery": True}


def test_a_service_account_of_kubernetes(entra, options, tmp_path):
    app = entra.register(federated=[(*CLUSTER, "api://AzureADTokenExchange")])
    path = entra.write_assertion(tmp_path / "token")
    identity = {"tenant_id": entra.tenant_id, "client_id": app.client_id, "token_file_path": str(path)}
    with WorkloadIdentityCredential(**identity, **options) as credential:
        assert client_of(credential.get_token(SCOPE).token) == app.client_id
    assert [request.proof for request in entra.requests if request.kind == "token"] == ["assertion"]


def test_a_service_account_behind_the_token_proxy(entra, options, tmp_path, monkeypatch):
    entra.proxy_path = "/proxied/path"
    for name, value in entra.proxy_environ().items():
        monkeypatch.setenv(name, value)
    app = entra.register(federated=[(*CLUSTER, "api://AKSIdentityBinding")])
    path = entra.write_assertion(tmp_path / "token")
    identity = {"tenant_id": entra.tenant_id, "client_id": app.client_id, "token_file_path": str(path)}
    with WorkloadIdentityCredential(**identity, **options, enable_azure_proxy=True) as credential:
        assert client_of(credential.get_token(SCOPE).token) == app.client_id
    token_requests = [request.path for request in entra.requests if request.kind == "token"]
    assert token_requests == [f"/proxied/path/{entra.tenant_id}/oauth2/v2.0/token"]


def test_an_assertion_of_the_programs_own(entra, options):
    app = entra.register(federated=[(*CLUSTER, "api://AzureADTokenExchange")])
    with ClientAssertionCredential(entra.tenant_id, app.client_id, entra.assertion, **options) as credential:
        assert client_of(credential.get_token(SCOPE).token) == app.client_id


def test_a_job_of_azure_pipelines(entra, options, monkeypatch):
    with FakeAzurePipelines() as pipeline:
        monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", pipeline.request_uri)
        app = entra.register(federated=[pipeline.federation()])
        identity = {
            "tenant_id": entra.tenant_id,
            "client_id": app.client_id,
            "service_connection_id": pipeline.service_connection_id,
            "system_access_token": pipeline.access_token,
        }
        with AzurePipelinesCredential(**identity, **options) as credential:
            assert client_of(credential.get_token(SCOPE).token) == app.client_id
        assert pipeline.count() == 1
