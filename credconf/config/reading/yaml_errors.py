"""Explains why a text is not YAML. PyYAML's own messages may quote the line, and name states of its parser.

They are compared, never shown: `context` describes the open construct, `problem` what the parser met instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yaml.reader import Reader

from credconf.ground.records import record
from credconf.problems import Problem
from credconf.problems.problem import Origin
from credconf.references import REFERENCES

from .nodes import yaml_lines

if TYPE_CHECKING:
    import yaml

_SIGNS = frozenset("@`%*&!|>'\"[]{}")
_SIGN_HINT = "put quotes around a value that begins with one of @ ` % * & ! | > ' \" [ ] { }"
_TAB = ("YAML allows only spaces here, not a tab", "indent with spaces")
# YAML's blanks are spaces and tabs: a no-break space after a colon separates nothing.
_KEY = re.compile(r"[ \t]*(?:-[ \t]+)*[^\s:#][^:#]*:(?:[ \t]|$)")
_NO_SPACE = re.compile(r":[^\S \t]")
_REFERENCE = re.compile(r"""[\[{]\s*(?:\{\s*)?["']?(?:env|file|command)["']?\s*:""")


@record
class _Place:
    """A place in a text. Line and column count from 0."""

    line: int
    column: int


@record
class _ParserError:
    """An error of PyYAML, with the lines of the text.

    Attributes:
        context: what the parser was reading.
        problem: what it met instead.
        opened: where the construct begins.
        met: where the parser stopped.
        lines: the lines of the text.
    """

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
    """Return the problem of a text that the parser rejected, with a position inside the text.

    Args:
        name: the name of the file.
        text: the text of the file.
        exc: the parser's error.
    """
    mark = exc.problem_mark or exc.context_mark
    lines = yaml_lines(text)
    if mark is None:
        return Problem("bad-yaml", "this is not YAML", origin=Origin("file", file=name))
    met = _Place(mark.line, mark.column)
    opened = _Place(exc.context_mark.line, exc.context_mark.column) if exc.context_mark else met
    place, message, hint = _explained(_ParserError(exc.context or "", exc.problem or "", opened, met, lines))
    return Problem("bad-yaml", message, origin=_origin(name, lines, place), hint=hint)


def unprintable_problem(name: str, text: str) -> Problem:
    """Return the problem of a text with a control character, for which the parser reports no line."""
    message = "the file holds a character that YAML does not allow"
    match = Reader.NON_PRINTABLE.search(text)
    if match is None:
        return Problem("bad-yaml", message, origin=Origin("file", file=name))
    before = yaml_lines(text[: match.start()])
    place = _Place(len(before) - 1, len(before[-1]))
    hint = "remove it, or write it as an escape in double quotes"
    return Problem("bad-yaml", message, origin=_origin(name, yaml_lines(text), place), hint=hint)


def _origin(name: str, lines: list[str], place: _Place) -> Origin:
    """Return the place; the end of the last line where the parser stopped after it."""
    last = max(0, len(lines) - (2 if len(lines) > 1 and not lines[-1] else 1))
    line, column = (place.line, place.column) if place.line <= last else (last, len(lines[last]))
    return Origin("file", file=name, line=line + 1, column=min(column, len(lines[line])) + 1)


def _explained(error: _ParserError) -> tuple[_Place, str, str]:
    line = error.lines[error.met.line] if error.met.line < len(error.lines) else ""
    sign = line[error.met.column : error.met.column + 1]
    indentation = line[: _indentation(line)]
    if "\t" in indentation or sign == "\t":
        return error.met, *_TAB
    if "quoted scalar" in error.context:
        return _quoted(error)
    if "flow" in error.context and "node" not in error.context:
        return _flow(error)
    if "mapping values" in error.problem:
        return _second_colon(error, line)
    if "simple key" in error.context:
        return error.opened, "this line has no `: ` after its key", "write `key: value`, with a space after the colon"
    bad_first = _bad_first_character(error, line)
    if bad_first is not None:
        return bad_first
    if "block mapping" in error.context or "block collection" in error.context:
        return _outside(error, line)
    if "document start" in error.problem:
        return error.met, "something follows the end of the document", "keep one document in a file"
    return error.met, "this is not valid YAML", "check the indentation, the `: ` after the key, and the quotes"


def _bad_first_character(error: _ParserError, line: str) -> tuple[_Place, str, str] | None:
    """Explain a value that begins with an indicator of YAML, wherever the parser rejected it."""
    if "sequence entries" in error.problem and line[: error.met.column].strip():
        return error.met, "a value can't begin with `- `", "put quotes around it, or begin a list in the next line"
    place = error.opened if "scanning" in error.context and error.opened.line < len(error.lines) else error.met
    sign = error.lines[place.line][place.column : place.column + 1] if place.line < len(error.lines) else ""
    if sign and sign in _SIGNS and "block mapping" not in error.context:
        return place, "a value can't begin with this character", _SIGN_HINT
    return None


def _quoted(error: _ParserError) -> tuple[_Place, str, str]:
    if "end of stream" in error.problem or "document indicator" in error.problem:
        return error.opened, "this quote is never closed", "close it, or put the other kind around it"
    hint = "double the backslash, or use single quotes, where it is an ordinary character"
    return error.met, "a backslash in double quotes begins an escape, and this is not one", hint


def _flow(error: _ParserError) -> tuple[_Place, str, str]:
    opening, closing = ("[", "]") if "sequence" in error.context else ("{", "}")
    missing = f"`,` or `{closing}` is missing before this"
    if error.met.line == error.opened.line and not error.at_end():
        return error.met, missing, "put quotes around a value that holds spaces, quotes or brackets"
    if error.at_end() or not _continues(error, closing):
        return error.opened, f"`{opening}` is never closed", f"close it with `{closing}`"
    line = error.lines[error.met.line]
    # Without quotes, the value above continues in this line up to its colon.
    column = error.met.column if line[error.met.column] != ":" else _indentation(line)
    return _Place(error.met.line, column), missing, "separate the settings or items of a `{…}` or `[…]` by commas"


def _continues(error: _ParserError, closing: str) -> bool:
    """Whether a bracket of an earlier line is probably still open here, and closed below."""
    line, first = error.lines[error.met.line], error.lines[error.opened.line]
    below = (line[error.met.column :], *error.lines[error.met.line + 1 :])
    deeper = _indentation(line) > _indentation(first) or not first[: error.opened.column].strip()
    return deeper and any(closing in text for text in below)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _second_colon(error: _ParserError, line: str) -> tuple[_Place, str, str]:
    if _KEY.match(line[: error.met.column]):
        hint = "put quotes around a value that holds `: `"
        reference = next((key for key in REFERENCES if line[: error.met.column].endswith(f" {key}")), None)
        if reference is not None:
            hint = f"put braces around a reference: {{{reference}: {REFERENCES[reference].placeholder}}}"
        return error.met, "this line has a second `: `", hint
    start = _Place(error.met.line, _indentation(line))
    above = next((number for number in range(error.met.line - 1, -1, -1) if error.lines[number].strip()), None)
    if above is not None and not _KEY.match(error.lines[above]) and not error.lines[above].lstrip().startswith("#"):
        place = _Place(above, _indentation(error.lines[above]))
        hint = "write `key: value`, with a space after the colon"
        if _NO_SPACE.search(error.lines[above]):
            hint += ": the character there only looks like one"
        return place, "this line has no `: ` after its key", hint
    return start, "this line is indented deeper than the settings beside it", "begin it in the same column as they do"


def _outside(error: _ParserError, line: str) -> tuple[_Place, str, str]:
    before = line[: error.met.column].rstrip()
    if before:
        # In quotes, a reference would become a literal secret.
        closed = before[-1] in "]}" and (_REFERENCE.search(before) or not line[error.met.column :].strip(" \t,]}"))
        hint = f"remove what follows `{before[-1]}`" if closed else "put quotes around the whole value"
        return error.met, "something follows a value that has ended", hint
    if line[error.met.column : error.met.column + 1] == "-":
        return error.met, "this list item is among settings", "indent it below its key"
    where = f"those that begin at line {error.opened.line + 1}"
    return error.met, f"this line is not indented like {where}", "begin it in the same column as they do"
