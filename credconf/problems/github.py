"""Problems as annotations of GitHub: workflow commands, which a job prints to show them beside the changed lines.

Source of the form and its escaping: GitHub's reference of workflow commands, and the toolkit of its own actions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Problem

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
