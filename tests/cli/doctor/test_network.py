"""The way to the server: names, connections, proxies."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.cli.doctor.proxies import Negotiating, Redirecting, Secure
from tests.cli.doctor.reports import WAY, Report
from tests.config.project import CANARY
from tests.entra.servers import Proxy


def test_a_name_that_is_not_known_ends_it(entra, monkeypatch):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "no-such-host.invalid")
    failed = Report().ends_at("name resolution")
    assert failed["summary"].startswith("no-such-host.invalid could not be resolved: ")


def test_a_look_up_that_hangs_ends_in_time(entra, monkeypatch):
    over = threading.Event()
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "slow.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60))
    try:
        started = time.monotonic()
        failed = Report("--timeout", "0.3").ends_at("name resolution")
        assert time.monotonic() - started < 30
    finally:
        over.set()
    assert failed["summary"].startswith("no answer within 0.")


def test_a_name_with_several_addresses_is_looked_up(entra, monkeypatch):
    family = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    found = [(*family, ("127.0.0.1", entra.port)), (*family, ("127.0.0.2", entra.port))]
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"localhost:{entra.port}")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert Report()["name resolution"]["summary"] == "localhost is 127.0.0.1 and 1 more"


def test_a_server_that_refuses_connections_ends_it(entra):
    entra.goes_down()
    failed = Report().ends_at("TLS")
    assert failed["summary"] == f"{entra.host} refused the connection"


def test_a_silent_server_in_the_handshake_ends_in_time(entra, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        failed = Report("--timeout", "0.5").ends_at("TLS")
    assert "did not answer within 0." in failed["summary"]


def test_the_whole_way_leads_through_the_proxy(entra, through):
    proxy = through(Redirecting(entra.port, password=CANARY), user=f"user:{CANARY}@")
    report = Report()
    assert set(report.results.values()) == {"ok"}
    assert report["proxy"]["summary"] == f"127.0.0.1:{proxy.port} ($HTTPS_PROXY) connects to {entra.host}"
    assert report["name resolution"]["details"] == ["the proxy resolves 127.0.0.1"]
    assert set(proxy.asked.targets) == {entra.host}


def test_no_proxy_is_respected_and_reported(entra, through, monkeypatch):
    proxy = through()
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    report = Report()
    assert set(report.results.values()) == {"ok"}
    expected = f"none: NO_PROXY excludes the host from 127.0.0.1:{proxy.port} ($HTTPS_PROXY)"
    assert (report["proxy"]["summary"], proxy.connections) == (expected, 0)


@pytest.mark.parametrize(
    ("user", "summary", "fix"),
    [
        ("", "requires a user name and a password (HTTP status 407)", "Add them to the proxy's URL"),
        (f"user:{CANARY}@", "refuses the user name and password (HTTP status 407)", "Correct the user name"),
    ],
)
def test_a_proxy_that_wants_a_password_ends_it(entra, through, user, summary, fix):
    through(Proxy(password="another"), user)
    failed = Report().ends_at("proxy")
    assert failed["summary"].endswith(summary)
    assert failed["fix"].startswith(fix)
    assert entra.requests == []


def test_a_proxy_without_basic_authentication_needs_a_relay(entra, through):
    through(Negotiating())
    failed = Report().ends_at("proxy")
    assert (failed["details"], "use a local relay" in failed["fix"]) == (["it supports: Negotiate, NTLM"], True)


def test_a_proxy_that_does_not_connect_ends_it(entra, through):
    through(Proxy(status=403))
    failed = Report().ends_at("proxy")
    assert failed["summary"].endswith("does not connect to 127.0.0.1 (HTTP status 403)")


def test_a_proxy_that_refuses_connections_ends_it(entra, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{CANARY}@127.0.0.1:{port}")
    failed = Report().ends_at("proxy")
    assert failed["summary"] == f"127.0.0.1:{port} refused the connection"


def test_a_proxy_that_drips_its_answer_ends_in_time(entra, through):
    through(Proxy(silent=True))
    assert "did not answer within 0." in Report("--timeout", "0.5").ends_at("proxy")["summary"]


def test_a_proxy_over_tls_is_examined_too(entra, ca, monkeypatch, tmp_path):
    bundle = tmp_path / "both.pem"
    with open(entra.ca_bundle, "rb") as stream:
        bundle.write_bytes(stream.read() + ca.cert_pem.bytes())
    proxy = Secure(entra.port, ca.issue_cert("localhost"))
    try:
        monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
        monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(bundle))
        report = Report()
    finally:
        proxy.stop()
    assert set(report.results.values()) == {"ok"}
    assert report["TLS"]["details"][0] == "issued by credconf.testing authority"


def test_a_socks_proxy_shows_with_discovery(entra, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"socks5://user:{CANARY}@127.0.0.1:{port}")
    report = Report()
    assert [report.results[name] for name in WAY] == ["ok", "ok", "ok", "skipped"]
    summary = report.ends_at("discovery")["summary"]
    assert f"the proxy 127.0.0.1:{port}" in summary
    assert "Connection refused" in summary


def test_a_region_is_asked_at_its_own_host(entra, cloud, monkeypatch):
    monkeypatch.setenv("AZURE_REGIONAL_AUTHORITY_NAME", "westus2")
    proxy = cloud("public")
    report = Report()
    assert report.status == 0
    assert "with westus2.login.microsoft.com" in report["TLS"]["summary"]
    assert set(proxy.asked.targets) == {"westus2.login.microsoft.com:443", "login.microsoftonline.com:443"}
