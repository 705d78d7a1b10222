"""The committed pages, by their paths in `docs/`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from credconf.problems.catalogue import CODES

from . import codes, commands, settings

DOCS: Final = Path(__file__).parents[2] / "docs"
_OF_CODES: Final = "reference/problems"


def pages() -> dict[str, str]:
    """Every generated page as Markdown, by its path."""
    return {
        "reference/settings.md": settings.page(),
        "reference/command-line.md": commands.page(),
        "reference/aadsts.md": codes.aadsts(),
        f"{_OF_CODES}.md": codes.problems(),
        **{f"{_OF_CODES}/{code}.md": codes.problem(code) for code in CODES},
    }


def committed() -> dict[str, str]:
    """What stands in `docs/` at their paths, and whatever else stands among the pages of the codes."""
    found = {path: DOCS / path for path in pages()}
    found |= {path.relative_to(DOCS).as_posix(): path for path in (DOCS / _OF_CODES).glob("*")}
    return {path: file.read_text(encoding="utf-8") for path, file in found.items() if file.exists()}


def write() -> None:
    """Write the pages, and remove those of codes that are no more."""
    made = pages()
    for path in committed().keys() - made.keys():
        (DOCS / path).unlink()
    for path, text in made.items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_text(text, encoding="utf-8", newline="\n")
