"""The command line as a whole: what it imports, what it offers, and streams of every kind."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from credconf import __version__
from credconf.cli import COMMANDS, main
from credconf.cli.streams import writing
from credconf.entra import clouds
from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT

ROOT = Path(__file__).parent.parent.parent
WHO = ("--tenant-id", TENANT, "--client-id", CLIENT)
LIGHT = [["--help"], ["--version"], ["schema"], ["explain"], ["explain", "AADSTS7000215", "unknown-key"], ["nothing"]]


def program(*arguments, stdin=None, **environ):
    """The real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "credconf", *arguments],
        capture_output=True,
        input=stdin,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )


# What it imports


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_what_needs_no_configuration_imports_nothing_heavy(arguments):
    body = (
        "import sys\n"
        "from credconf.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print('\\n', *sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in result.stdout.splitlines()[-1].split()}
    assert "click" in loaded
    assert not loaded & {"pydantic", "pydantic_core", "pydantic_settings", "msal", "requests", "azure", "asyncio"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name):
    command = getattr(import_module(f"credconf.cli.{name}"), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert len(COMMANDS[name]) <= 64, "it would not stand in one line of 80 columns"
    assert inspect.cleandoc(command.help).splitlines()[0] == COMMANDS[name]


def test_every_command_of_the_list_is_in_the_help():
    said = run("--help").said
    assert [line.split()[0] for line in said.partition("Commands:\n")[2].splitlines()] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_form_of_the_output_is_asked_for_in_one_way(name):
    command = getattr(import_module(f"credconf.cli.{name}"), name)
    said = {option.name: option for option in command.params}.get("form")
    assert said is None or (said.default, said.show_default, said.help) == ("text", True, "What is printed.")


def test_the_version_is_ours():
    assert run("--version").said == f"credconf, version {__version__}\n"


def test_the_module_is_the_program():
    result = program("--version")
    assert (result.returncode, result.stdout.decode().split()) == (0, ["credconf,", "version", __version__])


# What it says to a wrong call


@pytest.mark.parametrize(("written", "meant"), [("chek", "check"), ("shema", "schema"), ("explian", "explain")])
def test_an_unknown_command_gets_a_suggestion(written, meant):
    outcome = run(written)
    assert outcome.status == 2
    assert f"Did you mean '{meant}'?" in outcome.said


def test_a_command_like_none_of_ours_gets_the_list():
    outcome = run("xyzzy")
    assert outcome.status == 2
    assert "There are: check, " in outcome.said


@pytest.mark.skipif(sys.platform == "win32", reason="a working directory can't be removed there")
def test_a_working_directory_that_is_gone_is_no_traceback(project):
    gone = project.path / "gone"
    gone.mkdir()
    body = "import os; os.rmdir(os.getcwd()); from credconf.cli import main; main()"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", body, "show"], capture_output=True, text=True, check=False, cwd=gone, env=environ
    )
    assert (result.returncode, result.stderr) == (1, "Error: the working directory does not exist any more\n")


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell):
    outcome = run("completion", shell)
    assert outcome.status == 0
    assert "_CREDCONF_COMPLETE" in outcome.said
    assert f"{shell}_complete" in outcome.said


def test_the_script_needs_no_shell_on_this_machine():
    result = program("completion", "bash", PATH="")
    assert result.returncode == 0, result.stderr
    assert b"complete" in result.stdout


def completed(*arguments):
    """What a shell offers for the last of the arguments."""
    completer = ShellComplete(main, {}, "credconf", "_CREDCONF_COMPLETE")
    return [(item.type, item.value) for item in completer.get_completions(list(arguments[:-1]), arguments[-1])]


def test_commands_and_options_complete():
    assert completed("s") == [("plain", "show"), ("plain", "schema")]
    assert ("plain", "--strict") in completed("check", "--s")
    assert ("plain", "--help") in completed("--h")
    assert completed("check", "--format", "g") == [("plain", "github")]
    assert completed("init", "--cloud", "") == [("plain", name) for name in clouds.PRESETS]


def test_files_complete_as_the_shell_does_it():
    assert completed("check", "pro") == [("file", "pro")]
    assert completed("show", "-f", "pro") == [("file", "pro")]
    assert completed("show", "--env-file", "") == [("file", "")]


def test_the_names_of_entries_complete(project):
    project.write("a.yaml", "x: {credentials: {billing: {}, base: {abstract: true}}}")
    project.write("b.yaml", f"x: {{credentials: {{reports: {{client_secret: {CANARY}}}, bills: {{}}}}}}")
    chosen = ("show", "-f", "a.yaml", "-f", "b.yaml", "--section", "x", "-n")
    assert completed(*chosen, "") == [("plain", "billing"), ("plain", "bills"), ("plain", "reports")]
    assert completed(*chosen, "bil") == [("plain", "billing"), ("plain", "bills")]
    project.write("credconf.yaml", "credentials: {found: {}}")
    assert completed("show", "-n", "") == [("plain", "found")]
    assert completed("check", "--resolve", "credconf.yaml", "-n", "f") == [("plain", "found")]


@pytest.mark.parametrize("text", ["", "[", "a: b", "credentials: []", "credentials: {A: {}}", "\0"])
def test_a_broken_file_completes_to_nothing(project, text):
    project.write("a.yaml", text)
    assert completed("show", "-f", "a.yaml", "-n", "") == []
    assert completed("show", "-f", "gone.yaml", "-n", "") == []


def test_completing_a_command_imports_none():
    body = (
        "import sys\nfrom click.shell_completion import ShellComplete\nfrom credconf.cli import main\n"
        "print(len(ShellComplete(main, {}, 'credconf', 'X').get_completions([], '')))\nprint(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=True, cwd=ROOT)
    count, modules = result.stdout.splitlines()
    assert int(count) == len(COMMANDS)
    assert not {f"credconf.cli.{name}" for name in COMMANDS} & set(modules.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_a_real_bash_completes(project):
    project.write("a.yaml", "credentials: {billing: {}, base: {abstract: true}}")
    start = "from credconf.cli import main; main(prog_name='credconf')"
    project.write("credconf", f'#!/bin/sh\nexec "{sys.executable}" -c "{start}" "$@"\n', 0o700)
    project.write("script", run("completion", "bash").said)
    body = (
        'PATH="$PWD:$PATH"; source ./script\n'
        "complete -p credconf\n"
        'COMP_WORDS=(credconf show -f a.yaml -n ""); COMP_CWORD=5; _credconf_completion credconf\n'
        'echo "${COMPREPLY[@]}"\n'
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["bash", "-c", body], capture_output=True, text=True, check=False, env=environ)
    assert result.stdout.splitlines()[1:] == ["billing"], result.stderr
    assert "_credconf_completion" in result.stdout.splitlines()[0]


# The schema


def test_the_schema_is_the_file_of_the_repository():
    assert run("schema").said == (ROOT / "schema" / "credconf.schema.json").read_text(encoding="utf-8")


# Streams


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_every_encoding_can_show_an_excerpt(project, encoding):
    project.write("a.yaml", f"{COMPLETE}clinet_id: x\n")
    result = program("check", "a.yaml", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert result.returncode == 1, result.stderr
    known = encoding in {"utf-8", "ascii"}  # click takes ASCII for a mistake, and writes UTF-8
    said = result.stdout.decode("utf-8" if known else encoding)
    assert f" 4 | clinet_id: {'…' if known else '~'}" in said
    assert result.stderr == b""


def test_carets_stand_below_what_they_mean_in_every_encoding(project):
    project.write("a.yaml", "http: {timeout: 5, ł漢: 6, retrys: 3}\n")
    carets = {}
    for encoding in ("utf-8", "cp437"):
        said = program("check", "a.yaml", PYTHONIOENCODING=encoding, PYTHONUTF8="0").stdout.decode(encoding)
        carets[encoding] = [line.partition("did")[0] for line in said.splitlines() if "^^^" in line]
    assert carets["cp437"] == carets["utf-8"] != []
    assert "{timeout: ~, ???: ~, retrys: ~}" in said


def test_outside_of_an_excerpt_what_is_missing_is_spelt_out():
    said = program("explain", "secret-in-file", PYTHONIOENCODING="cp437", PYTHONUTF8="0").stdout.decode("cp437")
    assert "client_secret: 9f3a..." in said


def test_a_file_whose_name_is_no_text_can_be_named(project):
    name = os.fsdecode(b"caf\xe9.yaml")
    try:
        project.write(name, "cloud: moon")
    except OSError:
        pytest.skip("the file system takes names of UTF-8 only")
    result = program("check", name)
    assert result.returncode == 1
    assert result.stderr == b""
    assert program("check", "--format", "json", name).returncode == 1


@pytest.mark.parametrize("arguments", [("schema",), ("explain",), ("show",), ("check", "--help"), ("nothing",)])
def test_a_reader_that_leaves_is_told_from_problems(project, arguments):
    command = [sys.executable, "-m", "credconf", *arguments]
    ours, theirs = os.pipe()
    os.close(ours)
    streams = {"stdout": theirs, "stderr": theirs if arguments == ("nothing",) else subprocess.PIPE}
    result = subprocess.run(command, **streams, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    os.close(theirs)
    assert (result.returncode, result.stderr or b"") == (141, b"")


def test_a_reader_that_leaves_in_the_middle_hears_nothing(project):
    command = [sys.executable, "-m", "credconf", "schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in {0, 141}  # all of it may have been in the pipe already


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [("schema",), ("check", "a.yaml"), ("show",), ("init", *WHO), ("--help",)])
def test_an_output_that_can_not_be_written_is_one_line(project, arguments):
    project.write("a.yaml", ID)
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "credconf", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert result.returncode == 74
    assert result.stderr == b"Error: the output can't be written: No space left on device\n"


def test_an_error_of_a_file_is_not_taken_for_one_of_the_output():
    with pytest.raises(PermissionError), writing():
        raise PermissionError(13, "Permission denied", "credconf.yaml")
    with pytest.raises(ConnectionRefusedError), writing():
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.mark.skipif(os.name != "posix", reason="a shell that closes a stream")
@pytest.mark.parametrize("call", ["check -", "check -f -", "init"])
def test_without_a_standard_input_the_call_is_wrong(project, call):
    command = f'exec "{sys.executable}" -m credconf {call} <&-'
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=environ)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)
    assert "standard input: it is closed" in result.stderr or "no terminal to ask on" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="a shell that opens a stream")
def test_a_standard_input_that_can_not_be_read_is_a_wrong_call(project):
    command = f'exec "{sys.executable}" -m credconf check - 0>out'
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=environ)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (2, "Error: standard input can't be read")


@pytest.mark.parametrize(("name", "coloured"), [("ANY", False), ("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colours_are_for_terminals(project, name, coloured):
    environ = {name: "1"}
    project.write("a.yaml", COMPLETE)
    assert (b"\x1b[" in program("check", "a.yaml", **environ).stdout) is coloured
    assert b"\x1b[" not in program("check", "--format", "json", "a.yaml", **environ).stdout
