"""The site of the documentation, as mkdocs builds it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import unescape
from typing import TYPE_CHECKING

import pytest

from credconf import __version__
from credconf.problems.catalogue import CODES
from tests.docs.pages import ROOT
from tools.reference import beside_docs

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("mkdocs", reason="the documentation is built with the extra `docs`")

REPOSITORY = "https://github.com/example/credconf"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a site whose publisher names the repository and the address."""
    directory = tmp_path_factory.mktemp("site")
    named = {"REPOSITORY_URL": REPOSITORY, "SITE_URL": "https://example.com/", "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)]
    built = subprocess.run(command, cwd=ROOT, env={**os.environ, **named}, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return directory


def page(site: Path, path: str) -> str:
    return (site / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def index(site: Path) -> dict[str, set[str]]:
    """The search index: the locations of the sections, by the words in their titles and texts."""
    data = json.loads(page(site, "search/search_index.json"))
    found: dict[str, set[str]] = {}
    for section in data["docs"]:
        text = unescape(re.sub(r"<[^>]+>", " ", f"{section['title']} {section['text']}"))
        for word in re.split(data["config"]["separator"], text):
            found.setdefault(re.sub(r"^\W+|\W+$", "", word).lower(), set()).add(section["location"])
    return found


@pytest.mark.parametrize(
    "word", ["gunicorn", "fork", "fastapi", "openai", "azurite", "celery", "kubernetes", "systemd"]
)
def test_the_search_finds_a_word(index: dict[str, set[str]], word: str) -> None:
    assert index.get(word)


def test_the_search_finds_a_code_and_an_example(index: dict[str, set[str]]) -> None:
    assert any(location.startswith("reference/problems/redirected-secret.html") for location in index["redirected"])
    assert any(location.startswith("examples/fastapi_app.html") for location in index["fastapi"])


def test_every_page_beside_docs_and_of_a_code_is_there(site: Path) -> None:
    expected = {path.removesuffix(".md") for path in beside_docs.pages()} | {
        f"reference/problems/{code}" for code in CODES
    }
    assert all((site / f"{path}.html").is_file() for path in expected)


def test_a_page_names_the_version_and_links_to_the_repository_without_asking_it(site: Path) -> None:
    text = page(site, "how-to/flask.html")
    assert f"credconf {__version__}" in text
    assert f'href="{REPOSITORY}"' in text
    assert "data-md-component=source" not in text.replace('"', "")


def test_the_first_page_has_the_title_of_the_site(site: Path) -> None:
    assert "<title>credconf</title>" in page(site, "index.html")


def test_code_in_a_table_can_break_between_words_and_shows_no_escape(site: Path) -> None:
    settings, commands = page(site, "reference/settings.html"), page(site, "reference/command-line.html")
    assert "<code>AZURE_<wbr>CLIENT_<wbr>ID</code>" in settings
    assert "[text|json|github]" in commands
    assert '<span class="option">--strict</span>' in commands


def test_examples_at_a_prompt_are_code(site: Path) -> None:
    text = page(site, "reference/python.html")
    fake = text.partition('id="credconf.testing.FakeEntra"')[2][:6000]
    assert re.search(r'<span class="gp">.*?</span>.*?<span class="k">with</span>', fake, re.DOTALL)
    assert "&gt;&gt;&gt; import" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)
