"""`{command: [argv, ...]}`: only where it was allowed, without a shell, within limits, and without an echo."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

import pytest

import credconf
from credconf.ground import programs
from credconf.references import CommandReference, NotFound, Reader, command
from tests.config.project import CANARY, ID, assert_nothing_shows, only

PYTHON = sys.executable


def run(*argv: str, allow=("command",), environ=None, seconds=None) -> str | NotFound:
    reader = Reader(os.environ if environ is None else environ, allow=frozenset(allow), seconds=seconds)
    return reader.text(CommandReference(command=argv))


def program(text: str, **arguments) -> str | NotFound:
    return run(PYTHON, "-c", text, **arguments)


def test_a_configuration_can_not_run_programs_by_itself(project):
    marker = project.path / "ran"
    text = f"{ID}client_secret: {{command: [touch, {marker}]}}\n"
    problem = only(project.refused_text(text))
    assert (problem.code, problem.line) == ("not-allowed", 3)
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
    with pytest.raises(ValueError, match="allow knows only 'azure_cli' and 'command'"):
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
    assert found.hint == "let it print only the secret"
    assert program("import sys; sys.stdout.write('x' * 65536)") == "x" * 65536


def test_endless_output_ends(monkeypatch):
    monkeypatch.setattr(command, "TIME_LIMIT", 30.0)
    found = program("while True: print('x' * 1000)")
    assert isinstance(found, NotFound)
    assert "more than 64 KB" in found.message
    assert found.hint == "let it print only the secret"


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
    assert found.hint.startswith("run it in a shell: it may wait for a login")


# What it leaves behind


def held():
    """What a leak would add to: threads, and open descriptors with what they lead to."""
    links = {(name, os.readlink(f"/proc/self/fd/{name}")) for name in os.listdir("/proc/self/fd") if is_open(name)}
    return {*threading.enumerate(), *links}


def is_open(name):
    try:
        os.fstat(int(name))
    except OSError:
        return False  # the descriptor by which the directory was listed
    return True


def ended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"  # no one may reap it here
    except OSError:
        return True


CHILD = "import os, sys, time; print(os.getpid(), file=open({path!r}, 'w'), flush=True); {more}; time.sleep(600)"
STARTS = "import os, subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]{options})"
WAITS = "\nwhile not os.path.getsize({path!r}): time.sleep(0.01)"


@pytest.fixture
def starts(tmp_path):
    """A program that starts another one, which keeps its output open; and the number of that one."""
    path = str(tmp_path / "pid")

    def make(*, then=f"print({CANARY!r})", more="pass", options=""):
        with open(path, "w", encoding="ascii"):
            pass
        child = CHILD.format(path=path, more=more)
        return STARTS.format(child=child, options=options) + WAITS.format(path=path) + "\n" + then

    def number():
        with open(path, encoding="ascii") as file:
            return int(file.read() or 0)

    yield make, number
    if os.path.exists(path) and number() and not ended(number()):
        os.kill(number(), signal.SIGKILL)


on_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are counted in /proc")


@on_proc
def test_what_it_started_ends_with_it_and_its_output_counts(starts):
    make, number = starts
    before = held()
    for _ in range(3):
        assert program(make()) == CANARY
        assert held() <= before
        assert any(ended(number()) or time.sleep(0.05) for _ in range(400))


@on_proc
@pytest.mark.parametrize("then", ["", "; sys.exit(3)", " * 5000", "; time.sleep(600)"])
def test_a_daemon_that_makes_a_session_of_its_own_survives_and_holds_nothing(starts, then):
    make, number = starts
    before = held()
    for seconds in (1.0, 5.0, 60.0) if "sleep" in then else (60.0,):  # on a busy machine it takes a while to start
        text = make(then=f"print({CANARY!r}, flush=True){then}", options=", start_new_session=True")
        found = run(PYTHON, "-c", text, seconds=seconds)
        assert held() <= before
        if number():
            break
    assert found == CANARY if not then else isinstance(found, NotFound) and CANARY not in repr(found)
    assert not ended(number())
    kept = {os.readlink(f"/proc/{number()}/fd/{name}") for name in os.listdir(f"/proc/{number()}/fd")}
    assert {link.partition(":")[0] for link in kept} <= {"/dev/null", "pipe"}


@on_proc
def test_what_it_started_may_write_the_end_of_its_output(monkeypatch):
    monkeypatch.setattr(programs, "_REST", 20.0)
    late = "[time.sleep(0.01) for _ in iter(lambda: os.getppid() == int(sys.argv[1]), False)]"
    child = f"import os, sys, time; {late}; print({CANARY[3:]!r}, flush=True)"
    text = f"import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())]);"
    before = held()
    assert program(f"{text} print({CANARY[:3]!r}, end='')") == CANARY
    assert held() <= before


@on_proc
def test_output_without_end_of_what_it_started_is_limited(starts):
    make, number = starts
    before = held()
    found = program(
        make(more="[print('x' * 1000, flush=True) for _ in iter(int, 1)]", options=", start_new_session=True")
    )
    assert found.message.endswith("printed more than 64 KB")
    assert held() <= before
    assert any(ended(number()) or time.sleep(0.05) for _ in range(400)), "its output leads nowhere, which ends it"


@on_proc
def test_an_interrupt_leaves_nothing_behind(starts):
    make, number = starts

    class Interrupt(BaseException):
        pass

    def interrupt(*_):
        if not number():
            signal.setitimer(signal.ITIMER_REAL, 0.05)  # not yet
        else:
            raise Interrupt

    text, before, old = make(then="time.sleep(60)"), held(), signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupt):
            program(text)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert held() <= before
    assert any(ended(number()) or time.sleep(0.05) for _ in range(400))


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="children are told of by a signal on Unix")
def test_its_status_is_known_where_another_part_of_the_process_waits_for_all_children():
    """As gevent and some supervisors do."""
    assert program(f"print({CANARY!r})") == CANARY
    text = (
        "import os, signal, sys\n"
        "from credconf.references import CommandReference, Reader\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "print(Reader(os.environ, allow={'command'}).text(CommandReference(command=['echo', sys.argv[1]])))"
    )
    assert run(PYTHON, "-c", text, CANARY) == CANARY


def test_it_takes_no_longer_than_a_token_may_take(project):
    argv = json.dumps([PYTHON, "-c", "import time; time.sleep(60)"])
    project.write("app.yaml", f"{ID}client_secret: {{command: {argv}}}\nhttp: {{total_timeout: 0.3}}\n")
    credential = credconf.from_config("app.yaml", environ={}, allow={"command"})
    with credential, pytest.raises(credconf.CredentialUnavailableError) as caught:
        credential.get_token("https://a.example/.default")
    assert "did not end within 0.3 s" in str(caught.value)
    assert "run it in a shell" in str(caught.value)


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
