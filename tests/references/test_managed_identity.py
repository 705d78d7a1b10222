"""`client_assertion: {managed_identity: {client_id: ID}}`: a managed identity vouches for an application."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import credconf
from credconf.errors import AuthenticationError, CredentialUnavailableError
from credconf.kinds import validate
from credconf.references import ManagedIdentityReference, NotFound, Reader, identity_endpoints, reference_in
from credconf.testing import FakeAppService, FakeArc, FakeEntra, FakeImds, ManagedIdentity
from tests.contract.faces import ASYNC, SYNC, Driven, engine_of
from tests.references.endpoints import only

SCOPE = "https://storage.azure.com/.default"
IDENTITY = ManagedIdentity()


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch, tmp_path):
    monkeypatch.setattr(identity_endpoints, "ARC_AGENT", str(tmp_path / "himds"))
    only(monkeypatch, {})


@pytest.fixture(params=[FakeImds, FakeAppService, FakeArc], ids=lambda fake: fake.__name__)
def machine(request, monkeypatch):
    with request.param(system=False, user_assigned=[IDENTITY]) as fake:
        if isinstance(fake, FakeArc):
            monkeypatch.setattr(identity_endpoints, "ARC_KEYS", str(fake.keys))
        only(monkeypatch, fake.environ())
        yield fake


@pytest.fixture
def entra(machine):
    with FakeEntra() as fake:
        yield fake


def fields_of(entra, machine, **changes):
    application = entra.register(federated=[machine.federation(IDENTITY)])
    reference = {"managed_identity": changes.pop("identity", {"client_id": IDENTITY.client_id})}
    return entra.config(client_id=application.client_id, client_secret=None, client_assertion=reference, **changes)


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def made(request):
    drivens: list[Driven] = []

    def make(fields, **changes):
        drivens.append(request.param.on(engine_of(fields, **changes)))
        return drivens[-1]

    yield make
    for driven in drivens:
        driven.close()


@pytest.mark.parametrize("name", ["client_id", "object_id", "resource_id"])
def test_an_application_gets_a_token_with_that_of_the_identity(made, entra, machine, name):
    credential = made(fields_of(entra, machine, identity={name: getattr(IDENTITY, name).upper()}))
    assert credential.get_token(SCOPE).token
    assert entra.requests[-1].proof == "assertion"
    assert machine.requests[-1].query["resource"] == "api://AzureADTokenExchange"


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [
        ("public", "api://AzureADTokenExchange"),
        ("usgov", "api://AzureADTokenExchangeUSGov"),
        ("china", "api://AzureADTokenExchangeChina"),
    ],
)
def test_the_resource_is_that_of_the_cloud(cloud, audience, monkeypatch):
    class Web:
        def __init__(self):
            self.params = []

        def get(self, url, *, params, headers, timeout=None):
            self.params.append(params)
            raise AssertionError("asked")

    only(monkeypatch, {})
    web = Web()
    settings = validate(
        {
            "tenant_id": "t",
            "client_id": "c",
            "cloud": cloud,
            "client_assertion": {"managed_identity": {"client_id": "a"}},
        }
    )
    (candidate,) = settings.candidates()
    with pytest.raises(AssertionError, match="asked"):
        candidate.read(Reader({}, web=lambda: web))
    assert web.params == [{"api-version": "2018-02-01", "resource": audience, "client_id": "a"}]


def test_it_is_fetched_anew_for_each_token_request_and_not_for_a_cache_hit(made, entra, machine):
    credential = made(fields_of(entra, machine))
    for _ in range(3):
        credential.get_token(SCOPE)
    assert machine.count("token") == 1
    credential.verify(SCOPE)
    assert machine.count("token") == 2


def test_a_start_and_a_check_ask_no_endpoint(entra, machine):
    credconf.load(path=False, env_file=False, **fields_of(entra, machine))
    credconf.build(fields_of(entra, machine)).close()
    assert machine.requests == []


def test_the_token_of_another_identity_is_not_sent_to_entra(made, entra, machine):
    machine.answers_for(ManagedIdentity().client_id)
    with pytest.raises(CredentialUnavailableError, match=r"another identity|does not identify the owner") as caught:
        made(fields_of(entra, machine)).get_token(SCOPE)
    assert caught.value.error_code == "no-assertion"
    assert entra.count() == 0


def test_an_identity_that_the_machine_lost_says_so(made, entra, machine):
    machine.loses_identity()
    with pytest.raises(CredentialUnavailableError, match="no such identity") as caught:
        made(fields_of(entra, machine)).get_token(SCOPE)
    assert IDENTITY.client_id in str(caught.value)
    assert "assign the identity" in str(caught.value)


def test_no_token_of_the_identity_is_in_an_error(made, entra, machine):
    fields = fields_of(entra, machine)
    entra.refuses(700213)
    with pytest.raises(AuthenticationError) as caught:
        made(fields).get_token(SCOPE)
    assert caught.value.aadsts == "AADSTS700213"
    assert "eyJ" not in str(caught.value) + repr(caught.value.failure)


def test_fifty_cold_threads_ask_the_endpoint_once(entra, machine):
    fields = fields_of(entra, machine)
    gate = threading.Barrier(50)
    with credconf.build(fields) as credential:

        def ask(_):
            gate.wait()
            return credential.get_token(SCOPE).token

        with ThreadPoolExecutor(50) as pool:
            assert len(set(pool.map(ask, range(50)))) == 1
    assert (machine.count("token"), entra.count()) == (1, 1)


# The configuration


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"client_id": "a", "object_id": "b"},
        {"client_id": ""},
        {"client_id": " "},
        {"client": "a"},
        "a",
        None,
        ["a"],
    ],
)
def test_it_names_exactly_one_id(value):
    raw = {"managed_identity": value}
    assert reference_in(raw) is None
    (problem,) = validate({"tenant_id": "t", "client_id": "c", "client_assertion": raw}).problems
    assert (problem.code, problem.path) == ("bad-reference", "client_assertion.managed_identity")
    assert problem.hint == "write {managed_identity: {client_id: ID}}"


def test_it_is_no_secret_and_no_text():
    for field in ("client_secret", "client_id"):
        fields = {"tenant_id": "t", "client_id": "c", "client_secret": "s"}
        result = validate({**fields, field: {"managed_identity": {"client_id": "a"}}})
        assert [problem.code for problem in result.problems] == ["bad-reference"]


def test_a_raw_reference_and_a_validated_one_are_the_same():
    reference = reference_in({"managed_identity": {"client_id": " a "}})
    assert isinstance(reference, ManagedIdentityReference)
    assert (reference.name, reference.label) == ("a", "the managed identity with client_id a")
    settings = validate({"tenant_id": "t", "client_id": "c", "client_assertion": reference})
    assert settings.client_assertion == reference


def test_without_a_way_to_send_requests_it_has_no_value():
    reference = reference_in({"managed_identity": {"client_id": "a"}})
    found = Reader({}).text(reference)
    assert isinstance(found, NotFound)
    assert "was not asked" in found.message
