"""Renders problems as text for a terminal, as JSON, and as annotations of GitHub; renders explanations of codes.

Source of the annotations' format and escaping: GitHub's reference of workflow commands, and its actions toolkit.
"""

from __future__ import annotations

import os
from textwrap import dedent, fill, indent
from typing import TYPE_CHECKING, Any, Final

from credconf.ground.records import record

from .wording import harmless, harmless_in_place, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .problem import Excerpt, Problem, Severity


_LONGEST_BESIDE_CARETS = 80
"""The maximum width of a line with carets and a hint. A longer hint has its own lines."""


def as_text(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """One block for each problem: message, position, hint.

    Args:
        problems: in the order of the output.
        colour: add the escape sequences of a terminal; see `wants_colour()`.
    """
    return harmless("\n\n".join(_block(problem, Palette(problem.severity, colour=colour)) for problem in problems))


def _block(problem: Problem, paint: Palette) -> str:
    title = paint.severe(f"{problem.severity}[{problem.code}]")
    lines = [title + paint.bold(f": {printable(problem.message)}")]
    if problem.origin is not None:
        lines.append(f"  {paint.frame('-->')} {printable(str(problem.origin))}")
    hints = [printable(line) for line in (problem.hint or "").splitlines()]
    if problem.excerpt is not None:
        beside = hints.pop() if len(hints) == 1 and _fits(problem.excerpt, hints[0]) else ""
        lines += _excerpt(problem.excerpt, beside, paint)
    lines += [f"  {line}" for line in hints]
    if problem.looked_in:
        lines.append(f"  looked in: {', '.join(map(printable, problem.looked_in))}")
    return "\n".join(lines)


def _fits(excerpt: Excerpt, hint: str) -> bool:
    return excerpt.indent + excerpt.width + 1 + len(hint) <= _LONGEST_BESIDE_CARETS


def _excerpt(excerpt: Excerpt, beside: str, paint: Palette) -> list[str]:
    number = str(excerpt.line)
    margin = " " * len(number)
    carets = f"{'^' * excerpt.width} {beside}".rstrip()
    return [
        paint.frame(f" {margin} |"),
        f"{paint.frame(f' {number} |')} {harmless_in_place(excerpt.text, '…')}".rstrip(),
        f"{paint.frame(f' {margin} |')} {' ' * excerpt.indent}{paint.severe(carets)}",
    ]


_RESET = "\033[0m"
_BOLD = "\033[1m"
_FRAME = "\033[1;34m"
_SEVERITY: Final[dict[Severity, str]] = {"error": "\033[1;31m", "warning": "\033[1;33m"}


def wants_colour(stream: Any, environ: Mapping[str, str] | None = None) -> bool:
    """Whether to colour text for a stream: on a terminal, unless the environment disables it.

    `NO_COLOR` (https://no-color.org) disables colours. `FORCE_COLOR` and `CLICOLOR_FORCE` enable them without a
    terminal, such as in the log of a CI job. `CLICOLOR=0` and `TERM=dumb` disable them on a terminal.

    Args:
        stream: the stream for the text.
        environ: instead of the process environment.
    """
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return bool(getattr(stream, "isatty", bool)())


class Palette:
    """Colours the parts of a problem's text, or leaves them plain."""

    def __init__(self, severity: Severity, *, colour: bool) -> None:
        self._severity = _SEVERITY[severity]
        self._colour = colour

    def _painted(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colour and text else text

    def severe(self, text: str) -> str:
        """Colour the severity with its code, and the carets with their hint."""
        return self._painted(text, self._severity)

    def bold(self, text: str) -> str:
        """Colour the message."""
        return self._painted(text, _BOLD)

    def frame(self, text: str) -> str:
        """Colour the arrow, the line number, and the bars."""
        return self._painted(text, _FRAME)


_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = str.maketrans({**_DATA, ":": "%3A", ",": "%2C"})
_MESSAGE = str.maketrans(_DATA)


def as_github(problems: Iterable[Problem]) -> str:
    """One line for each problem: `::error file=…,line=…,col=…,title=…::message`."""
    return "\n".join(_command(problem) for problem in problems)


def _command(problem: Problem) -> str:
    places = {"file": problem.file, "line": problem.line, "col": problem.column if problem.line else None}
    known = {**places, "title": f"credconf[{problem.code}]"}
    properties = ",".join(
        f"{name}={printable(str(value)).translate(_PROPERTY)}" for name, value in known.items() if value is not None
    )
    return f"::{problem.severity} {properties}::{_message(problem).translate(_MESSAGE)}"


def _message(problem: Problem) -> str:
    where = f" ({problem.origin})" if problem.origin is not None and problem.file is None else ""
    lines = [f"{problem.message}{where}", *(problem.hint or "").splitlines()]
    if problem.looked_in:
        lines.append(f"looked in: {', '.join(problem.looked_in)}")
    return "\n".join(printable(line) for line in lines)


def as_dicts(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """The objects of `--format json`. Outside of a file, `file` is `null` and `origin` is set."""
    return [_dictionary(problem) for problem in problems]


def _dictionary(problem: Problem) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "path": problem.path,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "hint": problem.hint,
    }
    if problem.file is None and problem.origin is not None:
        shown["origin"] = str(problem.origin)
    if problem.looked_in:
        shown["looked_in"] = list(problem.looked_in)
    return shown


_WIDTH = 80


@record
class Explanation:
    """The explanation of a code.

    Attributes:
        title: one line, in lower case, without a full stop.
        text: one or more paragraphs: the meaning, the usual causes, the fix. Line breaks inside one mean nothing.
        wrong: a small example that has the problem; empty if an example does not help.
        right: the corrected example.
    """

    title: str
    text: str
    wrong: str = ""
    right: str = ""

    def shown(self, code: str) -> str:
        """The explanation under its code, for a terminal of 80 columns."""
        examples = [
            f"{word}:\n\n{indent(dedent(example).strip(), '    ')}"
            for word, example in (("Wrong", self.wrong), ("Right", self.right))
            if example
        ]
        return "\n\n".join([f"{code}: {self.title}", paragraphs(self.text), *examples])


def paragraphs(text: str) -> str:
    """Wrap text to 80 columns. An empty line separates paragraphs; other line breaks mean nothing."""
    return "\n\n".join(
        fill(" ".join(part.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in text.split("\n\n")
    )
