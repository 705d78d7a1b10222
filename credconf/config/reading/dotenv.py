"""Parses `.env` with python-dotenv's parser, keeps line numbers, expands no `${...}` and drops no line silently."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from credconf.ground.files import CONFIGURATION_LIMIT, Unreadable, read_text
from credconf.ground.opaque import Hidden
from credconf.ground.records import field, record
from credconf.problems import Problem
from credconf.problems.problem import Origin

from .nodes import dotenv_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    from credconf.config.variables import Environment


MAX_LINES = 20_000
MAX_BLANKS = 500
_BLANKS = re.compile(rf"[^\S\r\n]{{{MAX_BLANKS + 1}}}")
"""python-dotenv looks for a comment after each blank of a run, which takes time quadratic in its length."""


@record
class Dotenv:
    """The variables of one `.env` file.

    Attributes:
        name: the path, as it was given.
        variables: by name.
        lines: the line of each variable.
        first: the first line of each variable that is set twice.
        problems: broken lines, or why the file could not be read.
        exists: whether there is such a file.
        discovered: whether credconf found it in the working directory by itself.
        text: the text of the file, for the excerpts of problems.
    """

    name: str
    variables: Environment = field(default_factory=lambda: Hidden[str]({}))
    lines: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    exists: bool = True
    discovered: bool = False
    text: str = field(default="", repr=False)

    def origin(self, variable: str) -> Origin:
        """Return the place of a variable."""
        return Origin(
            "dotenv", name=variable, file=self.name, line=self.lines.get(variable), discovered=self.discovered
        )

    def twice(self, names: Iterable[str]) -> Iterator[Problem]:
        """Warn about each variable that is set twice, but not about the variables of other programs.

        Args:
            names: the variables that the configuration uses.
        """
        for name in names:
            if name in self.first:
                message = f"{name} is set twice (first on line {self.first[name]}): the last one counts"
                yield Problem("duplicate-key", message, "warning", None, self.origin(name), "remove one of the two")


def read_dotenv(path: str | PathLike[str], name: str, *, discovered: bool) -> Dotenv:
    """Read a `.env` file. A discovered one need not exist."""
    text = read_text(path, CONFIGURATION_LIMIT)
    if not isinstance(text, Unreadable):
        return parse_dotenv(text, name, discovered=discovered)
    if discovered and (
        text.code == "missing-file" or os.path.isdir(path)
    ):  # a virtual environment may be called `.env`
        return Dotenv(name, exists=False, discovered=True)
    origin = Origin("dotenv", file=name, line=text.line, column=text.column, discovered=discovered)
    return Dotenv(name, problems=(Problem(text.code, f"the file {text.reason}", origin=origin),), discovered=discovered)


def parse_dotenv(text: str, name: str, *, discovered: bool) -> Dotenv:
    """Parse a text in the format of python-dotenv. If a variable is set twice, the last line wins."""
    complex_ = _too_complex(text, name, discovered=discovered)
    if complex_ is not None:
        return Dotenv(name, problems=(complex_,), discovered=discovered)
    variables: dict[str, str] = {}
    lines: dict[str, int] = {}
    first: dict[str, int] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        # A binding includes the blank lines before it.
        line = binding.original.line + _leading_lines(binding.original.string)
        if binding.error:
            origin = Origin("dotenv", file=name, line=line, column=1, discovered=discovered)
            hint = "write NAME=VALUE, with quotes around a value that holds quotes or spaces"
            problems.append(Problem("bad-dotenv", "this line can't be read", origin=origin, hint=hint))
        elif binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
            if binding.key in lines:
                first.setdefault(binding.key, lines[binding.key])
            lines[binding.key] = line
    return Dotenv(name, Hidden(variables), lines, first, tuple(problems), discovered=discovered, text=text)


def _too_complex(text: str, name: str, *, discovered: bool) -> Problem | None:
    """Return a problem if python-dotenv would take minutes to parse the text."""
    lines = dotenv_lines(text)
    blanks = _BLANKS.search(text)
    if len(lines) > MAX_LINES:
        message, line = f"the file holds more than {MAX_LINES:,} lines", MAX_LINES + 1
    elif blanks is not None:
        message, line = f"more than {MAX_BLANKS} blanks are in a row", len(dotenv_lines(text[: blanks.start()]))
    else:
        return None
    origin = Origin("dotenv", file=name, line=line, column=1, discovered=discovered)
    return Problem("too-complex", message, origin=origin, hint="keep other things in another file")


def _leading_lines(original: str) -> int:
    return len(dotenv_lines(original[: len(original) - len(original.lstrip())])) - 1
