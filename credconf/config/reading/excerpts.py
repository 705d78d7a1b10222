"""Shows the line that a problem points at, with carets and without its values."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from credconf.ground.records import replace
from credconf.problems import Excerpt, Problem

from .blanking import BLANK, Blanked, Span, spans_of_broken_yaml, spans_of_dotenv, spans_of_yaml
from .lines import dotenv_lines, yaml_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
