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
from tools.schema.texts import FORMS

PATHS = [
    path for name in FIELDS for path in ([f"{name}.{leaf}" for leaf in NESTED[name]] if name in NESTED else [name])
]


def sections(page):
    """The text below each heading, by its anchor."""
    parts = re.split(r"^##+ .*\{#(\S+)\}$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


SETTINGS = sections(settings.page())
PROBLEMS = sections(codes.problems())
AADSTS = sections(codes.aadsts())
CLI = sections(commands.page())


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
    assert re.search(r"^Type\n:   \S", text, re.MULTILINE)
    assert re.search(r"^Default\n:   \S", text, re.MULTILINE)
    assert text.count("```yaml") == len(setting.examples)
    assert ("Kinds\n:   all\n" in text) == (len(having) == len(KINDS))
    for scheme in (Scheme.of(None, None, prefixed=False), Scheme("CREDCONF__<NAME>__")):
        heard = {item.name for item in scheme.variables() if item.field == path and item.form != "unusable"}
        assert all(f"`{variable}`" in text for variable in heard)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tenant_id", "none: it is needed, unless `oidc_authority` is given"),
        ("client_id", "none: it is needed"),
        ("cloud", "`public`, unless `authority` or `oidc_authority` is given"),
        ("authority", "that of `cloud`, unless `oidc_authority` is given"),
        ("token_cache.kind", "the one whose settings are there, else `memory`"),
        ("http.timeout", "`10`"),
    ],
)
def test_a_default_is_what_happens_without_the_setting(path, words):
    assert f"Default\n:   {words}\n" in SETTINGS[path]


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
    assert f"Type\n:   {words}\n" in SETTINGS[path]


def test_every_code_of_a_problem_has_a_section_with_its_broken_file():
    assert set(PROBLEMS) == set(CODES)
    for folder in folders():
        typed = Session.read(folder).typed[-1]
        assert typed in PROBLEMS[folder.name]


def test_every_code_of_entra_has_a_section():
    assert set(AADSTS) == {f"AADSTS{code}" for code in ADVICE}
    assert all(line in AADSTS[f"AADSTS{code}"] for code, line in ADVICE.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_on_its_page(name):
    assert set(CLI) == set(COMMANDS)
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
    assert codes._escaped("a `b_c` of <d> *e*") == r"a `b_c` of \<d\> \*e\*"
    assert codes._escaped("a lone ` of_f") == r"a lone \` of\_f"
    assert codes._escaped("a `: ` b") == "a <code>: </code> b"


def test_no_explanation_has_a_lone_backtick_that_would_turn_all_its_code_into_text():
    assert not [code for code, explained in CODES.items() if explained.text.count("`") % 2]


def test_an_option_in_prose_is_code():
    assert commands._marked("as with -f, and `--a b` of well-known_x --no-env-file.") == (
        r"as with `-f`{.option}, and `--a b` of well-known\_x `--no-env-file`{.option}."
    )
    assert not re.findall(r"(?<![`\w-])--[a-z]", re.sub(r"```.*?```|`[^`]*`", "", commands.page(), flags=re.DOTALL))


@pytest.mark.parametrize(
    ("code", "language"), [("unknown-key", "yaml"), ("bad-dotenv", "sh"), ("redirected-secret", "python")]
)
def test_an_example_is_coloured_as_what_it_is(code, language):
    assert f"Wrong:\n\n```{language}\n" in PROBLEMS[code]
    assert f"Right:\n\n```{language}\n" in PROBLEMS[code]


def test_no_example_is_wider_than_a_page():
    blocks = re.findall(r"^(?:Wrong|Right):\n\n```\w+\n(.*?)^```$", codes.problems(), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 80
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 80
