"""`total_timeout` limits every step to a server, however slowly each side responds.

The other time-outs are half a minute here, and no server is silent for so long: only the deadline can end a request.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from credconf.entra.http import TransportFailure
from tests.entra.servers import Dripping, Proxy, Server, SocksProxy, TLSProxy, read_head

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

CANARY = "canary~secret+1"
RECORD = b"\x16\x03\x03\x3f\xff\x02\0\x3f\xfb"  # the head of a record of TLS, and of a ServerHello, of 16 KiB
ESTABLISHED = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture
def patient(transport):
    """A transport with a deadline, and time-outs that are much longer."""
    return lambda **options: transport(retries=0, total_timeout=1.0, connect_timeout=30, read_timeout=30, **options)


def failure_of(client, url):
    with pytest.raises(TransportFailure) as caught:
        client.post(url, data={"client_secret": CANARY})
    assert CANARY not in f"{caught.value!r} {caught.value}"
    assert "hunter2" not in str(caught.value)
    return caught.value


def ended_by_the_deadline(server, failure, reason):
    assert server.reached
    assert not server.exhausted
    assert failure.reason == reason
    assert failure.retryable
    return "no answer in time" in str(failure) or "did not answer within" in str(failure)


def plainly(sock):
    return sock


def after_bytes(*sizes: int, answers: tuple[bytes, ...] = ()) -> Callable[[socket.socket], socket.socket]:
    """Read some bytes, respond, and repeat."""

    def script(sock):
        for size, response in zip(sizes, (*answers, b""), strict=False):
            received = b""
            while len(received) < size:
                received += sock.recv(size - len(received))
            sock.sendall(response)
        return sock

    return script


def after_a_head(sock):
    read_head(sock)
    return sock


SOCKS = {
    "4: reply": ("socks4", after_bytes(9), b"\0\x5a", b""),
    "4a: reply": ("socks4a", after_bytes(9), b"\0\x5a", b""),
    "5: choice of a method": ("socks5h", after_bytes(3), b"\5", b""),
    "5: login": ("socks5h://user:hunter2@", after_bytes(4, 14, answers=(b"\5\2",)), b"\1", b""),
    "5: reply": ("socks5h", after_bytes(3, 10, answers=(b"\5\0",)), b"\5\0\0\3\xff", b"x"),
    "5: TLS": ("socks5h", after_bytes(3, 10, answers=(b"\5\0", b"\5\0\0\1\0\0\0\0\0\0")), RECORD, b"x"),
}


@pytest.mark.parametrize("step", SOCKS)
def test_a_socks_proxy_that_drips(start, patient, step):
    scheme, script, first, drop = SOCKS[step]
    proxy = start(Dripping(script, first, drop))
    url = f"{scheme}127.0.0.1:{proxy.port}" if "@" in scheme else f"{scheme}://127.0.0.1:{proxy.port}"
    failure = failure_of(patient(proxy=url), "https://127.0.0.1:9/token")
    assert ended_by_the_deadline(proxy, failure, "timeout" if step.endswith("TLS") else "proxy")


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nVia: "], ids=["silence", "status", "head"]
)
def test_an_http_proxy_that_drips(start, patient, first):
    proxy = start(Dripping(after_a_head, first, b"x" if first else b""))
    failure = failure_of(patient(proxy=f"http://user:hunter2@127.0.0.1:{proxy.port}"), "https://localhost:9/token")
    assert ended_by_the_deadline(proxy, failure, "proxy")


def test_a_handshake_that_drips(start, patient):
    server = start(Dripping(plainly, RECORD))
    assert ended_by_the_deadline(server, failure_of(patient(), f"https://localhost:{server.port}/token"), "timeout")


@pytest.fixture
def behind_tls(ca):
    """A script that speaks TLS first, and goes on with another script inside it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)

    def inside(script):
        return lambda sock: script(context.wrap_socket(sock, server_side=True))

    return inside


def test_the_handshake_of_an_https_proxy_that_drips(start, patient):
    proxy = start(Dripping(plainly, RECORD))
    failure = failure_of(patient(proxy=f"https://user:hunter2@localhost:{proxy.port}"), "https://localhost:9/token")
    assert ended_by_the_deadline(proxy, failure, "proxy")


@pytest.mark.parametrize("first", [b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nVia: "], ids=["status", "headers"])
def test_an_https_proxy_that_drips(start, patient, behind_tls, first):
    proxy = start(Dripping(behind_tls(after_a_head), first))
    failure = failure_of(patient(proxy=f"https://user:hunter2@localhost:{proxy.port}"), "https://localhost:9/token")
    assert ended_by_the_deadline(proxy, failure, "proxy")


def test_the_handshake_of_tls_in_tls_that_drips(start, patient, behind_tls):
    def connect(sock):
        after_a_head(sock).sendall(ESTABLISHED)
        return sock

    proxy = start(Dripping(behind_tls(connect), RECORD))
    failure = failure_of(patient(proxy=f"https://localhost:{proxy.port}"), "https://localhost:9/token")
    assert ended_by_the_deadline(proxy, failure, "timeout")


HEADS = {
    "status": b"HTTP/1.1 ",
    "headers": b"HTTP/1.1 200 OK\r\nx-drip: ",
    "body": b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n270f\r\n",
}
WAYS = ["direct", "http", "https", "socks4", "socks4a", "socks5", "socks5h"]


@pytest.fixture
def way(request, ca, start):
    """The URL of a working proxy."""
    if request.param == "direct":
        return None
    if request.param.startswith("socks"):
        return f"{request.param}://127.0.0.1:{start(SocksProxy()).port}"
    proxy = start(TLSProxy(ca) if request.param == "https" else Proxy())
    return f"{request.param}://localhost:{proxy.port}"


@pytest.mark.parametrize("way", WAYS, indirect=True)
@pytest.mark.parametrize("head", HEADS)
def test_a_server_that_drips(start, patient, behind_tls, way, head):
    server = start(Dripping(behind_tls(after_a_head), HEADS[head]))
    failure = failure_of(patient(proxy=way), f"https://localhost:{server.port}/token")
    assert ended_by_the_deadline(server, failure, "timeout")


@pytest.mark.parametrize("way", WAYS, indirect=True)
def test_every_proxy_reaches_the_server_and_its_connection_is_reused(ca, start, transport, way):
    server = start(Server(ca))
    client = transport(proxy=way)
    assert [client.post(server.url, data={"a": "b"}).status_code for _ in range(3)] == [200] * 3
    assert server.connections == 1
    assert [seen.body for seen in server.seen] == [b"a=b"] * 3


@pytest.mark.parametrize("way", ["https", "socks5h"], indirect=True)
def test_the_certificate_is_the_servers_behind_any_proxy(ca, start, transport, way):
    server = start(Server(ca, "other.example"))
    assert failure_of(transport(proxy=way, retries=0), server.url).reason == "tls"


def test_socks_5_logs_in(ca, start, transport):
    server = start(Server(ca))
    login = (b"us:er", "p\xe4ss".encode())
    proxy = start(SocksProxy(login))
    client = transport(proxy=f"socks5h://us%3Aer:p%C3%A4ss@127.0.0.1:{proxy.port}")
    assert client.get(server.url).status_code == 200
    assert proxy.logins == [login]
    assert proxy.asked == [("localhost", server.port)]


def test_socks_4_and_5_resolve_the_name_here_and_4a_and_5h_at_the_proxy(ca, start, transport):
    server = start(Server(ca))
    asked = {}
    for scheme in ("socks4", "socks4a", "socks5", "socks5h"):
        proxy = start(SocksProxy())
        transport(proxy=f"{scheme}://127.0.0.1:{proxy.port}").get(server.url)
        asked[scheme] = proxy.asked[0][0]
    assert asked["socks4a"] == asked["socks5h"] == "localhost"
    assert asked["socks4"] == "127.0.0.1"
    assert asked["socks5"] in {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("scheme", "options", "words", "retryable"),
    [
        ("socks5h", {"login": (b"user", b"other")}, "refuses the user name and password", False),
        ("socks5h", {"status": 2}, "its rules do not allow it", False),
        ("socks5h", {"status": 5}, "the connection was refused", True),
        ("socks5h", {"status": 99}, "SOCKS error 99", False),
        ("socks4a", {"status": 0x5B}, "did not connect", True),
    ],
)
def test_the_message_has_the_reason_of_a_socks_proxy(start, transport, scheme, options, words, retryable):
    proxy = start(SocksProxy(**options))
    client = transport(proxy=f"{scheme}://user:hunter2@127.0.0.1:{proxy.port}", retries=0)
    failure = failure_of(client, "https://localhost:9/token")
    assert (failure.reason, failure.retryable) == ("proxy", retryable)
    assert words in str(failure)


@pytest.mark.parametrize("scheme", ["socks4a", "socks5h"])
def test_a_server_that_is_not_a_socks_proxy_has_its_own_message(start, transport, scheme):
    proxy = start(Dripping(after_bytes(3), b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    failure = failure_of(transport(proxy=f"{scheme}://127.0.0.1:{proxy.port}", retries=0), "https://localhost:9/token")
    assert failure.reason == "proxy"
    assert "it is not SOCKS" in str(failure)
