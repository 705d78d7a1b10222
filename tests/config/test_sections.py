"""A section that no file has."""

from __future__ import annotations

import pytest

from tests.config.project import CANARY, COMPLETE, only

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
