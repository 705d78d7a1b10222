"""Problems as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .colour import Palette
from .printable import harmless, harmless_in_place, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Excerpt, Problem

_LONGEST_BESIDE_CARETS = 80
"""Columns up to which a hint stands behind the carets; a longer one has lines of its own."""


def as_text(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """One block for each problem: what, where, what to do.

    Args:
        problems: in the order that they are shown in.
        colour: with the escape sequences of a terminal; `wants_colour(stream)` says whether a stream should have them.
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
