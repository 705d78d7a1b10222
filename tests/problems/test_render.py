"""Problems as text for people and as dictionaries for programs."""

from __future__ import annotations

import json

import pytest

import credconf
from credconf.problems import Problem, as_dicts, as_text, closest
from tests.config.project import CLIENT, TENANT

KEYS = ["severity", "code", "message", "path", "file", "line", "column", "hint"]


def test_the_shape_of_the_json_is_the_promised_one(project):
    error = project.refused_text(
        f"default: billing\ncredentials:\n  billing:\n    clinet_id: x\n    tenant_id: {TENANT}\n    client_id: x\n"
        "    client_secret: x\n"
    )
    found = next(item for item in as_dicts(error.problems) if item["severity"] == "error")
    assert list(found) == KEYS
    assert found == {
        "severity": "error",
        "code": "unknown-key",
        "message": "`clinet_id` is not a setting",
        "path": "credentials.billing.clinet_id",
        "file": "app.yaml",
        "line": 4,
        "column": 5,
        "hint": "did you mean `client_id`?",
    }


def test_the_environment_has_an_origin_and_no_file(project):
    error = project.refused(environ={"AZURE_CLIENT_ID": CLIENT, "AZURE_TENANT_ID": "/", "AZURE_CLIENT_SECRET": "x"})
    [found] = as_dicts(error.problems)
    assert list(found) == [*KEYS, "origin"]
    assert (found["file"], found["line"], found["origin"]) == (None, None, "$AZURE_TENANT_ID")


def test_a_dotenv_is_a_file_with_lines(project):
    project.write(".env", f"AZURE_CLIENT_ID={CLIENT}\nAZURE_TENANT_ID=/\nAZURE_CLIENT_SECRET=x\n")
    [found] = as_dicts(project.refused().problems)
    assert list(found) == KEYS
    assert (found["file"], found["line"]) == (".env", 2)


def test_an_argument_has_an_origin(project):
    [found] = as_dicts(project.refused(tenant_id="/", client_id=CLIENT, client_secret="x").problems)
    assert (found["file"], found["origin"]) == (None, "argument tenant_id")


def test_a_problem_without_a_place_has_neither():
    [found] = as_dicts([Problem("missing", "`x` is not set")])
    assert list(found) == KEYS
    assert found["file"] is None
    assert json.loads(json.dumps(found)) == found


def test_the_text_says_what_where_and_what_to_do(project):
    project.write("base.yaml", f"credentials: {{billing: {{tenant_id: {TENANT}}}}}\n")
    project.write("prod.yaml", f"default: billing\ncredentials:\n  billing:\n    client_id: {CLIENT}\n")
    text = str(project.refused(["base.yaml", "prod.yaml"]))
    assert text.splitlines()[0] == (
        "error[missing]: `client_secret` of `billing` is not set, nor is `client_certificate`"
    )
    assert "  --> prod.yaml:3:3" in text.splitlines()
    assert "add `client_secret: {file: PATH}`, or set CREDCONF__BILLING__CLIENT_SECRET" in text
    assert "looked in: arguments, environment, .env (no such file), base.yaml, prod.yaml" in text


def test_problems_are_separated_by_a_blank_line():
    origin = credconf.Origin("file", file="a.yaml", line=1, column=2)
    text = as_text([Problem("one", "first", origin=origin, hint="a\nb"), Problem("two", "second", "warning")])
    assert text == "error[one]: first\n  --> a.yaml:1:2\n  a\n  b\n\nwarning[two]: second"


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        (credconf.Origin("argument", "name"), "argument name"),
        (credconf.Origin("argument"), "arguments"),
        (credconf.Origin("environment", "X"), "$X"),
        (credconf.Origin("environment"), "environment"),
        (credconf.Origin("dotenv", "X", ".env", 3), ".env:3 (X)"),
        (credconf.Origin("file", file="a.yaml", line=3, column=4, entry="a"), "a.yaml:3:4"),
        (credconf.Origin("file", file="a.yaml"), "a.yaml"),
        (credconf.Origin("preset", "china"), "preset of cloud china"),
        (credconf.Origin("default"), "default"),
    ],
)
def test_an_origin_is_written_as_people_write_it(origin, shown):
    assert str(origin) == shown


@pytest.mark.parametrize(
    ("word", "meant"),
    [("clinet_id", "client_id"), ("CLIENT-ID", "client_id"), ("tenantid", "tenant_id"), ("zzz", None), ("", None)],
)
def test_the_closest_word_is_suggested(word, meant):
    assert closest(word, ["client_id", "tenant_id"]) == meant


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("AADSTS7000215: Invalid client secret. AADSTS50012", (7000215, 50012)),
        ("AADSTS700016 AADSTS700016", (700016,)),
        ("aadsts700016 AADSTS1 nothing", ()),
        ("", ()),
    ],
)
def test_the_codes_of_entra_are_found_once_each(text, codes):
    from credconf.problems.aadsts import codes_in

    assert codes_in(text) == codes


def test_every_explained_code_says_something():
    from credconf.problems.aadsts import EXPLAINED, explain

    assert all(text.endswith(".") for text in EXPLAINED.values())
    assert explain(7000215) == EXPLAINED[7000215]
    assert explain(1) is None
