"""The steps of the doctor for kinds without a secret."""

from __future__ import annotations

import pytest

from credconf.testing import FakeAzureCli, FakeEntra, FakeImds, FederatedCredential
from tests.cli.running import run
from tests.config.project import project

__all__ = ["project"]

WORKLOAD = FederatedCredential("https://issuer.example/", "system:serviceaccount:billing:billing")


@pytest.fixture
def pod(monkeypatch, project):
    """A pod with the variables of the webhook; returns the fake Entra and the file of the token."""
    with FakeEntra() as entra:
        registered = entra.register(federated=[WORKLOAD])
        file = entra.write_assertion(project.path / "token", client_id=registered.client_id)
        entra.apply(monkeypatch, identity=False)
        monkeypatch.setenv("AZURE_TENANT_ID", entra.tenant_id)
        monkeypatch.setenv("AZURE_CLIENT_ID", registered.client_id)
        monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))
        monkeypatch.setenv("COLUMNS", "500")
        yield entra, registered, file


@pytest.fixture
def imds(monkeypatch, project):
    with FakeImds() as fake:
        fake.apply(monkeypatch)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        monkeypatch.setenv("COLUMNS", "500")
        yield fake


def steps(*arguments):
    outcome = run("doctor", *arguments, "--format", "json")
    return {step["step"]: step for step in outcome.json["steps"]}, outcome.status


def test_the_assertion_has_a_step_of_its_own_with_its_claims(pod):
    found, status = steps("https://storage.azure.com/.default")
    assert status == 0
    assert list(found)[:2] == ["configuration", "assertion"]
    details = " ".join(found["assertion"]["details"])
    assert all(claim in details for claim in WORKLOAD)
    assert "identity endpoint" not in found
    assert pod[2].read_text().strip().rpartition(".")[2] not in run("doctor").said


def test_an_assertion_that_is_refused_ends_with_the_command_that_makes_entra_trust_it(pod):
    entra, registered, file = pod
    entra.write_assertion(file, client_id=registered.client_id, subject="system:serviceaccount:billing:other")
    found, status = steps()
    assert status == 1
    assert found["assertion"]["result"] == "ok"
    token = found["token"]
    said = " ".join([token["summary"], token["fix"] or "", *token["details"]])
    assert "AADSTS700213" in said
    assert "az ad app federated-credential create" in said


def test_where_a_token_proxy_stands_in_for_entra_no_step_asks_entra(pod, monkeypatch):
    entra = pod[0]
    entra.proxy_path = "/tokens"
    for name, text in {**entra.proxy_environ(), "CREDCONF_TOKEN_PROXY": "true"}.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://127.0.0.1:9")
    found, status = steps("https://storage.azure.com/.default")
    assert status == 0
    assert list(found) == ["configuration", "assertion", "token cache", "token"]


def test_an_identity_endpoint_has_a_step_of_its_own_and_no_step_is_about_entra(imds):
    found, status = steps()
    assert status == 0
    assert list(found) == ["configuration", "identity endpoint", "token cache", "token"]
    assert imds.host in found["identity endpoint"]["summary"]


def test_an_endpoint_that_does_not_answer_ends_it(imds):
    imds.goes_down()
    found, status = steps()
    assert status == 1
    assert found["identity endpoint"]["result"] == "failed"
    assert "managed identity" in found["identity endpoint"]["fix"]
    assert found["token"]["result"] == "skipped"


@pytest.mark.skipif("sys.platform == 'win32'", reason="the fake `az` is a POSIX script")
def test_the_azure_cli_has_neither(monkeypatch, project):
    monkeypatch.setenv("CREDCONF_KIND", "azure_cli")
    with FakeAzureCli() as az:
        az.apply(monkeypatch)
        found, status = steps("--allow", "azure_cli")
    assert status == 0
    assert list(found) == ["configuration", "token cache", "token"]
