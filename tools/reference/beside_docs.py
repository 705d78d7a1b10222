"""What the site shows of the files beside `docs/`: the examples, and what stands in the root of the repository.

A checkout has the files themselves, so links in Markdown lead to them; on the site the same links lead to pages.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

from .markdown import fenced

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "examples"
OF_THE_ROOT: Final = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}

_LINK: Final = re.compile(r"(?<!!)\[((?:[^][]|\[[^]]*\])*)\]\((?!https?:|mailto:|#)([^()\s#]+)(#[^()\s]*)?\)")
_CODE: Final = re.compile(r"^( *)(`{3,})(?:.|\n)*?^\1\2$|`[^`\n]*`", re.MULTILINE)
_LANGUAGES: Final = {
    ".json": "json",
    ".md": "markdown",
    ".py": "python",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_LEFT_BEHIND: Final = frozenset({"__pycache__", "secrets", ".env", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


def pages() -> dict[str, str]:
    """The pages as Markdown, by their paths on the site."""
    folders = [path for path in EXAMPLES.iterdir() if path.is_dir() and path.name not in _LEFT_BEHIND]
    return {
        "examples/index.md": _page("examples/README.md", "examples/index.md"),
        **{f"examples/{path.name}.md": example(path) for path in sorted(folders)},
        **{page: _page(path, page) for path, page in OF_THE_ROOT.items()},
    }


def example(folder: Path) -> str:
    """The page of one example: what explains it, and its files."""
    readme = folder / "README.md"
    page = f"examples/{folder.name}.md"
    text = _page(f"examples/{folder.name}/README.md", page) if readme.exists() else _introduced(folder.name)
    files = [path for path in _files(folder) if path != readme and path.stat().st_size]
    if folder.name == "broken":  # the pages of the codes show these
        files = []
    blocks = [
        fenced(_text(path), f'{_LANGUAGES.get(path.suffix, "text")} title="{path.relative_to(folder).as_posix()}"')
        for path in files
    ]
    return "\n\n".join([text.rstrip(), *(["## The files"] if blocks else []), *blocks]) + "\n"


def _page(path: str, page: str) -> str:
    return for_site(_text(ROOT / path), path, page)


def _introduced(name: str) -> str:
    """The words of the table of all examples, for one without an explanation of its own."""
    row = re.search(rf"^\| \[{name}\]\({name}\) \| (.+) \|$", _text(EXAMPLES / "README.md"), re.MULTILINE)
    assert row is not None, f"examples/README.md does not list {name}"
    return f"# {name}\n\n{row[1][0].upper()}{row[1][1:]}."


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not _LEFT_BEHIND & set(path.relative_to(folder).parts)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def for_site(text: str, source: str, page: str) -> str:
    """The Markdown of a file of the repository, with links to pages of the site; what has no page is not linked.

    Args:
        text: the Markdown.
        source: the path of the file in the repository.
        page: the path of its page on the site.
    """
    code = [match.span() for match in _CODE.finditer(text)]

    def replaced(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in code):
            return match[0]
        words, path, anchor = match.groups(default="")
        target = _page_of(posixpath.normpath(posixpath.join(posixpath.dirname(source), path)))
        if target is None:
            return words
        return f"[{words}]({posixpath.relpath(target, posixpath.dirname(page) or '.')}{anchor})"

    return _LINK.sub(replaced, text)


def _page_of(path: str) -> str | None:
    """The page of the site for a file or directory of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path in {"examples", "examples/README.md"}:
        return "examples/index.md"
    if path.startswith("examples/"):
        return f"examples/{path.split('/')[1]}.md"
    return OF_THE_ROOT.get(path)
