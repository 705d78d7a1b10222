"""Problems as dictionaries, for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Problem


def as_dicts(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """The shape that `--format json` promises: `file` is `null`, with an `origin`, for what is in no file."""
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
    return shown
