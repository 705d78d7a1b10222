"""The pages of the documentation, and the blocks of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tools.reference.pages import pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCED = re.compile(r"^( *)```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SECRET = re.compile(r"\bsecrets/\w+")
_PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """Code between fences."""

    language: str
    title: str | None
    text: str

    @property
    def sessions(self) -> list[tuple[str, str]]:
        """What is typed at each prompt, and what is said to it."""
        typed = [part.partition("\n") for part in ("\n" + self.text).split("\n" + _PROMPT)[1:]]
        return [(line, said if said.endswith("\n") or not said else f"{said}\n") for line, _, said in typed]


@dataclass(frozen=True)
class Page:
    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(DOCS).with_suffix(""))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language: str | None = None) -> list[Block]:
        found = (Block(code, title or None, dedent(text)) for _, code, title, text in _FENCED.findall(self.text))
        return [block for block in found if language in {None, block.language}]

    def lay_out(self, directory: Path) -> None:
        """Write the files that the page shows, and the secrets that they name."""
        for block in self.blocks():
            if block.title:
                path = directory / block.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
        for name in set(_SECRET.findall(self.text)):
            secret = directory / name
            secret.parent.mkdir(mode=0o700, exist_ok=True)
            secret.touch(mode=0o600)
            secret.write_text("made-up", encoding="utf-8")


PAGES = [Page(path) for path in sorted(DOCS.rglob("*.md")) if path.relative_to(DOCS).as_posix() not in pages()]
"""What is written by hand; tests of their own hold the generated pages."""
