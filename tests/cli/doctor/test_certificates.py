"""A certificate that is not accepted is described, with what that means."""

from __future__ import annotations

import datetime as dt

import trustme

from tests.cli.doctor.reports import Report
from tests.cli.running import run
from tests.config.project import CANARY
from tests.entra.servers import Server


def test_a_certificate_of_an_unknown_issuer_ends_it_and_is_described(entra, monkeypatch, tmp_path):
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "other.pem"))
    failed = Report().ends_at("TLS")
    assert failed["summary"].startswith("the certificate of 127.0.0.1 was not accepted: unable to get ")
    assert failed["details"][0].startswith("issued by credconf.testing authority, valid from 2000-01-01 to ")
    assert "`http.ca_bundle`" in failed["fix"]
    assert entra.requests == []


def test_a_certificate_that_is_over_asks_for_the_clock(serve, ca):
    over = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    serve(ca.issue_cert("localhost", not_after=over))
    failed = Report().ends_at("TLS")
    assert "certificate has expired" in failed["summary"]
    assert failed["details"][1].startswith("the time of this machine is ")
    assert failed["fix"].startswith("Check this machine's clock")


def test_a_certificate_of_another_host_is_reported(serve, ca):
    serve(ca.issue_cert("somewhere.else"))
    failed = Report().ends_at("TLS")
    assert "hostname mismatch" in failed["summary"].lower()
    assert failed["fix"].startswith("Another server answers under this name")


def test_a_bundle_without_certificates_ends_it(entra, project, monkeypatch):
    project.write("empty.pem", f"{CANARY}\n")
    monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", "empty.pem")
    assert [problem["code"] for problem in Report().ends_at("configuration")["problems"]] == ["bad-bundle"]


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


def test_who_opens_tls_connections_on_the_way_to_microsoft_is_named(entra, cloud, monkeypatch, tmp_path):
    cloud("public")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "other.pem"))
    failed = Report().ends_at("TLS")
    assert "a corporate proxy or security software decrypts TLS connections" in failed["fix"]
    assert "issued by credconf.testing authority" in failed["details"][0]
