"""What the generated pages are written with: Markdown that GitHub shows as mkdocs does."""

from __future__ import annotations

import re
from html import escape
from textwrap import indent
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MARKUP: Final = re.compile(r"([*_<>\[\]{}|\\#])")
_NAME: Final = re.compile(
    r"\{[a-z_]+:[^{}]*\}|(?<![\w/.-])(?:--?[a-z][a-z-]*|\.env|credconf\.yaml|\w+\(\)|[A-Z]+(?:_[A-Z]+)+"
    r"|[a-z]+(?:_[a-z]+)+(?:\(\))?)(?![\w(/]|\.\w)"
)
"""What is code without backticks in a terminal: a reference, an option, a file, a function, a variable, a setting."""


def escaped(text: str) -> str:
    """Words for a terminal as Markdown: code stays code, and nothing else is markup."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a lone backtick is a character that the text speaks about
        return _MARKUP.sub(r"\\\1", text).replace("`", r"\`")
    pieces[::2] = [_MARKUP.sub(r"\\\1", piece) for piece in pieces[::2]]
    pieces[1::2] = [_code(piece) for piece in pieces[1::2]]
    return "".join(pieces)


def _code(text: str) -> str:
    # Markdown drops the white space at the ends; only HTML keeps it.
    return f"`{text}`" if text == text.strip() else f"<code>{escape(text)}</code>"


def marked(text: str) -> str:
    """Words for a terminal as Markdown, with names as code."""
    pieces = text.split("`")
    if len(pieces) % 2:
        pieces[::2] = [_NAME.sub(r"`\g<0>`", piece) for piece in pieces[::2]]
    return escaped("`".join(pieces))


def prose(text: str) -> str:
    """Paragraphs for a terminal as Markdown. An empty line separates them; other line breaks mean nothing."""
    return "\n\n".join(marked(" ".join(part.split())) for part in text.split("\n\n"))


def sentence(text: str) -> str:
    """A title in lower case, without a full stop, as a sentence."""
    return f"{text[0].upper()}{text[1:]}."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; `|` in a cell is escaped, except where it is already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def items(terms: Iterable[tuple[str, str]]) -> str:
    """A list of terms and what they mean; a term without a text is left out."""
    return "\n".join(f"- **{term}**: {text}" for term, text in terms if text)


def fenced(text: str, info: str) -> str:
    """A block of code, in a fence that is longer than any in it."""
    longest = max((len(run) for run in re.findall(r"^ *(`{3,})", text, re.MULTILINE)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text.rstrip()}\n{fence}"


def indented(text: str) -> str:
    """As the content of an admonition or of an item."""
    return indent(text, "    ")
