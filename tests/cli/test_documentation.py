"""`credconf explain` and `credconf schema`."""

from __future__ import annotations

import pytest

from credconf.problems.catalogue import CODES, explain
from credconf.problems.failure import ADVICE
from tests.cli.running import run


@pytest.mark.parametrize("code", [*CODES, *(f"AADSTS{number}" for number in ADVICE)])
def test_every_code_is_explained(code):
    outcome = run("explain", code)
    assert outcome.status == 0
    assert outcome.said == f"{explain(code)}\n"


def test_codes_may_be_written_as_they_were_met():
    wanted = run("explain", "AADSTS7000215").said
    for written in ("7000215", "aadsts7000215", "AADSTS7000215:"):
        assert run("explain", written).said == wanted
    assert run("explain", "error[unknown-key]:").said == run("explain", "UNKNOWN_KEY").said


def test_several_codes_are_explained_in_their_order():
    said = run("explain", "cycle", "missing").said
    assert 0 == said.index("cycle: ") < said.index("\n\n\nmissing: ")


def test_without_a_code_all_are_listed_in_80_columns():
    outcome = run("explain")
    assert outcome.status == 0
    listed = {line.split()[0] for line in outcome.said.splitlines() if line.startswith("  ") and line[2] != " "}
    assert listed == {*CODES, *(f"AADSTS{number}" for number in ADVICE)}
    assert max(map(len, outcome.said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("unknown-kex", "did you mean unknown-key?"),
        ("AADSTS700021", "code=700021"),
        ("xyzzy", "lists all codes"),
        ("", "lists all codes"),
    ],
)
def test_an_unknown_code_gets_a_suggestion(written, words):
    outcome = run("explain", written)
    assert outcome.status == 2
    assert words in outcome.said


def test_known_codes_are_explained_beside_unknown_ones():
    outcome = run("explain", "unknown-kex", "cycle")
    assert outcome.status == 2
    assert "cycle: " in outcome.said
    assert "did you mean unknown-key?" in outcome.said
