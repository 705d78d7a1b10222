"""Warnings about how a value is written."""

from __future__ import annotations

import pytest

from credconf.config.judging import judge
from credconf.config.reading.document import read_document
from credconf.config.reading.nodes import Document
from tests.config.project import CANARY, CLIENT, ID, TENANT, VARIABLES, secret_of, warned

WORD = "c4n4ry"


def cut(resolved) -> list[tuple[str | None, int | None]]:
    return [(item.path, item.line) for item in resolved.warnings if item.code == "cut-value"]


@pytest.mark.parametrize(
    "written",
    [f"ab #{WORD}", f"ab  #{WORD}  ", f"ab\t#{WORD}", f"&anchor ab #{WORD}"[8:], f"ab #1{WORD}!"],
)
def test_a_secret_that_ends_before_an_adhering_word_is_a_warning(project, written):
    resolved = project.flat(f"{ID}client_secret: {written}\n")
    assert secret_of(resolved) == "ab"
    assert cut(resolved) == [("client_secret", 3)]
    assert WORD not in repr(resolved.warnings)


@pytest.mark.parametrize(
    "written",
    [
        "ab # rotate it",
        "ab # rotate",
        "ab #rotate it soon",
        "ab #",
        "ab # ",
        "ab ##",
        "ab#cd",
        "'ab #cd'",
        '"ab #cd"',
        "'ab' #cd",
        "ab #nosec",
        "ab #gitleaks:allow",
        "ab #TODO",
        "ab",
    ],
)
def test_an_ordinary_comment_is_none(project, written):
    assert cut(project.flat(f"{ID}client_secret: {written}\n")) == []


def test_other_settings_may_be_commented_as_their_writer_likes(project):
    resolved = project.flat(f"tenant_id: {TENANT} #prod\nclient_id: {CLIENT}\ncloud: public #usgov\nclient_secret: x\n")
    assert cut(resolved) == []


def test_an_item_of_a_list_is_looked_at_by_itself(project):
    resolved = project.flat(f"{ID}client_secret:\n  - ab # new\n  - ab #{WORD}\n")
    assert cut(resolved) == [("client_secret.1", 5)]


def test_the_error_of_a_secret_that_vanishes_as_a_whole_says_why(project):
    [problem] = project.refused_text(f"{ID}client_secret: #{CANARY}\n").problems
    assert (problem.severity, problem.code) == ("error", "empty")
    assert problem.hint.startswith("`client_secret` ends before ` #`: the rest is a comment: put quotes around")


def test_the_password_of_a_certificate_is_looked_at_too(project):
    text = f"{ID}client_certificate: {{file: none.pem}}\nclient_certificate_password: ab #{WORD}\n"
    assert [item.path for item in project.refused_text(text).problems if item.code == "cut-value"] == [
        "client_certificate_password"
    ]


def test_a_named_entry_s_secret_is_pointed_at_in_the_parent_that_holds_it(project):
    project.write("base.yaml", f"credentials:\n  base:\n    client_secret: ab #{WORD}\n")
    project.write(
        "prod.yaml", f"default: a\ncredentials:\n  a: {{extends: base, tenant_id: {TENANT}, client_id: {CLIENT}}}\n"
    )
    [warning] = [item for item in project.load(["base.yaml", "prod.yaml"]).warnings if item.code == "cut-value"]
    assert (warning.file, warning.line, warning.column) == ("base.yaml", 3, 20)
    assert warning.path == "credentials.a.client_secret"


@pytest.mark.parametrize(
    ("line", "is_cut"),
    [
        (f"AZURE_CLIENT_SECRET=ab #{WORD}", True),
        (f"export AZURE_CLIENT_SECRET = ab  #{WORD} ", True),
        (f"CREDCONF_CLIENT_SECRET=ab #{WORD}", True),
        (f"AZURE_CLIENT_SECRET='ab #{WORD}'", False),
        (f"AZURE_CLIENT_SECRET=ab#{WORD}", False),
        ("AZURE_CLIENT_SECRET=ab # from the portal", False),
        ("AZURE_CLIENT_SECRET=ab #TODO", False),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_dotenv_cuts_as_yaml_does(project, line, is_cut, newline):
    text = f"# first\nAZURE_TENANT_ID={TENANT} #prod\nAZURE_CLIENT_ID={CLIENT}\n{line}\n"
    project.write(".env", text.replace("\n", newline).encode())
    resolved = project.load()
    assert cut(resolved) == ([("client_secret", 4)] if is_cut else [])
    assert secret_of(resolved).startswith("ab")


def test_a_variable_of_the_process_is_whole(project):
    assert cut(project.load(environ={**VARIABLES, "AZURE_CLIENT_SECRET": f"ab #{WORD}"})) == []


def test_a_value_that_waits_for_an_expansion_is_a_warning_that_quotes_nothing(project):
    resolved = project.flat(f"{ID}client_secret: ${{{WORD}}}\n")
    [warning] = [item for item in resolved.warnings if item.code == "not-expanded"]
    assert secret_of(resolved) == f"${{{WORD}}}"
    assert (warning.line, warning.column, warning.hint) == (3, 16, "write {env: NAME} to read a variable")
    assert WORD not in repr(warning)


@pytest.mark.parametrize("written", ["$SECRET", "$MY_SECRET_2"])
def test_a_variable_in_capitals_needs_no_braces_to_look_like_one(project, written):
    resolved = project.flat(f"tenant_id: {TENANT}\nclient_id: {written}\nclient_secret: {written}\n")
    found = [item for item in resolved.warnings if item.code == "not-expanded"]
    assert [(item.path, item.line) for item in found] == [("client_id", 2), ("client_secret", 3)]
    assert "is a variable that was not expanded" in found[0].message
    assert "SECRET" not in repr(found)


@pytest.mark.parametrize(
    "written",
    [
        "$Secret",
        "$A",
        "$A-B",
        "$SECRET!",
        "x$SECRET",
        "'$'",
        "a${b}",
        "${a}b",
        "$a",
        "${}",
        "${a b}",
        "'${a}{'",
    ],
)
def test_a_secret_may_hold_a_dollar(project, written):
    assert "not-expanded" not in warned(project.flat(f"{ID}client_secret: {written}\n"))


def test_the_error_of_a_value_that_was_not_expanded_says_why(project):
    error = project.refused_text(f"tenant_id: ${{{WORD}}}\nclient_id: {CLIENT}\nclient_secret: x\n")
    assert [(item.severity, item.code) for item in error.problems] == [
        ("error", "bad-value"),
        ("warning", "secret-in-file"),
    ]
    assert "`tenant_id` is a variable that was not expanded" in error.problems[0].hint
    assert WORD not in str(error)


def test_an_item_that_waits_for_an_expansion_is_pointed_at(project):
    resolved = project.flat(
        f"{ID}client_secret: x\nadditionally_allowed_tenants: ['*']\nprefetch: [a, '${{{WORD}}}']\n"
    )
    [warning] = [item for item in resolved.warnings if item.code == "not-expanded"]
    assert (warning.path, warning.column, warning.hint) == ("prefetch.1", 15, "write the value itself")


@pytest.mark.parametrize("place", ["environment", "dotenv"])
def test_a_variable_is_told_to_hold_the_value_itself(project, place):
    variables = {**VARIABLES, "AZURE_CLIENT_SECRET": f"${{{WORD}}}"}
    if place == "dotenv":
        project.write(".env", "".join(f"{name}={value}\n" for name, value in variables.items()))
    resolved = project.load(environ=variables if place == "environment" else {})
    [warning] = [item for item in resolved.warnings if item.code == "not-expanded"]
    assert (warning.origin.place, warning.hint) == (place, "write the value itself")


@pytest.mark.parametrize("path", ["~/secret", "$HOME/secret", "${HOME}/secret", "/run/$NAME/x", "%APPDATA%/secret"])
def test_a_path_for_a_shell_to_expand_is_a_warning_with_its_place(project, path):
    project.write("app.yaml", f"{ID}client_secret: [{{file: '{path}'}}, x]\nhttp: {{ca_bundle: '{path}'}}\n")
    for found in (judged("app.yaml"), project.refused("app.yaml").problems):
        told = {(item.path, item.line) for item in found if "shell's notation" in f"{item.message}{item.hint}"}
        assert told == {("client_secret.0", 3), ("http.ca_bundle", 4)}


@pytest.mark.parametrize("path", ["~user/secret", "a~/secret", "cost$/x", "$/x", "/run/..data/x", "C:/PROGRA~1/x"])
def test_an_ordinary_path_is_none(project, path):
    project.write("app.yaml", f"{ID}client_secret: {{file: '{path}'}}\n")
    assert judged("app.yaml") == ()


def test_so_it_is_in_a_variable(project):
    error = project.refused(environ={**VARIABLES, "AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_SECRET_FILE": "~/secret"})
    assert [item.code for item in error.problems] == ["missing-file"]
    assert "uses a shell's notation: credconf expands nothing: write the whole path" in error.problems[0].hint


@pytest.mark.parametrize("path", ["~/app.yaml", "$HOME/app.yaml"])
def test_a_configuration_file_of_that_form_is_missing_and_its_hint_says_why(project, path):
    error = project.refused(environ={"CREDCONF_FILE": path})
    hint = "CREDCONF_FILE names it; `~` and `$NAME` are not expanded: write the whole path\n"
    assert [item.code for item in error.problems] == ["missing-file"]
    assert error.problems[0].hint.startswith(hint)
    assert "not expanded" in str(project.refused(path))


def judged(path):
    document = read_document(path)
    assert isinstance(document, Document)
    return tuple(problem for problem in judge([document]) if problem.code != "secret-in-file")
