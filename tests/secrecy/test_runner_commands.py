"""Promise: what others wrote is no command for the runner of a CI job, in no error and in no line of the log."""

from __future__ import annotations

import json
import time

import pytest

import credconf
from tests.contract.faces import SCOPE, Clock, Driven, engine_of, wait_until
from tests.problems.runners import commands
from tests.secrecy.canaries import CANARY
from tests.secrecy.reach import texts_of_records
from tests.secrecy.test_failures import error_of

HOSTILE = [
    "::stop-commands::x",
    "\n::add-mask::x",
    "\r\n  ::add-mask::x",
    "a ::group::x",
    "##[group]x",
    "##vso[task.complete result=Failed;]x",
    "###[error]",
]


@pytest.fixture(params=HOSTILE)
def text(request):
    return request.param


def assert_no_command(said):
    lines = [record.getMessage() for record in said[0].records if record.name == "credconf"]
    assert not commands("\n".join(lines))
    CANARY.assert_absent(texts_of_records(said[0].records))


def assert_no_command_in(error):
    # The program that shows it may wrap its lines at any space.
    for shown in (str(error), repr(error), str(error).replace(" ", "\n")):
        assert not commands(shown), shown


NAMES = ("error", "error_description", "correlation_id", "trace_id", "timestamp")


def test_no_answer_of_a_server_is_a_command(site, said, text):
    credential = Driven(site.from_config(False, env_file=False, environ={}, **site.fields()))
    for body in (json.dumps({**dict.fromkeys(NAMES, text), "error_codes": [7000215]}), text):
        site.entra.answers(401, body)
        error = error_of(credential.get_token, SCOPE)
        assert isinstance(error, credconf.AuthenticationError)
        assert_no_command_in(error)
        assert not commands("\n".join(map(str, vars(error).values())))
        said[0].clear()
    credential.close()


def test_no_log_of_a_failed_refresh_is_a_command(site, said, text):
    clock = Clock(time.time())
    driven = site.face.on(engine_of(site.fields(), clock=clock))
    expires_on = driven.get_token(SCOPE).expires_on
    clock.advance(to=expires_on - 60)
    site.entra.answers(401, json.dumps(dict.fromkeys(NAMES, text)))
    driven.get_token(SCOPE)
    wait_until(lambda: any("could not be refreshed" in record.getMessage() for record in said[0].records))
    driven.close()
    assert_no_command(said)


def test_no_name_is_a_command(site, said, text):
    path = site.path / f"x{text}"
    path.write_text("secret")
    path.chmod(0o644)  # others can read it: a warning, which is logged
    fields = {**site.fields(client_secret={"file": str(path)}), "client_id": f"client{text} {text}", "prefetch": [text]}
    credential = Driven(site.from_config(False, env_file=False, environ={}, **fields))
    for happen in (lambda: None, path.unlink):
        happen()
        assert_no_command_in(error_of(credential.get_token, SCOPE, text))
    assert_no_command_in(credential.credential)
    credential.close()
    assert said[0].records
    assert_no_command(said)


def test_no_name_of_a_variable_is_a_command(site, text):
    name = "THE_SECRET_OF_A_SERVICE_WITH_A_NAME_THAT_ANOTHER_ONE_NEARLY_HAS"
    environ = {name: "x", f"{text[:18]}{name}": "y"}
    fields = site.fields(client_secret={"env": name})
    credential = Driven(site.from_config(False, env_file=False, environ=environ, **fields))
    del environ[name]
    error = error_of(credential.get_token, SCOPE)
    assert "did you mean that?" in str(error)
    assert_no_command_in(error)
    credential.close()


def test_no_problem_is_a_command(site, text):
    written = json.dumps(text)
    http = f"http: {{ca_bundle: {written}, {written}: 1}}"
    site.file("app.yaml", f"{written}: x\n{http}\nclient_secret: {{file: {written}}}\n")
    assert_no_command_in(error_of(credconf.load, "app.yaml"))
    site.file(f"{text}.yaml".replace("/", ""), "clinet_id: x\n")
    assert_no_command_in(error_of(credconf.load, f"{text}.yaml"))
    assert_no_command_in(error_of(credconf.load, text))


def test_no_place_of_a_token_cache_is_a_command(site, said, text):
    site.patch.setenv("XDG_CACHE_HOME", str(site.path / text))
    cache = {"kind": "file", "allow_unencrypted_storage": True}
    for spoil in (lambda path: path.write_text("no tokens"), lambda path: None):
        credential = Driven(credconf.build(site.fields(token_cache=cache)))
        assert credential.get_token(SCOPE).token
        credential.close()
        for path in (site.path / text).rglob("*"):
            if path.is_file():
                spoil(path)
    assert any("holds something else" in record.getMessage() for record in said[0].records)
    assert_no_command(said)
