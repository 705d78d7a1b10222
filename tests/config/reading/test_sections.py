"""A section that no file has."""

from __future__ import annotations

import pytest

from tests.config.project import CANARY, COMPLETE, VARIABLES, only

FIELDS = f"tenant_id: x.example, client_id: y, client_secret: {CANARY}"
APPLICATION = f"""\
database: {{password: {CANARY}}}
azure:
  storage: {{tenant_id: x.example, client_id: y, client_secret: {CANARY}}}
  {CANARY}: x
"""


@pytest.mark.parametrize(
    ("section", "meant", "place", "shown"),
    [
        ("azure.storrage", "azure.storage", (3, 3), "  storage: {tenant_id: …, client_id: …, client_secret: …}"),
        ("azur.storage", "azure.storage", (2, 1), "azure:"),
        ("Azure", "azure", (2, 1), "azure:"),
    ],
)
def test_one_that_is_nearly_there_is_suggested_and_pointed_at(project, section, meant, place, shown):
    problem = only(project.refused_text(APPLICATION, section=section))
    assert (problem.code, problem.path, problem.hint) == ("missing-section", section, f"did you mean `{meant}`?")
    assert (problem.line, problem.column) == place
    assert problem.excerpt.text == shown


@pytest.mark.parametrize("section", ["elsewhere", "azure.storage.tenant_id.x", "database.password.x", CANARY[:-1]])
def test_one_that_resembles_nothing_names_the_file(project, section):
    problem = next(
        item for item in project.refused_text(APPLICATION, section=section).problems if item.severity == "error"
    )
    assert (problem.code, problem.file, problem.line, problem.excerpt) == ("missing-section", "app.yaml", None, None)
    assert problem.hint


def test_the_layer_that_has_something_like_it_is_pointed_at(project):
    project.write("base.yaml", "azure: {}\n")
    project.write("prod.yaml", "other: {}\n")
    error = project.refused(["base.yaml", "prod.yaml"], section="azuer")
    assert (only(error).file, only(error).hint) == ("base.yaml", "did you mean `azure`?")
    assert COMPLETE not in str(error)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        (f"azure:\n  storage: {{{FIELDS}}}\n  storage: {{tenant_id: other.example}}\n", (3, 3)),
        (f"azure:\n  storage: {{{FIELDS}}}\nazure: {{}}\n", (3, 1)),
        (f"base: &base\n  storage: {{{FIELDS}}}\n  storage: {{}}\nazure: {{<<: *base}}\n", (3, 3)),
    ],
)
def test_a_key_on_the_way_to_it_that_stands_twice_is_an_error(project, written, place):
    problem = only(project.refused_text(written, section="azure.storage"))
    assert (problem.code, problem.line, problem.column) == ("duplicate-key", *place)


def test_other_keys_beside_the_way_to_it_may_stand_twice(project):
    text = f"other: 1\nother: 2\nazure:\n  queue: 1\n  queue: 2\n  storage: {{{FIELDS}}}\n"
    assert project.flat(text, section="azure.storage").settings.client_id == "y"


@pytest.mark.parametrize("path", [None, False])
def test_without_a_file_there_is_no_section(project, path):
    problem = only(project.refused(path, section="azure.storage", environ=VARIABLES))
    assert (problem.code, str(problem.origin)) == ("missing-section", "argument section")
    assert problem.hint == "name the file that has it, or remove section="
