"""The `.env` file that may hold variables.

It is parsed with python-dotenv's parser, which keeps line numbers. Nothing in it is expanded, and no line is dropped
silently.
"""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Final

from dotenv.parser import parse_stream

from credconf.ground.files import CONFIGURATION_LIMIT, Unreadable, read_text
from credconf.ground.opaque import Hidden
from credconf.ground.records import field, record, replace
from credconf.problems import Problem, printable
from credconf.problems.problem import Origin

from .variables import PREFIX, Environment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from os import PathLike


_POWERSHELL = re.compile(r"(?i)^\$(?:env:)?")
_DOTENV_LINE = re.compile(r"\r\n|\n|\r")
MAX_LINES = 20_000
MAX_BLANKS = 500
_BLANKS = re.compile(rf"[^\S\r\n]{{{MAX_BLANKS + 1}}}")
"""python-dotenv looks for a comment after each blank of a run, which takes time quadratic in its length."""


def dotenv_lines(text: str) -> list[str]:
    """Split a text into lines as python-dotenv does."""
    return _DOTENV_LINE.split(text)


@record
class Dotenv:
    """The variables of one `.env` file.

    Attributes:
        name: the path, as it was given.
        variables: by name.
        lines: the line of each variable.
        first: the first line of each variable that is set twice.
        bare: the line of each name without `=`.
        problems: broken lines, or why the file could not be read.
        exists: whether there is such a file.
        discovered: whether credconf found it in the working directory by itself.
        text: the text of the file, for the excerpts of problems.
    """

    name: str
    variables: Environment = field(default_factory=lambda: Hidden[str]({}))
    lines: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    bare: dict[str, int] = field(default_factory=dict)
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

    def unread(self, names: Collection[str], environ: Mapping[str, str]) -> Iterator[Problem]:
        """Warn about each line that is meant to set a variable and does not: without `=`, or in another notation.

        Args:
            names: the variables that the configuration could use.
            environ: the process environment; a variable that is set there needs no line here.
        """
        # A variable under `CREDCONF_` that resembles one is reported as an error elsewhere.
        others = {name: line for name, line in self.lines.items() if not name.upper().startswith(PREFIX)}
        lines = {**self.bare, **{name: line for name, line in others.items() if name not in names}}
        for written, line in lines.items():
            name = _POWERSHELL.sub("", written).upper()
            if name not in names or self.variables.get(name) or environ.get(name):
                continue
            reason = "there is no `=` after it" if written in self.bare else f"the line sets `{printable(written)}`"
            origin = replace(self.origin(written), line=line)
            hint = f"write {name}=VALUE"
            yield Problem("unheard-variable", f"{name} is not set: {reason}", "warning", None, origin, hint)


def read_dotenv(path: str | PathLike[str], name: str, *, discovered: bool) -> Dotenv:
    """Read a `.env` file. A discovered one need not exist."""
    text = read_text(path, CONFIGURATION_LIMIT)
    if not isinstance(text, Unreadable):
        return parse_dotenv(text, name, discovered=discovered)
    # A virtual environment may be called `.env`. In a directory that can't be searched there may be none.
    if discovered and (text.code == "missing-file" or os.path.isdir(path) or _is_out_of_reach(path)):
        return Dotenv(name, exists=False, discovered=True)
    origin = Origin("dotenv", file=name, line=text.line, column=text.column, discovered=discovered)
    return Dotenv(name, problems=(Problem(text.code, f"the file {text.reason}", origin=origin),), discovered=discovered)


def _is_out_of_reach(path: str | PathLike[str]) -> bool:
    try:
        os.stat(path)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def parse_dotenv(text: str, name: str, *, discovered: bool) -> Dotenv:
    """Parse a text in the format of python-dotenv. If a variable is set twice, the last line wins."""
    complex_ = _too_complex(text, name, discovered=discovered)
    if complex_ is not None:
        return Dotenv(name, problems=(complex_,), discovered=discovered)
    variables: dict[str, str] = {}
    lines: dict[str, int] = {}
    first: dict[str, int] = {}
    bare: dict[str, int] = {}
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(text)):
        # A binding includes the blank lines before it.
        line = binding.original.line + _leading_lines(binding.original.string)
        if binding.error:
            origin = Origin("dotenv", file=name, line=line, column=1, discovered=discovered)
            message, hint = _broken(binding.original.string)
            problems.append(Problem("bad-dotenv", message, origin=origin, hint=hint))
        elif binding.key is not None and binding.value is not None:
            variables[binding.key] = binding.value
            if binding.key in lines:
                first.setdefault(binding.key, lines[binding.key])
            lines[binding.key] = line
        elif binding.key is not None:
            bare[binding.key] = line
    return Dotenv(name, Hidden(variables), lines, first, bare, tuple(problems), discovered=discovered, text=text)


_OTHER_READER: Final = re.compile(r"(?P<word>(?i:set|setx|setenv)|declare -x|typeset -x) +\"?[A-Za-z_]")
_OPEN_QUOTE: Final = re.compile(r"""[^=]*=[ \t]*(?P<quote>["'])(?:(?!(?P=quote)).)*""")


def _broken(text: str) -> tuple[str, str]:
    """Return what is wrong with a text that python-dotenv can't read, usually a line, and what to do."""
    text = text.strip()
    if found := _OTHER_READER.match(text):
        return f"this line is for a shell: it begins with `{found['word']}`", "write NAME=VALUE, without that word"
    if len(dotenv_lines(text)) > 1 or _OPEN_QUOTE.fullmatch(text):
        return "the quote that begins in this line does not end in it", "end it, or put the other kind around the value"
    return "this line can't be read", "write NAME=VALUE, with quotes around a value that holds quotes or spaces"


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
