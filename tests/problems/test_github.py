"""Problems as annotations: one command a line, escaped as GitHub's runner unescapes it."""

from __future__ import annotations

import re

import pytest

import credconf
from credconf.problems import Problem, as_github

COMMAND = re.compile(r"::(?P<level>error|warning) (?P<properties>[^:]*)::(?P<message>.*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it."""
    match = COMMAND.fullmatch(line)
    assert match is not None, line
    properties = dict(item.split("=", 1) for item in match["properties"].split(","))
    return match["level"], {name: _unescaped(value) for name, value in properties.items()}, _unescaped(match["message"])


def _unescaped(text: str) -> str:
    for written, meant in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(written, meant)
    return text


def test_a_problem_is_an_annotation_of_its_line():
    origin = credconf.Origin("file", file="app.yaml", line=3, column=5)
    problem = Problem("unknown-key", "`clinet_id` is not a setting", origin=origin, hint="did you mean `client_id`?")
    assert as_github([problem]) == (
        "::error file=app.yaml,line=3,col=5,title=credconf[unknown-key]"
        "::`clinet_id` is not a setting%0Adid you mean `client_id`?"
    )


def test_a_warning_is_one():
    assert as_github([Problem("two", "second", "warning")]) == "::warning title=credconf[two]::second"


def test_each_problem_has_one_line(project):
    lines = as_github(project.refused_text("clinet_id: x\nhttp: 3\n").problems).split("\n")
    assert [read(line)[1].get("line") for line in lines] == ["1", "1", "1", "2"]
    assert ["looked in: arguments" in line for line in lines] == [False, True, True, False]


@pytest.mark.parametrize("name", ["a,b.yaml", "a:b.yaml", "100%.yaml", "a%0Ab.yaml", "a::b,c=d%.yaml", "C:\\a.yaml"])
def test_any_name_of_a_file_comes_back(name):
    problem = Problem("one", f"50% of {name}: x, y", origin=credconf.Origin("file", file=name, line=1), hint="a\r\nb")
    level, properties, message = read(as_github([problem]))
    assert (level, properties["file"], properties["line"]) == ("error", name, "1")
    assert message == f"50% of {name}: x, y\na\nb"


def test_a_line_break_in_a_name_does_not_begin_another_command():
    text = as_github([Problem("one", "x\n::error::y", origin=credconf.Origin("file", file="a\n::set-env::b"))])
    assert len(text.splitlines()) == 1


def test_what_is_in_no_file_names_its_place():
    problem = Problem("one", "bad", origin=credconf.Origin("environment", "AZURE_CLIENT_ID"))
    assert as_github([problem]) == "::error title=credconf[one]::bad ($AZURE_CLIENT_ID)"
