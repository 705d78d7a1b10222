"""Problems as dictionaries: the shape that DESIGN 4 promises."""

from __future__ import annotations

import json

from credconf.problems import Excerpt, Problem, as_dicts
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


def test_an_excerpt_is_for_people_only():
    [found] = as_dicts([Problem("one", "first", excerpt=Excerpt(1, "a: …"))])
    assert list(found) == KEYS
