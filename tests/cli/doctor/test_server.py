"""The steps that need the server: discovery, clock, token."""

from __future__ import annotations

import json
import time

import pytest

from credconf.cli.doctor import configuration
from credconf.cli.doctor.server import token
from credconf.cli.doctor.steps import Diagnosis
from credconf.testing import FakeEntra
from tests.cli.doctor.reports import Report, use
from tests.cli.running import run
from tests.config.project import CANARY, TENANT


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
    assert found["summary"].endswith("exists, but its home is the cloud public, not usgov")
    assert found["fix"].startswith("Set `cloud: public`")


def test_a_tenant_that_does_not_exist_ends_it(entra, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    report = Report()
    failed = report.ends_at("discovery")
    assert failed["summary"] == f"tenant {TENANT} does not exist on this server (AADSTS90002)"
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


def test_without_a_date_the_clock_step_is_skipped(entra):
    entra.answers(404, headers={"Date": "tomorrow"}, on="discovery")
    assert Report()["clock"]["result"] == "skipped"


def test_a_wrong_secret_is_explained(entra, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", f"{CANARY}-wrong")
    report = Report()
    failed = report.ends_at("token")
    assert failed["summary"].endswith("AADSTS7000215 (invalid_client)")
    assert failed["fix"].startswith("The client secret is wrong")
    assert any(detail.startswith("Correlation id: ") for detail in failed["details"])
    assert report.text.endswith("1 failed: fix token first.\n")


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
    assert report.text.endswith("No step failed, but no token was requested.\n")
    assert Report("api/.default")["token"]["result"] == "ok"
    entra.answers(404, on="discovery")
    assert Report("api/.default").ends_at("discovery")["summary"] == "there is no OpenID document (HTTP status 404)"


def test_words_of_the_server_move_no_cursor(entra):
    said = json.dumps({"error": "x\x1b[2J", "error_description": "\x1b[2J \u202e gone"})
    entra.answers(400, said, on="all")
    text = run("doctor").said
    assert "gone" in text
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize(("field", "found"), [("client_id", "problems"), ("client_secret", "fix")])
def test_a_file_that_vanishes_between_the_steps_is_reported(entra, project, monkeypatch, field, found):
    monkeypatch.delenv(f"AZURE_{field.upper()}")
    project.write("mine.yaml", f"{field}: {{file: vanishes}}\n")
    file = project.write("vanishes", CANARY if field == "client_secret" else entra.client_id)
    chosen = {"path": "mine.yaml", "name": None, "section": None, "env_file": False, "allow": ()}
    diagnosis = Diagnosis(chosen, None)
    assert configuration(diagnosis, 1.0).status == "ok"
    file.unlink()
    result = token(diagnosis, 5.0)
    assert (result.status, bool(getattr(result, found))) == ("failed", True)
    assert CANARY not in repr(result)
