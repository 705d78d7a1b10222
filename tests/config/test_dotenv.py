"""`.env`: python-dotenv's format with lines, without expansion, without dropping anything."""

from __future__ import annotations

import os

import pytest

from credconf.config.dotenv import parse_dotenv
from tests.config.project import AUTHORITY, CANARY, CLIENT, TENANT, VARIABLES, only, secret_of, warned

LINES = "".join(f"{name}={value}\n" for name, value in VARIABLES.items())


def test_a_dotenv_alone_is_enough(project):
    project.write(".env", LINES)
    resolved = project.load()
    assert (resolved.settings.tenant_id, resolved.settings.client_id) == (TENANT, CLIENT)
    assert secret_of(resolved) == CANARY
    assert str(resolved.origins["client_id"]) == ".env:2 (AZURE_CLIENT_ID)"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("012345", "012345"),
        ("null", "null"),
        ("$HOME", "$HOME"),
        ("${HOME}", "${HOME}"),
        ("'${HOME}'", "${HOME}"),
        ('"${HOME}"', "${HOME}"),
        ('{"file": "/etc/passwd"}', '{"file": "/etc/passwd"}'),
        ("[1, 2]", "[1, 2]"),
        ("'a b'", "a b"),
        ('"a#b"', "a#b"),
        ("a#b", "a#b"),
        ('"a\\nb"', "a\nb"),
        ("ü", "ü"),
        ("a=b", "a=b"),
    ],
)
def test_values_are_literals_without_expansion(project, written, read):
    project.write(".env", f"AZURE_TENANT_ID={TENANT}\nAZURE_CLIENT_ID={CLIENT}\nAZURE_CLIENT_SECRET={written}\n")
    assert secret_of(project.load(environ={"HOME": "/home/somebody"})) == read


def test_lines_are_counted_past_blank_lines_comments_exports_and_long_values(project):
    project.write(".env", f"\n# first\n\nexport AZURE_TENANT_ID={TENANT}\nX='a\nb'\n\n  AZURE_CLIENT_ID = {CLIENT}\n")
    resolved = project.load(client_secret="x")
    assert (resolved.origins["tenant_id"].line, resolved.origins["client_id"].line) == (4, 8)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_both_newlines_and_a_byte_order_mark_are_read(project, newline):
    project.write(".env", "\ufeff" + LINES.replace("\n", newline))
    resolved = project.load()
    assert secret_of(resolved) == CANARY
    assert resolved.origins["client_secret"].line == 3


def test_a_broken_line_is_an_error_with_its_line(project):
    project.write(".env", f"{LINES}this line is {CANARY}\nBROKEN='{CANARY}\n")
    error = project.refused()
    broken = [item for item in error.problems if item.code == "bad-dotenv"]
    assert (broken[0].file, broken[0].line) == (".env", 4)
    assert all(item.hint for item in broken)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"set AZURE_CLIENT_SECRET={CANARY}", "this line is for a shell: it begins with `set`"),
        (f'declare -x X="{CANARY}"', "this line is for a shell: it begins with `declare -x`"),
        (f'SETX X "{CANARY}"', "this line is for a shell: it begins with `SETX`"),
        (f'X="{CANARY}', "the quote that begins in this line does not end in it"),
        (f"X = '{CANARY} # it's", "this line can't be read"),
        (f'X="{CANARY}\nY="y"', "the quote that begins in this line does not end in it"),
        (f"X {CANARY}", "this line can't be read"),
    ],
)
def test_what_is_wrong_with_a_broken_line_is_told(project, line, told):
    project.write(".env", f"{LINES}{line}\n")
    [problem] = project.refused().problems
    assert (problem.message, problem.line) == (told, 4)
    assert CANARY not in problem.hint


def test_foreign_variables_in_it_are_none_of_our_business(project):
    project.write(".env", f"{LINES}DATABASE_URL=x\nAZURE_SOMETHING=y\nEMPTY=\nNOVALUE\n")
    assert secret_of(project.load()) == CANARY


def test_it_is_never_read_from_a_parent_directory(project, monkeypatch):
    project.write(".env", LINES)
    (project.path / "below").mkdir()
    monkeypatch.chdir(project.path / "below")
    assert only_missing(project.refused())


def only_missing(error) -> bool:
    return {item.code for item in error.problems} == {"missing"}


def test_it_can_be_switched_off(project):
    project.write(".env", LINES)
    error = project.refused(env_file=False)
    assert only_missing(error)
    assert ".env (switched off)" in str(error)


def test_another_file_can_be_named(project):
    project.write(".env", "AZURE_TENANT_ID=wrong.example\n")
    project.write("conf/dev.env", LINES)
    resolved = project.load(env_file="conf/dev.env")
    assert resolved.settings.tenant_id == TENANT
    assert str(resolved.origins["tenant_id"]) == "conf/dev.env:1 (AZURE_TENANT_ID)"
    assert project.load(env_file=project.path / "conf" / "dev.env").settings.tenant_id == TENANT


def test_a_named_file_that_is_missing_is_an_error(project):
    error = project.refused(env_file="nowhere.env")
    assert [(item.code, item.file) for item in error.problems if item.code != "missing"] == [
        ("missing-file", "nowhere.env")
    ]


def test_a_found_file_that_is_not_utf8_is_an_error(project):
    project.write(".env", f"AZURE_CLIENT_SECRET={CANARY}\nX=\xff".encode("latin-1"))
    problem = next(item for item in project.refused().problems if item.code == "not-utf8")
    assert (problem.file, problem.line, problem.column) == (".env", 2, 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_does_not_hang(project):
    os.mkfifo(project.path / ".env")
    assert "not-a-file" in {item.code for item in project.refused().problems}


def test_the_selectors_have_no_effect_in_it_and_a_warning_says_so(project):
    project.write(".env", f"{LINES}CREDCONF_NAME=billing\nCREDCONF_FILE=other.yaml\n")
    resolved = project.load()
    assert resolved.name is None
    assert warned(resolved) == ["unheard-variable"] * 2


def test_a_variable_that_is_nearly_ours_is_an_error_with_its_line(project):
    project.write(".env", f"{LINES}CREDCONF_TENNANT_ID=x\n")
    problem = only(project.refused())
    assert (problem.code, problem.file, problem.line) == ("unknown-variable", ".env", 4)
    assert problem.hint == "did you mean CREDCONF_TENANT_ID?"


def test_its_relative_paths_are_relative_to_it(project, monkeypatch):
    project.write("conf/secrets/entra", "from the file\n")
    project.write("conf/ca.pem", AUTHORITY)
    lines = f"AZURE_TENANT_ID={TENANT}\nAZURE_CLIENT_ID={CLIENT}\nAZURE_CLIENT_SECRET_FILE=secrets/entra\n"
    project.write("conf/dev.env", f"{lines}CREDCONF_HTTP__CA_BUNDLE=ca.pem\n")
    resolved = project.load(env_file="conf/dev.env")
    monkeypatch.chdir("/")
    assert resolved.reader.text(secret_of(resolved)) == "from the file"
    assert resolved.settings.http.ca_bundle == str(project.path / "conf" / "ca.pem")


def test_the_last_of_two_lines_for_one_variable_wins():
    file = parse_dotenv("A=1\nA=2\n", ".env", discovered=True)
    assert file.variables["A"] == "2"
    assert file.origin("A").line == 2


def test_nothing_of_it_is_in_its_repr():
    assert CANARY not in repr(parse_dotenv(f"A={CANARY}\nbroken {CANARY}\n", ".env", discovered=True))


def test_a_variable_of_ours_that_stands_twice_is_a_warning_and_the_last_counts(project):
    project.write(".env", f"AZURE_CLIENT_ID=x\n{LINES}DATABASE=1\nDATABASE=2\n")
    resolved = project.load()
    assert resolved.settings.client_id == CLIENT
    (warning,) = resolved.warnings
    assert (warning.code, warning.severity, warning.line) == ("duplicate-key", "warning", 3)
    assert warning.message == "AZURE_CLIENT_ID is set twice (first on line 1): the last one counts"


def test_so_is_one_that_a_reference_names_unless_the_process_has_it(project):
    project.write(".env", f"MY_SECRET={CANARY}\nMY_SECRET={CANARY}\n")
    text = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: MY_SECRET}}\n"
    assert warned(project.flat(text)) == ["duplicate-key"]
    assert warned(project.flat(text, environ={"MY_SECRET": CANARY})) == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "no_proxy"])
def test_what_counts_in_the_process_alone_has_no_effect_here_and_says_so(project, name):
    project.write(".env", f"{LINES}{name}=http://{CANARY}\n")
    (warning,) = project.load().warnings
    assert (warning.code, warning.message) == ("unheard-variable", f"{name} has no effect in .env")
    assert CANARY not in str(warning)


def test_nothing_is_said_of_it_where_the_process_has_it(project):
    project.write(".env", f"{LINES}HTTPS_PROXY=http://proxy.example:8080\n")
    assert project.load(environ={"HTTPS_PROXY": "http://proxy.example:8080"}).warnings == ()
