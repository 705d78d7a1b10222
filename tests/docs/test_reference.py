"""The generated pages hold every setting, code and command, and the page of the interface every public name."""

from __future__ import annotations

import re

import click
import pytest

import credconf
from credconf import kinds
from credconf.cli import COMMANDS, main
from credconf.config.variables import Scheme
from credconf.kinds import FIELDS, KINDS, NESTED
from credconf.problems.catalogue import CODES
from credconf.problems.failure import ADVICE
from tests.docs.pages import DOCS
from tests.examples.sessions import Session, folders
from tools.reference import codes, commands, settings
from tools.reference.markdown import escaped, fenced, marked
from tools.reference.pages import committed, pages
from tools.schema.texts import FORMS

PATHS = [
    path for name in FIELDS for path in ([f"{name}.{leaf}" for leaf in NESTED[name]] if name in NESTED else [name])
]


def sections(page, level):
    """The text below each heading of a level that names code, by that code."""
    parts = re.split(rf"^{level} (?:<a id=\"\w+\"></a>)?`?([\w. ]+)`?$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SETTINGS = sections(settings.page(), "###")
PROBLEMS = {code: codes.problem(code) for code in CODES}
AADSTS = sections(codes.aadsts(), "##")
CLI = {name.removeprefix("credconf "): text for name, text in sections(commands.page(), "##").items()}


def test_the_committed_pages_are_current():
    assert committed() == pages(), "run `make reference`"


def test_every_setting_and_key_has_a_section_and_nothing_else_has():
    assert set(SETTINGS) == {*PATHS, *FORMS}
    assert settings.paths() == PATHS


@pytest.mark.parametrize("path", PATHS)
def test_a_section_says_all_of_a_setting(path):
    name = path.partition(".")[0]
    having = {kind: model for kind, model in KINDS.items() if name in model.model_fields}
    setting = kinds.SETTINGS[path].setting
    text = SETTINGS[path]
    assert setting.description in text
    assert re.search(r"^- \*\*Type\*\*: \S", text, re.MULTILINE)
    assert re.search(r"^- \*\*Default\*\*: \S", text, re.MULTILINE)
    assert text.count("```yaml") == len(setting.examples)
    assert ("- **Kinds**: all\n" in text) == (len(having) == len(KINDS))
    for scheme in (Scheme.of(None, None, prefixed=False), Scheme("CREDCONF__<NAME>__")):
        heard = {item.name for item in scheme.variables() if item.field == path and item.form != "unusable"}
        assert all(f"`{variable}`" in text for variable in heard)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tenant_id", "required, unless `oidc_authority` is given"),
        ("client_id", "required"),
        ("client_secret", "required, unless another proof is given"),
        ("cloud", "`public`, unless `authority` or `oidc_authority` is given"),
        ("authority", "that of `cloud`, unless `oidc_authority` is given"),
        ("token_cache.kind", "the place whose settings are given, else `memory`"),
        ("http.timeout", "`10`"),
    ],
)
def test_a_default_is_what_happens_without_the_setting(path, words):
    assert f"- **Default**: {words}\n" in SETTINGS[path]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("http.timeout", "number, more than 0 and at most 600"),
        ("http.retries", "whole number, at least 0 and at most 10"),
        ("cloud", "`public`, `usgov` or `china`"),
        ("kind", ", ".join(f"`{kind}`" for kind in list(KINDS)[:-1]) + f" or `{list(KINDS)[-1]}`"),
        ("client_id", "text, `{env: NAME}`, `{file: PATH}`"),
        (
            "client_secret",
            "text, `{env: NAME}`, `{file: PATH}`, `{command: [PROGRAM, ARGUMENT]}`, a list of these",
        ),
        ("client_certificate", "`{file: PATH}`"),
        ("additionally_allowed_tenants", "a list of texts"),
        ("disable_instance_discovery", "`true` or `false`"),
    ],
)
def test_a_type_is_said_in_words(path, words):
    assert f"- **Type**: {words}\n" in SETTINGS[path]


def test_the_page_begins_with_the_three_settings_that_everyone_needs():
    first = settings.page().partition("\n## How to give a setting")[0]
    assert first.startswith("# Settings\n\n## The three that everyone needs\n")
    assert (
        rows(first)
        == [row for row in rows(settings.page()) if row[0] in {"tenant_id", "client_id", "client_secret"}][:3]
    )
    assert [row[0] for row in rows(first)] == ["tenant_id", "client_id", "client_secret"]


def rows(page):
    """The cells of the tables of settings; of the first, the name."""
    found = re.findall(r"^\| \[`([\w.]+)`\]\(#\w+\) \| (.+) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert found
    return found


def test_the_overview_has_meaning_default_and_variables_of_every_setting():
    overview = settings.page().partition("\n## Overview\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\*\*(.+)\*\*$", overview, re.MULTILINE) == [
        "Identity",
        "Proof",
        "Where",
        "HTTP",
        "Token cache",
        "File structure",
    ]
    shown = {name: cells for name, *cells in rows(overview)}
    assert set(shown) == {*PATHS, *FORMS}
    for path in PATHS:
        setting = kinds.SETTINGS[path].setting
        meaning, default, variables = shown[path]
        assert meaning == setting.description
        assert f"- **Default**: {default}\n" in SETTINGS[path]
        assert all(f"`{name}`" in variables for name in setting.environment)
        assert (variables == "none") == (path == "env_prefix")


def test_every_code_of_a_problem_is_in_the_index_with_its_severity():
    index = dict(re.findall(r"\[`([\w-]+)`\]\(problems/\1\.md\) \| (error|warning) \|", codes.problems()))
    assert set(index) == set(CODES)
    for folder in folders():
        reported = re.findall(rf"^(error|warning)\[{folder.name}\]: ", Session.read(folder).said, re.MULTILINE)
        assert set(reported) <= {index[folder.name]}


@pytest.mark.parametrize("code", CODES)
def test_the_page_of_a_code_has_its_meaning_its_examples_and_its_broken_file(code):
    page, about = PROBLEMS[code], CODES[code]
    assert page.startswith(f"# {code}\n")
    assert f"\n{escaped(about.title[0].upper() + about.title[1:])}.\n" in page
    assert ("\n## Wrong\n" in page, "\n## Right\n" in page) == (bool(about.wrong), bool(about.right))


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_the_page_of_a_code_has_its_broken_file(folder):
    page = PROBLEMS[folder.name]
    assert str(Session.read(folder)).rstrip() in page
    for path in folder.rglob("*.yaml"):
        assert fenced(path.read_text(encoding="utf-8"), f'yaml title="{path.relative_to(folder)}"') in page


def test_every_code_of_entra_has_a_section():
    assert set(AADSTS) == {f"AADSTS{code}" for code in ADVICE}
    assert all(marked(line) in AADSTS[f"AADSTS{code}"] for code, line in ADVICE.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_on_its_page(name):
    assert set(CLI) == {*COMMANDS, "Exit status"}
    command = main.get_command(click.Context(main), name)
    assert command is not None
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    assert all(option.opts[-1] in CLI[name] for option in options)
    assert "`-h, --help`" in CLI[name]


@pytest.mark.parametrize("module", ["credconf", "credconf.aio", "credconf.testing"])
def test_every_public_name_is_on_the_page_of_the_interface(module):
    page = (DOCS / "reference/python.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^::: (\S+)$", page, re.MULTILINE))
    names = {"credconf": credconf, "credconf.aio": credconf.aio, "credconf.testing": credconf.testing}[module].__all__
    assert {f"{module}.{name}" for name in names if name != "__version__"} <= shown


def test_words_for_a_terminal_are_no_markup():
    assert escaped("a `b_c` of <d> *e*") == r"a `b_c` of \<d\> \*e\*"
    assert escaped("a lone ` of_f") == r"a lone \` of\_f"
    assert escaped("a `: ` b") == "a <code>: </code> b"


def test_a_fence_is_longer_than_any_in_the_code():
    assert fenced("a\n```sh\nb\n```", "markdown") == "````markdown\na\n```sh\nb\n```\n````"


def test_no_explanation_has_a_lone_backtick_that_would_turn_all_its_code_into_text():
    assert not [code for code, explained in CODES.items() if explained.text.count("`") % 2]


def test_an_option_a_function_and_a_variable_in_prose_are_code():
    assert marked("as with -f, and `--a b` of well-known --no-env-file.") == (
        r"as with `-f`, and `--a b` of well-known `--no-env-file`."
    )
    assert marked("{github:} or {env: NAME} in a .env") == "`{github:}` or `{env: NAME}` in a `.env`"
    assert marked("what from_config() reads of CREDCONF_FILE") == "what `from_config()` reads of `CREDCONF_FILE`"
    assert not re.findall(r"(?<![`\w-])--[a-z]", re.sub(r"```.*?```|`[^`]*`", "", commands.page(), flags=re.DOTALL))


@pytest.mark.parametrize(
    ("code", "language"), [("unknown-key", "yaml"), ("bad-dotenv", "sh"), ("redirected-secret", "python")]
)
def test_an_example_is_coloured_as_what_it_is(code, language):
    assert f"## Wrong\n\n```{language}\n" in PROBLEMS[code]
    assert f"## Right\n\n```{language}\n" in PROBLEMS[code]


def test_no_example_is_wider_than_a_page():
    blocks = re.findall(
        r"^## (?:Wrong|Right)\n\n```\w+\n(.*?)^```$", "\n".join(PROBLEMS.values()), re.DOTALL | re.MULTILINE
    )
    assert len(blocks) > 80
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 80
