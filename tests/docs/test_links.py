"""Every relative link of the committed Markdown leads to a file, and to an anchor of GitHub and the site alike."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT
from tools.reference import beside_docs

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = ("docs", "examples", "schema")
MARKDOWN = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])
INTERFACE = DOCS / "reference/python.md"
CODE = re.compile(r"^( *)(`{3,})(?:.|\n)*?^\1\2$|`[^`\n]*`", re.MULTILINE)
LINK = re.compile(
    r"\]\(([^()\s]+)(?: \"[^\"]*\")?\)|^\[[^]]+\]: (\S+)$|<(?:a|img) [^>]*(?:href|src)=\"([^\"]+)\"", re.MULTILINE
)


def links(text: str) -> list[str]:
    """The targets of the relative links."""
    prose = CODE.sub("``", text)
    targets = ("".join(groups) for groups in LINK.findall(prose))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


@cache
def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page, and those that it writes itself."""
    text = re.sub(r"^( *)(`{3,})(?:.|\n)*?^\1\2$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    own = re.findall(r'<a id="([^"]+)"', text)
    return {slug(title) for title in titles} | set(own) | (documented(text) if path == INTERFACE else set())


def documented(text: str) -> set[str]:
    """The names of which mkdocstrings makes a section; in a checkout such a link leads to the page."""
    return set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))


def slug(title: str) -> str:
    words = re.sub(r"<[^>]+>|\[([^]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"[^\w -]", "", words).replace(" ", "-")


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path):
    for link in links(path.read_text(encoding="utf-8")):
        where, _, anchor = link.partition("#")
        target = (path.parent / where).resolve() if where else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_a_heading_has_no_notation_that_only_the_site_understands(path):
    text = CODE.sub("", path.read_text(encoding="utf-8"))
    assert not re.findall(r"^#+ .*\{[#.:].*$", text, re.MULTILINE)


def test_a_link_and_an_anchor_are_found_in_every_notation():
    assert links('[a](b.md#c) ![i](i.svg) `[no](no.md)` <img src="j.png"> [x](https://a.example)\n[r]: r.md') == [
        "b.md#c",
        "i.svg",
        "j.png",
        "r.md",
    ]
    assert slug("`http.ca_bundle`") == "httpca_bundle"
    assert slug("A [link](x.md), and more: what?") == "a-link-and-more-what"
    assert slug('<a id="X"></a>AADSTS1') == "aadsts1"


# -- on the site -----------------------------------------------------------------------------------------------

SITE = beside_docs.pages()


def test_every_example_has_a_page_with_all_of_its_files():
    folders = {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}
    expected = {f"examples/{name}.md" for name in {"index", *folders}}
    assert set(SITE) == expected | set(beside_docs.OF_THE_ROOT.values())
    for path in (ROOT / "examples").rglob("*.py"):
        folder = path.relative_to(ROOT / "examples").parts[0]
        assert path.read_text(encoding="utf-8").rstrip() in SITE[f"examples/{folder}.md"]


@pytest.mark.parametrize("page", SITE)
def test_a_link_of_such_a_page_leads_to_a_page_of_the_site(page):
    for link in links(SITE[page]):
        where = posixpath.normpath(
            posixpath.join(posixpath.dirname(page), link.partition("#")[0] or posixpath.basename(page))
        )
        assert where in SITE or (DOCS / where).exists(), link


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](../../examples/script)", "[a](../examples/script.md)"),
        ("[a](../../examples/layers/README.md#x)", "[a](../examples/layers.md#x)"),
        ("[a](../../examples)", "[a](../examples/index.md)"),
        ("[a](../../SECURITY.md)", "[a](../security.md)"),
        ("[the `a`](../explanation/safety.md#b)", "[the `a`](../explanation/safety.md#b)"),
        ("[a](../../Makefile)", "a"),
        ("`[a](../../SECURITY.md)`", "`[a](../../SECURITY.md)`"),
        ("```md\n[a](../../SECURITY.md)\n```", "```md\n[a](../../SECURITY.md)\n```"),
        ("[a](https://a.example/b) [c](#d) ![e](f.svg)", "[a](https://a.example/b) [c](#d) ![e](f.svg)"),
    ],
)
def test_a_link_of_a_checkout_becomes_one_of_the_site(text, shown):
    assert beside_docs.for_site(text, "docs/how-to/a.md", "how-to/a.md") == shown


@pytest.mark.parametrize(
    ("target", "page"),
    [("../../docs/how-to/testing.md", "../how-to/testing.md"), ("../layers", "layers.md"), ("main.py", "script.md")],
)
def test_a_link_of_an_example_becomes_one_of_its_page(target, page):
    shown = beside_docs.for_site(f"[a]({target})", "examples/script/README.md", "examples/script.md")
    assert shown == f"[a]({page})"
