"""What the programs of the toys share: facts by name, each found by itself, and the command line in this process.

A program runs with a copy of `credconf` first on its path, in which one toy is registered. It prints its facts as JSON.
"""

from __future__ import annotations

import functools
import json
import os
import pickle
import sys
import traceback
from pathlib import Path

import jsonschema
from click.testing import CliRunner

import credconf
from credconf.cli import main

CANARY = "c4n4ry~Must+Not.Appear"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "11111111-1111-1111-1111-111111111111"
IDS = {"tenant_id": TENANT, "client_id": CLIENT}
WHO = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\n"
SCOPE = "https://graph.microsoft.com/.default"
FACTS = {}


def fact(function):
    """Call a function now, and keep what it returns, or why it did not, under its name."""
    try:
        FACTS[function.__name__] = {"found": function()}
    except Exception:  # noqa: BLE001 - one that fails must not keep the others from being found
        FACTS[function.__name__] = {"raised": traceback.format_exc()}
    return function


def tell():
    """Print the facts."""
    FACTS["package"] = {"found": credconf.__file__}
    sys.stdout.write(json.dumps(FACTS, default=str))


def write(name, text, mode=0o600):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path.absolute())


def run(*arguments):
    """The status and the output of a command."""
    result = CliRunner().invoke(main, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def run_json(*arguments):
    status, output = run(*arguments, "--format", "json")
    return status, json.loads(output)


def load(path=False, **arguments):
    return credconf.load(path, **{"environ": {}, "env_file": False, **arguments})


def copied(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - made a moment ago


def told(problems):
    """Code, path and hint of each problem; in a hint, a file has its name without the directory."""
    here = f"{os.getcwd()}/"
    return [[problem.code, problem.path, problem.hint and problem.hint.replace(here, "")] for problem in problems]


def refused(path=False, **arguments):
    """What is wrong with a configuration."""
    try:
        load(path, **arguments)
    except credconf.ConfigError as error:
        problems, said = told(error.problems), repr(error) + str(error)
    else:
        raise AssertionError("it is accepted")
    assert CANARY not in said
    return problems


def refused_text(text, **arguments):
    write("refused.yaml", text)
    return refused("refused.yaml", **arguments)


def checked(text, *options):
    """Codes, paths and hints of what `credconf check` says of a file."""
    write("checked.yaml", text)
    status, said = run_json("check", "checked.yaml", *options)
    return [status, [[item["code"], item["path"], item["hint"]] for item in said["problems"]]]


def codes(said):
    """The status and the codes alone."""
    status, problems = said
    return [status, [code for code, _, _ in problems]]


def hint_of(text):
    """The hint of the one problem of a file."""
    (problem,) = checked(text)[1]
    return problem[2]


@functools.cache
def schema():
    from tools.schema.document import document

    return document()


def is_valid(document):
    return jsonschema.Draft7Validator(schema()).is_valid(document)


def setting_of(said, path):
    return next(item for item in said["settings"] if item["path"] == path)
