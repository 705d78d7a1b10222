"""The documents by which a client finds the token endpoint."""

from __future__ import annotations

import socket
import ssl

import pytest


@pytest.fixture
def get(entra, session):
    return lambda path, **options: session.get(entra.authority + path, timeout=20, **options)


def instance(get, endpoint):
    return get("/common/discovery/instance", params={"api-version": "1.1", "authorization_endpoint": endpoint})


def test_the_openid_document_names_this_server(get, entra):
    document = get(f"/{entra.tenant_id}/v2.0/.well-known/openid-configuration").json()
    assert document["token_endpoint"] == f"{entra.authority}/{entra.tenant_id}/oauth2/v2.0/token"
    assert document["authorization_endpoint"].startswith(entra.authority)
    assert document["issuer"] == f"{entra.authority}/{entra.tenant_id}/v2.0"
    assert entra.count("openid-configuration") == 1
    assert entra.count() == 0


def test_the_openid_document_names_the_host_that_was_asked(get, entra):
    document = get("/common/v2.0/.well-known/openid-configuration", headers={"Host": f"localhost:{entra.port}"}).json()
    assert document["token_endpoint"] == f"https://localhost:{entra.port}/common/oauth2/v2.0/token"
    document = get("/common/v2.0/.well-known/openid-configuration", headers={"Host": "evil.example"}).json()
    assert document["token_endpoint"].startswith(entra.authority)


def test_the_openid_document_of_an_unknown_tenant_is_refused(get):
    answer = get("/nobody.onmicrosoft.com/v2.0/.well-known/openid-configuration")
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


def test_adfs_has_its_own_openid_document(get, entra):
    document = get("/adfs/.well-known/openid-configuration").json()
    assert document["token_endpoint"] == f"{entra.authority}/adfs/oauth2/token"


def test_instance_discovery_vouches_for_known_hosts_only(get, entra):
    own = instance(get, f"{entra.authority}/{entra.tenant_id}/oauth2/v2.0/authorize").json()
    path = f"/{entra.tenant_id}/v2.0/.well-known/openid-configuration"
    assert own["tenant_discovery_endpoint"] == entra.authority + path
    assert any(entra.host in entry["aliases"] for entry in own["metadata"])
    answer = instance(get, "https://login.example/common/oauth2/authorize")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_instance")
    assert answer.json()["error_codes"] == [50049]
    entra.known_hosts.add("login.example")
    assert instance(get, "https://login.example/common/oauth2/authorize").ok
    assert entra.count("instance-discovery") == 3
    assert entra.requests[0].query["api-version"] == "1.1"


def test_instance_discovery_needs_to_know_what_about(get):
    assert get("/common/discovery/instance").json()["error_codes"] == [900144]


@pytest.mark.parametrize("path", ["/", "/nothing/here", "//oauth2/v2.0/token", "/common/discovery/instance/more"])
def test_an_unknown_path_is_not_found(get, entra, path):
    assert get(path).status_code == 404
    assert [(request.kind, request.status) for request in entra.requests] == [("other", 404)]


def test_a_token_is_asked_for_by_post_only(get, entra):
    assert get(f"/{entra.tenant_id}/oauth2/v2.0/token").json()["error_codes"] == [900561]


@pytest.mark.parametrize(
    "garbage",
    [
        b"garbage\r\n\r\n",
        b"GET / SPDY/3\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    ],
)
def test_what_is_not_http_is_hung_up_on(entra, get, garbage):
    context = ssl.create_default_context(cafile=entra.ca_bundle)
    with (
        socket.create_connection(("127.0.0.1", entra.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(garbage)
        if garbage.endswith(b"d"):
            connection.shutdown(socket.SHUT_WR)
        try:
            rest = connection.recv(100)
        except OSError:
            rest = b""
        assert rest == b""
    assert get("/common/v2.0/.well-known/openid-configuration").ok


def test_a_strict_client_trusts_the_certificate(entra):
    context = ssl.create_default_context(cafile=entra.ca_bundle)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    for name in ("127.0.0.1", "localhost", "login.microsoftonline.com"):
        with (
            socket.create_connection(("127.0.0.1", entra.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            assert connection.version() == "TLSv1.3"


def test_an_old_client_that_closes_each_connection_is_served(get):
    answer = get("/common/v2.0/.well-known/openid-configuration", headers={"Connection": "close"})
    assert answer.ok
    assert answer.headers["Connection"] == "close"
