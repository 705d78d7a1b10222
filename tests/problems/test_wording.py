"""Foreign text moves no cursor, and is no command for a CI runner."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from credconf.problems import Excerpt, Problem, as_github, as_text, closest, printable
from credconf.problems.wording import as_json, harmless
from tests.problems.runners import PIECES, commands, of_github

TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(codec=None), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::stop-commands::x", r"\::stop-commands::x"),
        ("said ::add-mask::x", r"said \::add-mask::x"),
        ("##vso[task.complete]x", r"#\#vso[task.complete]x"),
        ("an ##[error] and ###[error]", r"an #\#[error] and #\#\#[error]"),
        ("a\n::error::b", r"a<U+000A>::error::b"),
        ("\u3000::error::b", r"<U+3000>::error::b"),
        ("::a ::b::", r"\::a \::b::"),
    ],
)
def test_a_command_is_escaped_and_the_escape_is_seen(text, shown):
    assert commands(text.replace("said ", "said\n"))  # as a line that is wrapped there
    assert printable(text) == shown
    assert not commands(shown.replace("said ", "said\n"))


@pytest.mark.parametrize(
    "text",
    [
        "::1",
        "::1 is an address: there is nothing to look up",
        "localhost is ::1 and 1 more",
        "https://[::1]:8443",
        "std::vector of a::b::c",
        "fe80::1%eth0, 2001:db8::1",
        "C:\\a\\app.yaml:3:1",
        "11111111-1111-1111-1111-111111111111",
        "client_id: …  # comment",
        "issue #3 [bug]",
        ":: ",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert printable(text) == harmless(text) == text


@given(TEXTS, TEXTS)
@example("::error", "::x")
@example("#", "#[error]")
@example("##vso", "[task.complete]")
def test_no_text_is_a_command(text, other):
    shown = printable(text)
    assert shown.isprintable()
    assert not commands(shown)
    assert printable(shown) == harmless(shown) == shown
    assert not commands(harmless(f"{shown} {printable(other)}\n{printable(other)}{shown}"))
    assert harmless(text).count("\n") == text.count("\n")


@given(TEXTS)
def test_what_is_escaped_comes_back_from_json(text):
    data = {text: [text, {"a": text}]}
    written = as_json(data)
    assert json.loads(written) == data
    assert not commands(written)


@given(st.lists(TEXTS, min_size=4, max_size=4), st.booleans())
def test_no_problem_is_a_command(texts, colour):
    message, hint, looked_in, key = texts
    text = f"{printable(key)}: …"
    problem = Problem("one", message, hint=hint, looked_in=(looked_in,), excerpt=Excerpt(3, text, width=3))
    assert not commands(as_text([problem], colour=colour))
    [line] = re.split(r"[\r\n]", as_github([problem]))
    assert of_github(line) == "error"
    assert not commands(line.removeprefix("::error"))


def test_carets_stand_below_what_they_mean_beside_a_command():
    excerpt = Excerpt(3, "::a::b: {##[x: …, retrys: …}", indent=18, width=6)
    _, _, line, carets = as_text([Problem("one", "first", excerpt=excerpt)]).splitlines()
    assert line == " 3 | …:a::b: {#…[x: …, retrys: …}"
    assert line[carets.index("^") : carets.rindex("^") + 1] == "retrys"


@pytest.mark.parametrize(
    ("word", "meant"),
    [("clinet_id", "client_id"), ("CLIENT-ID", "client_id"), ("tenantid", "tenant_id"), ("zzz", None), ("", None)],
)
def test_the_closest_word_is_suggested(word, meant):
    assert closest(word, ["client_id", "tenant_id"]) == meant


def test_a_word_of_any_length_is_answered_at_once():
    assert closest("client_id" * 100_000, ["client_id"]) is None


def test_nobody_has_misspelt_one_of_more_names_than_can_be_compared():
    names = [f"VARIABLE_{number}" for number in range(499)]
    assert closest("TENNANT_ID", [*names, "TENANT_ID"]) == "TENANT_ID"
    assert closest("TENNANT_ID", [*names, "ANOTHER", "TENANT_ID"]) is None
