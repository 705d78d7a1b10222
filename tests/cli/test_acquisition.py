"""`doctor` and `token` say at a terminal what they wait for, and nowhere else."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from datetime import UTC, datetime

import pytest

from tests.cli.running import program, terminal
from tests.config.project import CANARY

SCOPE = "https://graph.microsoft.com/.default"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")


@pytest.fixture
def entra(fake_entra, monkeypatch, project):
    """An Entra that answers for a token when a test lets it."""
    fake_entra.register(fake_entra.client_id, secrets=[CANARY])
    fake_entra.apply(monkeypatch)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CANARY)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR"):
        monkeypatch.delenv(name, raising=False)
    return fake_entra


@pytest.fixture
def holds(entra):
    """Until it is set, Entra answers no token request."""
    answer = threading.Event()
    entra.before_token = lambda _: answer.wait(30)
    yield answer
    answer.set()


def screen(said):
    """What a terminal shows in the end: a line is written over after a carriage return."""
    lines = []
    for written in said.replace("\r\n", "\n").split("\n"):
        line = ""
        for part in written.split("\r"):
            line = part + line[len(part) :]
        lines.append(line.rstrip())
    return "\n".join(lines)


@pytest.mark.parametrize(("command", "doing"), [("token", "asking {}"), ("doctor", "asking {} for a token")])
def test_the_server_that_is_waited_for_is_shown_until_it_answers(entra, holds, command, doing):
    expected = f"{doing.format(entra.host)} ..."
    status, said = terminal(command, SCOPE, meets={expected: lambda _: holds.set()})
    assert (status, holds.is_set()) == (0, True)
    assert "..." not in screen(said)
    assert "roles" in screen(said) or "The token request works." in screen(said)
    assert CANARY not in said


@pytest.mark.parametrize("command", ["token", "doctor"])
def test_the_command_that_is_waited_for_is_shown(entra, holds, project, monkeypatch, command):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    wait = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
    script = project.write("vault.py", f"{wait}print({CANARY!r})\n")
    project.write("app.yaml", f"client_secret: {{command: {json.dumps([sys.executable, str(script)])}}}\n")
    meets = {
        f"running the command {os.path.basename(sys.executable)} ...": lambda _: project.write("go", ""),
        f"asking {entra.host}{' for a token' if command == 'doctor' else ''} ...": lambda _: holds.set(),
    }
    status, said = terminal(command, SCOPE, "-f", "app.yaml", "--allow", "command", meets=meets)
    assert (status, holds.is_set()) == (0, True)
    assert "..." not in screen(said)
    assert CANARY not in said


def test_a_failure_takes_the_line_away(entra, holds):
    entra.refuses(7000215)
    status, said = terminal("token", SCOPE, meets={f"asking {entra.host} ...": lambda _: holds.set()})
    assert (status, holds.is_set()) == (1, True)
    assert "..." not in screen(said)
    assert screen(said).startswith("error: no token for client")


def test_a_log_line_takes_the_place_of_the_line(entra, holds, project):
    today = datetime.now(UTC).date()
    project.write("app.yaml", f"client_secret: {CANARY}\nsecret_expires_on: {today}\n")
    meets = {f"asking {entra.host} ...": lambda _: holds.set()}
    status, said = terminal("token", SCOPE, "-f", "app.yaml", meets=meets)
    assert (status, holds.is_set()) == (0, True)
    assert f": client_secret expires on {today}, today" in screen(said), screen(said)
    assert "asking" not in screen(said)


def test_an_interrupt_takes_the_line_away(entra, holds):
    requested = threading.Event()
    hold = entra.before_token
    entra.before_token = lambda request: (requested.set(), hold(request))

    def interrupt(process):
        requested.wait(30)  # while libraries are imported, one of them may swallow it
        process.send_signal(signal.SIGINT)

    status, said = terminal("token", SCOPE, meets={f"asking {entra.host} ...": interrupt})
    assert status == 1
    assert "..." not in screen(said)
    assert "Aborted!" in screen(said)


SLOW = 1.5
"""Seconds that a wait takes whose line would have been shown long ago."""


@pytest.mark.parametrize("command", ["token", "doctor"])
@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}])
def test_nothing_is_shown_in_a_pipe(entra, command, variables):
    entra.is_slow(SLOW)
    done = program(command, SCOPE, **variables)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"asking" not in done.stdout
    assert b"\r" not in done.stdout


@pytest.mark.parametrize("command", ["token", "doctor"])
@pytest.mark.parametrize(
    "arguments", [("--format", "json"), ("--raw",), ("NO_COLOR",), ("TERM",)], ids=lambda arguments: arguments[0]
)
def test_what_a_program_reads_and_a_plain_terminal_get_no_line(entra, monkeypatch, command, arguments):
    if command == "doctor" and arguments == ("--raw",):
        pytest.skip("it is an option of `token`")
    entra.is_slow(SLOW)
    options = arguments if arguments[0].startswith("-") else ()
    if not options:
        monkeypatch.setenv(arguments[0], "dumb")
    status, said = terminal(command, SCOPE, *options)
    assert status == 0
    assert "asking" not in said
    assert "\r" not in said.replace("\r\n", "\n")
    if "json" in options:
        assert json.loads(said)["ok"] is True
    if "--raw" in options:
        assert re.fullmatch(r"[\w.-]+\r\n", said)
