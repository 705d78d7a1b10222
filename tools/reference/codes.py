"""The pages of the codes, from the catalogue: one for each code of a problem, and one for all of Entra's."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Final

from credconf.problems.catalogue import CODES, MEANINGS
from credconf.problems.codes_of_settings import SETTINGS, WARNINGS
from credconf.problems.codes_of_sources import ENTRIES, FILES, SOURCES
from credconf.problems.failure import ADVICE

from .markdown import escaped, fenced, marked, prose, sentence, table

if TYPE_CHECKING:
    from collections.abc import Iterator

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

Every problem of a configuration has a code, such as `unknown-key` in `error[unknown-key]`. `credconf explain CODE`
prints the same explanation in a terminal.

An **error** stops `load()` and `from_config()`. A **warning** is logged, and `credconf check --strict` treats it as
an error. Some errors are warnings where the configuration works without the part that is wrong: a discovered `.env`
that can't be read, for example, if nothing is missing that it could have held.
"""
_AADSTS: Final = """\
# Entra's codes

When Entra ID refuses a token request, its answer contains a code such as `AADSTS7000215`, which is the `aadsts`
attribute of the `AuthenticationError`. This page lists the codes that an application can meet. `credconf explain
AADSTS7000215` prints the same explanation in a terminal. Microsoft's own text, which may be newer, is at
`https://login.microsoftonline.com/error?code=7000215`.
"""


def problems() -> str:
    """The index of the codes of problems, as Markdown."""
    parts = [_PROBLEMS]
    for family, explained in _FAMILIES.items():
        rows = [
            (f'<a id="{code}"></a>[`{code}`](problems/{code}.md)', severity(code), escaped(sentence(about.title)))
            for code, about in explained.items()
        ]
        parts.append(f"## {family}\n\n{table(('code', 'severity', 'meaning'), rows)}\n")
    return "\n".join(parts)


def severity(code: str) -> str:
    """Whether a problem is an error or a warning, as a rule."""
    return "warning" if code in WARNINGS else "error"


def problem(code: str) -> str:
    """The page of one code, as Markdown."""
    about = CODES[code]
    family = next(title for title, explained in _FAMILIES.items() if code in explained)
    anchor = re.sub(r"[^a-z ]", "", family.lower()).replace(" ", "-")
    kind = f"{severity(code).title()} · [{family}](../problems.md#{anchor})"
    parts = [f"# {code}", kind, escaped(sentence(about.title)), "## What it means", prose(about.text)]
    for word, example in (("Wrong", about.wrong), ("Right", about.right)):
        if example:
            text = dedent(example).strip()
            parts.append(f"## {word}\n\n{fenced(_narrowed(text), _language(text))}")
    if (BROKEN / code / SESSION).exists():
        parts.append(
            f"## Example\n\nFrom [`examples/broken/{code}`](../../../examples/broken/{code}), as the tests run it:"
        )
        parts += _sample(BROKEN / code)
    return "\n\n".join(parts) + "\n"


def aadsts() -> str:
    """The page of Entra's codes, as Markdown."""
    rows = [(f"[{code}](#AADSTS{code})", marked(ADVICE[code])) for code in sorted(ADVICE)]
    sections = [
        f'## <a id="AADSTS{code}"></a>AADSTS{code}\n\n**{marked(ADVICE[code])}**\n\n{prose(MEANINGS[code])}\n'
        for code in sorted(ADVICE)
    ]
    return "\n".join([_AADSTS, table(("code", "what to do"), rows), "", *sections])


def _language(example: str) -> str:
    """That of an example: a file, what a shell is given, or a call."""
    if example.startswith("credconf."):
        return "python"
    return "sh" if re.match(r"docker |[A-Z_]+[= ]", example) else "yaml"


def _narrowed(example: str) -> str:
    """With a comment above what it is about, and each variable in a line of its own: a page is narrow."""
    lines = re.sub(r"(?<! -e) (?=[A-Z_]+=)", "\n", example).splitlines()
    return "\n".join(re.sub(r"^(.*?\S) {3}(# .*)$", r"\2\n\1", line) for line in lines)


def _sample(folder: Path) -> Iterator[str]:
    """The files of a broken example, and its session."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SESSION):
        language = {".yaml": "yaml", ".env": "sh"}.get(path.suffix, "text")
        text = path.read_text(encoding="utf-8", errors="replace")  # one of them shows just that
        yield fenced(text, f'{language} title="{path.relative_to(folder).as_posix()}"')
    yield fenced((folder / SESSION).read_text(encoding="utf-8"), "console")
