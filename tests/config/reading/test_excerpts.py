"""The line that a problem points at: its keys and its punctuation, the carets under the right place, and no value."""

from __future__ import annotations

import pickle
import textwrap

import pytest

from credconf.problems import Excerpt, Problem, as_text
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, only

ALNUM = "C4n4ryWithoutAnyPunctuation0123456789012345"  # longer than a name may be


def drawn(problem: Problem) -> list[str]:
    """The line and the carets below it, as they are printed, without the margin."""
    excerpt = problem.excerpt
    assert excerpt is not None, as_text([problem])
    return [excerpt.text, " " * excerpt.indent + "^" * excerpt.width]


def pointed(project, text: str, code: str, **arguments) -> list[list[str]]:
    """What is drawn for each problem of a code."""
    error = project.refused_text(textwrap.dedent(text), **arguments)
    return [drawn(problem) for problem in error.problems if problem.code == code]


def test_carets_lie_under_a_key(project):
    assert pointed(project, f"{COMPLETE}clinet_id: x\n", "unknown-key") == [["clinet_id: …", "^^^^^^^^^"]]


def test_one_caret_lies_under_a_value_whatever_its_length(project):
    for value in ("x/", f"{CANARY}/", "'x/'"):
        text = f"tenant_id: {value}\nclient_id: {CLIENT}\nclient_secret: x\n"
        assert pointed(project, text, "bad-value") == [["tenant_id: …", "           ^"]]


YAML = {
    "a duplicate key": (f"{COMPLETE}client_secret: {CANARY}\n", "duplicate-key", ["client_secret: …", "^^^^^^^^^^^^^"]),
    "a list item": (
        f"{COMPLETE}additionally_allowed_tenants:\n  - '*'\n  - {CANARY}/\n",
        "bad-value",
        ["  - …", "    ^"],
    ),
    "an item of a flow list": (
        f"{COMPLETE}additionally_allowed_tenants: ['*', {CANARY}/, x]\n",
        "bad-value",
        ["additionally_allowed_tenants: […, …, …]", " " * 34 + "^"],
    ),
    "a key of a flow mapping": (
        f"{COMPLETE}http: {{proxy: 'http://{CANARY}',   retrys: 3, timeout: 4}}\n",
        "unknown-key",
        ["http: {proxy: …,   retrys: …, timeout: …}", " " * 19 + "^^^^^^"],
    ),
    "a value of a flow mapping": (
        f"{COMPLETE}http: {{timeout: {CANARY}, retries: 3}}\n",
        "bad-value",
        ["http: {timeout: …, retries: …}", " " * 16 + "^"],
    ),
    "a flow list for text": (
        f"{ID}client_secret: x\nregion: [{CANARY}, {{a: {CANARY}}}]\n",
        "wrong-type",
        ["region: […, {a: …}]", " " * 8 + "^^^^^^^^^^^"],
    ),
    "a flow mapping for text": (
        f"{ID}client_secret: {{flie: {CANARY}}}\n",
        "bad-reference",
        ["client_secret: {flie: …}", " " * 15 + "^^^^^^^^^"],
    ),
    "a flow list over lines": (f"{COMPLETE}region: [{CANARY},\n  b]\n", "wrong-type", ["region: […,", " " * 8 + "^^^"]),
    "a block list for text": (f"{COMPLETE}region:\n  - {CANARY}\n  - b\n", "wrong-type", ["  - …", "  ^^^"]),
    "a block mapping for text": (f"{COMPLETE}region:\n  bad: {CANARY}\n", "bad-reference", ["  bad: …", "  ^^^"]),
    "an item of a list of references": (
        f"{ID}client_secret:\n  - {{file: x}}\n  - {{flie: {CANARY}}}\n",
        "bad-reference",
        ["  - {flie: …}", "    ^^^^^^^^^"],
    ),
    "a comment": (f"{COMPLETE}clinet_id: x  # {CANARY}\n", "unknown-key", ["clinet_id: …", "^^^^^^^^^"]),
    "a comment behind a key": (
        f"{COMPLETE}clinet_id:  # {CANARY}\n  x: y\n",
        "unknown-key",
        ["clinet_id:  …", "^" * 9],
    ),
    "an empty value": (f"{ID}client_secret:\n", "empty", ["client_secret:", " " * 14 + "^"]),
    "a block scalar": (f"{COMPLETE}region: |\n  {CANARY}\n", "bad-value", ["region: …", " " * 8 + "^"]),
    "a quoted key": (f'{COMPLETE}"clinet_id": {CANARY}\n', "unknown-key", ['"clinet_id": …', "^" * 11]),
    "a key with an escape": (f'{COMPLETE}"clin\\x65t_id": {CANARY}\n', "unknown-key", ["…: …", "^"]),
    "a key that may be a secret": (f"{COMPLETE}{CANARY}: x\n", "unknown-key", ["…: …", "^"]),
    "a key that is too long for a name": (f"{COMPLETE}{ALNUM}: x\n", "unknown-key", ["…: …", "^"]),
    "an anchored key": (f"{COMPLETE}&{ALNUM} clinet_id: x\n", "unknown-key", ["… clinet_id: …", "  ^^^^^^^^^"]),
    "a key behind an anchor and a tag": (
        f"{COMPLETE}&a !!str clinet_id: x\n",
        "unknown-key",
        ["… clinet_id: …", "  ^^^^^^^^^"],
    ),
    "a tagged value": (f"{COMPLETE}cloud: !!str {CANARY}\n", "bad-value", ["cloud: …", " " * 7 + "^"]),
    "an anchored value": (f"{COMPLETE}cloud: &{ALNUM} {CANARY}\n", "bad-value", ["cloud: …", " " * 7 + "^"]),
    "a complex key": (f"{COMPLETE}? [{CANARY}, b]\n: x\n", "bad-key", ["? […, …]", "  ^^^^^^"]),
    "a tab between": (f"{COMPLETE}cloud:\t{CANARY}\n", "bad-value", ["cloud: …", " " * 7 + "^"]),
    "a merge of text": (f"{COMPLETE}<<: {CANARY}\n", "bad-key", ["…: …", "^"]),
    "wide characters": (
        f"{COMPLETE}http: {{x-漢字: ü漢, tiemout: 3}}\n",
        "unknown-key",
        ["http: {x-漢字: …, tiemout: …}", " " * 18 + "^" * 7],
    ),
}


@pytest.mark.parametrize("case", YAML)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_line_is_blanked_and_pointed_at(project, case, newline, mark):
    text, code, expected = YAML[case]
    project.write("app.yaml", (mark + text.replace("\n", newline)).encode())
    error = project.refused("app.yaml")
    assert expected in [drawn(problem) for problem in error.problems if problem.code == code]
    assert ALNUM not in str(error) + repr(error.problems)


def test_the_columns_are_those_of_the_file_not_of_the_excerpt(project):
    problem = only(project.refused_text(f"{COMPLETE}http: {{x-long: {'v' * 50}, tiemout: 3}}\n"))
    assert problem.column == 68
    assert drawn(problem) == ["http: {x-long: …, tiemout: …}", " " * 18 + "^" * 7]
    assert "--> app.yaml:4:68" in as_text([problem])


@pytest.mark.parametrize("before", [0, 30, 300])
def test_a_long_line_is_cut_around_the_carets(project, before):
    keys = [f"x-{number}: {CANARY}{number}" for number in range(before)]
    after = [f"x-after-{number}: {CANARY}" for number in range(60)]
    project.write("app.yaml", f"{{{', '.join([*keys, 'clinet_id: x', *after])}}}")
    problem = next(item for item in project.refused("app.yaml").problems if item.code == "unknown-key")
    line, carets = drawn(problem)
    assert len(line) <= 102
    assert line[carets.index("^") : len(carets)] == "clinet_id"
    assert line.endswith("…")
    assert (line[0] == "…") is bool(before)


def test_a_value_that_is_an_alias_is_pointed_at_where_it_stands(project):
    text = f"x-tenant: &tenant {CANARY}/\ntenant_id: *tenant\nclient_id: {CLIENT}\nclient_secret: x\n"
    problem = only(project.refused_text(text))
    assert (problem.line, problem.column) == (1, 19)
    assert drawn(problem) == ["x-tenant: …", " " * 10 + "^"]


def test_a_merge_key_is_pointed_at_inside_its_anchor(project):
    text = f"""\
        x-base: &base
          tenant_id: {CANARY}/
          http: {{timeout: soon}}
        <<: *base
        client_id: {CLIENT}
        client_secret: {{env: A}}
        """
    error = project.refused_text(textwrap.dedent(text), environ={"A": CANARY})
    assert [(item.line, item.column, drawn(item)) for item in error.problems] == [
        (2, 14, ["  tenant_id: …", " " * 13 + "^"]),
        (3, 19, ["  http: {timeout: …}", " " * 18 + "^"]),
    ]


def test_a_layer_is_pointed_at_in_its_own_file(project):
    project.write("base.yaml", f"# one\ntenant_id: {CANARY}/\nregion: westus2\n")
    project.write("prod.yaml", f"client_id: {CLIENT}\nclient_secret: {{env: A}}\nhttp:\n  retrys: 1\n")
    error = project.refused(["base.yaml", "prod.yaml"], environ={"A": CANARY})
    assert [(item.file, item.line, drawn(item)[0]) for item in error.problems] == [
        ("base.yaml", 2, "tenant_id: …"),
        ("prod.yaml", 4, "  retrys: …"),
    ]


def test_a_section_is_pointed_at_inside_the_application_s_file(project):
    text = f"""\
        database: {{password: {CANARY}}}
        azure:
          storage: {{tenant_id: {CANARY}/, client_id: {CLIENT}, client_secret: {{env: A}}, regoin: y}}
        """
    error = project.refused_text(textwrap.dedent(text), environ={"A": CANARY}, section="azure.storage")
    line = "  storage: {tenant_id: …, client_id: …, client_secret: {env: …}, regoin: …}"
    assert {(item.code, item.path, item.line, *drawn(item)) for item in error.problems} == {
        ("bad-value", "azure.storage.tenant_id", 3, line, " " * 23 + "^"),
        ("unknown-key", "azure.storage.regoin", 3, line, " " * 65 + "^^^^^^"),
    }


def test_an_inherited_value_is_pointed_at_in_the_parent_that_holds_it(project):
    project.write(
        "base.yaml", f"credentials:\n  base: {{abstract: true, tenant_id: {CANARY}/}}\n  other: {{region: x}}\n"
    )
    text = f"""\
        default: billing
        credentials:
          billing:
            extends: [other, base]
            client_id: {CLIENT}
            client_secret: x
        """
    project.write("prod.yaml", textwrap.dedent(text))
    problem = only(project.refused(["base.yaml", "prod.yaml"]))
    assert (problem.file, problem.line, problem.path) == ("base.yaml", 2, "credentials.billing.tenant_id")
    assert drawn(problem) == ["  base: {abstract: …, tenant_id: …}", " " * 33 + "^"]


def test_a_parent_that_is_not_there_is_pointed_at_in_its_list(project):
    text = f"default: a\ncredentials:\n  base: {{}}\n  a: {{extends: [base, bsae], client_secret: {CANARY}}}\n"
    error = project.refused_text(text)
    problem = next(item for item in error.problems if item.code == "unknown-parent")
    assert (problem.line, problem.column, problem.hint) == (4, 23, "did you mean `base`?")
    assert drawn(problem) == ["  a: {extends: […, …], client_secret: …}", " " * 19 + "^"]


def test_the_first_entry_of_a_circle_is_pointed_at_and_the_circle_is_written_out(project):
    text = "default: a\ncredentials:\n  a: {extends: b}\n  b: {extends: c}\n  c:\n    extends:\n    - a\n"
    error = project.refused_text(text)
    assert [(item.line, item.hint, drawn(item)[0]) for item in error.problems] == [
        (3, "break the cycle: a → b → c → a", "  a: {extends: …}"),
    ]


def test_a_name_is_pointed_at(project):
    problem = only(project.refused_text(f"credentials:\n  Billing: {{client_secret: {CANARY}}}\n"))
    assert (problem.code, drawn(problem)) == ("bad-name", ["  Billing: {client_secret: …}", "  ^^^^^^^"])


def test_a_warning_of_a_good_configuration_has_an_excerpt_too(project):
    project.write("secret", "x")
    [warning] = project.flat(f"{ID}client_secret:\n  - {{file: secret}}\n  - {CANARY}\n").warnings
    assert (warning.code, warning.path, drawn(warning)) == ("secret-in-file", "client_secret.1", ["  - …", "    ^"])


def test_what_is_missing_has_no_excerpt(project):
    assert [item.excerpt for item in project.refused_text("cloud: usgov\n").problems] == [None] * 3


DOTENV = {
    "a value": ("AZURE_TENANT_ID={}/", "bad-value", ["AZURE_TENANT_ID=…", " " * 16 + "^"]),
    "a quoted value": ("export AZURE_TENANT_ID = '{}/'", "bad-value", ["export AZURE_TENANT_ID = …", " " * 25 + "^"]),
    "a value over lines": ("AZURE_TENANT_ID='a\n{}/'", "bad-value", ["AZURE_TENANT_ID=…", " " * 16 + "^"]),
    "a misspelt name": ("CREDCONF_REGOIN={}", "unknown-variable", ["CREDCONF_REGOIN=…", "^" * 15]),
    "an exported misspelt name": (
        "  export CREDCONF_REGOIN={}",
        "unknown-variable",
        ["  export CREDCONF_REGOIN=…", " " * 9 + "^" * 15],
    ),
    "a second variable": (
        "CREDCONF_CLIENT_SECRET=x\nCREDCONF_CLIENT_SECRET_FILE={}",
        "conflict",
        ["CREDCONF_CLIENT_SECRET_FILE=…", "^" * 27],
    ),
    "a broken line": ("  this is {}", "bad-dotenv", ["  …", "  ^"]),
    "a broken line with a name of ours": ("AZURE_CLIENT_SECRET '{}", "bad-dotenv", ["AZURE_CLIENT_SECRET …", "^" * 19]),
    "a broken line with another name": ("{}='{}", "bad-dotenv", ["…", "^"]),
}


@pytest.mark.parametrize("case", DOTENV)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_line_of_a_dotenv_is_blanked_and_pointed_at(project, case, newline):
    line, code, expected = DOTENV[case]
    text = f"\n# {CANARY}\n{line.replace('{}', CANARY)}\nAZURE_CLIENT_ID={CLIENT}\n"
    if "SECRET" not in line:
        text += "AZURE_CLIENT_SECRET=x\n"
    project.write(".env", text.replace("\n", newline).encode())
    error = project.refused(**({} if "AZURE_TENANT_ID" in line else {"tenant_id": TENANT}))
    assert expected in [drawn(problem) for problem in error.problems if problem.code == code]


BROKEN = {
    "a setting": (f"{ID}client_secret: @{CANARY}\n", ["client_secret: …", " " * 15 + "^"]),
    "a setting in quotes": (f'{ID}"client_secret": @{CANARY}\n', ['"client_secret": …', " " * 17 + "^"]),
    "a setting in a list": (f"{ID}x-a:\n  - file: @{CANARY}\n", ["  - file: …", " " * 10 + "^"]),
    "a key that is not certain": (f"{ID}x-{ALNUM}: @{CANARY}\n", ["…", "^"]),
    "a line without a key": (f"{ID}{CANARY}\nregion: x\n", ["…", "^"]),
    "two keys in one line": (f"{ID}client_secret: {CANARY}: region: x\n", ["client_secret: …", " " * 15 + "^"]),
    "a tab": (f"http:\n\ttimeout: {CANARY}\n", [" timeout: …", "^"]),
    "an open quote": (f'{ID}client_secret: "{CANARY}\nregion: x\n', ["client_secret: …", " " * 15 + "^"]),
    "a second document": (f"{COMPLETE}---\n{COMPLETE}", ["---", "^^^"]),
    "a flow mapping": (f"{ID}http: {{proxy: {CANARY}, @}}\n", ["http: …", " " * 6 + "^"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_of_a_broken_file_only_a_setting_s_name_is_shown(project, case):
    text, expected = BROKEN[case]
    problem = only(project.refused_text(text))
    assert problem.code == "bad-yaml"
    assert drawn(problem) == expected
    assert ALNUM not in str(problem)


def test_an_error_can_be_pickled_with_its_excerpts(project):
    error = project.refused_text(f"{COMPLETE}clinet_id: x\n")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert again.problems == error.problems
    assert again.problems[-1].excerpt == Excerpt(4, "clinet_id: …", 0, 9)
