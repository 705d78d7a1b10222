"""The nodes of a parsed file: text, lists and mappings with their positions, merge keys and duplicates included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credconf.ground.records import field, mutable_record, record
from credconf.problems import Problem
from credconf.problems.printable import shown_key
from credconf.problems.problem import Origin, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

MERGE = "<<"
"""The key that merges mappings into the one that it stands in."""
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@record
class Scalar:
    """Text as it was written; `plain` where it had no quotes.

    Attributes:
        foreign: as of each node: it has a tag that means something to another program.
    """

    text: str = field(repr=False)
    plain: bool
    line: int
    column: int
    size: int = 1
    foreign: bool = False

    @property
    def is_null(self) -> bool:
        """Written as YAML's null. Only the few settings that give null a meaning ask."""
        return self.plain and self.text in _NULLS

    def child(self, step: str | int) -> Node | None:  # noqa: ARG002 - the same question is asked of every node
        """A scalar holds nothing."""
        return None


@mutable_record
class Sequence:
    """A list of nodes."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    size: int = 1
    foreign: bool = False

    def child(self, step: str | int) -> Node | None:
        """The node at an index."""
        return self.items[step] if isinstance(step, int) and 0 <= step < len(self.items) else None


@mutable_record
class Mapping:
    """Pairs of nodes in the order of the file; merge keys and duplicates are still in it."""

    line: int
    column: int
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    size: int = 1
    foreign: bool = False

    def child(self, step: str | int) -> Node | None:
        """The value of a key."""
        return next((value for key, value in _flattened(self) if key.text == step), None)


Node = Scalar | Sequence | Mapping


@record
class Document:
    """One parsed file.

    Attributes:
        name: as it was given.
        root: of its tree; `None` for an empty file.
        discovered: whether credconf found it in the working directory by itself.
        text: of the file, for the excerpts of problems.
    """

    name: str
    root: Node | None = field(repr=False)
    discovered: bool = False
    text: str = field(default="", repr=False)

    def origin(self, node: Node, entry: str | None = None) -> Origin:
        """Where a node stands."""
        return Origin(
            "file", file=self.name, line=node.line, column=node.column, entry=entry, discovered=self.discovered
        )


def _flattened(mapping: Mapping) -> Iterator[tuple[Scalar, Node]]:
    """The pairs with scalar keys, a mapping's own before what `<<` merges into it."""
    for each in _merged(mapping):
        for key, value in each.pairs:
            if isinstance(key, Scalar) and not _is_merge(key):
                yield key, value


def _merged(mapping: Mapping) -> Iterator[Mapping]:
    """The mapping, then those that `<<` merges into it."""
    yield mapping
    for key, value in mapping.pairs:
        if isinstance(key, Scalar) and _is_merge(key):
            for node in value.items if isinstance(value, Sequence) else [value]:
                if isinstance(node, Mapping) and not node.foreign:
                    yield from _merged(node)


def _is_merge(key: Scalar) -> bool:
    return key.plain and key.text == MERGE


def pairs_of(mapping: Mapping) -> dict[str, tuple[Scalar, Node]]:
    """The pairs of a mapping by key; its merge keys are resolved, a key of its own wins over a merged one."""
    found: dict[str, tuple[Scalar, Node]] = {}
    for key, value in _flattened(mapping):
        found.setdefault(key.text, (key, value))
    return found


def faults(node: Node, document: Document, path: str) -> Iterator[Problem]:
    """What nothing below `node` may hold: tags, duplicate keys, keys that are no text, merges of nothing."""
    waiting: list[tuple[Node, str]] = [(node, path)]
    seen: set[int] = set()  # an anchored node is judged once, where it stands first
    while waiting:
        here, path = waiting.pop()
        if id(here) in seen or (isinstance(here, Scalar) and not here.foreign):
            continue
        seen.add(id(here))
        if here.foreign:
            yield tagged(here, document, path)
        if isinstance(here, Scalar):
            continue
        if isinstance(here, Sequence):
            waiting += [(item, f"{path}.{index}") for index, item in enumerate(here.items)]
            continue
        yield from _faults_of_keys(here, document, path)
        for key, value in here.pairs:
            waiting.append((value, joined(path, shown_key(key.text) if isinstance(key, Scalar) else "…")))


def tagged(node: Node, document: Document, path: str) -> Problem:
    """The problem of a node with a tag. What it stands for is known to another program, or to none."""
    hint = "put quotes around a value that begins with `!`"
    message = "a YAML tag is not allowed here"
    return Problem("bad-yaml", message, path=path or None, origin=document.origin(node), hint=hint)


def _faults_of_keys(mapping: Mapping, document: Document, path: str) -> Iterator[Problem]:
    first: dict[str, Scalar] = {}
    for key, value in mapping.pairs:
        if key.foreign:
            yield tagged(key, document, path)
        if not isinstance(key, Scalar):
            yield Problem("bad-key", "a key must be text", path=path or None, origin=document.origin(key))
        elif _is_merge(key):
            merged = value.items if isinstance(value, Sequence) else [value]
            if not all(isinstance(item, Mapping) for item in merged):
                yield Problem("bad-key", "`<<` merges mappings only", path=path or None, origin=document.origin(key))
        elif key.text in first:
            yield _duplicate(key, first[key.text], document, path)
        else:
            first[key.text] = key


def duplicates(mapping: Mapping, name: str, document: Document, path: str) -> Iterator[Problem]:
    """One key that stands twice in a mapping that is not ours, apart from the way through this key to ours.

    Here the first would win, and with YAML's usual loaders, which the application uses, the last.
    """
    for each in _merged(mapping):
        found = [key for key, _ in each.pairs if isinstance(key, Scalar) and key.text == name and not _is_merge(key)]
        if found:
            yield from (_duplicate(key, found[0], document, path) for key in found[1:])
            return  # what is merged below it is displaced


def _duplicate(key: Scalar, first: Scalar, document: Document, path: str) -> Problem:
    name = shown_key(key.text)
    message = f"`{name}` stands twice in one mapping (first at line {first.line})"
    where = joined(path, name)
    return Problem("duplicate-key", message, path=where, origin=document.origin(key), hint="remove one of the two")


def plain(node: Node) -> Any:
    """A node as Python's own text, lists and dictionaries (depth and size were bounded when it was read)."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, (_, value) in pairs_of(node).items()}
