"""Each way in which the first step, the configuration, ends the doctor's way or does not."""

from __future__ import annotations

import json
import os

from tests.certificates import make_certificate
from tests.cli.doctor.reports import Report
from tests.config.project import CANARY, CLIENT


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
    assert report.text.endswith("The token request works (1 warning).\n")


def test_what_came_from_a_file_is_not_shown(entra, project, monkeypatch):
    project.write("authority", f"{entra.authority}\n")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "")
    project.write("mine.yaml", "authority: {file: authority}\n")
    for act, status in ((entra.comes_back, 0), (entra.goes_down, 1)):
        act()
        report = Report("-f", "mine.yaml")
        assert report.status == status
        assert "127.0.0.1" not in report.text + json.dumps(report.steps)


def test_the_certificate_of_a_client_serves_as_well(entra, project, monkeypatch):

    made = make_certificate(project.path / "client.pem")
    entra.register(CLIENT, certificates=[made.pem])
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", os.fspath(made.path))
    report = Report()
    assert (report.status, report["configuration"]["details"][0]) == (
        0,
        f"client_certificate: {{file: {made.path}}} ($AZURE_CLIENT_CERTIFICATE_PATH)",
    )


def test_the_file_that_the_secret_is_read_from_is_named(entra, project, monkeypatch):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    project.write("secret", f"{CANARY}\n")
    project.write("mine.yaml", "client_secret: {file: secret}\n")
    expected = f"client_secret: {{file: {project.path / 'secret'}}} (mine.yaml:1:16)"
    assert Report("-f", "mine.yaml")["configuration"]["details"][0] == expected
