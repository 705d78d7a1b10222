"""A connection that is opened while MSAL is imported."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

import credconf
from credconf.entra.http import TransportFailure
from tests.entra.servers import Listener, Proxy, relay
from tests.examples.running import EXAMPLES, Place

SCOPE = "https://storage.azure.com/.default"
# The import of MSAL waits until the server has accepted a connection.
PROGRAM = """
import json, os, sys, time
import credconf

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "msal":
            latest = time.monotonic() + 30
            while not os.path.exists("accepted") and time.monotonic() < latest:
                time.sleep(0.01)
            print(os.path.exists("accepted"))

sys.meta_path.insert(0, Finder())
with open("fields.json") as file, credconf.build(json.load(file)) as credential:
    credential.get_token("https://storage.azure.com/.default")
"""


class Relay(Listener):
    """It leads to another port, and leaves a file when a connection is accepted."""

    def __init__(self, port, accepted):
        self._target, self._accepted = port, accepted
        super().__init__()

    def serve(self, sock):
        self._accepted.touch()
        with socket.create_connection(("127.0.0.1", self._target)) as upstream:
            self._open.append(upstream)
            relay(sock, upstream)


class Silent(Listener):
    """It accepts connections and never answers."""

    def serve(self, sock):
        self.pause(60)


def settled(condition):
    latest = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < latest
        time.sleep(0.01)


def test_the_next_request_takes_it(server, transport):
    client = transport()
    client.open_early(server.url)
    assert client.get(server.url).status_code == 200
    assert client.get(server.url).status_code == 200
    assert server.connections == 1


def test_it_is_begun_once_by_several_threads(server, transport):
    client = transport()
    for _ in range(3):
        client.open_early(server.url)
    assert client.get(server.url).status_code == 200
    assert server.connections == 1


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1/x", "https://no-such-host.invalid/x", "https://a..b/x", "ftp://a/x"]
)
def test_a_failure_is_the_requests_own(transport, url):
    failures = []
    for early in (False, True):
        client = transport(retries=0)
        if early:
            client.open_early(url)
        with pytest.raises(TransportFailure) as caught:
            client.get(url)
        failures.append((caught.value.reason, caught.value.message, caught.value.attempts))
    assert failures[0] == failures[1]


def test_certificates_that_can_not_be_read_are_the_requests_own_failure(server, transport, tmp_path):
    client = transport(verify=str(tmp_path / "no-such-bundle"))
    client.open_early(server.url)
    with pytest.raises(TransportFailure, match="ca_bundle"):
        client.get(server.url)


def test_a_server_that_does_not_answer_costs_one_time_out(start, transport):
    silent = start(Silent())
    client = transport(retries=0, connect_timeout=0.2, read_timeout=0.2)
    client.open_early(f"https://127.0.0.1:{silent.port}/x")
    with pytest.raises(TransportFailure) as caught:
        client.get(f"https://127.0.0.1:{silent.port}/x")
    assert caught.value.reason == "timeout"
    assert silent.connections == 1


def test_a_closed_client_leaves_no_connection(start, transport):
    silent = start(Silent())
    client = transport(connect_timeout=0.2)
    client.open_early(f"https://127.0.0.1:{silent.port}/x")
    client.close()
    settled(lambda: "credconf-connect" not in {thread.name for thread in threading.enumerate()})
    client.open_early(f"https://127.0.0.1:{silent.port}/x")  # nothing
    assert silent.connections <= 1


def test_there_is_none_through_a_proxy(server, start, transport):
    proxy = start(Proxy())
    client = transport(proxy=f"http://127.0.0.1:{proxy.port}")
    client.open_early(server.url)
    assert proxy.connections == server.connections == 0
    assert client.get(server.url).status_code == 200


def test_the_first_token_connects_before_msal_is_imported(fake_entra, start, tmp_path):
    server = start(Relay(fake_entra.port, tmp_path / "accepted"))
    fields = {**fake_entra.config(), "authority": f"https://127.0.0.1:{server.port}"}
    (tmp_path / "fields.json").write_text(json.dumps(fields), encoding="utf-8")
    ran = Place(tmp_path).run("-c", PROGRAM, environ={"PYTHONPATH": str(EXAMPLES.parent)})
    assert (ran.out, ran.code) == ("True\n", 0), ran.text
    assert server.connections == 1
    assert fake_entra.count() == 1


def test_nothing_is_connected_to_an_authority_before_microsoft_vouches_for_it(start, monkeypatch):
    silent = start(Silent())
    nowhere = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))
    asked = []
    fields = {
        "tenant_id": "contoso.onmicrosoft.com",
        "client_id": "11111111-1111-1111-1111-111111111111",
        "client_secret": "made-up",
        "authority": f"https://127.0.0.1:{silent.port}",
        "http": {"retries": 0},
    }
    with monkeypatch.context() as patch, credconf.build(fields) as credential:
        patch.setattr(socket, "getaddrinfo", lambda host, *_, **__: asked.append(host) or [nowhere])
        with pytest.raises(credconf.AuthenticationError):
            credential.get_token(SCOPE)
    assert asked == ["login.microsoftonline.com"]
    assert silent.connections == 0
