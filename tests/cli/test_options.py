"""The options that say which configuration is meant are the arguments of `load()`."""

from __future__ import annotations

import inspect

import click
import pytest
from click.testing import CliRunner

import credconf
from credconf.cli.options import Chosen, configuration_options, permissions

NOTHING = {"path": None, "name": None, "section": None, "env_file": True, "allow": frozenset()}


def chosen(*arguments):
    seen = []

    @click.command()
    @click.argument("other", required=False)
    @configuration_options
    def command(other, chosen):
        seen.append((other, chosen))

    result = CliRunner().invoke(command, arguments)
    return seen[0] if seen else result


def test_they_are_arguments_of_load():
    assert set(Chosen.__annotations__) <= set(inspect.signature(credconf.load).parameters)


def test_without_them_the_defaults_of_load_hold():
    assert chosen() == (None, NOTHING)
    defaults = {name: value.default for name, value in inspect.signature(credconf.load).parameters.items()}
    assert {name: defaults[name] for name in NOTHING} == {**NOTHING, "allow": ()}


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["-f", "a", "--file", "b"], {"path": ("a", "b")}),
        (["-n", "x", "--section", "a.b"], {"name": "x", "section": "a.b"}),
        (["--env-file", "my.env"], {"env_file": "my.env"}),
        (["--no-env-file"], {"env_file": False}),
        (["--allow", "command"], {"allow": frozenset({"command"})}),
    ],
)
def test_each_option_sets_its_argument(arguments, meant):
    assert chosen("mine", *arguments) == ("mine", {**NOTHING, **meant})


@pytest.mark.parametrize("arguments", [["--env-file", "x", "--no-env-file"], ["--allow", "everything"]])
def test_what_can_not_be_meant_is_an_error_of_use(arguments):
    assert chosen(*arguments).exit_code == 2


def test_what_may_be_allowed_is_named_but_not_what_was_written():
    said = chosen("--allow", "everything")
    assert "allowed values: azure_cli, command" in said.output
    assert "everything" not in said.output


def test_what_may_be_allowed_is_offered():
    assert permissions(None, None, "c") == ["command"]
