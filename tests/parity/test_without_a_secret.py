"""The classes for credentials without a secret, in both implementations: assertions, Kubernetes, the environment."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import ClientAuthenticationError

import credconf
from credconf.testing import FederatedCredential
from tests.parity.faces import OTHER_SCOPE, SCOPE

WORKLOAD = FederatedCredential("https://issuer.example/", "system:serviceaccount:billing:billing")
ISSUED_TWICE = 2


@pytest.fixture
def pod(entra, monkeypatch, tmp_path):
    """An application with a federated credential, and the variables of its pod."""
    pod = entra.register(federated=[WORKLOAD])
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    pod.file = entra.write_assertion(tmp_path / "token", client_id=pod.client_id)
    monkeypatch.setenv("AZURE_TENANT_ID", entra.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", pod.client_id)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(pod.file))
    return pod


def sent(entra):
    return [request.form["client_assertion"].strip() for request in entra.requests if request.kind == "token"]


def test_the_function_is_called_for_each_request_and_not_for_a_kept_token(face, entra, pod):
    made = []

    def func():
        made.append(entra.assertion(client_id=pod.client_id))
        return made[-1]

    credential = face.make(entra.tenant_id, pod.client_id, func, kind="ClientAssertionCredential", **face.usual(entra))
    assert credential.get_token(SCOPE).token == credential.get_token(SCOPE).token
    credential.get_token(OTHER_SCOPE)
    assert sent(entra) == made
    assert len(made) == ISSUED_TWICE


def test_a_workload_needs_only_the_variables_of_its_pod(face, entra, pod):
    credential = face.make(kind="WorkloadIdentityCredential", **face.usual(entra))
    assert credential.get_token(SCOPE).token
    assert sent(entra) == [pod.file.read_text().strip()]


def test_the_arguments_of_a_workload_win_over_the_variables(face, entra, pod, monkeypatch, tmp_path):
    other = entra.register(federated=[WORKLOAD])
    file = entra.write_assertion(tmp_path / "other", client_id=other.client_id)
    given = {"tenant_id": entra.tenant_id, "client_id": other.client_id, "token_file_path": str(file)}
    credential = face.make(kind="WorkloadIdentityCredential", **given, **face.usual(entra))
    assert credential.get_token(SCOPE).token
    assert sent(entra) == [file.read_text().strip()]


@pytest.mark.parametrize("missing", ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"])
def test_a_workload_without_a_variable_is_a_value_error(face, entra, pod, monkeypatch, missing):
    monkeypatch.delenv(missing)
    with pytest.raises(ValueError):
        face.make(kind="WorkloadIdentityCredential", **face.usual(entra))


def test_an_assertion_of_another_subject_is_refused_with_its_code(face, entra, pod):
    entra.write_assertion(pod.file, client_id=pod.client_id, subject="system:serviceaccount:billing:other")
    credential = face.make(kind="WorkloadIdentityCredential", **face.usual(entra))
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        credential.get_token(SCOPE)


def test_the_environment_gives_a_secret(face, entra, pod, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_ID", entra.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", entra.client_secret)
    credential = face.make(kind="EnvironmentCredential", **face.usual(entra))
    assert credential.get_token(SCOPE).token
    assert [request.proof for request in entra.requests if request.kind == "token"] == ["secret"]


def test_the_secret_of_the_environment_wins_over_its_certificate(face, entra, pod, monkeypatch, tmp_path):
    monkeypatch.setenv("AZURE_CLIENT_ID", entra.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", entra.client_secret)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(tmp_path / "absent.pem"))
    assert face.make(kind="EnvironmentCredential", **face.usual(entra)).get_token(SCOPE).token


# Where credconf differs on purpose


def test_a_replaced_token_file_is_sent_at_once(theirs_and_ours, entra, pod):
    """azure-identity reads the file every ten minutes, and sends its trailing newline."""
    theirs, ours = theirs_and_ours
    for face in theirs_and_ours:
        entra.forget_requests()
        before = entra.write_assertion(pod.file, client_id=pod.client_id).read_text().strip()
        credential = face.make(kind="WorkloadIdentityCredential", **face.usual(entra))
        credential.get_token(SCOPE)
        after = entra.write_assertion(pod.file, client_id=pod.client_id).read_text().strip()
        credential.get_token(OTHER_SCOPE)
        assert sent(entra) == [before, before if face is theirs else after]
    assert ours.is_ours


def test_an_environment_that_is_not_complete_is_an_error_of_the_constructor(theirs_and_ours, entra, pod):
    """azure-identity's class says so at the first token."""
    theirs, ours = theirs_and_ours
    with pytest.raises(credconf.ConfigError, match="AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH is not set"):
        ours.make(kind="EnvironmentCredential", **ours.usual(entra))
    with pytest.raises(ClientAuthenticationError):
        theirs.make(kind="EnvironmentCredential").get_token(SCOPE)


def test_the_chain_of_a_certificate_is_off_where_the_variable_says_false(entra, pod, monkeypatch):
    """In azure-identity, `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=false` turns it on."""
    from credconf.azure_identity.plans import environment_plan
    from tests.certificates import make_certificate

    certificate = make_certificate(pod.file.with_name("client.pem"))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(certificate.path))
    for text, chain in (("false", False), ("0", False), ("true", True), ("1", True)):
        monkeypatch.setenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", text)
        engine = environment_plan("EnvironmentCredential", {})()
        assert engine.blueprint.settings.send_certificate_chain is chain


def test_fifty_threads_make_one_request(theirs_and_ours, entra, pod):
    theirs, ours = theirs_and_ours
    if ours.is_async:
        pytest.skip("threads are of the synchronous class")
    requests = {}
    for face in theirs_and_ours:
        entra.forget_requests()
        credential = face.make(kind="WorkloadIdentityCredential", **face.usual(entra)).credential
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda _, each=credential: each.get_token(SCOPE), range(50)))
        requests[face] = entra.count()
    assert requests[ours] == 1
    assert requests[theirs] >= 1
