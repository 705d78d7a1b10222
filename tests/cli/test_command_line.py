"""The command line as a whole: what it imports, and what it offers."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from credconf import __version__
from credconf.cli import COMMANDS, main
from credconf.settings import clouds
from tests.cli.running import ROOT, program, run
from tests.config.project import CANARY, TENANT, VARIABLES

LIGHT = [["--help"], ["--version"], ["schema"], ["explain"], ["explain", "AADSTS7000215", "unknown-key"], ["nothing"]]


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
def test_the_short_help_is_the_first_line_of_the_help(name):
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert len(COMMANDS[name]) <= 64, "the help has lines of 80 columns"
    assert inspect.cleandoc(command.help).splitlines()[0] == COMMANDS[name]


def test_every_command_of_the_list_is_in_the_help():
    said = run("--help").said
    assert [line.split()[0] for line in said.partition("Commands:\n")[2].splitlines()] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_option_for_the_format_is_the_same_everywhere(name):
    command = main.get_command(click.Context(main), name)
    said = {option.name: option for option in command.params}.get("form")
    assert said is None or (said.default, said.show_default, said.help) == ("text", True, "The format of the output.")


def test_the_version_is_ours():
    assert run("--version").said == f"credconf, version {__version__}\n"


def test_the_module_is_the_program():
    result = program("--version")
    assert (result.returncode, result.stdout.decode().split()) == (0, ["credconf,", "version", __version__])


# Wrong calls


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
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--resolve"),
        ("check", "--resolve", "-n", "a", "-f", "{named}"),
        ("check", "{named}"),
        ("show",),
        ("show", "-f", "{named}", "-n", "a"),
    ],
)
def test_a_working_directory_that_is_gone_stops_nothing_that_needs_none(project, arguments):
    named = project.write(
        "named.yaml", f"credentials: {{a: {{tenant_id: {TENANT}, client_id: x, client_secret: y}}}}\n"
    )
    result = in_a_gone_directory(project, *(item.format(named=named) for item in arguments), **VARIABLES)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="a working directory can't be removed there")
@pytest.mark.parametrize("command", [("check", "--resolve"), ("show",), ("doctor",), ("check", "--resolve", "a.yaml")])
def test_what_it_would_have_held_is_missing(project, command):
    result = in_a_gone_directory(project, *command)
    assert (result.returncode, result.stderr) == (1, "")
    assert "the working directory" in result.stdout
    assert "absolute path" in result.stdout


def in_a_gone_directory(project, *arguments, **variables):
    gone = project.path / "gone"
    gone.mkdir()
    body = "import os, socket; os.rmdir(os.getcwd()); from credconf.cli import main; main()"
    foreign = ("AZURE_", "CREDCONF_")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
    script = project.write("program.py", body)  # with `-c`, Python 3.13.0 needs the directory to import libraries
    return subprocess.run(
        [sys.executable, script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=gone,
        env={**environ, "PYTHONPATH": str(ROOT), **variables},
    )


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
    loaded = {name.removeprefix("credconf.cli.") for name in modules.split() if name.startswith("credconf.cli.")}
    assert loaded == {"output"}


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
