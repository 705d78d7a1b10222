"""`credconf doctor` says where the way from a configuration to a token ends, why, and what to do; and no secret."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import ssl
import threading
import time

import pytest
import trustme

from credconf.cli.doctor.examination import STEPS, examine
from credconf.cli.doctor.steps import Case, Finding, Step, take
from credconf.testing import FakeEntra
from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, TENANT
from tests.entra.servers import Listener, Proxy, Server

NAMES = [step.name for step in STEPS]
WAY = ["configuration", "name resolution", "proxy", "TLS"]


@pytest.fixture
def entra(fake_entra, monkeypatch, project):
    use(fake_entra, monkeypatch)
    return fake_entra


def use(entra, monkeypatch):
    """The variables for an application whose secret is the canary."""
    entra.register(entra.client_id, secrets=[CANARY])
    entra.apply(monkeypatch)
    for name, value in {"AZURE_CLIENT_SECRET": CANARY, "COLUMNS": "500"}.items():
        monkeypatch.setenv(name, value)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)


class Report:
    """What the doctor said, as JSON; the canary is in neither form."""

    def __init__(self, *arguments):
        self.text = run("doctor", *arguments).said
        outcome = run("doctor", *arguments, "--format", "json")
        self.status = outcome.status
        self.steps = {step["step"]: step for step in outcome.json["steps"]}
        assert list(self.steps) == NAMES
        assert outcome.json["ok"] == (self.status == 0)

    def __getitem__(self, name):
        return self.steps[name]

    @property
    def results(self):
        return {name: step["result"] for name, step in self.steps.items()}

    def ends_at(self, name):
        """The step failed, and all that needs it is skipped because of it."""
        assert self.status == 1
        assert self[name]["result"] == "failed"
        assert self[name]["fix"] or self[name]["problems"]
        for step in STEPS:
            if name in step.needs:
                assert (self.results[step.name], self[step.name]["seconds"]) == ("skipped", 0)
                assert self[step.name]["summary"] == f"it needs what failed: {name}"
        return self[name]


def test_all_is_well(entra):
    report = Report()
    assert (set(report.results.values()), report.status) == ({"ok"}, 0)
    assert entra.client_id in report["configuration"]["summary"]
    assert report["configuration"]["details"] == [
        "client_secret: $AZURE_CLIENT_SECRET",
        f"authority: {entra.authority} ($AZURE_AUTHORITY_HOST)",
    ]
    assert report["TLS"]["summary"].startswith("TLS 1.3 with 127.0.0.1, certificate valid until 20")
    assert report["TLS"]["details"] == [
        "issued by credconf.testing authority",
        f"trusted: {entra.ca_bundle} ($CREDCONF_HTTP__CA_BUNDLE)",
    ]
    assert report["discovery"]["summary"] == f"tenant {entra.tenant_id} exists"
    assert report["token"]["summary"] == "for https://graph.microsoft.com/.default, valid for 60 minutes"
    assert [line.split()[0] for line in report.text.splitlines() if line[:1].strip()] == [*["ok"] * 7, "All"]
    assert report.text.endswith("\nAll is well.\n")
    assert all(step["seconds"] >= 0 for step in report.steps.values())


@pytest.mark.parametrize(
    ("arguments", "prefetch", "asked"),
    [
        ([], "", "https://graph.microsoft.com/.default"),
        ([], "https://storage.azure.com/.default;other/.default", "https://storage.azure.com/.default"),
        (["api://mine/.default"], "https://storage.azure.com/.default", "api://mine/.default"),
    ],
)
def test_one_token_is_asked_for_once_and_nothing_in_advance(entra, monkeypatch, arguments, prefetch, asked):
    monkeypatch.setenv("CREDCONF_PREFETCH", prefetch)
    assert run("doctor", *arguments).status == 0
    assert [request.scopes for request in entra.requests if request.kind == "token"] == [(asked,)]


# The configuration


def test_a_broken_file_ends_it_with_the_problems_that_check_shows(entra, project):
    project.write("credconf.yaml", f"client_secret: {CANARY}\nclinet_id: {CANARY}\ntenant_id: [{CANARY}\n")
    failed = Report().ends_at("configuration")
    assert [problem["code"] for problem in failed["problems"]] == ["bad-yaml"]
    project.write("credconf.yaml", f"clinet_id: {CANARY}\nhttpp: {CANARY}\n")
    report = Report()
    assert report.ends_at("configuration")["summary"] == "it has 2 problems"
    assert (
        "\n         error[unknown-key]: `clinet_id` is not a setting\n           --> credconf.yaml:1:1\n" in report.text
    )
    assert entra.requests == []


def test_a_secret_file_that_is_missing_ends_it(entra, monkeypatch):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_CLIENT_SECRET_FILE", "nowhere/secret")
    (problem,) = Report().ends_at("configuration")["problems"]
    assert (problem["code"], problem["origin"]) == ("missing-file", "$AZURE_CLIENT_SECRET_FILE")


def test_its_warnings_are_shown_and_stop_nothing(entra, project, monkeypatch):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    project.write("mine.yaml", f"client_secret: {CANARY}\n")
    report = Report("-f", "mine.yaml")
    assert (report.status, report["configuration"]["result"], report["token"]["result"]) == (0, "warning", "ok")
    assert [problem["code"] for problem in report["configuration"]["problems"]] == ["secret-in-file"]
    assert report.text.endswith("It works; 1 warning.\n")


def test_what_came_from_a_file_is_not_shown(entra, project, monkeypatch):
    project.write("authority", f"{entra.authority}\n")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "")
    project.write("mine.yaml", "authority: {file: authority}\n")
    for act, status in ((entra.comes_back, 0), (entra.goes_down, 1)):
        act()
        report = Report("-f", "mine.yaml")
        assert report.status == status
        assert "127.0.0.1" not in report.text + json.dumps(report.steps)


# Names


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
    assert failed["summary"].startswith("there was no answer within 0.")


def test_a_name_with_several_addresses_is_looked_up(entra, monkeypatch):
    family = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    found = [(*family, ("127.0.0.1", entra.port)), (*family, ("127.0.0.2", entra.port))]
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"localhost:{entra.port}")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert Report()["name resolution"]["summary"] == "localhost is 127.0.0.1 and 1 more"


# The way to the server


def test_a_server_that_refuses_connections_ends_it(entra):
    entra.goes_down()
    failed = Report().ends_at("TLS")
    assert failed["summary"] == f"{entra.host} refused the connection"


def test_a_server_that_says_nothing_in_the_handshake_ends_in_time(entra, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        failed = Report("--timeout", "0.5").ends_at("TLS")
    assert "did not answer within 0." in failed["summary"]


def test_a_certificate_of_an_unknown_issuer_ends_it_and_is_described(entra, monkeypatch, tmp_path):
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "other.pem"))
    failed = Report().ends_at("TLS")
    assert failed["summary"].startswith("the certificate of 127.0.0.1 was not accepted: unable to get ")
    assert failed["details"][0].startswith("issued by credconf.testing authority, valid from 2000-01-01 to ")
    assert "`http.ca_bundle`" in failed["fix"]
    assert entra.requests == []


@pytest.fixture
def ca(tmp_path, monkeypatch):
    """An authority that the application trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    return authority


@pytest.fixture
def serve(entra, ca, monkeypatch, tmp_path):
    """A server with a certificate of that authority, in the place of Entra."""
    servers = []

    def serve(certificate):
        server = Server(ca, certificate=certificate)
        servers.append(server)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"localhost:{server.port}")
        monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "trusted.pem"))
        return server

    yield serve
    for server in servers:
        server.stop()


def test_a_certificate_that_is_over_asks_for_the_clock(serve, ca):
    over = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=2)
    serve(ca.issue_cert("localhost", not_after=over))
    failed = Report().ends_at("TLS")
    assert "certificate has expired" in failed["summary"]
    assert failed["details"][1].startswith("this machine's clock says ")
    assert failed["fix"].startswith("Check this machine's clock")


def test_a_certificate_of_another_host_says_so(serve, ca):
    serve(ca.issue_cert("somewhere.else"))
    failed = Report().ends_at("TLS")
    assert "hostname mismatch" in failed["summary"].lower()
    assert failed["fix"].startswith("Somebody else answers under this name")


def test_a_bundle_without_certificates_ends_it(entra, project, monkeypatch):
    project.write("empty.pem", f"{CANARY}\n")
    monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", "empty.pem")
    assert "http.ca_bundle can't be used" in Report().ends_at("TLS")["summary"]


def test_a_certificate_moves_no_cursor(serve, ca, monkeypatch, tmp_path):
    strange = trustme.CA(organization_name="\x1b[2J evil")
    strange.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    server = Server(strange)
    try:
        monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "trusted.pem"))
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"localhost:{server.port}")
        text = run("doctor").said
    finally:
        server.stop()
    assert "evil" in text
    assert "\x1b" not in text


# Proxies


class Redirecting(Proxy):
    """A proxy on whose far side every host is one server on this machine."""

    def __init__(self, port, **how):
        self._port = port
        super().__init__(**how)

    def _relay(self, sock, target):
        super()._relay(sock, f"127.0.0.1:{self._port}")


@pytest.fixture
def through(entra, monkeypatch):
    """A proxy in front of Entra, in HTTPS_PROXY."""
    proxies = []

    def through(proxy=None, user=""):
        proxies.append(proxy or Redirecting(entra.port))
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{proxies[-1].port}")
        return proxies[-1]

    yield through
    for proxy in proxies:
        proxy.stop()


def test_the_whole_way_leads_through_the_proxy(entra, through):
    proxy = through(Redirecting(entra.port, password=CANARY), user=f"user:{CANARY}@")
    report = Report()
    assert set(report.results.values()) == {"ok"}
    assert report["proxy"]["summary"] == f"127.0.0.1:{proxy.port} ($HTTPS_PROXY) connects to {entra.host}"
    assert report["name resolution"]["details"] == ["the proxy looks up 127.0.0.1"]
    assert set(proxy.asked.targets) == {entra.host}


def test_no_proxy_is_obeyed_and_told(entra, through, monkeypatch):
    proxy = through()
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    report = Report()
    assert set(report.results.values()) == {"ok"}
    expected = f"none: NO_PROXY takes the host out, else it would be 127.0.0.1:{proxy.port} ($HTTPS_PROXY)"
    assert (report["proxy"]["summary"], proxy.connections) == (expected, 0)


@pytest.mark.parametrize(
    ("user", "summary", "fix"),
    [
        ("", "asks for a user name and a password (HTTP status 407)", "Write them into the proxy's URL"),
        (f"user:{CANARY}@", "refuses the user name and password (HTTP status 407)", "Correct the user name"),
    ],
)
def test_a_proxy_that_wants_a_password_ends_it(entra, through, user, summary, fix):
    through(Proxy(password="another"), user)
    failed = Report().ends_at("proxy")
    assert failed["summary"].endswith(summary)
    assert failed["fix"].startswith(fix)
    assert entra.requests == []


class Negotiating(Listener):
    """A proxy that knows Windows' authentication only."""

    def serve(self, sock):
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n")


def test_a_proxy_without_basic_authentication_needs_a_relay(entra, through):
    through(Negotiating())
    failed = Report().ends_at("proxy")
    assert (failed["details"], "use a relay" in failed["fix"]) == (["it offers: Negotiate, NTLM"], True)


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


class Secure(Redirecting):
    """A proxy that is spoken to over TLS."""

    def __init__(self, port, certificate):
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._tls)
        super().__init__(port)

    def serve(self, sock):
        with self._tls.wrap_socket(sock, server_side=True) as secure:
            self._open.append(secure)
            super().serve(secure)


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
    assert "PySocks" in report.ends_at("discovery")["summary"]


# The clouds, by the proxy: the fake's certificate bears their names


@pytest.fixture
def cloud(entra, through, monkeypatch):
    """A cloud's own host, which leads to the fake."""
    monkeypatch.delenv("AZURE_AUTHORITY_HOST")
    entra.known_hosts.update({"login.microsoftonline.us", "login.chinacloudapi.cn", "login.microsoftonline.com"})

    def cloud(name):
        monkeypatch.setenv("CREDCONF_CLOUD", name)
        return through()

    return cloud


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("public", "https://graph.microsoft.com/.default"),
        ("usgov", "https://graph.microsoft.us/.default"),
        ("china", "https://microsoftgraph.chinacloudapi.cn/.default"),
    ],
)
def test_each_cloud_has_its_own_graph(entra, cloud, name, scope):
    cloud(name)
    assert run("doctor").status == 0
    assert entra.requests[-1].scopes == (scope,)


def test_a_tenant_of_another_cloud_is_noticed(entra, cloud):
    cloud("usgov")
    report = Report()
    found = report["discovery"]
    assert (report.status, found["result"]) == (0, "warning")
    assert found["summary"].endswith("exists, but it lives in the cloud public, not in usgov")
    assert found["fix"].startswith("Set `cloud: public`")


def test_a_region_is_asked_at_its_own_host(entra, cloud, monkeypatch):
    monkeypatch.setenv("AZURE_REGIONAL_AUTHORITY_NAME", "westus2")
    proxy = cloud("public")
    report = Report()
    assert report.status == 0
    assert "with westus2.login.microsoft.com" in report["TLS"]["summary"]
    assert set(proxy.asked.targets) == {"westus2.login.microsoft.com:443", "login.microsoftonline.com:443"}


def test_who_opens_tls_connections_on_the_way_to_microsoft_is_named(entra, cloud, monkeypatch, tmp_path):
    cloud("public")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "other.pem"))
    failed = Report().ends_at("TLS")
    assert "something on the way (a corporate proxy, a security program) opens TLS connections" in failed["fix"]
    assert "issued by credconf.testing authority" in failed["details"][0]


# What the server says


def test_a_tenant_that_does_not_exist_ends_it(entra, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    report = Report()
    failed = report.ends_at("discovery")
    assert failed["summary"] == f"there is no tenant {TENANT} here (AADSTS90002)"
    assert "check tenant_id" in failed["fix"]
    assert report["clock"]["result"] == "ok"
    assert entra.count() == 0


def test_a_slow_server_ends_in_time(entra):
    entra.is_slow(60, on="all")
    report = Report("--timeout", "1")
    assert "did not answer within" in report["discovery"]["summary"]
    assert (report["discovery"]["result"], report["clock"]["result"], report.status) == ("failed", "skipped", 1)


def test_a_server_that_is_slow_with_tokens_only_ends_in_time(entra):
    entra.is_slow(60, on="token")
    report = Report("--timeout", "1")
    assert [name for name, result in report.results.items() if result != "ok"] == ["token"]
    assert report["token"]["result"] == "failed"


def test_no_discovery_document_is_only_a_warning_because_none_is_needed(entra):
    entra.is_unavailable(on="discovery")
    report = Report()
    assert (report.status, report["discovery"]["result"], report["token"]["result"]) == (0, "warning", "ok")
    entra.recovers()
    entra.answers(404, on="discovery")
    assert Report()["discovery"]["result"] == "warning"


def test_another_page_in_the_place_of_entra_ends_it(entra):
    entra.answers(200, f"<html>{CANARY}</html>", "text/html", on="all")
    failed = Report().ends_at("discovery")
    assert failed["summary"] == "the answer is not an OpenID document (HTTP status 200)"


@pytest.mark.parametrize(
    ("off", "result", "direction"),
    [
        (30, "ok", None),
        (-30, "ok", None),
        (90, "warning", "ahead of"),
        (-90, "warning", "behind"),
        (1000, "failed", "ahead of"),
        (-1000, "failed", "behind"),
    ],
)
def test_the_clock_is_compared_with_the_servers(monkeypatch, project, off, result, direction):
    with FakeEntra(clock=lambda: time.time() - off) as entra:
        use(entra, monkeypatch)
        report = Report()
    found = report["clock"]
    assert (found["result"], report.status) == (result, int(result == "failed"))
    if direction is not None:
        assert f"{abs(off)} s {direction} the server's" in found["summary"]
        assert found["fix"].startswith("Synchronise this machine's clock")
    assert report["token"]["result"] == "ok"


def test_a_server_that_tells_no_time_is_asked_for_none(entra):
    entra.answers(404, headers={"Date": "tomorrow"}, on="discovery")
    assert Report()["clock"]["result"] == "skipped"


def test_a_wrong_secret_is_explained(entra, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", f"{CANARY}-wrong")
    report = Report()
    failed = report.ends_at("token")
    assert failed["summary"].endswith("AADSTS7000215 (invalid_client)")
    assert failed["fix"].startswith("The client secret is wrong")
    assert any(detail.startswith("Correlation id: ") for detail in failed["details"])
    assert report.text.endswith("1 failed: begin with token.\n")


def test_a_scope_that_entra_does_not_give_has_a_hint(entra):
    entra.strict_scopes = True
    failed = Report("https://graph.microsoft.com/User.Read").ends_at("token")
    assert "https://graph.microsoft.com/.default" in failed["details"][-1]


def test_a_generic_server_needs_a_scope(entra, project, monkeypatch):
    for name in ("AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST", "CREDCONF_DISABLE_INSTANCE_DISCOVERY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("CREDCONF_OIDC_AUTHORITY", f"{entra.authority}/{entra.tenant_id}/v2.0")
    report = Report()
    assert (report.status, report["token"]["result"], report["discovery"]["result"]) == (0, "skipped", "ok")
    assert report.text.endswith("Nothing is wrong as far as was looked.\n")
    assert Report("api/.default")["token"]["result"] == "ok"
    entra.answers(404, on="discovery")
    assert Report("api/.default").ends_at("discovery")["summary"] == "there is no OpenID document (HTTP status 404)"


def test_words_of_the_server_move_no_cursor(entra):
    said = json.dumps({"error": "x\x1b[2J", "error_description": "\x1b[2J \u202e gone"})
    entra.answers(400, said, on="all")
    text = run("doctor").said
    assert "gone" in text
    assert not {"\x1b", "\u202e"} & set(text)


# The doctor itself


def test_a_fault_of_the_doctor_shows_its_type_and_nothing_of_its_frames(entra):
    def fail(case, seconds):
        raise RuntimeError(CANARY)

    done = take(Step("x", fail, 1.0), Case({}, None), 1.0)
    assert done.finding.result == "failed"
    assert "RuntimeError" in done.finding.summary
    assert CANARY not in repr(done)


def test_no_step_begins_when_the_time_is_used_up(entra):
    chosen = {"path": None, "name": None, "section": None, "env_file": True, "allow": ()}
    results = list(examine(Case(chosen, None), 0.0))
    assert {done.finding.result for done in results} == {"skipped"}
    assert results[0].finding == Finding("skipped", "the 0 s of --timeout are used up")


def test_colours_are_for_terminals(entra, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in run("doctor").said
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32mok\x1b[0m" in run("doctor").said
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("doctor").said


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "nan", "9999"])
def test_a_time_that_is_none_is_an_error_of_use(seconds):
    assert run("doctor", "--timeout", seconds).status == 2


def test_the_certificate_of_a_client_serves_as_well(entra, project, monkeypatch):
    from credconf.testing import make_certificate

    made = make_certificate(project.path / "client.pem")
    entra.register(CLIENT, certificates=[made.pem])
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", os.fspath(made.path))
    report = Report()
    assert (report.status, report["configuration"]["details"][0]) == (
        0,
        "client_certificate: $AZURE_CLIENT_CERTIFICATE_PATH",
    )
