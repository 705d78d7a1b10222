"""The entries of a configuration and how they extend each other: unknown parents, circles, colliding names.

A file may hold thousands of entries, all of them wrong. Neither the time nor the output is quadratic in their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.config.variables import variable_part
from credconf.ground.records import field, mutable_record
from credconf.problems import Problem, closest, shown_key
from credconf.settings.defects import defect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credconf.config.layers import Layer
    from credconf.problems.problem import Origin

MAX_EXPLAINED = 20
"""The number of problems of one sort with a hint. The others have only a message and a place."""
MAX_NAMES = 20
"""The number of names that a message lists."""
MAX_LINEAGE = 64
"""The number of entries that one may extend, directly or not. Otherwise, each entry could extend all others."""


@mutable_record
class EntryPart:
    """The part of an entry that one file holds. `name` is `None` for the flat form."""

    name: str | None
    origin: Origin
    layer: Layer
    extends: tuple[tuple[str, Origin], ...] | None = None
    abstract: bool | None = None


@mutable_record
class Entries:
    """The entries of all files, highest layer first.

    Attributes:
        parts: the parts of each entry by its name, highest first; the name of the flat form is `None`.
        default: the entry that `default:` names, and the place of that name.
        problems: the problems of all entries, chosen or not.
        files: their names, for `looked in`.
        unread: whether a file is empty or holds something other than settings, so that settings may be missing from it.
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
        """Return the parents of an entry, from the highest file that has `extends`."""
        return next((part.extends for part in self.parts[name] if part.extends is not None), ())

    def is_abstract(self, name: str) -> bool:
        """Whether an entry can only be extended, not used."""
        return next((part.abstract for part in self.parts[name] if part.abstract is not None), False)

    def prefixes(self) -> frozenset[str]:
        """Return every `env_prefix` of the entries, chosen or not."""
        given = (part.layer.values.get("env_prefix") for parts in self.parts.values() for part in parts)
        return frozenset(value.raw for value in given if value is not None and isinstance(value.raw, str))

    def lineage(self, name: str) -> Iterator[str]:
        """Yield the entry, then what it extends: a later parent before an earlier one, and a common parent after both.

        With more than `MAX_LINEAGE` entries some are left out, which `inheritance_problems` reports.
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
    """Report names that differ only in `-` and `_`, because one variable would belong to both."""
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
    """Report unknown parents, entries that extend themselves, and entries that extend too many others."""
    names = entries.names
    # A circle is reported once, however many entries are in it.
    circles = _circles(entries, [name for name in entries.parts if name is not None])
    unknown = cycles = 0
    for name in names:
        if sum(1 for _ in entries.lineage(name)) > MAX_LINEAGE + 1:  # the entry itself is the first
            message = f"`{name}` extends more than {MAX_LINEAGE} entries, directly or not"
            path, origin = f"credentials.{name}.extends", entries.parts[name][0].origin
            yield Problem("too-complex", message, path=path, origin=origin, hint="extend fewer")
        for parent, origin in entries.extends(name):
            path = f"credentials.{name}.extends"
            if parent not in entries.parts:
                unknown += 1
                hint = (
                    _parent_hint(parent, [other for other in names if other != name])
                    if unknown <= MAX_EXPLAINED
                    else None
                )
                message = f"`{name}` extends `{shown_key(parent)}`, which no file has"
                yield Problem("unknown-parent", message, path=path, origin=origin, hint=hint)
            elif (name, parent) in circles:
                cycles += 1
                through = "" if name == parent else f", through `{parent}`"
                hint = _circle_hint(entries, name, parent) if cycles <= MAX_EXPLAINED else None
                yield Problem("cycle", f"`{name}` extends itself{through}", path=path, origin=origin, hint=hint)


def _parent_hint(parent: str, others: list[str]) -> str:
    meant = closest(parent, others)
    return f"did you mean `{meant}`?" if meant else there_are(others, "there is no other entry")


def there_are(names: list[str], none: str) -> str:
    """List the names for a message; `none` where there are none."""
    more = f", and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return f"there are: {', '.join(names[:MAX_NAMES])}{more}" if names else none


def _circle_hint(entries: Entries, name: str, parent: str) -> str:
    if name == parent:
        return "remove it"
    way = (name, *_way(entries, parent, name))
    if len(way) > MAX_NAMES:
        way = (*way[: MAX_NAMES - 1], "…", way[-1])
    return f"break the cycle: {' → '.join(way)}"


def _way(entries: Entries, start: str, end: str) -> list[str]:
    """Return the shortest chain of `extends` from one entry to another, both included."""
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
    """Return, for each circle, its first entry by name and the parent through which that entry extends itself."""
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    way: dict[str, int] = {}  # the entries on the way to the current one, each with its index
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
            # The step after the parent on the way; the parent itself where it extends itself.
            found.update(
                (parent, (*steps[way[parent] + 1 : way[parent] + 2], parent)[0]) for parent in parents if parent in way
            )
            waiting += [(here, True), *((parent, False) for parent in reversed(parents))]
    return found


def unusable(name: str, origin: Origin, entries: Entries) -> Problem | None:
    """Return why a chosen entry can't be used, or `None`.

    Args:
        name: the name of the entry.
        origin: the place that chooses it.
        entries: all entries.
    """
    if name not in entries.parts:
        meant = closest(name, entries.names)
        have = there_are(entries.names, "no file has named credentials")
        hint = f"did you mean `{meant}`?" if meant else have
        message = f"there is no credential `{shown_key(name)}`"
        defect = defect_of(name, any_character=True)
        if defect is not None:
            hint = f"the name {defect.what}: {defect.fix}\n{hint}"
        return Problem("unknown-name", message, path="default" if origin.file else None, origin=origin, hint=hint)
    if entries.is_abstract(name):
        message = f"`{name}` is abstract: only other entries can extend it"
        heirs = [other for other in entries.names if name in entries.lineage(other) and not entries.is_abstract(other)]
        hint = f"choose one that extends it: {', '.join(heirs)}" if heirs else "write an entry that extends it"
        return Problem("abstract", message, path=f"credentials.{name}", origin=origin, hint=hint)
    return None
