"""Warnings: what will work but is probably wrong."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from tests.certificates import make_certificate
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, VARIABLES, warned


def test_a_secret_in_a_file_is_a_warning_with_its_place(project):
    warning = project.flat(COMPLETE).warnings[0]
    assert (warning.code, warning.severity, warning.file, warning.line) == ("secret-in-file", "warning", "app.yaml", 3)
    assert CANARY not in str(warning)


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (CLIENT, "secret-is-guid"),
        (f" {CANARY}", "surrounding-space"),
        (f"{CANARY}\t", "surrounding-space"),
        (f"'{CANARY}'", "surrounding-quotes"),
        (f'"{CANARY}"', "surrounding-quotes"),
        (f"{CANARY}'", "surrounding-quotes"),
        (f"{CANARY}\nNAME=x", "inner-line-break"),
        (f"x\r\n{CANARY}", "inner-line-break"),
    ],
)
def test_a_suspicious_secret_is_a_warning_and_stays_as_it_is(project, secret, code):
    resolved = project.load(environ={**VARIABLES, "AZURE_CLIENT_SECRET": secret})
    assert warned(resolved) == [code]
    assert resolved.settings.client_secret.get_secret_value() == secret
    assert CANARY not in repr(resolved.warnings)


@pytest.mark.parametrize("secret", ["'", "x", "a'b'c"])
def test_an_ordinary_secret_is_none(project, secret):
    assert warned(project.load(environ={**VARIABLES, "AZURE_CLIENT_SECRET": secret})) == []


def test_a_secret_file_is_judged_by_its_content(project):
    project.write("secret", f"{CLIENT}\n")
    assert warned(project.flat(f"{ID}client_secret: {{file: secret}}\n")) == ["secret-is-guid"]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_secret_file_that_others_can_read_is_a_warning(project):
    project.write("secret", "x", mode=0o644)
    resolved = project.flat(f"{ID}client_secret: {{file: secret}}\n")
    assert warned(resolved) == ["readable-by-others"]
    assert resolved.warnings[0].line == 3
    project.write("secret", "x", mode=0o640)
    assert warned(project.load("app.yaml")) == []


@pytest.mark.parametrize(
    ("client", "hint"),
    [
        (CLIENT[:-1], "it was cut off: it has 31 digits, a GUID has 32; copy it again"),
        (CLIENT + "1", "it holds too many: it has 33 digits, a GUID has 32; copy it again"),
        ("my-app", "copy the application (client) id"),
    ],
)
def test_a_client_id_of_the_wrong_length_is_told(project, client, hint):
    [warning] = project.flat(f"tenant_id: {TENANT}\nclient_id: {client}\n", client_secret="x").warnings
    assert (warning.code, warning.hint) == ("client-id-no-guid", hint)


def test_a_certificate_that_is_not_valid_yet_is_a_warning(project):
    begins = datetime.now(UTC) + timedelta(days=2)
    make_certificate(project.path / "next.pem", not_before=begins)
    [warning] = project.flat(f"{ID}client_certificate: {{file: next.pem}}\n").warnings
    assert (warning.code, warning.path, warning.line) == ("not-valid-yet", "client_certificate", 3)
    make_certificate(project.path / "next.pem", not_before=datetime.now(UTC) - timedelta(days=1))
    assert warned(project.load("app.yaml")) == []


def test_a_client_id_that_is_no_guid_is_a_warning_on_a_well_known_authority(project):
    text = f"tenant_id: {TENANT}\nclient_id: my-app\n"
    assert warned(project.flat(text, client_secret="x")) == ["client-id-no-guid"]
    assert warned(project.load("app.yaml", client_secret="x", authority="login.private.example")) == [
        "unknown-authority"
    ]


def test_a_generic_server_knows_other_client_ids(project):
    text = "client_id: my-app\noidc_authority: https://idp.example/oauth\n"
    assert warned(project.flat(text, client_secret="x")) == []


def test_a_secret_of_tomorrow_may_be_absent(project):
    project.write("old", "x")
    resolved = project.flat(f"{ID}client_secret:\n  - {{file: new}}\n  - {{file: old}}\n")
    warning = resolved.warnings[0]
    assert (warning.code, warning.line, warning.path) == ("missing-file", 4, "client_secret.0")


def test_displacing_another_host_is_a_warning_that_names_both(project):
    resolved = project.flat(COMPLETE + "cloud: china\n", environ={"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"})
    warning = next(item for item in resolved.warnings if item.code == "authority-displaced")
    assert "$AZURE_AUTHORITY_HOST" in warning.message
    assert "app.yaml:4:8" in warning.message
    assert "microsoftonline" not in warning.message


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_a_file_that_can_t_be_read_need_not_be_hidden(project, content):
    if content is None:
        (project.path / "secret").mkdir(mode=0o755)
    else:
        project.write("secret", content, mode=0o644)
    error = project.refused_text(f"{ID}client_secret: {{file: secret}}\n")
    assert [problem.severity for problem in error.problems] == ["error"]
