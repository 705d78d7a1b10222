"""The token proxy of AKS identity binding: requests go there, under its own authorities, and nowhere else."""

from __future__ import annotations

import pickle
from pathlib import Path

import certifi
import pytest

import credconf
from credconf.entra.http import TransportFailure, TransportOptions
from credconf.entra.token_proxy import TokenProxy, TokenProxyClient, token_proxy
from credconf.references import NotFound
from credconf.testing import FakeEntra, FederatedCredential
from tests.config.project import only, project
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC

__all__ = ["project"]

WORKLOAD = FederatedCredential("https://issuer.example/", "system:serviceaccount:a:b", "api://AKSIdentityBinding")
URL = "AZURE_KUBERNETES_TOKEN_PROXY"
PEM = "-----BEGIN CERTIFICATE-----"


@pytest.fixture
def entra():
    with FakeEntra() as fake:
        fake.proxy_path = "/tokens/of/the/cluster"
        fake.register(fake.client_id, federated=[WORKLOAD])
        yield fake


@pytest.fixture
def pod(entra, project):
    """The variables of a pod, whose assertions Entra itself does not accept."""
    file = entra.write_assertion(project.path / "token")
    return {
        "AZURE_TENANT_ID": entra.tenant_id,
        "AZURE_CLIENT_ID": entra.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": str(file),
        **entra.proxy_environ(),
    }


@pytest.mark.parametrize("face", [SYNC, ASYNC], ids=lambda face: face.name)
def test_tokens_come_from_the_proxy_under_its_own_authorities(face, entra, pod):
    credential = face.from_config(environ=pod, token_proxy=True)
    assert credential.get_token(SCOPE).token
    (request,) = entra.requests
    assert request.path == f"/tokens/of/the/cluster/{entra.tenant_id}/oauth2/v2.0/token"
    credential.close()


def test_the_authorities_may_be_in_a_variable(entra, pod, project):
    ca = project.path.joinpath(pod.pop("AZURE_KUBERNETES_CA_FILE")).read_text()
    with credconf.from_config(path=False, environ={**pod, "AZURE_KUBERNETES_CA_DATA": ca}, token_proxy=True) as one:
        assert one.get_token(SCOPE).token


def test_the_name_in_its_certificate_may_be_another_than_its_host(entra, pod):
    named = {**pod, "AZURE_KUBERNETES_SNI_NAME": "localhost"}
    with credconf.from_config(path=False, environ=named, token_proxy=True) as one:
        assert one.get_token(SCOPE).token
    wrong = {**pod, "AZURE_KUBERNETES_SNI_NAME": "other.example"}
    with (
        credconf.from_config(path=False, environ=wrong, token_proxy=True) as one,
        pytest.raises(credconf.AuthenticationError, match="certificate"),
    ):
        one.get_token(SCOPE)


def test_no_other_authority_is_trusted_not_even_those_of_the_machine(entra, pod, project):
    ca = project.write("other.pem", Path(certifi.where()).read_text(encoding="utf-8").partition("\n\n#")[0])
    made = {**pod, "AZURE_KUBERNETES_CA_FILE": str(ca), "SSL_CERT_FILE": entra.ca_bundle}
    with (
        credconf.from_config(path=False, environ=made, token_proxy=True) as one,
        pytest.raises(credconf.AuthenticationError, match="certificate"),
    ):
        one.get_token(SCOPE)


def test_a_replaced_file_of_authorities_counts_and_an_empty_one_does_not(entra, pod, project):
    ca = project.write("ca.pem", Path(entra.ca_bundle).read_text(encoding="utf-8"))
    with credconf.from_config(
        path=False, environ={**pod, "AZURE_KUBERNETES_CA_FILE": str(ca)}, token_proxy=True
    ) as credential:
        credential.get_token(SCOPE)
        project.write("ca.pem", "")
        assert credential.get_token(OTHER_SCOPE).token
        ca.unlink()
        assert credential.get_token("https://graph.microsoft.com/.default").token
        project.write("ca.pem", f"{PEM}\nbroken\n")
        with pytest.raises(credconf.AuthenticationError, match="certificates"):
            credential.get_token("https://third.example/.default")


def test_the_variables_of_a_proxy_that_is_not_used_are_an_error(pod, project):
    problem = only(project.refused(environ=pod))
    assert (problem.code, problem.path) == ("missing", "token_proxy")
    assert "token_proxy: true" in problem.hint


def test_a_secret_beside_the_variables_of_a_proxy_is_none(pod, project):
    assert project.load(environ={**pod, "AZURE_CLIENT_SECRET": "s3cret"}).settings.kind == "client_secret"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({URL: None}, f"the variable {URL} is not set"),
        ({URL: "http://proxy.example"}, "is not an https:// URL"),
        ({URL: "https://u:c4n4ry~Must+Not.Appear@proxy.example"}, "is not an https:// URL"),
        ({URL: "https://proxy.example/?a=b"}, "is not an https:// URL"),
        ({URL: "https://proxy.example/#a"}, "is not an https:// URL"),
        ({URL: "https://[::1"}, "is not an https:// URL"),
        ({URL: "https://proxy.example:99999"}, "is not an https:// URL"),
        ({URL: "https://proxy example"}, "is not an https:// URL"),
        ({"AZURE_KUBERNETES_CA_DATA": PEM}, "and both is"),
        ({"AZURE_KUBERNETES_CA_FILE": None}, "and neither is"),
        ({"AZURE_KUBERNETES_CA_FILE": "/nowhere/ca.pem"}, "AZURE_KUBERNETES_CA_FILE names a file that"),
    ],
)
def test_wrong_variables_are_told_before_the_first_request(pod, project, changes, said):
    environ = {name: text for name, text in {**pod, **changes}.items() if text is not None}
    problem = only(project.refused(environ=environ, token_proxy=True))
    assert problem.path == "token_proxy"
    assert said in problem.message


@pytest.mark.parametrize(
    ("proxy", "url"),
    [
        ("https://p.example", "https://p.example/t/oauth2/v2.0/token"),
        ("https://p.example/", "https://p.example/t/oauth2/v2.0/token"),
        ("https://p.example:8443/a/b/", "https://p.example:8443/a/b/t/oauth2/v2.0/token"),
    ],
)
def test_the_path_of_the_proxy_comes_first(proxy, url):
    found = token_proxy({URL: proxy, "AZURE_KUBERNETES_CA_DATA": PEM})
    assert isinstance(found, TokenProxy)
    assert found.moved("https://login.microsoftonline.com/t/oauth2/v2.0/token") == url
    assert not isinstance(found, NotFound)


def test_without_authorities_nothing_is_sent_anywhere(entra, pod, project):
    ca = project.write("ca.pem", Path(entra.ca_bundle).read_text(encoding="utf-8"))
    trusting = {**pod, "AZURE_KUBERNETES_CA_FILE": str(ca), "AZURE_AUTHORITY_HOST": entra.authority}
    with credconf.from_config(path=False, environ=trusting, token_proxy=True) as credential:
        project.write("ca.pem", "")
        with pytest.raises(credconf.AuthenticationError, match="was not asked"):
            credential.get_token(SCOPE)
        assert entra.requests == []


def test_a_process_without_the_variables_sends_nothing(entra, pod, monkeypatch):
    for name, text in {**pod, "AZURE_AUTHORITY_HOST": entra.authority, "SSL_CERT_FILE": entra.ca_bundle}.items():
        monkeypatch.setenv(name, text)
    pickled = pickle.dumps(credconf.from_config(path=False, token_proxy=True, disable_instance_discovery=True))
    monkeypatch.delenv(URL)
    with pickle.loads(pickled) as credential, pytest.raises(credconf.AuthenticationError, match=URL):  # noqa: S301 - our own
        credential.get_token(SCOPE)
    assert entra.requests == []


def test_after_its_end_the_client_sends_nothing(entra, pod):
    client = TokenProxyClient(token_proxy(pod), TransportOptions())
    client.close()
    with pytest.raises(TransportFailure, match="closed"):
        client.post("https://login.microsoftonline.com/x", data={})
    assert entra.requests == []
