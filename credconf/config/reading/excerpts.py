"""Shows the line that a problem points at, with carets and without its values: everything else becomes `…`.

This module does not decide what is secret. It shows only known keys, punctuation, and other text that is known to be
a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import yaml

from credconf.config.dotenv import dotenv_lines
from credconf.config.layers import KNOWN
from credconf.config.variables import PREFIX, Scheme, documented
from credconf.ground.records import record, replace
from credconf.kinds import NESTED
from credconf.problems import Excerpt, Problem, shown_key
from credconf.references import REFERENCES

from .nodes import MERGE, Loader, yaml_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping


_FIRST_WIDE = "\u1100"
_LONGEST = 100
_BEFORE_THE_CARETS = 60
_WITHOUT_A_LINE = frozenset({"missing", "no-name", "empty-file", "missing-file"})
"""Problems about something that is absent, which no line can show."""
_AT_THE_NAME = frozenset({"unknown-variable", "unheard-variable", "bad-variable", "conflict", "bad-dotenv"})
"""Problems of a variable of `.env` itself, not of its value."""


def with_excerpts(problems: Iterable[Problem], documents: Mapping[str, str], dotenv: str = "") -> tuple[Problem, ...]:
    """Add excerpts to the problems that point into one of the files.

    Args:
        problems: the problems, in any order.
        documents: the texts of the parsed files, by name.
        dotenv: the text of the `.env` file.
    """
    problems = tuple(problems)
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for problem in problems:
        if _points_into(problem, "file") and problem.file is not None and problem.line is not None:
            wanted[problem.file].add(problem.line)
    files = {name: _File(text, wanted[name]) for name, text in documents.items()}
    variables = dotenv_lines(dotenv) if dotenv else []  # empty if it could not be read
    return tuple(_with_excerpt(problem, files, variables) for problem in problems)


def with_excerpt_of_broken(problem: Problem, text: str) -> Problem:
    """Add the excerpt to the problem of a text that is not YAML.

    In a broken file, text that looks like a key may be part of a value.
    """
    lines = yaml_lines(text)
    if problem.line is None or problem.column is None or problem.line > len(lines):
        return problem
    line = lines[problem.line - 1]
    shown = _Line(problem.line, line, spans_of_broken_yaml(line))
    return replace(problem, excerpt=shown.excerpt(problem.column - 1))


class _File:
    """The lines of a parsed file to which problems point."""

    def __init__(self, text: str, numbers: set[int]) -> None:
        lines = yaml_lines(text) if numbers else []
        wanted = [number for number in numbers if number <= len(lines)]
        spans = spans_of_yaml(text, wanted) if wanted else {}
        self.lines = {number: _Line(number, lines[number - 1], spans[number]) for number in wanted}

    def excerpt(self, number: int, column: int) -> Excerpt | None:
        line = self.lines.get(number)
        return None if line is None else line.excerpt(column - 1)


class _Line:
    """One line without its values. It is blanked once, since a file may have all its problems in one long line."""

    def __init__(self, number: int, line: str, spans: list[Span]) -> None:
        self.number = number
        self.blanked = Blanked.of(line, spans)
        self.text = self.blanked.text.rstrip()
        self.spans = {span.start: span for span in spans}

    def excerpt(self, column: int) -> Excerpt:
        """Return the line with carets at a column of the original line, from 0."""
        columns = self.blanked.columns
        column = min(column, len(columns) - 1)
        start = columns[column]
        span = self.spans.get(column)
        end = start + 1
        if span is not None:
            end = len(self.text) if span.reach is None else columns[span.reach]
        return _cropped(self.number, self.text, start, max(end, start + 1))


def _points_into(problem: Problem, place: str) -> bool:
    return (
        problem.origin is not None
        and problem.origin.place == place
        and problem.excerpt is None
        and problem.code not in _WITHOUT_A_LINE
    )


def _with_excerpt(problem: Problem, files: dict[str, _File], variables: list[str]) -> Problem:
    if problem.line is None:
        return problem
    if _points_into(problem, "file") and problem.file in files and problem.column is not None:
        return replace(problem, excerpt=files[problem.file].excerpt(problem.line, problem.column))
    if _points_into(problem, "dotenv") and problem.line <= len(variables):
        return replace(problem, excerpt=_of_variable(problem, problem.line, variables[problem.line - 1]))
    return problem


def _of_variable(problem: Problem, number: int, line: str) -> Excerpt:
    variable = problem.origin.name if problem.origin else None
    spans, name, value = spans_of_dotenv(line, variable)
    return _Line(number, line, spans).excerpt(name if problem.code in _AT_THE_NAME else value)


def _cropped(number: int, text: str, start: int, end: int) -> Excerpt:
    """Return the excerpt of a line, with at most a hundred characters around the carets."""
    if len(text) > _LONGEST:
        left = max(0, min(start - _BEFORE_THE_CARETS, len(text) - _LONGEST))
        right = left + _LONGEST
        text = (BLANK if left else "") + text[left:right] + (BLANK if right < len(text) else "")
        shift = left - (1 if left else 0)
        start, end = start - shift, min(end, right) - shift
    width = _cells(text[start:end]) + max(0, end - max(start, len(text)))
    return Excerpt(number, text, _cells(text[:start]) + max(0, start - len(text)), width)


def _cells(text: str) -> int:
    """Count the columns of a terminal: a Chinese or Japanese character takes two."""
    far = (character for character in text if character >= _FIRST_WIDE)
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in far)


BLANK = "…"
_DOTENV_LINE = re.compile(r"\s*(?P<export>(?:export\s+)?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*(?P<equals>=?)[ \t]*")
_KEY_OF_A_BROKEN_LINE = re.compile(
    r"""\s*(?P<dashes>(?:-\s+)*)(?P<key>'[a-z_]+'|"[a-z_]+"|[a-z_]+|<<)\s*(?P<colon>:)(?!\S)"""
)
_CERTAIN_KEYS = frozenset(
    {*KNOWN, *REFERENCES, *(leaf for leaves in NESTED.values() for leaf in leaves)}
    | {"default", "credentials", "extends", "abstract", MERGE}
)
_CERTAIN_VARIABLES = frozenset({*documented(), *(item.name for item in Scheme(PREFIX).variables())})
_OPENING = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSING = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_PUNCTUATION = (
    *_OPENING,
    *_CLOSING,
    yaml.FlowEntryToken,
    yaml.BlockEntryToken,
    yaml.KeyToken,
    yaml.ValueToken,
    yaml.DocumentStartToken,
)


@record
class Span:
    """A part of a line that may be shown. Columns count from 0.

    Attributes:
        start: the first column.
        end: the column after the last one.
        reach: the column where carets that begin at the span end: for a bracket, the end of the closing bracket;
            `None` for the end of the line.
    """

    start: int
    end: int
    reach: int | None


def spans_of_yaml(text: str, numbers: Collection[int]) -> dict[int, list[Span]]:
    """Find the keys and the punctuation in some lines of a valid YAML file.

    Args:
        text: the text of the whole file, which is valid YAML.
        numbers: the line numbers, from 1.
    """
    found: dict[int, list[Span]] = {number: [] for number in numbers}
    opened: list[
        tuple[int, int, int]
    ] = []  # for each open bracket: its line, the index of its span in `found`, its column
    for token, is_key in _tokens(text, max(numbers)):
        start, end = token.start_mark, token.end_mark
        line = found.get(start.line + 1)
        if isinstance(token, _OPENING):
            opened.append((start.line, len(line) if line is not None else 0, start.column))
        elif isinstance(token, _CLOSING) and opened:
            _reach(found, *opened.pop(), end)
        if line is None or start.line != end.line or start.column == end.column:
            continue
        if isinstance(token, _PUNCTUATION):
            single = isinstance(token, (yaml.FlowEntryToken, yaml.ValueToken, *_CLOSING))
            line.append(Span(start.column, end.column, end.column if single else None))
        elif is_key and _is_shown(token):
            line.append(Span(start.column, end.column, end.column))
    return found


def _reach(found: dict[int, list[Span]], line: int, index: int, column: int, end: Any) -> None:
    spans = found.get(line + 1)
    if spans is not None and end.line == line:
        spans[index] = Span(column, column + 1, end.column)


def _tokens(text: str, last: int) -> Iterator[tuple[Any, bool]]:
    """Yield the tokens up to a line, each with whether it is a key."""
    key = False
    for token in yaml.scan(text, Loader=Loader):
        if token.start_mark.line >= last:
            return
        yield token, key and isinstance(token, yaml.ScalarToken)
        # An anchor or a tag may precede the key itself.
        key = isinstance(token, yaml.KeyToken) or (key and isinstance(token, yaml.AnchorToken | yaml.TagToken))


def _is_shown(token: Any) -> bool:
    written = token.end_mark.column - token.start_mark.column
    unescaped = written == len(token.value) + (0 if token.plain else 2)
    return bool(unescaped and shown_key(token.value) == token.value)


def spans_of_broken_yaml(line: str) -> list[Span]:
    """Find what may be shown of a line of a broken YAML file: a setting's name at the start, or `---`."""
    if line.startswith("---") and not line[3:].strip():
        return [Span(0, 3, 3)]
    match = _KEY_OF_A_BROKEN_LINE.match(line)
    if match is None or match["key"].strip("'\"") not in _CERTAIN_KEYS:
        return []
    return [_span(match, name) for name in ("dashes", "key", "colon") if match[name]]


def spans_of_dotenv(line: str, variable: str | None) -> tuple[list[Span], int, int]:
    """Find the name and `=` in a line of `.env`, and the columns where the name and the value begin.

    Args:
        line: one line.
        variable: the variable that the line sets; `None` for a broken line, of which only a known variable is shown.
    """
    match = _DOTENV_LINE.match(line)
    if match is None or not (match["name"] == variable if variable else match["name"] in _CERTAIN_VARIABLES):
        column = len(line) - len(line.lstrip())
        return [], column, column
    spans = [_span(match, name) for name in ("export", "name", "equals") if match[name]]
    return spans, match.start("name"), match.end()


def _span(match: re.Match[str], name: str) -> Span:
    return Span(match.start(name), match.end(name), match.end(name))


@record
class Blanked:
    """A line without its values.

    Attributes:
        text: the remaining text.
        columns: for each column of the original line, and for the one after its end, the column in `text`.
    """

    text: str
    columns: tuple[int, ...]

    @classmethod
    def of(cls, line: str, spans: Iterable[Span]) -> Blanked:
        """Keep white space and the spans of a line, and replace each run of other text by one `…`."""
        shown = ""
        columns: list[int] = []
        position = 0
        for span in (*spans, Span(len(line), len(line), None)):
            gap = line[position : span.start]
            before = len(gap) - len(gap.lstrip())
            after = len(gap.rstrip())
            for index in range(len(gap)):
                columns.append(len(shown))
                if index < before or index >= after:
                    shown += " "
                elif index + 1 == after:
                    shown += BLANK
            columns += range(len(shown), len(shown) + span.end - span.start)
            shown += line[span.start : span.end].replace("\t", " ")
            position = span.end
        return cls(shown, (*columns, len(shown)))
