"""Why a text is not YAML, in words of ours: PyYAML's own may quote the line, and name its parser's states.

Its words are only compared with: `context` and `problem` of an error tell what was open, and what was met.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yaml.reader import Reader

from credconf.ground.records import record
from credconf.problems import Problem
from credconf.problems.problem import Origin

from .lines import yaml_lines

if TYPE_CHECKING:
    import yaml

_SIGNS = frozenset("@`%*&!|>'\"[]{}")
_SIGN_HINT = "put quotes around a value that begins with one of @ ` % * & ! | > ' \" [ ] { }"
_TAB = ("a tab stands where YAML allows only spaces", "indent with spaces")
# YAML's blanks are spaces and tabs: behind a colon, a no-break space separates nothing.
_KEY = re.compile(r"[ \t]*(?:-[ \t]+)*[^\s:#][^:#]*:(?:[ \t]|$)")
_NO_SPACE = re.compile(r":[^\S \t]")
_REFERENCE = re.compile(r"""[\[{]\s*(?:\{\s*)?["']?(?:env|file|command)["']?\s*:""")


@record
class _Place:
    """A place in a text; line and column count from 0."""

    line: int
    column: int


@record
class _Said:
    """What PyYAML said of a text, and the text's lines."""

    context: str
    problem: str
    opened: _Place
    met: _Place
    lines: list[str]

    def at_end(self) -> bool:
        return self.met.line >= len(self.lines) or not any(
            (self.lines[self.met.line][self.met.column :], *self.lines[self.met.line + 1 :])
        )


def syntax_problem(name: str, text: str, exc: yaml.MarkedYAMLError) -> Problem:
    """The problem of a text that the parser refused, with a position inside the text.

    Args:
        name: of the file.
        text: of the file.
        exc: the parser's error.
    """
    mark = exc.problem_mark or exc.context_mark
    lines = yaml_lines(text)
    if mark is None:
        return Problem("bad-yaml", "this is not YAML", origin=Origin("file", file=name))
    met = _Place(mark.line, mark.column)
    opened = _Place(exc.context_mark.line, exc.context_mark.column) if exc.context_mark else met
    place, message, hint = _explained(_Said(exc.context or "", exc.problem or "", opened, met, lines))
    return Problem("bad-yaml", message, origin=_origin(name, lines, place), hint=hint)


def unprintable_problem(name: str, text: str) -> Problem:
    """The problem of a text that holds a control character, for which the parser knows no line."""
    message = "the file holds a character that YAML does not allow"
    match = Reader.NON_PRINTABLE.search(text)
    if match is None:
        return Problem("bad-yaml", message, origin=Origin("file", file=name))
    before = yaml_lines(text[: match.start()])
    place = _Place(len(before) - 1, len(before[-1]))
    hint = "remove it, or write it as an escape in double quotes"
    return Problem("bad-yaml", message, origin=_origin(name, yaml_lines(text), place), hint=hint)


def _origin(name: str, lines: list[str], place: _Place) -> Origin:
    """The parser may stop behind the last line; what is shown is its end."""
    last = max(0, len(lines) - (2 if len(lines) > 1 and not lines[-1] else 1))
    line, column = (place.line, place.column) if place.line <= last else (last, len(lines[last]))
    return Origin("file", file=name, line=line + 1, column=min(column, len(lines[line])) + 1)


def _explained(said: _Said) -> tuple[_Place, str, str]:
    line = said.lines[said.met.line] if said.met.line < len(said.lines) else ""
    sign = line[said.met.column : said.met.column + 1]
    indentation = line[: _indentation(line)]
    if "\t" in indentation or sign == "\t":
        return said.met, *_TAB
    if "quoted scalar" in said.context:
        return _quoted(said)
    if "flow" in said.context and "node" not in said.context:
        return _flow(said)
    if "mapping values" in said.problem:
        return _second_colon(said, line)
    if "simple key" in said.context:
        return said.opened, "this line has no `: ` after its key", "write `key: value`, with a space after the colon"
    begun = _begun(said, line)
    if begun is not None:
        return begun
    if "block mapping" in said.context or "block collection" in said.context:
        return _outside(said, line)
    if "document start" in said.problem:
        return said.met, "something follows the end of the document", "keep one document in a file"
    return said.met, "this is not valid YAML", "check the indentation, the `: ` after the key, and the quotes"


def _begun(said: _Said, line: str) -> tuple[_Place, str, str] | None:
    """A value that begins with a sign of YAML's own, wherever the parser noticed that it is none."""
    if "sequence entries" in said.problem and line[: said.met.column].strip():
        return said.met, "a value can't begin with `- `", "put quotes around it, or begin a list in the next line"
    place = said.opened if "scanning" in said.context and said.opened.line < len(said.lines) else said.met
    sign = said.lines[place.line][place.column : place.column + 1] if place.line < len(said.lines) else ""
    if sign and sign in _SIGNS and "block mapping" not in said.context:
        return place, "a value can't begin with this character", _SIGN_HINT
    return None


def _quoted(said: _Said) -> tuple[_Place, str, str]:
    if "end of stream" in said.problem or "document indicator" in said.problem:
        return said.opened, "a quote is opened here, and closed nowhere", "close it, or put the other kind around it"
    hint = "double the backslash, or use single quotes, in which it means itself"
    return said.met, "a backslash in double quotes begins an escape, and this is none", hint


def _flow(said: _Said) -> tuple[_Place, str, str]:
    opening, closing = ("[", "]") if "sequence" in said.context else ("{", "}")
    missing = f"`,` or `{closing}` is missing before this"
    if said.met.line == said.opened.line and not said.at_end():
        return said.met, missing, "put quotes around a value that holds spaces, quotes or brackets"
    if said.at_end() or not _goes_on(said, closing):
        return said.opened, f"`{opening}` is opened here, and not closed", f"close it with `{closing}`"
    line = said.lines[said.met.line]
    # Without quotes, the value above goes on in this line as far as its colon.
    column = said.met.column if line[said.met.column] != ":" else _indentation(line)
    return _Place(said.met.line, column), missing, "separate the settings or items of a `{…}` or `[…]` by commas"


def _goes_on(said: _Said, closing: str) -> bool:
    """Whether what was opened in an earlier line is still meant to be open here, and closed below."""
    line, first = said.lines[said.met.line], said.lines[said.opened.line]
    below = (line[said.met.column :], *said.lines[said.met.line + 1 :])
    deeper = _indentation(line) > _indentation(first) or not first[: said.opened.column].strip()
    return deeper and any(closing in text for text in below)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _second_colon(said: _Said, line: str) -> tuple[_Place, str, str]:
    if _KEY.match(line[: said.met.column]):
        return said.met, "a second `: ` stands in one line", "put quotes around a value that holds `: `"
    start = _Place(said.met.line, _indentation(line))
    above = next((number for number in range(said.met.line - 1, -1, -1) if said.lines[number].strip()), None)
    if above is not None and not _KEY.match(said.lines[above]) and not said.lines[above].lstrip().startswith("#"):
        place = _Place(above, _indentation(said.lines[above]))
        hint = "write `key: value`, with a space after the colon"
        if _NO_SPACE.search(said.lines[above]):
            hint += ": what stands there now only looks like one"
        return place, "this line has no `: ` after its key", hint
    return start, "this line is indented deeper than the settings beside it", "begin it in the same column as they do"


def _outside(said: _Said, line: str) -> tuple[_Place, str, str]:
    before = line[: said.met.column].rstrip()
    if before:
        # In quotes, a reference would be a secret itself.
        closed = before[-1] in "]}" and (_REFERENCE.search(before) or not line[said.met.column :].strip(" \t,]}"))
        hint = f"remove what follows `{before[-1]}`" if closed else "put quotes around the whole value"
        return said.met, "something follows a value that has ended", hint
    if line[said.met.column : said.met.column + 1] == "-":
        return said.met, "a list item stands among settings", "indent it below its key"
    where = f"those that begin at line {said.opened.line + 1}"
    return said.met, f"this line is not indented like {where}", "begin it in the same column as they do"
