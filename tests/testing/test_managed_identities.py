"""The endpoints of managed identities, asked with plain HTTP."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import jwt
import pytest
import requests
from azure.identity import ManagedIdentityCredential

from credconf.testing import FakeAppService, FakeArc, FakeImds, ManagedIdentity

VAULT = "https://vault.azure.net"
ONE, OTHER = ManagedIdentity(), ManagedIdentity()
VERSIONS = {FakeImds: "2018-02-01", FakeAppService: "2019-08-01", FakeArc: "2020-06-01"}
RESOURCE_ID = {FakeImds: "msi_res_id", FakeAppService: "mi_res_id", FakeArc: "msi_res_id"}
FAKES = list(VERSIONS)


def ask(fake, *, headers=None, session=requests, **changes):
    """Ask for a token, without the second request of Arc."""
    usual = {"api-version": VERSIONS[type(fake)], "resource": VAULT}
    sent = {"Metadata": "true"} if headers is None else headers
    if isinstance(fake, FakeAppService) and headers is None:
        sent = {"X-IDENTITY-HEADER": fake.header}
    query = {name.replace("api_version", "api-version"): value for name, value in {**usual, **changes}.items()}
    return session.get(fake.endpoint, params=query, headers=sent, timeout=20, allow_redirects=False)


def fetch(fake, **changes):
    """Ask for a token, with the second request of Arc."""
    answer = ask(fake, **changes)
    if not isinstance(fake, FakeArc) or answer.status_code != 401:
        return answer
    key = Path(answer.headers["WWW-Authenticate"].removeprefix("Basic realm=")).read_text()
    return ask(fake, headers={"Metadata": "true", "Authorization": f"Basic {key}"}, **changes)


def claims_of(answer):
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


@pytest.fixture(params=FAKES, ids=lambda fake: fake.__name__)
def fake(request):
    with request.param(user_assigned=[ONE, OTHER]) as fake:
        yield fake


def test_the_answer_of_imds_has_numbers_as_text(clock):
    with FakeImds(clock=clock) as imds:
        answer = ask(imds).json()
    token = answer.pop("access_token")
    assert jwt.decode(token, options={"verify_signature": False})["exp"] == int(clock()) + 86_400
    assert answer == {
        "client_id": imds.system.client_id,
        "expires_in": "86400",
        "expires_on": str(int(clock()) + 86_400),
        "ext_expires_in": "86400",
        "not_before": str(int(clock())),
        "resource": VAULT,
        "token_type": "Bearer",
    }


def test_the_answer_of_app_service_has_only_the_time_of_expiry(clock):
    with FakeAppService(clock=clock) as app_service:
        answer = ask(app_service).json()
    assert answer.keys() == {"access_token", "client_id", "expires_on", "resource", "token_type"}
    assert answer["expires_on"] == str(int(clock()) + 86_400)


def test_the_agent_of_arc_challenges_first():
    with FakeArc() as arc:
        challenge = ask(arc)
        assert challenge.status_code == 401
        path = Path(challenge.headers["WWW-Authenticate"].removeprefix("Basic realm="))
        assert (path.parent, path.suffix, len(path.read_text())) == (arc.keys, ".key", 64)
        assert path.stat().st_mode & 0o777 == 0o600
        wrong = ask(arc, headers={"Metadata": "true", "Authorization": "Basic guess"})
        assert wrong.status_code == 401
        assert fetch(arc).ok
        assert [request.kind for request in arc.requests] == ["challenge", "token", "challenge", "token"]
        assert arc.count() == arc.count("challenge") == 2
    assert not path.exists()


def test_the_folder_of_the_keys_can_be_chosen(tmp_path):
    with FakeArc(keys=tmp_path / "tokens") as arc:
        ask(arc)
        assert len(list((tmp_path / "tokens").glob("*.key"))) == 1
        assert arc.keys == tmp_path / "tokens"
    assert list((tmp_path / "tokens").iterdir()) == []


def test_an_identity_is_chosen_by_each_of_its_ids(fake):
    for identity in (ONE, OTHER):
        values = (identity.client_id, identity.object_id, identity.resource_id)
        for name, value in zip(("client_id", "object_id", RESOURCE_ID[type(fake)]), values, strict=True):
            claims = claims_of(fetch(fake, **{name: value.upper()}))
            assert (claims["appid"], claims["oid"]) == (identity.client_id, identity.object_id)
            assert claims["xms_mirid"] == identity.resource_id
    assert claims_of(fetch(fake))["oid"] == fake.system.object_id
    assert {request.client_id for request in fake.requests} >= {ONE.client_id.upper(), None}


def test_a_token_is_a_jwt_for_the_resource(fake):
    claims = claims_of(fetch(fake))
    assert (claims["aud"], claims["tid"]) == (VAULT, fake.tenant_id)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"api_version": None}, "api-version"),
        ({"api_version": "2017-09-01"}, "api-version"),
        ({"resource": None}, "resource"),
        ({"resource": "https://vault.azure.net/.default"}, "resource"),
        ({"client_id": ONE.client_id, "object_id": ONE.object_id}, "Only one"),
        ({"client_id": "stranger"}, "found"),
    ],
)
def test_a_wrong_request_is_refused(fake, changes, part):
    answer = fetch(fake, **changes)
    assert answer.status_code == 400
    body = answer.json()
    assert part in (body["message"] if isinstance(fake, FakeAppService) else body["error_description"])


@pytest.mark.parametrize("fake_type", [FakeImds, FakeArc])
def test_the_header_against_forged_requests_is_required(fake_type):
    with fake_type() as fake:
        assert ask(fake, headers={}).json()["error"] == "bad_request_102"
        assert ask(fake, headers={"Metadata": "false"}).status_code == 400


def test_imds_refuses_a_forwarded_request():
    with FakeImds() as imds:
        assert ask(imds, headers={"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}).status_code == 400


def test_a_path_and_a_method_that_do_not_exist(fake):
    assert requests.get(f"http://{fake.host}/", timeout=20).status_code == 404
    url = f"{fake.endpoint}?api-version={VERSIONS[type(fake)]}&resource=x"
    headers = {"Metadata": "true", "X-IDENTITY-HEADER": getattr(fake, "header", "")}
    assert requests.post(url, headers=headers, timeout=20).status_code == 405


def test_imds_without_an_own_identity_takes_the_only_other_one():
    with FakeImds(system=False, user_assigned=[ONE]) as imds:
        assert claims_of(ask(imds))["oid"] == ONE.object_id
    with FakeImds(system=False, user_assigned=[ONE, OTHER]) as imds:
        assert "Multiple" in ask(imds).json()["error_description"]
    with FakeImds(system=False) as imds:
        assert ask(imds).json() == {"error": "invalid_request", "error_description": "Identity not found"}
    with FakeAppService(system=False, user_assigned=[ONE]) as app_service:
        assert ask(app_service).json()["message"] == "Unable to load the proper Managed Identity."
    assert FakeImds(system=ONE).system is ONE


def test_a_new_agent_of_arc_confirms_the_identity_and_an_old_one_ignores_it():
    with FakeArc(user_assigned=[ONE]) as arc:
        confirmed = fetch(arc, client_id=ONE.client_id).json()
        assert (confirmed["client_id"], confirmed["object_id"]) == (ONE.client_id, ONE.object_id)
        assert confirmed["msi_res_id"] == ONE.resource_id
        assert "client_id" not in fetch(arc).json()
        arc.ignores_ids = True
        ignored = fetch(arc, client_id=ONE.client_id)
        assert claims_of(ignored)["oid"] == arc.system.object_id
        assert "client_id" not in ignored.json()
    assert FakeArc(ignores_ids=True).ignores_ids


@pytest.mark.parametrize(
    "audience", ["api://AzureADTokenExchange", "api://AzureADTokenExchangeUSGov", "api://AzureADTokenExchangeChina"]
)
def test_an_assertion_of_an_identity_convinces_the_fake_entra(fake, entra, session, audience):
    app = entra.register(federated=[fake.federation(OTHER, audience)])
    answer = fetch(fake, client_id=OTHER.client_id, resource=audience)
    claims = claims_of(answer)
    assert claims["iss"] == f"https://login.microsoftonline.com/{fake.tenant_id}/v2.0"
    assert (claims["sub"], claims["aud"]) == (OTHER.object_id, audience)
    form = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "scope": f"{VAULT}/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": answer.json()["access_token"],
    }
    url = f"{entra.authority}/{entra.tenant_id}/oauth2/v2.0/token"
    assert session.post(url, data=form, timeout=20).ok


def test_the_federation_is_of_the_first_identity(fake):
    assert fake.federation().subject == ONE.object_id
    with type(fake)() as alone:
        assert alone.federation().subject == alone.system.object_id
    with pytest.raises(LookupError, match="identity"):
        type(fake)(system=False).federation()


def test_fields_of_the_answer_can_be_changed(fake):
    fake.tokens(60, expires_on="soon", token_type=None, refresh_in="30")
    answer = fetch(fake).json()
    assert (answer["expires_on"], answer["refresh_in"]) == ("soon", "30")
    assert "token_type" not in answer


def test_another_identity_answers(fake):
    fake.answers_for(OTHER.client_id, times=1)
    fake.answers_for("stranger", times=1)
    for client_id in (OTHER.client_id, "stranger"):
        answer = fetch(fake, client_id=ONE.client_id)
        assert claims_of(answer)["appid"] == answer.json()["client_id"] == client_id
    assert claims_of(fetch(fake, client_id=ONE.client_id))["oid"] == ONE.object_id


def test_an_identity_is_lost(fake):
    fake.loses_identity(times=1)
    answer = fetch(fake)
    assert answer.status_code == 400
    assert "found" in answer.text
    assert fetch(fake).ok


def test_a_machine_fails_in_every_way(fake):
    fake.throttles(retry_after=3, times=1)
    fake.is_unavailable(times=1)
    fake.answers(404, times=1)
    fake.answers(500, "<html>", "text/html", times=1)
    fake.redirects("http://127.0.0.1:1/", times=1)
    answers = [fetch(fake) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [429, 503, 404, 500, 302, 200]
    assert answers[0].headers["Retry-After"] == "3"
    assert answers[0].json()
    fake.drops_connections(times=1)
    with pytest.raises(requests.ConnectionError):
        fetch(fake)
    fake.goes_down()
    with pytest.raises(requests.ConnectionError, match="refused"):
        fetch(fake)
    fake.recovers()
    assert fetch(fake).ok


def test_a_machine_that_starts_slowly_answers_after_the_event(fake):
    ready = threading.Event()
    fake.hangs(until=ready, times=1)
    with pytest.raises(requests.ReadTimeout):
        fetch_with_timeout(fake, 0.2)
    ready.set()
    fake.hangs(until=ready)
    assert fetch(fake).ok


def fetch_with_timeout(fake, timeout):
    headers = {"Metadata": "true", "X-IDENTITY-HEADER": getattr(fake, "header", ""), "Authorization": "Basic x"}
    query = {"api-version": VERSIONS[type(fake)], "resource": VAULT}
    return requests.get(fake.endpoint, params=query, headers=headers, timeout=timeout)


def test_a_fake_stops_while_a_request_hangs():
    before = set(threading.enumerate())
    with FakeImds() as imds:
        imds.hangs(until=threading.Event())
        with pytest.raises(requests.ReadTimeout):
            fetch_with_timeout(imds, 0.1)
    assert {thread for thread in threading.enumerate() if thread.name == "fake-entra"} <= before


def test_imds_is_unreachable_through_docker_desktop_or_updating():
    with FakeImds() as imds:
        imds.is_unreachable(times=1)
        imds.is_updating(times=1)
        outside, updating = ask(imds), ask(imds)
        assert (outside.status_code, updating.status_code) == (403, 410)
        assert "unreachable" in outside.text


def test_the_header_of_app_service_rotates():
    with FakeAppService() as app_service:
        old = app_service.environ()["IDENTITY_HEADER"]
        new = app_service.rotate_header()
        assert new == app_service.environ()["IDENTITY_HEADER"] != old
        refused = ask(app_service, headers={"X-IDENTITY-HEADER": old})
        assert (refused.status_code, refused.json()["statusCode"]) == (401, 401)
        assert ask(app_service, headers={}).status_code == 401
        assert ask(app_service).ok


def test_arc_names_bad_keys():
    with FakeArc() as arc:
        arc.misplaces_key(times=1)
        arc.misnames_key(times=1)
        arc.writes_large_key(times=1)
        arc.sends_no_challenge(times=1)
        outside, misnamed, large, none = (ask(arc) for _ in range(4))
        paths = [Path(each.headers["WWW-Authenticate"].partition("=")[2]) for each in (outside, misnamed, large)]
        assert [path.parent == arc.keys for path in paths] == [False, True, True]
        assert [path.suffix for path in paths] == [".key", ".txt", ".key"]
        assert paths[2].stat().st_size == 5000
        assert (none.status_code, "WWW-Authenticate" in none.headers) == (401, False)
        arc.throttles(times=1, on="challenge")
        assert ask(arc).status_code == 429
        assert fetch(arc).ok


def test_the_variables_of_each_machine(monkeypatch):
    with FakeImds() as imds, FakeAppService() as app_service, FakeArc() as arc:
        assert imds.environ() == {"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://{imds.host}"}
        endpoint = f"http://{app_service.host}/msi/token"
        assert app_service.environ() == {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": app_service.header}
        assert arc.environ() == {"IDENTITY_ENDPOINT": arc.endpoint, "IMDS_ENDPOINT": f"http://{arc.host}"}
        for fake in (app_service, arc, imds):
            fake.apply(monkeypatch)
            set_now = {name for name in os.environ if name.startswith(("IDENTITY_", "IMDS_", "MSI_", "AZURE_POD"))}
            assert set_now == set(fake.environ())


def test_a_fake_opens_nothing_before_it_is_started():
    for fake in (FakeImds(), FakeAppService(), FakeArc()):
        assert "not started" in repr(fake)
        with pytest.raises(RuntimeError, match="start"):
            fake.environ()
        fake.recovers()
        fake.stop()


def test_nothing_shows_a_secret(fake):
    answer = fetch(fake)
    requests_sent = fake.requests
    shown = repr([fake, fake._service, fake._exchange, requests_sent])
    secrets = [answer.json()["access_token"], getattr(fake, "header", None)]
    secrets += [request.headers.get("authorization", "").partition(" ")[2] for request in requests_sent]
    for secret in filter(None, secrets):
        assert secret not in shown


@pytest.mark.parametrize("fake_type", [FakeImds, FakeAppService])
def test_azure_identity_gets_a_token(fake_type, monkeypatch):
    with fake_type(user_assigned=[ONE]) as fake:
        fake.apply(monkeypatch)
        with ManagedIdentityCredential(client_id=ONE.client_id) as credential:
            token = credential.get_token(f"{VAULT}/.default").token
        assert jwt.decode(token, options={"verify_signature": False})["appid"] == ONE.client_id
        assert fake.count() == 1


def test_an_identity_is_a_frozen_record():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ONE.client_id = "x"
    assert len({ONE.client_id, ONE.object_id, ONE.resource_id, OTHER.client_id}) == 4
