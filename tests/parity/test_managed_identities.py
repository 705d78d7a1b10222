"""azure-identity's `ManagedIdentityCredential` and `kind: managed_identity`, over the same fakes."""

from __future__ import annotations

import time

import msal.managed_identity
import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity._credentials import azure_arc

import credconf
from credconf.references import identity_endpoints
from credconf.testing import FakeAppService, FakeArc, FakeImds, ManagedIdentity
from tests.contract.faces import engine_of
from tests.parity.faces import SCOPE, Driven, Face
from tests.references.endpoints import only

IDENTITY = ManagedIdentity()
IDS = {
    "the machine's": {},
    "client_id": {"client_id": IDENTITY.client_id},
    "object_id": {"object_id": IDENTITY.object_id},
    "resource_id": {"resource_id": IDENTITY.resource_id},
}


@pytest.fixture(params=[FakeImds, FakeAppService, FakeArc], ids=lambda fake: fake.__name__)
def machine(request, monkeypatch, tmp_path):
    monkeypatch.setattr(identity_endpoints, "ARC_AGENT", str(tmp_path / "himds"))
    only(monkeypatch, {})
    with request.param(user_assigned=[IDENTITY]) as fake:
        fake.apply(monkeypatch)
        if isinstance(fake, FakeArc):
            folders = {"linux": str(fake.keys), "win32": str(fake.keys)}
            monkeypatch.setattr(msal.managed_identity, "_supported_arc_platforms_and_their_prefixes", folders)
            monkeypatch.setattr(azure_arc, "_get_key_file_path", lambda: str(fake.keys))
        yield fake


def made(face: Face, ids: dict[str, str], machine=None) -> Driven:
    """Ours has settings, and does not wait here. Theirs has `client_id`, and a mapping for the other ids.

    Their asynchronous class takes that mapping as parameters of the request.
    """
    if face.is_ours:
        engine = engine_of({"kind": "managed_identity", **ids}, sleep=lambda _: None)
        module = credconf.aio if face.is_async else credconf
        driven = Driven(module.Credential(engine), face)
        face._made.append(driven)
        return driven
    if "client_id" in ids:
        return face.make(kind="ManagedIdentityCredential", client_id=ids["client_id"])
    if face.is_async and "resource_id" in ids:
        ids = {"mi_res_id" if isinstance(machine, FakeAppService) else "msi_res_id": ids["resource_id"]}
    return face.make(kind="ManagedIdentityCredential", identity_config=ids or None)


def asked(machine):
    """The query of the last request for a token, and the header that its endpoint needs."""
    request = machine.requests[-1]
    name = "x-identity-header" if isinstance(machine, FakeAppService) else "metadata"
    return request.query, request.headers[name]


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_each_endpoint_gives_the_same_token_to_the_same_request(theirs_and_ours, machine, ids):
    tokens, requests = [], []
    for face in theirs_and_ours:
        tokens.append(made(face, ids, machine).get_token(SCOPE))
        requests.append(asked(machine))
    assert requests[0] == requests[1]
    assert abs(tokens[0].expires_on - tokens[1].expires_on) <= 5
    assert tokens[1].expires_on > time.time() + 86_000


def test_a_second_call_asks_no_endpoint(face, machine):
    credential = made(face, {})
    assert credential.get_token(SCOPE).token == credential.get_token(SCOPE).token
    assert machine.count() == 1


def test_claims_are_not_sent(face, machine):
    credential = made(face, {})
    credential.get_token(SCOPE)
    before = asked(machine)
    credential.get_token(SCOPE, claims='{"access_token": {"nbf": {"essential": true, "value": "1"}}}')
    assert machine.count() == 2
    assert asked(machine) == before


def test_a_lost_identity_is_an_error_of_the_same_base(face, machine):
    machine.loses_identity()
    with pytest.raises(ClientAuthenticationError):
        made(face, {"client_id": IDENTITY.client_id}).get_token(SCOPE)


def test_where_we_differ_the_token_of_another_identity_is_refused(theirs_and_ours, machine):
    machine.answers_for(ManagedIdentity().client_id)
    theirs, ours = theirs_and_ours
    with pytest.raises(ClientAuthenticationError, match=r"another identity|does not identify the owner"):
        made(ours, {"client_id": IDENTITY.client_id}).get_token(SCOPE)
    if not isinstance(machine, FakeArc):  # msal checks it for Azure Arc alone
        assert made(theirs, {"client_id": IDENTITY.client_id}).get_token(SCOPE).token


def test_where_we_differ_several_scopes_are_an_authentication_error(theirs_and_ours, machine):
    theirs, ours = theirs_and_ours
    with pytest.raises(ValueError, match="scope"):
        made(theirs, {}).get_token(SCOPE, "https://vault.azure.net/.default")
    with pytest.raises(ClientAuthenticationError, match="one scope only"):
        made(ours, {}).get_token(SCOPE, "https://vault.azure.net/.default")
    assert machine.requests == []


@pytest.mark.parametrize("machine", [FakeAppService], indirect=True)
def test_where_we_differ_an_error_of_app_service_is_told_as_it_is(theirs_and_ours, machine):
    machine.answers(400, '{"statusCode": 400, "message": "The parameter is odd."}')
    said = []
    for face in theirs_and_ours:
        with pytest.raises(ClientAuthenticationError) as caught:
            made(face, {}).get_token(SCOPE)
        said.append(str(caught.value))
    assert theirs_and_ours[0].is_async or "configuration not found in environment" in said[0]
    assert "it refused (HTTP 400): The parameter is odd." in said[1]


@pytest.fixture
def pod(monkeypatch, tmp_path, entra):
    """The variables of a pod with workload identity, in another cloud than the public one."""
    for name in ("IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    entra.register("of-the-pod", federated=[("https://issuer.example/", "system:serviceaccount:a:b", "aud")])
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/")
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
    monkeypatch.setenv("AZURE_CLIENT_ID", "of-the-pod")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(entra.write_assertion(tmp_path / "token")))


def hosts_asked(face, **options):
    hosts: list[str] = []
    credential = face.make(kind="ManagedIdentityCredential", **options, **face.deaf(hosts))
    with pytest.raises(AzureError):
        credential.get_token(SCOPE)
    return set(hosts)


@pytest.mark.parametrize("options", [{}, {"client_id": "of-the-pod"}])
def test_in_a_pod_with_workload_identity_it_is_that(face, pod, options):
    """The metadata service would give the token of another identity: the node's."""
    assert hosts_asked(face, **options) == {"login.microsoftonline.us"}


def test_a_pod_without_a_client_id_is_an_error(face, pod, monkeypatch):
    monkeypatch.delenv("AZURE_CLIENT_ID")
    with pytest.raises(ValueError, match="client"):
        face.make(kind="ManagedIdentityCredential")


@pytest.mark.parametrize("variable", ["AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"])
def test_with_some_of_the_variables_it_is_the_managed_identity(face, pod, monkeypatch, variable):
    monkeypatch.delenv(variable)
    assert hosts_asked(face) == {"169.254.169.254"}


def test_an_identity_that_a_workload_can_not_be_is_asked_for_in_a_pod(pod):
    """azure-identity ignores the id, and returns the token of the pod's application."""
    given = {"identity_config": {"object_id": "22222222-2222-2222-2222-222222222222"}}
    assert hosts_asked(Face("ours-sync"), **given) == {"169.254.169.254"}
    assert hosts_asked(Face("theirs-sync"), **given) == {"login.microsoftonline.us"}


def test_a_configuration_names_what_it_means(pod, tmp_path, monkeypatch):
    """`kind: managed_identity` is never a workload identity: one entry is one credential."""
    monkeypatch.chdir(tmp_path)
    assert credconf.load(False, env_file=False, kind="managed_identity").settings.kind == "managed_identity"
