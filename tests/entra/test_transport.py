"""The HTTP client against real servers on 127.0.0.1."""

from __future__ import annotations

import gc
import gzip
import logging
import os
import pickle
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from credconf.entra import connections
from credconf.entra.http import Response, TransportFailure, TransportOptions
from credconf.entra.sockets import secured, tls_context
from credconf.entra.transport import Transport
from tests.entra.servers import Listener, Proxy, Server, answer
from tests.promises.test_clocks_and_processes import in_child

CANARY = "canary~secret+1"
FORM = {"client_id": "me", "client_secret": CANARY, "left_out": None}


@pytest.fixture(autouse=True)
def hostile_environment(monkeypatch, tmp_path):
    """An environment that must have no effect in any test of this module."""
    (tmp_path / ".netrc").write_text("default login someone password netrc-password\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]:
        monkeypatch.setenv(name, str(tmp_path / "no-such-bundle"))
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "http_proxy"]:
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))


def failing(client, url, **kwargs):
    with pytest.raises(TransportFailure) as caught:
        client.post(url, data=dict(FORM), **kwargs)
    return caught.value


# --- requests and answers


def test_a_form_is_posted_and_the_answer_is_read(server, transport):
    server.script.append(answer(200, '{"é": 1}'.encode(), Content_Type="application/json", X_Ms_Thing="1"))
    response = transport().post(server.url, params={"dc": "x y"}, data=dict(FORM), headers={"Accept": "text/x"})
    assert (response.status_code, response.text) == (200, '{"é": 1}')
    assert response.headers["x-ms-thing"] == "1"
    seen = server.seen[0]
    assert seen.line == "POST /tenant/token?dc=x+y HTTP/1.1"
    assert seen.body == b"client_id=me&client_secret=canary~secret%2B1"
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert seen.headers["accept"] == "text/x"
    assert seen.headers["user-agent"].startswith("credconf/")
    assert seen.headers["connection"] == "keep-alive"


def test_nothing_of_the_environment_reaches_a_request(server, transport, tmp_path):
    assert transport().get(server.url).status_code == 200
    assert "authorization" not in server.seen[0].headers
    assert not (tmp_path / "keys").exists()


def test_the_environment_has_no_effect_when_it_is_clean_either(server, transport, monkeypatch):
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]:
        monkeypatch.delenv(name)
    assert transport().get(server.url).status_code == 200


def test_the_environment_cannot_add_an_authority(server, transport, bundle, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    assert failing(transport(verify=True), server.url).reason == "tls"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer(server, transport, status):
    server.script.append(answer(status, b"elsewhere", location=server.url + "/elsewhere"))
    response = transport().post(server.url, data=dict(FORM))
    assert (response.status_code, response.text, len(server.seen)) == (status, "elsewhere", 1)


def test_cookies_are_not_sent_back(server, transport):
    server.script.append(answer(200, b"{}", set_cookie="who=me; Path=/"))
    client = transport()
    client.get(server.url)
    client.get(server.url)
    assert "cookie" not in server.seen[1].headers


def test_a_request_is_one_record_of_tls(server, transport):
    client = transport()
    for _ in range(3):  # on a new connection and on one that is kept
        client.post(server.url, data=dict(FORM))
    assert [seen.reads for seen in server.seen] == [1, 1, 1]


def test_sent_is_called_before_the_response_arrives(server, transport, bundle):
    asked = []
    server.script.append(lambda sock: asked.append("server") or sock.sendall(answer()))
    client = Transport(TransportOptions(verify=bundle), sent=lambda: asked.append("sent"))
    client.get(server.url)
    assert sorted(asked) == ["sent", "server"]
    failing(Transport(TransportOptions(retries=0), sent=lambda: asked.append("unsent")), server.url)
    assert "unsent" not in asked
    client.close()


def test_a_connection_is_kept_and_reused(server, transport):
    client = transport()
    server.script.extend([answer(), answer(204, b""), answer(400), answer(302, location="/x")])
    for _ in range(6):
        client.get(server.url)
    assert (len(server.seen), server.connections) == (6, 1)


def test_threads_share_the_connections(server, transport):
    client = transport()
    with ThreadPoolExecutor(16) as pool:
        assert {each.status_code for each in pool.map(lambda _: client.get(server.url), range(64))} == {200}
    assert server.connections <= 16


def test_an_unrequested_compressed_response_is_read(server, transport):
    server.script.append(answer(200, gzip.compress(b'{"a": 1}'), content_encoding="gzip"))
    assert transport().get(server.url).text == '{"a": 1}'
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_a_body_in_chunks_without_a_length_is_read(server, transport):
    server.script.append(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    assert transport().get(server.url).text == "{}"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", "é".encode()),
        ("text/html; charset=latin-1", b"\xe9"),
        ("text/html; charset=nonsense", "é".encode()),
        ('text/html; CHARSET = "ISO-8859-1"', b"\xe9"),
        ("text/html; charset=windows-1252", b"\xe9"),
        ("text/html; charset=utf-8", "\ufeffé".encode()),
    ],
)
def test_text_is_utf8_without_a_charset(server, transport, content_type, body):
    server.script.append(answer(200, body, content_type=content_type))
    assert transport().get(server.url).text == "é"


@pytest.mark.parametrize(
    "charset", ["rot13", "zip", "base64", "unicode_escape", "idna", "punycode", "raw-unicode-escape", "utf-7"]
)
def test_a_codec_of_pythons_is_not_used_because_a_server_names_it(server, transport, charset):
    server.script.append(answer(200, b"\\u0041+AEE-", content_type=f"text/plain; charset={charset}"))
    assert transport().get(server.url).text == "\\u0041+AEE-"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
STRANGE = {
    "many headers": HEAD + b"a: b\r\n" * 200 + b"\r\n{}",
    "long headers": HEAD + b"a: " + b"x" * 100_000 + b"\r\n\r\n{}",
    "headers without an end": HEAD + b"a: b\r\n" * 20_000,
    "two lengths": HEAD + b"Content-Length: 3\r\n\r\n{}",
    "a length that is no number": b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}",
    "a chunk without a size": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond its size": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a long line of a chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1;" + b"x" * 9000,
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "another version": b"HTTP/2.0 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("name", STRANGE)
def test_an_answer_that_breaks_the_rules_is_a_failure(server, transport, clock, name):
    server.script.append(STRANGE[name])
    failure = failing(transport(clock), server.url)
    assert (failure.reason, failure.attempts) == ("other", 1)
    assert "can't be understood" in failure.message
    assert CANARY not in failure.message


def test_many_small_chunks_are_too_large(server, transport, clock):
    def flood(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(1_000):
            sock.sendall(b"1;aaaaaaaaaaaaaaaaaaaa\r\nx\r\n" * 1_000)

    server.script.append(flood)
    assert failing(transport(clock), server.url).reason == "too-large"


def test_interim_responses_are_skipped(server, transport):
    server.script.append(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer(200, b"[1]")
    )
    assert transport().get(server.url).text == "[1]"


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        HEAD + b"connection: close\r\n\r\n{}",
        HEAD + b"no header\r\n\r\n{}",
        HEAD + b"\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged",
    ],
    ids=["an old version", "close", "a malformed line", "more than an answer"],
)
def test_a_connection_in_an_unknown_state_is_not_reused(server, transport, first):
    client = transport()
    server.script.append(first)
    assert [client.get(server.url).text for _ in range(2)] == ["{}", "{}"]
    assert server.connections == 2


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0"])
def test_a_header_that_would_be_two_is_not_sent(server, transport, value):
    with pytest.raises(TransportFailure, match="can't be written as HTTP"):
        transport().get(server.url, headers={"X-Thing": value})
    assert server.connections == 0


def test_an_answer_does_not_show_its_token():
    response = Response(400, CANARY, {"set-cookie": CANARY})
    assert CANARY not in repr(response)
    with pytest.raises(RuntimeError) as caught:
        response.raise_for_status()
    assert CANARY not in str(caught.value)
    Response(302, "").raise_for_status()


def test_options_do_not_show_the_proxys_password():
    assert "hunter2" not in repr(TransportOptions(proxy="http://user:hunter2@proxy:3128"))


def test_the_connections_are_imported_with_the_first_request_only():
    script = "import sys, credconf.entra.transport; print('ssl' in sys.modules, 'certifi' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.split() == ["False", "False"]


# --- TLS


def test_an_unknown_authority_has_a_remedy(server, transport, clock):
    failure = failing(transport(clock, verify=True), server.url)
    assert (failure.reason, failure.attempts, failure.retryable) == ("tls", 1, False)
    assert f"localhost:{server.port}" in failure.message
    assert "unable to get local issuer certificate" in failure.message
    assert "http.ca_bundle" in failure.message
    assert clock.slept == []


def test_a_certificate_of_another_host_is_refused(ca, start, transport):
    failure = failing(transport(), start(Server(ca, "other.example")).url)
    assert failure.reason == "tls"
    assert "ostname mismatch" in failure.message


def test_an_expired_certificate_is_refused(ca, start, transport):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    failure = failing(transport(), start(Server(ca, certificate=ca.issue_cert("localhost", not_after=yesterday))).url)
    assert failure.reason == "tls"
    assert "certificate has expired" in failure.message


class Plain(Listener):
    """A server without TLS."""

    def serve(self, sock):
        sock.sendall(answer(400))


def test_a_server_without_tls_has_its_own_message(start, transport, clock):
    failure = failing(transport(clock), f"https://localhost:{start(Plain()).port}/x")
    assert (failure.reason, failure.attempts) == ("tls", 1)
    assert "wrong version number" in failure.message


def test_verification_can_be_switched_off_without_a_warning_each_time(ca, start, transport):
    server = start(Server(ca, "other.example"))
    client = transport(verify=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [client.get(server.url).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_bundle_that_cannot_be_used_is_named(server, transport, tmp_path, content):
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_bytes(content)
    failure = failing(transport(verify=str(path)), server.url)
    assert (failure.reason, failure.attempts) == ("tls", 1)
    assert "http.ca_bundle" in failure.message


def test_a_directory_of_authorities_is_a_bundle(server, transport, bundle, tmp_path):
    name = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", bundle], capture_output=True, text=True, check=True
    ).stdout.strip()
    (tmp_path / f"{name}.0").symlink_to(bundle)
    assert transport(verify=str(tmp_path)).get(server.url).status_code == 200


# --- proxies


def test_a_proxy_is_used_with_its_password(server, start, transport):
    proxy = start(Proxy(password="hunter2"))
    client = transport(proxy=f"http://user:hunter2@127.0.0.1:{proxy.port}")
    assert client.post(server.url, data=dict(FORM)).status_code == 200
    assert client.get(server.url).status_code == 200
    assert proxy.asked.targets == [f"localhost:{server.port}"]


def test_no_proxy_goes_direct(server, start, transport):
    proxy = start(Proxy())
    client = transport(proxy=f"127.0.0.1:{proxy.port}", no_proxy="localhost")
    assert client.get(server.url).status_code == 200
    assert proxy.asked.targets == []


def test_the_metadata_service_bypasses_the_proxy(start, transport):
    server, proxy = start(Server(None)), start(Proxy())
    assert transport(proxy=f"http://127.0.0.1:{proxy.port}").get(server.url).status_code == 200
    assert proxy.asked.targets == []


def test_a_proxy_that_requires_a_password_has_its_own_message(server, start, transport, clock):
    proxy = start(Proxy(password="something else"))
    failure = failing(transport(clock, proxy=f"http://user:hunter2@127.0.0.1:{proxy.port}"), server.url)
    assert (failure.reason, failure.attempts, failure.retryable) == ("proxy", 1, False)
    assert "407" in failure.message
    assert f"127.0.0.1:{proxy.port}" in failure.message
    assert "hunter2" not in "".join(reachable(failure))


def test_a_transient_failure_of_a_proxy_is_retried(server, start, transport, clock):
    proxy = start(Proxy(status=503))
    failure = failing(transport(clock, proxy=f"http://127.0.0.1:{proxy.port}"), server.url)
    assert (failure.reason, failure.attempts, len(proxy.asked.targets)) == ("proxy", 4, 4)


def test_an_unreachable_proxy_has_its_own_message(server, transport, clock):
    failure = failing(transport(clock, proxy="http://user:hunter2@127.0.0.1:1"), server.url)
    assert (failure.reason, failure.attempts) == ("proxy", 4)
    assert (
        failure.message
        == f"the proxy 127.0.0.1:1, on the way to localhost:{server.port}, could not be used: Connection refused"
    )
    assert "hunter2" not in "".join(reachable(failure))


@pytest.mark.parametrize(
    "proxy",
    ["http://", "http://user:hunter2@:3128", "nonsense://user:hunter2@proxy:1", "socks5://user:hunter2@proxy:1"],
)
def test_a_proxy_address_that_is_nonsense_is_a_failure(server, transport, clock, proxy):
    failure = failing(transport(clock, proxy=proxy), server.url)
    assert failure.reason == "proxy"
    assert "hunter2" not in "".join(reachable(failure))


def test_a_bad_certificate_behind_a_proxy_is_the_servers(ca, start, transport):
    server, proxy = start(Server(ca, "other.example")), start(Proxy())
    assert failing(transport(proxy=f"http://127.0.0.1:{proxy.port}"), server.url).reason == "tls"


# --- retries


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_transient_failure_is_retried(server, transport, clock, status):
    server.script.extend([answer(status), answer(status)])
    assert transport(clock).post(server.url, data=dict(FORM)).status_code == 200
    assert clock.slept == [0.2, 0.4]
    assert {each.body for each in server.seen} == {b"client_id=me&client_secret=canary~secret%2B1"}


def test_the_last_answer_is_returned_when_the_attempts_are_used_up(server, transport, clock):
    server.script.extend([answer(503, b"%d" % n) for n in range(9)])
    response = transport(clock, retries=2).get(server.url)
    assert (response.status_code, response.text, len(server.seen)) == (503, "2", 3)


def test_a_caller_may_limit_the_attempts(server, transport, clock):
    server.script.append(answer(503))
    assert transport(clock).get(server.url, attempts=1).status_code == 503
    assert clock.slept == []


def test_retry_after_is_honoured(server, transport, clock):
    server.script.append(answer(429, retry_after="7"))
    server.script.append(answer(429, x_ms_retry_after_ms="250"))
    date = format_datetime(datetime.fromtimestamp(1000 + 7.25 + 3, UTC), usegmt=True)
    server.script.append(answer(429, retry_after=date))
    assert transport(clock).get(server.url).status_code == 200
    assert clock.slept == [7, 0.25, pytest.approx(3, abs=0.5)]


def test_a_wait_beyond_the_deadline_is_not_begun(server, transport, clock):
    server.script.append(answer(429, retry_after="120"))
    assert transport(clock).get(server.url).status_code == 429
    assert clock.slept == []


def test_one_deadline_bounds_all_attempts(server, transport, clock):
    server.script.extend([answer(503, retry_after="4")] * 9)
    assert transport(clock, retries=9, total_timeout=10).get(server.url).status_code == 503
    assert clock.slept == [4, 4]


def test_a_deadline_that_has_passed_sends_nothing(server, transport, clock):
    failure = failing(transport(clock), server.url, deadline=clock.now)
    assert (failure.reason, failure.attempts, server.connections) == ("timeout", 0, 0)


def drop(sock):
    """Send nothing, and close the connection."""


def cut(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")


def cut_chunk(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\n{")


def cut_head(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-le")


@pytest.mark.parametrize("fault", [drop, cut, cut_chunk])
def test_a_dropped_connection_is_tried_again(server, transport, clock, fault):
    client = transport(clock)
    server.script.append(fault)
    assert client.get(server.url).status_code == 200
    server.script.extend([fault] * 4)
    failure = failing(client, server.url)
    assert (failure.reason, failure.attempts, failure.retryable) == ("reset", 4, True)
    assert f"localhost:{server.port}" in failure.message


def test_incomplete_headers_are_a_failure(server, transport, clock):
    server.script.append(cut_head)
    assert failing(transport(clock, retries=0), server.url).reason == "reset"


def test_a_refused_connection_is_tried_again(transport, clock):
    failure = failing(transport(clock), "https://127.0.0.1:1/x")
    assert (failure.reason, failure.attempts, str(failure)) == ("refused", 4, "127.0.0.1:1 refused the connection")


def test_an_unknown_name_has_its_own_message(transport, clock):
    failure = failing(transport(clock), "https://credconf.invalid/x")
    assert (failure.reason, failure.attempts) == ("dns", 4)
    assert "credconf.invalid" in failure.message


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 banana\r\n\r\n"])
def test_an_answer_that_is_not_http_is_a_failure(server, transport, clock, garbage):
    server.script.append(garbage)
    assert failing(transport(clock), server.url).reason == "other"


def test_a_broken_url_is_a_failure_without_its_text(transport):
    for url in ["https://user:hunter2@localhost:99999/x", "ftp://user:hunter2@localhost/", "https://user:hunter2@/"]:
        assert "hunter2" not in str(failing(transport(), url))


def test_a_bug_is_not_swallowed(server, transport):
    with pytest.raises(TypeError):
        transport().post(server.url, data=dict(FORM), headers={"X": object()}, timeout="1")


# --- time (real clocks: the bounds are wide)


def quick(transport, **options):
    return transport(**{"retries": 0, "read_timeout": 0.4, "total_timeout": 5.0, **options})


def seconds_to_fail(client, url):
    start = time.monotonic()
    failure = failing(client, url)
    assert failure.reason == "timeout", failure
    assert "did not answer within" in failure.message
    return time.monotonic() - start


def test_silence_ends_with_the_read_timeout(server, transport):
    server.script.append(lambda _: server.pause(30))
    assert 0.3 < seconds_to_fail(quick(transport), server.url) < 3


def test_silence_ends_with_an_earlier_deadline(server, transport):
    server.script.append(lambda _: server.pause(30))
    client = quick(transport, read_timeout=20, total_timeout=0.5)
    assert 0.3 < seconds_to_fail(client, server.url) < 3


def dripping(server, head):
    def drip(sock):
        sock.sendall(head)
        while server.pause(0.1):
            sock.sendall(b"x")

    return drip


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nx-drip: ",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n270f\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;",
    ],
    ids=["status", "headers", "body", "body-without-length", "chunk", "chunk-size"],
)
def test_dripping_bytes_do_not_stretch_the_deadline(server, transport, head):
    server.script.append(dripping(server, head))
    assert 0.5 < seconds_to_fail(quick(transport, total_timeout=0.7), server.url) < 3


def test_a_handshake_that_hangs_is_bounded(transport):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, by the system's backlog, and sends nothing
        client = quick(transport, connect_timeout=20, total_timeout=0.5)
        assert 0.3 < seconds_to_fail(client, f"https://localhost:{silent.getsockname()[1]}/x") < 3


@pytest.fixture
def resolving(monkeypatch):
    """Have every name resolve to these addresses."""

    def resolve(*addresses):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return resolve


def test_many_addresses_that_do_not_answer_do_not_stretch_the_deadline(transport, resolving):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # the queue is full: a further connection is not even refused
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        resolving(*[address] * 9)
        client = transport(connect_timeout=0.3, total_timeout=0.7, retries=0)
        start = time.monotonic()
        failure = failing(client, "https://login.example.com/x")
        for each in waiting:
            each.close()
    assert 0.5 < time.monotonic() - start < 2.5
    assert failure.reason == "timeout"
    assert "could not be reached within" in failure.message


def test_the_next_address_is_used_if_one_refuses(server, transport, resolving):
    resolving(("127.0.0.1", 1), ("127.0.0.1", server.port))
    assert transport().get(server.url).status_code == 200


def test_a_host_without_a_route_has_its_own_message(transport, resolving, clock):
    resolving(("255.255.255.255", 443))
    failure = failing(transport(clock), "https://login.example.com/x")
    assert (failure.reason, failure.attempts) == ("connect", 4)
    assert failure.message.startswith("login.example.com could not be reached: ")


def test_an_invalid_host_name_has_its_own_message(transport):
    assert failing(transport(), f"https://{'a' * 70}.example/x").reason == "dns"


def test_a_proxy_that_drips_is_bounded(server, start, transport):
    proxy = start(Proxy(silent=True))
    client = quick(transport, proxy=f"http://127.0.0.1:{proxy.port}", total_timeout=0.7)
    start_time = time.monotonic()
    assert failing(client, server.url).reason in {"proxy", "timeout"}
    assert time.monotonic() - start_time < 3


def test_a_request_may_have_a_shorter_timeout_of_its_own(server, transport):
    server.script.append(lambda _: server.pause(30))
    start = time.monotonic()
    with pytest.raises(TransportFailure):
        transport(retries=0).get(server.url, timeout=0.3)
    assert time.monotonic() - start < 3


def test_a_timeout_is_retried_within_the_deadline(server, transport):
    server.script.append(lambda _: server.pause(30))
    assert transport(read_timeout=0.3).get(server.url).status_code == 200


def test_too_large_a_body_is_not_read_to_its_end(server, transport, clock):
    def flood(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(10_000):
            sock.sendall(b"x" * 65536)

    server.script.append(flood)
    failure = failing(transport(clock), server.url)
    assert (failure.reason, failure.attempts, failure.retryable) == ("too-large", 1, False)


def test_a_decompression_bomb_is_too_large(server, transport):
    server.script.append(answer(200, gzip.compress(b"0" * 50_000_000), content_encoding="gzip"))
    assert failing(transport(), server.url).reason == "too-large"


# --- processes and closing


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the servers are threads
def test_a_forked_child_uses_connections_of_its_own(server, transport):
    client = transport()
    client.get(server.url)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if client.get(server.url).status_code == 200 else 2
            client.close()
            gc.collect()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client.get(server.url).status_code == 200
    assert (len(server.seen), server.connections) == (3, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_while_another_thread_makes_its_tls_context(server, transport, monkeypatch):
    # Half of OpenSSL's first context, in a child, hangs for ever. The pause only makes the fork come in the middle.
    client, begun, made = transport(), threading.Event(), threading.Event()

    def slow(*arguments):
        begun.set()
        time.sleep(0.2)
        context = tls_context(*arguments)
        made.set()
        return context

    monkeypatch.setattr(connections, "tls_context", slow)
    thread = threading.Thread(target=client.get, args=(server.url,))
    thread.start()
    assert begun.wait(20)
    assert in_child(lambda: made.is_set() and client.get(server.url).status_code == 200) == 0
    thread.join()


def test_a_closed_client_sends_nothing(server, transport):
    client = transport()
    client.get(server.url)
    client.close()
    client.close()
    failure = failing(client, server.url)
    assert (failure.reason, failure.attempts, len(server.seen)) == ("closed", 0, 1)


# --- the log


def test_the_log_has_no_body_and_no_query(server, transport, caplog):
    server.script.append(answer(503))
    caplog.set_level(logging.DEBUG, "credconf")
    transport(log_requests=True).post(server.url + "?q=hidden", data=dict(FORM), params={"p": "hidden"})
    lines = [record.getMessage() for record in caplog.records if record.name == "credconf"]
    assert [line.split(": ")[1].split(" ")[0] for line in lines] == ["503", "200"]
    assert all(line.startswith(f"POST {server.url}: ") and line.endswith(" ms") for line in lines)
    assert not [text for text in [CANARY, "hidden", "{}"] if text in "".join(lines)]


def test_nothing_is_logged_unless_asked_for(server, transport, caplog):
    caplog.set_level(logging.DEBUG, "credconf")
    transport().get(server.url)
    assert not [record for record in caplog.records if record.name == "credconf"]


# --- the canary


def reachable(failure):
    """All text that is reachable from an exception."""
    yield repr(failure) + str(failure)
    yield "".join(traceback.TracebackException.from_exception(failure, capture_locals=True).format())
    yield repr(pickle.dumps(failure))
    waiting, known = [failure], set()
    while waiting:
        each = waiting.pop()
        if id(each) in known:
            continue
        known.add(id(each))
        if isinstance(each, str | bytes | bytearray):
            yield repr(each)
        elif isinstance(each, dict):
            waiting.extend([*each.keys(), *each.values()])
        elif isinstance(each, list | tuple | set):
            waiting.extend(each)
        elif isinstance(each, BaseException):
            waiting.extend([each.args, vars(each), each.__cause__, each.__context__])
            frames = [frame for frame, _ in traceback.walk_tb(each.__traceback__)]
            waiting.extend(
                value
                for frame in frames
                if "credconf/entra" in frame.f_code.co_filename
                for value in frame.f_locals.values()
            )
        elif type(each).__name__ == "Payload":
            waiting.extend(getattr(each, name) for name in each.__slots__)


@pytest.mark.parametrize(
    "fault",
    [
        drop,
        cut,
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n" + b"x" * 2_000_000,
        answer(200, b"not gzip", content_encoding="gzip"),
        lambda sock: time.sleep(0.5),
        "tls",
        "refused",
        "proxy",
        "url",
        "bundle",
        "expired",
    ],
    ids=[
        "dropped",
        "cut",
        "not-http",
        "too-large",
        "not-gzip",
        "silent",
        "tls",
        "refused",
        "proxy",
        "url",
        "bundle",
        "expired",
    ],
)
def test_no_failure_leads_to_the_secret(server, transport, fault):
    special = {
        "tls": {"verify": True},
        "proxy": {"proxy": f"http://user:{CANARY}@127.0.0.1:1"},
        "bundle": {"verify": "/nowhere"},
    }
    urls = {"refused": "https://127.0.0.1:1/", "url": "https://localhost:99999/"}
    named = isinstance(fault, str)
    if not named:
        server.script.extend([fault] * 2)
    client = transport(retries=1, read_timeout=0.2, **(special.get(fault, {}) if named else {}))
    try:
        int("what the caller is busy with")
    except ValueError as handled:
        busy_with = handled
        with pytest.raises(TransportFailure) as caught:
            client.post(
                urls.get(fault, server.url) if named else server.url,
                params={"assertion": CANARY},
                data={"client_secret": CANARY, "scope": "s"},
                headers={"Authorization": f"Basic {CANARY}"},
                deadline=0.0 if fault == "expired" else None,
            )
    failure = caught.value
    assert failure.__cause__ is None
    assert failure.__context__ is busy_with
    failure.__context__ = None
    del caught
    failure.__traceback__ = failure.__traceback__.tb_next  # this test's own frame shows its literals
    assert [text for text in reachable(failure) if CANARY in text] == []
    copy = pickle.loads(pickle.dumps(failure))  # noqa: S301 (our own)
    assert (copy.reason, copy.message, copy.attempts) == (failure.reason, failure.message, failure.attempts)
    assert copy.retryable is failure.retryable


def test_a_connection_that_the_server_has_reset_leaves_no_socket_behind():
    with socket.create_server(("127.0.0.1", 0)) as listening, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        select.select([client], [], [], 10)
        with pytest.raises(ConnectionResetError):
            secured(client, tls_context(verify=False), "localhost")
        client.close()
        gc.collect()
    assert [item for item in caught if item.category is ResourceWarning] == []
