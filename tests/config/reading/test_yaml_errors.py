"""A file that is not YAML gets a message that helps, at a position inside the file."""

from __future__ import annotations

import pytest
import yaml

from credconf.config.reading.yaml_errors import syntax_problem, unprintable_problem
from tests.config.project import CANARY, COMPLETE, ID, only

REFUSED = {
    "a tab in front": ("http:\n\ttimeout: 3\n", (2, 1), "YAML allows only spaces here", "indent with spaces"),
    "a tab after a value": ("cloud: a\n\tregion: b\n", (2, 1), "YAML allows only spaces here", "indent with spaces"),
    "an open double quote": (
        f'{ID}client_secret: "{CANARY}\nx: y\n',
        (3, 16),
        "this quote is never closed",
        "close it",
    ),
    "an open single quote": (f"{ID}client_secret: '{CANARY}\n", (3, 16), "this quote is never closed", "close it"),
    "an escape": (f'{ID}client_secret: "a\\z{CANARY}"\n', (3, None), "a backslash in double quotes", "single quotes"),
    "an open bracket": (f"{ID}client_secret: [{CANARY}\nregion: x\n", (3, 16), "`[` is never closed", "with `]`"),
    "an open bracket at the end": (f"{ID}client_secret: [{CANARY}", (3, 16), "`[` is never closed", "with `]`"),
    "an open brace": (f"{ID}http: {{proxy: {CANARY}\n", (3, 7), "`{` is never closed", "with `}`"),
    "a missing comma": (f"{ID}client_secret: ['a' {CANARY}]\n", (3, 21), "`,` or `]` is missing", "put quotes"),
    "a second colon": (f"{ID}client_secret: a: {CANARY}\n", (3, 17), "a second `: `", "put quotes"),
    "no space after the colon": (f"{ID}client_secret:{CANARY}\nregion: x\n", (3, 1), "no `: ` after its key", "space"),
    "no colon": (f"{ID}client_secret {CANARY}\n", (3, 1), "no `: ` after its key", "`key: value`"),
    "no colon at the top": (f"client_secret {CANARY}\ncloud: usgov\n", (1, 1), "no `: ` after its key", "`key: value`"),
    "a reserved sign": (f"{ID}client_secret: @{CANARY}\n", (3, 16), "can't begin with this", "put quotes"),
    "a percent sign": (f"{ID}client_secret: %{CANARY}\n", (3, 16), "can't begin with this", "put quotes"),
    "a deeper line": (f"{ID}  client_secret: {CANARY}\n", (3, 3), "indented deeper", "the same column"),
    "a line between": (f"http:\n    retries: 3\n  timeout: {CANARY}\n", (3, 3), "not indented like", "the same column"),
    "more after a quote": (
        f"{ID}client_secret: 'a' {CANARY}\n",
        (3, 20),
        "follows a value that has ended",
        "whole value",
    ),
    "a list among settings": (f"{ID}- {CANARY}\n", (3, 1), "this list item is among", "indent it"),
    "a comma too few in JSON": (
        f'{{\n  "tenant_id": "a",\n  "client_id": "b"\n  "client_secret": "{CANARY}"\n}}\n',
        (4, 3),
        "`,` or `}` is missing before this",
        "by commas",
    ),
    "a comma too few without quotes": (
        f"{ID}http: {{\n  retries: 3\n  proxy: {CANARY} }}\n",
        (5, 3),
        "`,` or `}` is missing before this",
        "by commas",
    ),
    "a comma too few in JSON without indentation": (
        f'{{\n"tenant_id": "a"\n"client_secret": "{CANARY}"\n}}\n',
        (3, 1),
        "`,` or `}` is missing before this",
        "by commas",
    ),
    "an open bracket and another list below": (
        f"{ID}client_secret: [\n  {CANARY}\nprefetch: [a]\n",
        (3, 16),
        "`[` is never closed",
        "with `]`",
    ),
    "a comma after a reference": (
        f"{ID}client_secret: {{file: {CANARY}}},\n",
        (3, 24 + len(CANARY)),
        "follows a value that has ended",
        "remove what follows `}`",
    ),
    "a brace too many": (
        f"{ID}client_secret: {{file: {CANARY}}}}}\nregion: x\n",
        (3, 24 + len(CANARY)),
        "follows a value that has ended",
        "remove what follows `}`",
    ),
    "a bracket too many": (
        f"{ID}client_secret: [{CANARY}]]\n",
        (3, 18 + len(CANARY)),
        "follows a value that has ended",
        "remove what follows `]`",
    ),
    "a secret that begins like a list": (
        f"{ID}client_secret: [a]{CANARY}\n",
        (3, 19),
        "follows a value that has ended",
        "quotes around the whole value",
    ),
    "a no-break space": (
        f"tenant_id:\u00a0{CANARY}\nclient_id: a\n",
        (1, 1),
        "no `: ` after its key",
        "only looks like one",
    ),
    "a star": (f"{ID}client_secret: *abc~{CANARY}\n", (3, 16), "can't begin with this", "put quotes"),
    "an ampersand": (f"{ID}client_secret: &abc~{CANARY}\n", (3, 16), "can't begin with this", "put quotes"),
    "a bar": (f"{ID}client_secret: |{CANARY}\n", (3, 16), "can't begin with this", "put quotes"),
    "a dash": (f"{ID}client_secret: - {CANARY}\n", (3, 16), "can't begin with `- `", "put quotes around it"),
    "a document's end": (f"{COMPLETE}...\n{COMPLETE}", (5, 1), "the end of the document", "one document"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_message_says_what_is_wrong_where_it_began(project, case):
    text, (line, column), message, hint = REFUSED[case]
    problem = only(project.refused_text(text))
    assert problem.code == "bad-yaml"
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert problem.line == line
    assert column is None or problem.column == column


@pytest.mark.parametrize("case", REFUSED)
def test_the_pure_parser_s_words_are_understood_too(case):
    text, (line, column), message, hint = REFUSED[case]
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        list(yaml.parse(text, Loader=yaml.BaseLoader))
    problem = syntax_problem("a.yaml", text, caught.value)
    if case == "a tab after a value":
        assert "tab" in problem.message
        return
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert problem.line == line
    assert column is None or problem.column == column


def test_a_control_character_has_a_place(project):
    problem = only(project.refused_text(f"{ID}client_secret: ä{CANARY}\x07\n"))
    assert (problem.line, problem.column) == (3, 17 + len(CANARY))
    assert "a character that YAML does not allow" in problem.message


def test_a_place_behind_the_end_becomes_the_end():
    odd = yaml.MarkedYAMLError(problem_mark=yaml.Mark("a", 0, 99, 99, None, None))
    for text, place in (("a: b\n", (1, 5)), ("a: b", (1, 5)), ("", (1, 1)), ("a\nbc\r\n", (2, 3))):
        problem = syntax_problem("a.yaml", text, odd)
        assert (problem.line, problem.column) == place


def test_an_error_without_a_place_names_the_file():
    assert syntax_problem("a.yaml", "a: b\n", yaml.MarkedYAMLError()).file == "a.yaml"
    assert unprintable_problem("a.yaml", "nothing is wrong with it").line is None
