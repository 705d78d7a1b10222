"""What holds for every example."""

from __future__ import annotations

import ast
import re

import pytest

from tests.examples.running import EXAMPLES

REPOSITORY = EXAMPLES.parent
FOLDERS = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# Made up, except the tenant that is Microsoft's own and in its documentation.
HARMLESS = re.compile(r"72f988bf-86f1-41af-91ab-2d7cd011db47|(\d)\1{7}-(?:\1{4}-){3}\1{12}")
LOOKS_SECRET = re.compile(
    r"[\w~.+/=-]{3}\dQ~|eyJ[\w-]{10}|-----BEGIN|(?=[\w~]*\d)(?=[\w~]*[A-Z])(?=[\w~]*[a-z])[\w~]{24,}"
)


def files():
    """What a user would copy: not what running an example left behind."""
    left_behind = {"__pycache__", "secrets", ".env", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
    found = (path for path in EXAMPLES.rglob("*") if not left_behind & set(path.relative_to(EXAMPLES).parts))
    return sorted(path for path in found if path.is_file())


def test_the_readme_lists_every_example_and_no_other():
    listed = re.findall(
        r"^\| \[(\w+)\]\((\w+)\) \|", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert all(title == target for title, target in listed)
    assert sorted(title for title, _ in listed) == FOLDERS


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_no_line_looks_like_a_secret(path):
    text = path.read_text(encoding="utf-8")
    assert not LOOKS_SECRET.search(GUID.sub("", text))
    assert all(HARMLESS.fullmatch(guid) for guid in GUID.findall(text))


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_a_modeline_leads_to_the_schema(path):
    modeline = re.match(r"# yaml-language-server: \$schema=(\S+)", path.read_text(encoding="utf-8"))
    if modeline:
        assert (path.parent / modeline[1]).resolve() == REPOSITORY / "schema/credconf.schema.json"


@pytest.mark.parametrize(
    "path", [path for path in files() if path.suffix == ".py"], ids=lambda path: str(path.relative_to(EXAMPLES))
)
def test_an_example_uses_the_door_and_no_private_room(path):
    public = {"credconf", "credconf.aio", "credconf.testing"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("credconf"):
            assert node.module in public
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names if alias.name.startswith("credconf")} <= public
