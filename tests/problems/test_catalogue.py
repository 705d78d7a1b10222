"""Every code that credconf can report has an explanation, and no other code has."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys

import pytest

import credconf
from credconf.problems import explain
from credconf.problems.catalogue import CODES, MEANINGS
from credconf.problems.failure import ADVICE, advice_on, codes_in

HOME = pathlib.Path(credconf.__file__).parent
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")
# Everything that takes the code of a problem: by its first argument, or by the argument `code`.
MAKERS = {"Problem", "NotFound", "Unreadable", "fault", "broken", "warning", "_warning", "Defect"}


def made_in(tree: ast.AST) -> set[str]:
    """The codes that a module's text makes problems with."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if name in MAKERS:
                found += [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
        elif isinstance(node, ast.arguments):
            named = [*node.posonlyargs, *node.args]
            defaults = list(zip(named[len(named) - len(node.defaults) :], node.defaults, strict=True))
            defaults += [(arg, value) for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value]
            found += [default for argument, default in defaults if argument.arg == "code"]
    texts = {leaf.value for item in found for leaf in branches(item) if isinstance(leaf, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}


def branches(node: ast.expr) -> list[ast.expr]:
    """What an expression may be: both branches of a conditional one."""
    return [*branches(node.body), *branches(node.orelse)] if isinstance(node, ast.IfExp) else [node]


def test_every_code_that_is_made_is_explained_and_no_other():
    files = [path for path in HOME.rglob("*.py") if "testing" not in path.parts]
    made = set().union(*(made_in(ast.parse(path.read_text(encoding="utf-8"))) for path in files))
    assert made == set(CODES)


def test_the_scan_finds_codes_wherever_they_are_written():
    text = """
def f(code="one"):
    Problem("two" if x else "three", "a-b")
class A:
    def g(self, *, code="four"):
        return self.broken(event, "a-b", code="five")
"""
    assert made_in(ast.parse(text)) == {"one", "two", "three", "four", "five"}


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_explanation_is_complete(code):
    explanation = CODES[code]
    shown = explain(code)
    assert shown is not None
    assert shown.startswith(f"{code}: {explanation.title}\n\n")
    assert not explanation.title.endswith(".")
    assert len(explanation.text.split()) > 20
    assert explanation.text.rstrip().endswith((".", "?"))
    assert bool(explanation.wrong) == bool(explanation.right)
    assert all(len(line) <= 84 or " " not in line.strip() for line in shown.splitlines() if not line.startswith("    "))


@pytest.mark.parametrize(
    "text",
    ["unknown-key", "UNKNOWN-KEY", " unknown_key ", "error[unknown-key]", "warning[unknown-key]:", "unknown-key:"],
)
def test_a_code_is_known_in_the_spellings_it_is_copied_in(text):
    assert explain(text) == explain("unknown-key")


@pytest.mark.parametrize("text", ["AADSTS7000215", "aadsts7000215", "7000215", " AADSTS7000215: ", "Aadsts 7000215"])
def test_an_aadsts_code_is_known_in_any_spelling(text):
    shown = explain(text)
    assert shown is not None
    assert shown.startswith("AADSTS7000215: The client secret is wrong")
    assert "Secret ID" in shown


@pytest.mark.parametrize(
    "text", ["", "nonsense", "AADSTS", "AADSTS1", "AADSTS99999999", "٧٠٠٠٢١٥", "unknown-key x", "…"]
)
def test_an_unknown_code_has_no_explanation(text):
    assert explain(text) is None


def test_every_code_of_entra_has_a_line_and_a_paragraph():
    assert set(ADVICE) == set(MEANINGS)
    assert len(ADVICE) >= 30
    for code, line in ADVICE.items():
        assert line.endswith(".")
        assert len(MEANINGS[code].split()) > 10
        assert advice_on(code) == line
        assert str(code) in (explain(str(code)) or "")
    assert advice_on(1) is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("AADSTS7000215: Invalid client secret. AADSTS50012", (7000215, 50012)),
        ("AADSTS700016 AADSTS700016", (700016,)),
        ("aadsts700016 AADSTS1 nothing", ()),
        ("", ()),
    ],
)
def test_the_codes_of_entra_are_found_once_each(text, codes):
    assert codes_in(text) == codes


def test_explaining_imports_nothing_heavy():
    program = (
        "import sys; from credconf.problems import explain; assert explain('missing') and explain('AADSTS90002');"
        "print([name for name in ('pydantic', 'msal', 'azure.core', 'yaml', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_good_configuration_imports_no_rendering(tmp_path):
    (tmp_path / "app.yaml").write_text(
        "tenant_id: contoso.onmicrosoft.com\nclient_id: 11111111-1111-1111-1111-111111111111\nclient_secret: {env: A}\n"
    )
    program = (
        "import sys, credconf; credconf.load('app.yaml', environ={'A': 'x'});"
        "print(sorted(name for name in sys.modules if name.startswith(('credconf.problems.', 'credconf.config.'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    imported = ast.literal_eval(done.stdout)
    for name in ("problems.text", "problems.github", "problems.catalogue", "config.excerpts", "config.blanked"):
        assert f"credconf.{name}" not in imported
    assert "credconf.problems.problem" in imported
