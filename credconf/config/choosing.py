"""Which entry of the files is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.config.reporting.placing import unusable
from credconf.problems import Problem
from credconf.problems.problem import Origin

if TYPE_CHECKING:
    from credconf.config.reading.lineage import Book

    from .request import Request


def chosen_entry(request: Request, book: Book) -> tuple[str | None, list[Problem]]:
    """The entry to use, `None` for the flat form and where the choice failed; and what is wrong with the choice."""
    choice = request.chosen() or book.default
    if choice is None:
        misspelt = any(problem.meant == "default" for problem in book.problems)
        return None, [] if misspelt or not book.names else [_not_chosen(book)]
    name, origin = choice
    problem = unusable(name, origin, book)
    return name if name in book.parts else None, [problem] if problem else []


def _not_chosen(book: Book) -> Problem:
    usable = ", ".join(name for name in book.names if not book.is_abstract(name)) or "none that is not abstract"
    hint = f"choose one: name= or -n, CREDCONF_NAME, or `default:` in the file; there are: {usable}"
    return Problem("no-name", "no credential was chosen", origin=_first_place(book), hint=hint)


def _first_place(book: Book) -> Origin:
    return Origin("file", file=book.places[-1], line=1, column=1)
