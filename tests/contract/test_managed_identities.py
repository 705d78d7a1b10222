"""Managed identities end to end: our own transport, and fakes of the endpoints over plain HTTP."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import credconf
from credconf.errors import AuthenticationError, CredentialUnavailableError
from credconf.references import identity_endpoints
from credconf.testing import FakeAppService, FakeArc, FakeImds, ManagedIdentity
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, engine_of
from tests.references.endpoints import only

IDENTITY = ManagedIdentity()
FIELDS = {"kind": "managed_identity"}


@pytest.fixture(params=[FakeImds, FakeAppService, FakeArc], ids=lambda fake: fake.__name__)
def machine(request, monkeypatch, tmp_path):
    yield from started(request.param, monkeypatch, tmp_path)


@pytest.fixture
def imds(monkeypatch, tmp_path):
    yield from started(FakeImds, monkeypatch, tmp_path)


def started(fake_of, monkeypatch, tmp_path):
    monkeypatch.setattr(identity_endpoints, "ARC_AGENT", str(tmp_path / "himds"))
    with fake_of(user_assigned=[IDENTITY]) as fake:
        if isinstance(fake, FakeArc):
            monkeypatch.setattr(identity_endpoints, "ARC_KEYS", str(fake.keys))
        only(monkeypatch, fake.environ())
        yield fake


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def made(request):
    drivens = []

    def make(**changes):
        clocks = {name: changes.pop(name) for name in ("sleep", "clock") if name in changes}
        drivens.append(request.param.on(engine_of({**FIELDS, **changes}, **clocks)))
        return drivens[-1]

    yield make
    for driven in drivens:
        driven.close()


class Waits(list):
    """Instead of waiting."""

    def __call__(self, seconds):
        self.append(seconds)


@pytest.mark.parametrize("ids", [{}, {"client_id": IDENTITY.client_id}, {"object_id": IDENTITY.object_id}, "resource"])
def test_each_endpoint_gives_the_token_of_each_identity(made, machine, ids):
    ids = {"resource_id": IDENTITY.resource_id} if ids == "resource" else ids
    credential = made(**ids)
    info = credential.get_token_info(SCOPE)
    assert info.token
    assert info.token_type == "Bearer"
    assert info.expires_on == pytest.approx(time.time() + 86_400, abs=30)
    assert credential.get_token(SCOPE).token == info.token
    assert machine.count() == 1
    credential.get_token(OTHER_SCOPE)
    assert [request.query["resource"] for request in machine.requests if request.kind == "token"] == [
        "https://storage.azure.com",
        "https://vault.azure.net",
    ]


def test_fifty_cold_threads_make_one_request(machine):
    gate = threading.Barrier(50)
    with credconf.build(FIELDS) as credential:

        def ask(_):
            gate.wait()
            return credential.get_token(SCOPE).token

        with ThreadPoolExecutor(50) as pool:
            assert len(set(pool.map(ask, range(50)))) == 1
    assert machine.count() == 1
    assert machine.count("challenge") == isinstance(machine, FakeArc)


@pytest.mark.parametrize("fault", ["starts slowly", "404", "410", "429", "500", "drops"])
def test_imds_may_need_a_while(made, imds, fault):
    never, waits = threading.Event(), Waits()
    faults = {
        "starts slowly": lambda: imds.hangs(never, times=1),
        "404": lambda: imds.answers(404, times=2),
        "410": lambda: imds.is_updating(times=2),
        "429": lambda: imds.throttles(retry_after=7, times=1),
        "500": lambda: imds.answers(500, times=2),
        "drops": lambda: imds.drops_connections(times=1),
    }
    faults[fault]()
    assert made(sleep=waits, http={"timeout": 0.5}).get_token(SCOPE).token
    assert waits == {"429": [7], "starts slowly": [2], "drops": [2]}.get(fault, [2, 4])
    never.set()


@pytest.mark.parametrize("times", [1, 2])
def test_a_valid_token_survives_an_outage_of_the_endpoint(made, machine, times):
    credential = made(sleep=Waits())
    token = credential.get_token(SCOPE).token
    machine.goes_down()
    for _ in range(times):
        with pytest.raises(AuthenticationError):
            credential.verify(SCOPE)
    assert credential.get_token(SCOPE).token == token


def test_an_endpoint_that_is_down_is_asked_once(made, machine):
    machine.goes_down()
    waits = Waits()
    with pytest.raises(CredentialUnavailableError, match="refused the connection"):
        made(sleep=waits).get_token(SCOPE)
    assert waits == []


def test_the_token_of_another_identity_is_refused(made, machine):
    machine.answers_for(ManagedIdentity().client_id)
    with pytest.raises(AuthenticationError) as caught:
        made(client_id=IDENTITY.client_id).get_token(SCOPE)
    assert caught.value.error_code == "another_identity"


def test_an_old_agent_of_arc_that_ignores_ids_is_not_believed(made, monkeypatch, tmp_path):
    for arc in started(FakeArc, monkeypatch, tmp_path):
        arc.ignores_ids = True
        assert made().get_token(SCOPE).token
        with pytest.raises(AuthenticationError, match="does not identify the owner"):
            made(client_id=IDENTITY.client_id).get_token(SCOPE)


@pytest.mark.parametrize("fault", ["misplaces_key", "misnames_key", "writes_large_key", "sends_no_challenge"])
def test_an_impostor_of_arc_gets_no_key(made, monkeypatch, tmp_path, fault):
    for arc in started(FakeArc, monkeypatch, tmp_path):
        getattr(arc, fault)()
        with pytest.raises(AuthenticationError):
            made().get_token(SCOPE)
        assert [request.kind for request in arc.requests] == ["challenge"]


def test_a_lost_identity_is_told_as_such(made, machine):
    machine.loses_identity()
    with pytest.raises(CredentialUnavailableError, match=r"no such identity \(HTTP 400\)"):
        made(client_id=IDENTITY.client_id).get_token(SCOPE)


def test_a_rotated_header_takes_effect_without_a_restart(made, monkeypatch, tmp_path):
    for app in started(FakeAppService, monkeypatch, tmp_path):
        credential = made()
        credential.get_token(SCOPE)
        old, new = app.header, app.rotate_header()
        with pytest.raises(AuthenticationError, match="HTTP 401") as caught:
            credential.verify(SCOPE)
        assert old not in str(caught.value)
        monkeypatch.setenv("IDENTITY_HEADER", new)
        assert credential.verify(SCOPE).token


def test_a_page_of_another_program_is_no_token(made, machine):
    on = "challenge" if isinstance(machine, FakeArc) else "token"
    machine.answers(200, "<html>Sign in</html>", "text/html", on=on)
    with pytest.raises(AuthenticationError) as caught:
        made().get_token(SCOPE)
    assert caught.value.error_code == "malformed"


class Recorder(BaseHTTPRequestHandler):
    """Another server: a proxy, or the target of a redirect."""

    def do_GET(self):
        self.server.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        body = b'{"access_token": "stolen", "expires_in": "86400"}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def stranger():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_no_proxy_is_ever_asked(made, machine, stranger, monkeypatch):
    proxy = f"http://127.0.0.1:{stranger.server_port}"
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    assert made().get_token(SCOPE).token != "stolen"
    assert made(http={"proxy": proxy}).verify(SCOPE).token != "stolen"
    assert stranger.seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(made, machine, stranger, status):
    for on in ("challenge", "token") if isinstance(machine, FakeArc) else ("token",):
        machine.recovers()
        machine.redirects(f"http://127.0.0.1:{stranger.server_port}/", status=status, on=on)
        with pytest.raises(AuthenticationError) as caught:
            made().get_token(SCOPE)
        assert caught.value.error_code == "redirect"
    assert stranger.seen == []


def test_no_secret_is_in_the_log(made, machine, caplog):
    caplog.set_level(logging.DEBUG)
    token = made().get_token(SCOPE).token
    headers = [request.headers for request in machine.requests]
    secrets = [held[name] for held in headers for name in ("x-identity-header", "authorization") if name in held]
    assert bool(secrets) != isinstance(machine, FakeImds)
    assert not [secret for secret in (token, *secrets) if secret in caplog.text]
