"""What can be wrong between entries: names that collide, parents that are not there, entries that extend themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.problems import Problem, closest

from .nodes import shown_key
from .variables import variable_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .entries import Book
    from .origins import Origin

MAX_LINEAGE = 64
"""Entries that one may extend, theirs counted: a file of a megabyte could otherwise make each extend all others."""


def colliding_names(book: Book) -> Iterator[Problem]:
    """Names that differ only in `-` and `_`: one variable would mean both."""
    variables: dict[str, str] = {}
    for name in book.names:
        other = variables.setdefault(variable_part(name), name)
        if other != name:
            message = f"`{other}` and `{name}` would listen to the same variables"
            path = f"credentials.{name}"
            yield Problem("bad-name", message, path=path, origin=book.parts[name][0].origin, hint="rename one of them")


def broken_lineages(book: Book) -> Iterator[Problem]:
    """Parents that no file has, entries that extend themselves, and lineages that nobody could follow."""
    for name in book.names:
        if sum(1 for _ in book.lineage(name)) > MAX_LINEAGE + 1:  # itself is the first
            message = f"`{name}` extends more than {MAX_LINEAGE} entries, theirs counted"
            path, origin = f"credentials.{name}.extends", book.parts[name][0].origin
            yield Problem("too-complex", message, path=path, origin=origin, hint="extend fewer")
            continue
        for parent, origin in book.extends(name):
            path = f"credentials.{name}.extends"
            if parent not in book.parts:
                yield _unknown_parent(book, name, parent, path, origin)
            elif name in book.lineage(parent):
                way = _way(book, parent, name)
                through = f", through `{way[0]}`" if len(way) > 1 else ""
                hint = f"break the circle: {' → '.join((name, *way))}" if through else "remove it"
                yield Problem("cycle", f"`{name}` extends itself{through}", path=path, origin=origin, hint=hint)


def _unknown_parent(book: Book, name: str, parent: str, path: str, origin: Origin) -> Problem:
    others = [other for other in book.names if other != name]
    meant = closest(parent, others)
    have = f"there are: {', '.join(others)}" if others else "there is no other entry"
    message = f"`{name}` extends `{shown_key(parent)}`, which is not there"
    return Problem(
        "unknown-parent", message, path=path, origin=origin, hint=f"did you mean `{meant}`?" if meant else have
    )


def _way(book: Book, start: str, end: str) -> tuple[str, ...]:
    """The entries from one to another that it extends, both included, by the fewest steps."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == end:
            return way
        for parent, _ in book.extends(way[-1]):
            if parent in book.parts and parent not in seen:
                seen.add(parent)
                ways.append((*way, parent))
    return (start,)
