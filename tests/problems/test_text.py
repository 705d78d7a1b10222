"""Problems as text for people."""

from __future__ import annotations

import os
import re

import pytest

import credconf
from credconf.problems import Excerpt, Problem, as_text
from tests.config.project import CANARY, CLIENT, TENANT

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORIGIN = credconf.Origin("file", file="credconf.yaml", line=3, column=1)


def test_the_excerpt_is_drawn_as_the_design_draws_it():
    problem = Problem(
        "unknown-key",
        "`clinet_id` is not a setting",
        origin=ORIGIN,
        hint="did you mean `client_id`?",
        excerpt=Excerpt(3, "clinet_id: …", width=9),
    )
    assert as_text([problem]).splitlines() == [
        "error[unknown-key]: `clinet_id` is not a setting",
        "  --> credconf.yaml:3:1",
        "   |",
        " 3 | clinet_id: …",
        "   | ^^^^^^^^^ did you mean `client_id`?",
    ]


def test_the_number_of_a_line_makes_room_for_itself():
    text = as_text([Problem("one", "first", origin=ORIGIN, excerpt=Excerpt(1234, "  a: …", indent=5))])
    assert text.splitlines()[2:] == ["      |", " 1234 |   a: …", "      |      ^"]


@pytest.mark.parametrize("hint", ["x" * 90, "first\nsecond"])
def test_a_long_hint_is_below_the_carets(hint):
    text = as_text([Problem("one", "first", hint=hint, excerpt=Excerpt(1, "a: …", width=1))])
    lines = text.splitlines()
    assert lines[3] == "   | ^"
    assert lines[4:] == [f"  {line}" for line in hint.splitlines()]


def test_the_text_has_message_position_and_hint(project):
    project.write("base.yaml", f"credentials: {{billing: {{tenant_id: {TENANT}}}}}\n")
    project.write("prod.yaml", f"default: billing\ncredentials:\n  billing:\n    client_id: {CLIENT}\n")
    text = str(project.refused(["base.yaml", "prod.yaml"])).replace(str(project.path), "/app")
    variable = "CREDCONF__BILLING__CLIENT_SECRET"
    assert text.splitlines() == [
        "error[missing]: `client_secret` of `billing` is not set, nor is `client_certificate` or `client_assertion`",
        "  --> prod.yaml:3:3",
        f"  add `client_secret: {{file: PATH}}`, or set {variable} or {variable}_FILE",
        "  looked in: arguments, environment, /app/.env (no such file), /app/base.yaml, /app/prod.yaml",
    ]


def test_the_readme_shows_what_is_printed(project):
    project.write("credconf.yaml", f"tenant_id: {TENANT}\nclinet_id: {CLIENT}\ncloud: public\n")
    refused = project.refused("credconf.yaml", environ={"AZURE_SECRET": CANARY})
    shown = str(refused).replace(str(project.path), "/app")
    with open(f"{ROOT}/README.md", encoding="utf-8") as readme:
        assert f"```text\n{shown}\n```" in readme.read()


def test_problems_are_separated_by_a_blank_line():
    origin = credconf.Origin("file", file="a.yaml", line=1, column=2)
    text = as_text([Problem("one", "first", origin=origin, hint="a\nb"), Problem("two", "second", "warning")])
    assert text == "error[one]: first\n  --> a.yaml:1:2\n  a\n  b\n\nwarning[two]: second"


def test_colours_change_nothing_but_colours():
    problems = [
        Problem("one", "first", origin=ORIGIN, hint="do it", excerpt=Excerpt(3, "a: …", indent=3)),
        Problem("two", "second", "warning", looked_in=("here",)),
    ]
    coloured = as_text(problems, colour=True)
    assert "\033[1;31merror[one]\033[0m" in coloured
    assert "\033[1;33mwarning[two]\033[0m" in coloured
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == as_text(problems)
    assert "\033" not in as_text(problems)


@pytest.mark.parametrize("odd", ["\033[31m", "\n", "\r", "\x00", "\u202e", "\udcff", "\x9b"])
def test_nothing_that_a_file_is_called_moves_the_cursor(odd):
    origin = credconf.Origin("file", file=f"a{odd}.yaml", line=1, column=1)
    text = as_text(
        [Problem("one", f"the file a{odd}b", origin=origin, hint=f"x {odd[:1]}"[:3], looked_in=(f"c{odd}",))]
    )
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("\n") <= 3
    text.encode()


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
