"""Why a text is not YAML, in words of ours: PyYAML's own may quote the line, and name its parser's states.

Its words are only compared with: `context` and `problem` of an error tell what was open, and what was met.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yaml.reader import Reader

from credconf.problems import Problem
from credconf.records import record

from .lines import yaml_lines
from .origins import Origin

if TYPE_CHECKING:
    import yaml

_SIGNS = frozenset("@`%*&!|>'\"[]{}")
_SIGN_HINT = "put quotes around a value that begins with one of @ ` % * & ! | > ' \" [ ] { }"
_TAB = ("a tab stands where YAML allows only spaces", "indent with spaces")
_KEY = re.compile(r"\s*(?:-\s+)*[^\s:#][^:#]*:(?:\s|$)")


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
    indentation = line[: len(line) - len(line.lstrip())]
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
    if sign in _SIGNS and sign and "block mapping" not in said.context:
        return said.met, "a value can't begin with this character", _SIGN_HINT
    if "block mapping" in said.context or "block collection" in said.context:
        return _outside(said, line)
    if "document start" in said.problem:
        return said.met, "something follows the end of the document", "keep one document in a file"
    return said.met, "this is not valid YAML", "check the indentation, the `: ` after the key, and the quotes"


def _quoted(said: _Said) -> tuple[_Place, str, str]:
    if "end of stream" in said.problem or "document indicator" in said.problem:
        return said.opened, "a quote is opened here, and closed nowhere", "close it, or put the other kind around it"
    hint = "double the backslash, or use single quotes, in which it means itself"
    return said.met, "a backslash in double quotes begins an escape, and this is none", hint


def _flow(said: _Said) -> tuple[_Place, str, str]:
    opening, closing = ("[", "]") if "sequence" in said.context else ("{", "}")
    if said.at_end() or said.met.line != said.opened.line:
        return said.opened, f"`{opening}` is opened here, and not closed", f"close it with `{closing}`"
    hint = "put quotes around a value that holds spaces, quotes or brackets"
    return said.met, f"`,` or `{closing}` is missing before this", hint


def _second_colon(said: _Said, line: str) -> tuple[_Place, str, str]:
    if _KEY.match(line[: said.met.column]):
        return said.met, "a second `: ` stands in one line", "put quotes around a value that holds `: `"
    start = _Place(said.met.line, len(line) - len(line.lstrip()))
    above = next((number for number in range(said.met.line - 1, -1, -1) if said.lines[number].strip()), None)
    if above is not None and not _KEY.match(said.lines[above]) and not said.lines[above].lstrip().startswith("#"):
        place = _Place(above, len(said.lines[above]) - len(said.lines[above].lstrip()))
        return place, "this line has no `: ` after its key", "write `key: value`, with a space after the colon"
    return start, "this line is indented deeper than the settings beside it", "begin it in the same column as they do"


def _outside(said: _Said, line: str) -> tuple[_Place, str, str]:
    if line[: said.met.column].strip():
        return said.met, "something follows a value that has ended", "put quotes around the whole value"
    if line[said.met.column : said.met.column + 1] == "-":
        return said.met, "a list item stands among settings", "indent it below its key"
    where = f"those that begin at line {said.opened.line + 1}"
    return said.met, f"this line is not indented like {where}", "begin it in the same column as they do"
