"""The pages of the codes, from the catalogue: those of problems, and Entra's own."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Final

from credconf.problems.catalogue import MEANINGS
from credconf.problems.codes_of_settings import SETTINGS, WARNINGS
from credconf.problems.codes_of_sources import ENTRIES, FILES, SOURCES
from credconf.problems.failure import ADVICE

if TYPE_CHECKING:
    from credconf.problems.rendering import Explanation

BROKEN: Final = Path(__file__).parents[2] / "examples" / "broken"
SESSION: Final = "check.txt"

_FAMILIES: Final = {
    "Files": FILES,
    "One setting": SETTINGS,
    "Named entries": ENTRIES,
    "Variables, references, sources": SOURCES,
    "Warnings": WARNINGS,
}
_PROBLEMS: Final = """\
# Problems

Every problem of a configuration has a code, in the brackets of `error[unknown-key]`. `credconf explain CODE`
says what stands here. An error stops `load()` and `from_config()`; a warning goes to the log, and `credconf
check --strict` makes it an error. Below each code is a session with a broken file that has it
(`examples/broken` in the repository); the tests play each of them.
"""
_AADSTS: Final = """\
# Entra's codes

When Entra refuses, its answer holds a code such as `AADSTS7000215`, and `AuthenticationError.aadsts` has it.
Each of these is a code that an application can meet. `credconf explain AADSTS7000215` says what stands here.
Microsoft's own words, which may be newer, are at `https://login.microsoftonline.com/error?code=7000215`.
"""


def problems() -> str:
    """The page of the codes of problems, as Markdown."""
    parts = [_PROBLEMS]
    for family, explained in _FAMILIES.items():
        parts.append(f"## {family}\n")
        parts += [_problem(code, explanation) for code, explanation in explained.items()]
    return "\n".join(parts)


def aadsts() -> str:
    """The page of Entra's codes, as Markdown."""
    rows = [f"| [{code}](#AADSTS{code}) | {ADVICE[code]} |" for code in sorted(ADVICE)]
    sections = [
        f"## AADSTS{code} {{#AADSTS{code}}}\n\n{ADVICE[code]}\n\n{_prose(MEANINGS[code])}\n" for code in sorted(ADVICE)
    ]
    return "\n".join([_AADSTS, "| code | what to do |", "| --- | --- |", *rows, "", *sections])


def _problem(code: str, explanation: Explanation) -> str:
    title = explanation.title[0].upper() + explanation.title[1:]
    parts = [f"### `{code}` {{#{code}}}", f"{_escaped(title)}.", _prose(explanation.text)]
    for word, example in (("Wrong", explanation.wrong), ("Right", explanation.right)):
        if example:
            text = dedent(example).strip()
            parts.append(f"{word}:\n\n{_fenced(_narrowed(text), _language(text))}")
    session = BROKEN / code / SESSION
    if session.exists():
        parts.append(_collapsed("A broken file, and what is said to it", _broken(session)))
    return "\n\n".join(parts) + "\n"


def _language(example: str) -> str:
    """That of an example: a file, what a shell is given, or a call."""
    if example.startswith("credconf."):
        return "python"
    return "sh" if re.match(r"docker |[A-Z_]+[= ]", example) else "yaml"


def _narrowed(example: str) -> str:
    """With a comment above what it is about, and each variable in a line of its own: a page is narrow."""
    lines = re.sub(r"(?<! -e) (?=[A-Z_]+=)", "\n", example).splitlines()
    return "\n".join(re.sub(r"^(.*?\S) {3}(# .*)$", r"\2\n\1", line) for line in lines)


def _broken(session: Path) -> str:
    beside = sorted(path for path in session.parent.iterdir() if path != session and path.suffix == ".yaml")
    files = [_fenced(path.read_text(encoding="utf-8"), f'yaml title="{path.name}"') for path in beside]
    return "\n\n".join([*files, _fenced(session.read_text(encoding="utf-8"), "text")])


def _collapsed(title: str, content: str) -> str:
    inside = "\n".join(f"    {line}".rstrip() for line in content.splitlines())
    return f'??? example "{title}"\n\n{inside}'


def _fenced(text: str, info: str) -> str:
    return f"```{info}\n{text.rstrip()}\n```"


def _prose(text: str) -> str:
    return "\n\n".join(_escaped(" ".join(part.split())) for part in text.split("\n\n"))


def _escaped(text: str) -> str:
    """Words for a terminal as Markdown: code stays code, and nothing else is markup."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a lone backtick is a character that the text speaks about
        return "".join(f"\\{letter}" if letter in "`*_<>[]{}|\\#" else letter for letter in text)
    plain = [
        "".join(f"\\{letter}" if letter in "*_<>[]{}|\\#" else letter for letter in piece) for piece in pieces[::2]
    ]
    code = [_code(item) for item in pieces[1::2]]
    return "".join(part for pair in zip(plain, [*code, ""], strict=True) for part in pair)


def _code(text: str) -> str:
    # Markdown drops the white space at the ends, and may be told not to only in HTML.
    return f"`{text}`" if text == text.strip() else f"<code>{escape(text)}</code>"
