"""`{command: [argv, ...]}`: only where it was allowed, without a shell, within limits, and without an echo."""

from __future__ import annotations

import json
import os
import sys
import time

import pytest

import credconf
from credconf.references import CommandReference, NotFound, Reader, command
from tests.config.project import CANARY, ID, assert_nothing_shows, only

PYTHON = sys.executable


def run(*argv: str, allow=("command",), environ=None) -> str | NotFound:
    reader = Reader(os.environ if environ is None else environ, allow=frozenset(allow))
    return reader.text(CommandReference(command=argv))


def program(text: str, **arguments) -> str | NotFound:
    return run(PYTHON, "-c", text, **arguments)


def test_a_configuration_can_not_run_programs_by_itself(project):
    marker = project.path / "ran"
    text = f"{ID}client_secret: {{command: [touch, {marker}]}}\n"
    problem = only(project.refused_text(text))
    assert (problem.code, problem.line) == ("command-not-allowed", 3)
    assert 'allow={"command"}' in problem.hint
    project.write(".env", "")
    assert not marker.exists()


def test_it_is_not_allowed_by_anything_but_the_program(project):
    marker = project.path / "ran"
    for environ in ({"CREDCONF_ALLOW": "command"}, {"CREDCONF_CLIENT_SECRET": f'{{"command": ["touch", "{marker}"]}}'}):
        project.write("app.yaml", f"{ID}client_secret: {{command: [touch, {marker}]}}\nallow: [command]\n")
        project.refused("app.yaml", environ=environ)
    assert not marker.exists()


def test_loading_runs_nothing_even_where_it_is_allowed(project):
    marker = project.path / "ran"
    resolved = project.flat(f"{ID}client_secret: {{command: [touch, {marker}]}}\n", allow={"command"})
    assert not marker.exists()
    assert isinstance(resolved.reader.text(resolved.settings.client_secret), NotFound)  # it prints nothing
    assert marker.exists()


@pytest.mark.parametrize("allow", [{"commands"}, {"shell"}, "everything"])
def test_an_unknown_permission_is_an_error(project, allow):
    with pytest.raises(ValueError, match="allow knows only 'command'"):
        project.load(allow=allow)


def test_one_permission_may_be_text(project):
    assert project.flat(f"{ID}client_secret: {{command: [x]}}\n", allow="command").reader.allow == {"command"}


def test_no_other_field_takes_a_command(project):
    text = f"{ID.replace('client_id: ', 'client_id: {command: [x]} #')}client_secret: {CANARY}\n"
    problem = only(project.refused_text(text, allow={"command"}))
    assert (problem.code, problem.line) == ("bad-reference", 2)


@pytest.mark.parametrize("shape", ["cat x", "[]", "[cat, [x]]", "{cat: x}", "['']", "null"])
def test_a_command_is_a_list_of_texts(project, shape):
    error = project.refused_text(f"{ID}client_secret: {{command: {shape}}}\n", allow={"command"})
    assert only(error).code == "bad-reference"


def test_its_output_loses_one_newline():
    assert program("print('a b')") == "a b"
    assert program("print('a', end='\\r\\n')") == "a"


def test_no_shell_reads_the_arguments(tmp_path):
    marker = tmp_path / "ran"
    assert run("echo", f"$HOME; touch {marker} | `id` && *") == f"$HOME; touch {marker} | `id` && *"
    assert not marker.exists()


def test_it_sees_the_given_environment_alone():
    text = "import os; print(os.environ.get('MINE'), os.environ.get('HOME'))"
    assert program(text, environ={"MINE": "yes"}) == "yes None"


def test_nothing_it_reads_blocks_it():
    assert program("import sys; print(repr(sys.stdin.read()))") == "''"


def test_its_standard_error_is_in_nothing(capfd, caplog):
    found = program(f"import sys; sys.stderr.write('{CANARY}'); sys.exit(3)")
    assert isinstance(found, NotFound)
    assert found.code == "command-failed"
    assert "status 3" in found.message
    captured = capfd.readouterr()
    assert CANARY not in repr(found) + captured.out + captured.err + caplog.text


def test_its_arguments_are_in_no_message():
    for argv in (["false", CANARY], ["./nowhere", CANARY], [PYTHON, "-c", "print()", CANARY]):
        found = run(*argv)
        assert isinstance(found, NotFound)
        assert CANARY not in repr(found)
        assert os.path.basename(argv[0]) in found.message


@pytest.mark.parametrize("argv", [["surely-no-such-program"], ["./nowhere"], ["/"], ["a\0b"], ["echo", "a\0b"]])
def test_what_can_not_be_started_is_data(argv):
    found = run(*argv)
    assert isinstance(found, NotFound)
    assert found.code == "command-failed"
    assert "could not be started" in found.message
    assert found.hint.startswith("install it, or name it by its whole path")


def test_its_output_is_limited():
    found = program("import sys; sys.stdout.write('x' * 70000)")
    assert isinstance(found, NotFound)
    assert "more than 64 KB" in found.message
    assert found.hint == "let it print the secret alone"
    assert program("import sys; sys.stdout.write('x' * 65536)") == "x" * 65536


def test_endless_output_ends(monkeypatch):
    monkeypatch.setattr(command, "TIME_LIMIT", 30.0)
    found = program("while True: print('x' * 1000)")
    assert isinstance(found, NotFound)
    assert "more than 64 KB" in found.message
    assert found.hint == "let it print the secret alone"


def test_output_that_is_not_utf8_is_refused():
    found = program(f"import sys; sys.stdout.buffer.write(b'{CANARY}\\xff')")
    assert isinstance(found, NotFound)
    assert CANARY not in repr(found)


@pytest.mark.parametrize("text", ["pass", "print(' ')"])
def test_no_output_is_an_empty_secret(text):
    found = program(text)
    assert isinstance(found, NotFound)
    assert found.code == "empty"


def test_its_time_is_limited(monkeypatch):
    monkeypatch.setattr(command, "TIME_LIMIT", 0.3)
    found = program("import time; print('x', flush=True); time.sleep(60)")
    assert isinstance(found, NotFound)
    assert "did not end within" in found.message
    assert found.hint.startswith("run it by hand: it may wait for somebody to log in")


def test_what_it_started_ends_with_it(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "TIME_LIMIT", 2.0)
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    found = program(
        f"import subprocess, time; subprocess.Popen([{PYTHON!r}, '-c', {child!r}]); time.sleep(1); print('x')"
    )
    assert isinstance(found, NotFound)  # the grandchild still held the output
    pid = int(pid_file.read_text())
    assert any(ended(pid) or time.sleep(0.05) for _ in range(100))


def ended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"  # no one may reap it here
    except OSError:
        return True


def test_it_takes_no_longer_than_a_token_may_take(project):
    argv = json.dumps([PYTHON, "-c", "import time; time.sleep(60)"])
    project.write("app.yaml", f"{ID}client_secret: {{command: {argv}}}\nhttp: {{total_timeout: 0.3}}\n")
    credential = credconf.from_config("app.yaml", environ={}, allow={"command"})
    with credential, pytest.raises(credconf.CredentialUnavailableError) as caught:
        credential.get_token("https://a.example/.default")
    assert "did not end within 0.3 s" in str(caught.value)
    assert "run it by hand" in str(caught.value)


def test_a_failing_command_raises_at_the_token_without_an_echo(project):
    class Nobody:
        def get(self, *arguments, **options):
            raise AssertionError

        post = get

        def close(self):
            pass

    argv = json.dumps([PYTHON, "-c", f"import sys; sys.exit({CANARY!r})"])
    project.write("app.yaml", f"{ID}client_secret: {{command: {argv}}}\n")
    credential = credconf.from_config("app.yaml", environ={}, allow={"command"}, http_client=Nobody())
    with credential, pytest.raises(credconf.CredentialUnavailableError) as caught:
        credential.get_token("https://a.example/.default")
    assert_nothing_shows(caught.value)
