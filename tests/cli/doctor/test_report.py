"""Steps in time, in order, in both forms."""

from __future__ import annotations

import pytest

from credconf.cli.doctor import diagnose
from credconf.cli.doctor.steps import Diagnosis, Result, Step, run_step
from tests.cli.doctor.reports import Report
from tests.cli.running import run
from tests.config.project import CANARY


def test_all_is_well(entra):
    report = Report()
    assert (set(report.results.values()), report.status) == ({"ok"}, 0)
    assert entra.client_id in report["configuration"]["summary"]
    assert report["configuration"]["details"] == [
        "client_secret: $AZURE_CLIENT_SECRET",
        f"authority: {entra.authority} ($AZURE_AUTHORITY_HOST)",
    ]
    assert report["expiry"]["summary"] == "unknown (set `secret_expires_on` to get warnings before)"
    assert report["TLS"]["summary"].startswith("TLS 1.3 with 127.0.0.1, certificate valid until 20")
    assert report["TLS"]["details"] == [
        "issued by credconf.testing authority",
        f"trusted: {entra.ca_bundle} ($CREDCONF_HTTP__CA_BUNDLE)",
    ]
    assert report["discovery"]["summary"] == f"tenant {entra.tenant_id} exists"
    assert report["token"]["summary"] == "for https://graph.microsoft.com/.default, valid for 60 minutes"
    assert [line.split()[0] for line in report.text.splitlines() if line[:1].strip()] == [*["ok"] * 9, "The"]
    assert report.text.endswith("\nThe token request works.\n")
    assert all(step["seconds"] >= 0 for step in report.steps.values())


def test_a_fault_of_the_doctor_shows_its_type_and_nothing_of_its_frames(entra):
    def fail(case, seconds):
        raise RuntimeError(CANARY)

    done = run_step(Step("x", "failing", fail, 1.0), Diagnosis({}, None), 1.0)
    assert done.result.status == "failed"
    assert "RuntimeError" in done.result.summary
    assert CANARY not in repr(done)


def test_no_step_begins_when_the_time_is_used_up(entra):
    chosen = {"path": None, "name": None, "section": None, "env_file": True, "allow": ()}
    results = list(diagnose(Diagnosis(chosen, None), 0.0))
    assert {done.result.status for done in results} == {"skipped"}
    assert results[0].result == Result("skipped", "the 0 s of --timeout are used up")


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
