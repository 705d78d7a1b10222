"""What can be wrong between entries: names that collide, parents that are not there, entries that extend themselves.

A file may hold thousands of entries, each of them wrong: neither the work nor what is said grows with their square.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.config.variables import variable_part
from credconf.ground.records import field, mutable_record
from credconf.problems import Problem, closest
from credconf.problems.printable import shown_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credconf.config.layers import Layer
    from credconf.problems.problem import Origin

MAX_EXPLAINED = 20
"""Problems of one sort that have a hint; those that follow say what is wrong, and where."""
MAX_NAMES = 20
"""Names that a message lists."""

MAX_LINEAGE = 64
"""Entries that one may extend, theirs counted: a file of a megabyte could otherwise make each extend all others."""


@mutable_record
class EntryPart:
    """What one file says of one entry (`name` is `None` for the flat form)."""

    name: str | None
    origin: Origin
    layer: Layer
    extends: tuple[tuple[str, Origin], ...] | None = None
    abstract: bool | None = None


@mutable_record
class Entries:
    """Everything that the files say, highest layer first.

    Attributes:
        parts: of each entry, highest first; the flat form is `None`.
        default: the entry that the files choose, and where.
        problems: of all entries, chosen or not.
        files: their names, for `looked in`.
        unread: one of them is empty, or holds something else than settings: nobody knows what it was to say.
    """

    parts: dict[str | None, list[EntryPart]] = field(default_factory=dict)
    default: tuple[str, Origin] | None = None
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    unread: bool = False

    @property
    def names(self) -> list[str]:
        """The named entries, sorted."""
        return sorted(name for name in self.parts if name is not None)

    def extends(self, name: str) -> tuple[tuple[str, Origin], ...]:
        """The parents of an entry: the highest file that says so decides."""
        return next((part.extends for part in self.parts[name] if part.extends is not None), ())

    def is_abstract(self, name: str) -> bool:
        """Whether an entry is only there to be extended."""
        return next((part.abstract for part in self.parts[name] if part.abstract is not None), False)

    def prefixes(self) -> frozenset[str]:
        """Every `env_prefix` that an entry has, chosen or not."""
        given = (part.layer.values.get("env_prefix") for parts in self.parts.values() for part in parts)
        return frozenset(value.raw for value in given if value is not None and isinstance(value.raw, str))

    def lineage(self, name: str) -> Iterator[str]:
        """The entry, then what it extends: a later parent before an earlier one, and what both extend after both.

        Of more than `MAX_LINEAGE` entries some are left out; `inheritance_problems` says so.
        """
        seen: set[str] = set()
        finished: list[str] = []
        waiting = [(name, False)]
        while waiting:
            here, parents_done = waiting.pop()
            if parents_done:
                finished.append(here)
            elif here not in seen and here in self.parts and len(seen) <= MAX_LINEAGE + 1:
                seen.add(here)
                waiting.append((here, True))
                waiting += [(parent, False) for parent, _ in reversed(self.extends(here))]
        return reversed(finished)


def colliding_names(entries: Entries) -> Iterator[Problem]:
    """Names that differ only in `-` and `_`: one variable would mean both."""
    variables: dict[str, str] = {}
    for name in entries.names:
        other = variables.setdefault(variable_part(name), name)
        if other != name:
            message = f"`{other}` and `{name}` would read the same variables"
            path = f"credentials.{name}"
            yield Problem(
                "bad-name", message, path=path, origin=entries.parts[name][0].origin, hint="rename one of them"
            )


def inheritance_problems(entries: Entries) -> Iterator[Problem]:
    """Parents that no file has, entries that extend themselves, and lineages that nobody could follow."""
    names = entries.names
    # A circle is one mistake, however many entries are in it.
    circles = _circles(entries, [name for name in entries.parts if name is not None])
    unknown = cycles = 0
    for name in names:
        if sum(1 for _ in entries.lineage(name)) > MAX_LINEAGE + 1:  # itself is the first
            message = f"`{name}` extends more than {MAX_LINEAGE} entries, theirs counted"
            path, origin = f"credentials.{name}.extends", entries.parts[name][0].origin
            yield Problem("too-complex", message, path=path, origin=origin, hint="extend fewer")
        for parent, origin in entries.extends(name):
            path = f"credentials.{name}.extends"
            if parent not in entries.parts:
                unknown += 1
                hint = _meant(parent, [other for other in names if other != name]) if unknown <= MAX_EXPLAINED else None
                message = f"`{name}` extends `{shown_key(parent)}`, which is not there"
                yield Problem("unknown-parent", message, path=path, origin=origin, hint=hint)
            elif (name, parent) in circles:
                cycles += 1
                through = "" if name == parent else f", through `{parent}`"
                hint = _way_out(entries, name, parent) if cycles <= MAX_EXPLAINED else None
                yield Problem("cycle", f"`{name}` extends itself{through}", path=path, origin=origin, hint=hint)


def _meant(parent: str, others: list[str]) -> str:
    meant = closest(parent, others)
    return f"did you mean `{meant}`?" if meant else there_are(others, "there is no other entry")


def there_are(names: list[str], none: str) -> str:
    """The names that something has, or the words for none of them."""
    more = f", and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return f"there are: {', '.join(names[:MAX_NAMES])}{more}" if names else none


def _way_out(entries: Entries, name: str, parent: str) -> str:
    if name == parent:
        return "remove it"
    way = (name, *_way(entries, parent, name))
    if len(way) > MAX_NAMES:
        way = (*way[: MAX_NAMES - 1], "…", way[-1])
    return f"break the circle: {' → '.join(way)}"


def _way(entries: Entries, start: str, end: str) -> list[str]:
    """The entries from one to another that it extends, both included, by the fewest steps."""
    before: dict[str, str | None] = {start: None}
    waiting = [start]
    for here in waiting:
        if here == end:
            break
        for parent, _ in entries.extends(here):
            if parent in entries.parts and parent not in before:
                before[parent] = here
                waiting.append(parent)
    way: list[str] = []
    step: str | None = end
    while step is not None:
        way.append(step)
        step = before[step]
    return way[::-1]


def _circles(entries: Entries, names: list[str]) -> set[tuple[str, str]]:
    """Of each circle the first entry, in the order of the names, and the parent through which it extends itself."""
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    way: dict[str, int] = {}  # from a name to the entry that is looked at, each with its number
    steps: list[str] = []
    waiting = [(name, False) for name in reversed(names)]
    while waiting:
        here, parents_done = waiting.pop()
        if parents_done:
            del way[steps.pop()]
        elif here not in seen:
            seen.add(here)
            way[here] = len(steps)
            steps.append(here)
            parents = [parent for parent, _ in entries.extends(here) if parent in entries.parts]
            # The step behind the parent on the way; where that is the entry itself, the one back to the parent.
            found.update(
                (parent, (*steps[way[parent] + 1 : way[parent] + 2], parent)[0]) for parent in parents if parent in way
            )
            waiting += [(here, True), *((parent, False) for parent in reversed(parents))]
    return found


def unusable(name: str, origin: Origin, entries: Entries) -> Problem | None:
    """Why an entry that something chooses can't be used.

    Args:
        name: of the entry.
        origin: what chooses it.
        entries: all entries.
    """
    if name not in entries.parts:
        meant = closest(name, entries.names)
        have = there_are(entries.names, "no file has named credentials")
        hint = f"did you mean `{meant}`?" if meant else have
        message = f"there is no credential `{shown_key(name)}`"
        return Problem("unknown-name", message, path="default" if origin.file else None, origin=origin, hint=hint)
    if entries.is_abstract(name):
        message = f"`{name}` is abstract: it is there to be extended"
        path = f"credentials.{name}"
        return Problem("abstract", message, path=path, origin=origin, hint="choose one that extends it")
    return None
