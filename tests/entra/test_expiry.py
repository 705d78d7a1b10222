"""The log, `check`, `show` and `doctor` warn 30, 7 and 1 days before a secret or certificate expires."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

import credconf
from credconf.entra.proof import OVER, STAGES, days_left, in_days, stage, within
from credconf.kinds import validate
from tests.certificates import make_certificate
from tests.cli.running import run
from tests.config.project import CANARY, COMPLETE, ID, only, project, warned
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, engine_of

__all__ = ["project"]  # a fixture

DAY = 86_400
NOON = datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp()
ENDS = {-400: "expired", -1: "expired", 0: 1, 1: 1, 2: 7, 7: 7, 8: 30, 30: 30, 31: None, 400: None}


def from_today(days):
    return datetime.now(UTC).date() + timedelta(days=days)


@pytest.mark.parametrize(("days", "expected"), ENDS.items())
def test_the_stages_are_30_7_and_1_days_and_after_expiry(days, expected):
    ends = date(2027, 1, 15) + timedelta(days=days)
    assert days_left(ends, NOON) == days
    assert stage(ends, NOON) == (OVER if expected == "expired" else expected)


@given(st.integers(-1000, 1000), st.floats(0, DAY - 1))
def test_the_hour_of_the_day_makes_no_difference(days, second):
    midnight = NOON - DAY / 2
    assert days_left(date(2027, 1, 15) + timedelta(days=days), midnight + second) == days


def test_the_words_contain_the_day_and_the_days_left():
    ends = date(2027, 1, 15)
    words = [in_days(ends + timedelta(days=days), NOON) for days in (-1, 0, 1, 12)]
    assert words == [
        "expired on 2027-01-14",
        "expires on 2027-01-15, today",
        "expires on 2027-01-16, tomorrow",
        "expires on 2027-01-27, in 12 days",
    ]
    assert [within(limit) for limit in STAGES] == [
        "expires within 1 day",
        "expires within 7 days",
        "expires within 30 days",
    ]


# The setting


@pytest.mark.parametrize("written", ["2027-01-31", " 2027-01-31\n", date(2027, 1, 31), datetime(2027, 1, 31, 7, 30)])  # noqa: DTZ001
def test_a_date_is_text_or_a_date_object(written):
    settings = validate({"tenant_id": "a", "client_id": "b", "client_secret": "c", "secret_expires_on": written})
    assert settings.secret_expires_on == date(2027, 1, 31)


@pytest.mark.parametrize(
    "written", [CANARY, "20270131", "2027-W05-1", "2027-02-30", "2027-1-31", "31.01.2027", "\u0662027-01-31", "0", True]
)
def test_the_error_for_an_invalid_date_does_not_show_it(project, written):
    problem = only(project.refused_text(f"{ID}client_secret: x\nsecret_expires_on: '{written}'\n"))
    assert (problem.code, problem.path, problem.line) == ("bad-value", "secret_expires_on", 4)
    assert problem.hint.endswith("write year, month and day, such as 2027-01-31")
    assert written in {True, "0"} or written not in problem.hint


def test_a_variable_overrides_the_date_of_the_file(project):
    environ = {"CREDCONF_SECRET_EXPIRES_ON": "2027-03-31"}
    resolved = project.flat(f"{COMPLETE}secret_expires_on: 2027-01-31\n", environ=environ)
    assert resolved.settings.secret_expires_on == date(2027, 3, 31)
    assert str(resolved.origins["secret_expires_on"]) == "$CREDCONF_SECRET_EXPIRES_ON"


def test_a_certificate_has_no_such_setting(project):
    text = f"{ID}client_certificate: {{file: a}}\nsecret_expires_on: 2027-01-31\n"
    assert [item.code for item in project.refused_text(text).problems][-1] == "unknown-key"


# Where it is shown


@pytest.mark.parametrize(("days", "code"), [(-1, "expired"), (5, "expires-soon"), (20, "expires-soon"), (40, None)])
def test_load_and_check_warn_without_the_date(project, days, code):
    ends = from_today(days)
    text = f"{ID}client_secret: {{env: SECRET}}\nsecret_expires_on: {ends}\n"
    found = [item for item in project.flat(text, environ={"SECRET": CANARY}).warnings if item.code.startswith("expire")]
    assert [(item.code, item.line, item.column) for item in found] == ([(code, 4, 20)] if code else [])
    outcome = run("check", "app.yaml")
    assert outcome.status == 0
    assert (f"warning[{code}]: `secret_expires_on`: by this date, the secret" in outcome.said) == bool(code)
    assert str(ends) not in outcome.said
    assert run("check", "--strict", "app.yaml").status == int(bool(code))


def test_show_lists_the_date_and_warns(project, monkeypatch):
    monkeypatch.setenv("SECRET", CANARY)
    ends = from_today(5)
    project.write("app.yaml", f"{ID}client_secret: {{env: SECRET}}\nsecret_expires_on: {ends}\n")
    shown = run("show", "-f", "app.yaml")
    assert f"secret_expires_on             {ends}\n" in shown.said
    assert "warning[expires-soon]" in shown.said
    described = run("show", "-f", "app.yaml", "--format", "json").json
    assert {item["path"]: item["value"] for item in described["settings"]}["secret_expires_on"] == str(ends)


@pytest.mark.parametrize(("days", "code"), [(-1, "expired"), (5, "expires-soon"), (40, None)])
def test_a_certificate_has_its_own_date(project, days, code):
    ends = datetime.now(UTC) + timedelta(days=days)
    make_certificate(project.path / "client.pem", not_after=ends)
    resolved = project.flat(f"{ID}client_certificate: {{file: client.pem}}\n")
    assert warned(resolved) == ([code] if code else [])
    ((_, proof),) = resolved.settings.proofs(resolved.reader)
    assert proof.expires_on == ends.date()


@pytest.mark.parametrize(
    ("days", "result", "words"),
    [(40, "ok", "in 40 days"), (7, "warning", "in 7 days"), (-3, "warning", "client_secret.0 expired on")],
)
def test_doctor_has_a_step_for_it(fake_entra, project, monkeypatch, days, result, words):
    fake_entra.apply(monkeypatch)
    monkeypatch.setenv("SECRET", fake_entra.client_secret)
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    text = f"client_secret: [{{env: SECRET}}, {{env: OTHER}}]\nsecret_expires_on: {from_today(days)}\n"
    project.write("credconf.yaml", text)
    outcome = run("doctor", "--format", "json")
    step = next(item for item in outcome.json["steps"] if item["step"] == "expiry")
    assert (outcome.status, step["result"]) == (0, result)
    assert words in step["summary"]
    assert bool(step["fix"]) == (result == "warning")
    others = json.dumps([item for item in outcome.json["steps"] if item["step"] != "expiry"])
    assert "expire" not in others  # shown once


def test_doctor_advises_no_list_for_a_certificate_that_ends(fake_entra, project, monkeypatch):
    made = make_certificate(project.path / "client.pem", not_after=datetime.now(UTC) + timedelta(days=6))
    (project.path / "client.pem").chmod(0o600)
    fake_entra.register(fake_entra.client_id, certificates=[made.pem])
    fake_entra.apply(monkeypatch)
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    project.write("credconf.yaml", "client_certificate: {file: client.pem}\n")
    outcome = run("doctor", "--format", "json")
    step = next(item for item in outcome.json["steps"] if item["step"] == "expiry")
    assert (step["result"], step["fix"]) == ("warning", "Create a new one.")


def warnings_in(caplog):
    """The warnings about expiry in the log, without the client at their beginning."""
    lines = [item.getMessage() for item in caplog.records if "expire" in item.getMessage()]
    return [line.partition(": ")[2] for line in lines if line.startswith("client ")]


@pytest.mark.parametrize("face", [SYNC, ASYNC], ids=["sync", "async"])
def test_the_log_warns_once_for_each_stage_in_a_process(face, fake_entra, caplog):
    caplog.set_level(logging.WARNING, "credconf")
    clock = Clock(NOON)
    fields = {**fake_entra.config(), "secret_expires_on": "2027-02-20"}
    credentials = [face.on(engine_of(fields, clock=clock, monotonic=clock)) for _ in range(2)]
    for day in range(40):
        clock.now = NOON + day * DAY
        for credential in credentials:
            assert credential.get_token(SCOPE).token
            assert credential.get_token(OTHER_SCOPE).token
    assert warnings_in(caplog) == [
        "client_secret expires on 2027-02-20, in 30 days; create a new one in time",
        "client_secret expires on 2027-02-20, in 7 days; create a new one in time",
        "client_secret expires on 2027-02-20, tomorrow; create a new one in time",
        "client_secret expired on 2027-02-20; create a new one in time",
    ]
    assert all(record.levelno == logging.WARNING for record in caplog.records)
    for credential in credentials:
        credential.close()


def test_from_config_does_not_warn_before_the_first_token(fake_entra, caplog):
    caplog.set_level(logging.WARNING, "credconf")
    fields = {**fake_entra.config(), "secret_expires_on": str(from_today(3))}
    with credconf.from_config(path=False, env_file=False, environ={}, **fields) as credential:
        assert warnings_in(caplog) == []
        credential.get_token(SCOPE)
        credential.get_token(OTHER_SCOPE)
        assert len(warnings_in(caplog)) == 1


def test_the_date_belongs_to_the_first_secret_of_a_list(fake_entra, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "credconf")
    for name, text in {"new": "wrong", "old": fake_entra.client_secret}.items():
        (tmp_path / name).write_text(text)
    secrets = [{"file": str(tmp_path / name)} for name in ("new", "old")]
    fields = {**fake_entra.config(client_secret=secrets), "secret_expires_on": str(from_today(3))}
    credential = SYNC.build(fields)
    credential.get_token(SCOPE)
    assert warnings_in(caplog) == []
    credential.close()


def test_the_log_warns_before_a_certificate_expires(fake_entra, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "credconf")
    path = tmp_path / "client.pem"
    made = make_certificate(path, not_after=datetime.now(UTC) + timedelta(days=6))
    registration = fake_entra.register(certificates=[made.pem])
    fields = fake_entra.config(
        client_id=registration.client_id, client_secret=None, client_certificate={"file": str(path)}
    )
    credential = SYNC.build(fields)
    credential.get_token(SCOPE)
    (message,) = warnings_in(caplog)
    assert message.startswith(f"client_certificate ({path}) expires on {from_today(6)}, in 6 days")
    credential.close()
