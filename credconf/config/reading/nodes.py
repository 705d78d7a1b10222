"""A parsed file: its nodes (text, lists, mappings) with positions, merge keys and duplicates, and its lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from credconf.config.dotenv import dotenv_lines
from credconf.ground.records import field, mutable_record, record
from credconf.problems import Problem, shown_key
from credconf.problems.problem import Origin, joined

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as MappingOf


MERGE = "<<"
"""The key that merges other mappings into its own."""
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@record
class Scalar:
    """Text as it was written.

    Attributes:
        plain: whether it is written without quotes.
        size: how many values the node holds, itself included.
        tagged: whether it has a YAML tag that only another program could know.
    """

    text: str = field(repr=False)
    plain: bool
    line: int
    column: int
    size: int = 1
    tagged: bool = False

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's null. Only the few settings for which null has a meaning ask for it."""
        return self.plain and self.text in _NULLS

    def child(self, step: str | int) -> Node | None:  # noqa: ARG002 - every kind of node has this method
        """Return `None`: text has no children."""
        return None


@mutable_record
class Sequence:
    """A list of nodes."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    size: int = 1
    tagged: bool = False

    def child(self, step: str | int) -> Node | None:
        """Return the node at an index."""
        return self.items[step] if isinstance(step, int) and 0 <= step < len(self.items) else None


@mutable_record
class Mapping:
    """Pairs of nodes in the order of the file, including merge keys and duplicates."""

    line: int
    column: int
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    size: int = 1
    tagged: bool = False

    def child(self, step: str | int) -> Node | None:
        """Return the value of a key."""
        return next((value for key, value in _flattened(self) if key.text == step), None)


Node = Scalar | Sequence | Mapping


@record
class Document:
    """One parsed file.

    Attributes:
        name: the path, as it was given.
        root: the root of its tree; `None` for an empty file.
        discovered: whether credconf found it in the working directory by itself.
        text: the text of the file, for the excerpts of problems.
    """

    name: str
    root: Node | None = field(repr=False)
    discovered: bool = False
    text: str = field(default="", repr=False)

    def origin(self, node: Node, entry: str | None = None) -> Origin:
        """Return the place of a node."""
        return Origin(
            "file", file=self.name, line=node.line, column=node.column, entry=entry, discovered=self.discovered
        )


def _flattened(mapping: Mapping) -> Iterator[tuple[Scalar, Node]]:
    """Yield the pairs whose keys are text: those of the mapping itself, then those that `<<` merges into it."""
    for each in _merged(mapping):
        for key, value in each.pairs:
            if isinstance(key, Scalar) and not _is_merge(key):
                yield key, value


def _merged(mapping: Mapping) -> Iterator[Mapping]:
    """Yield the mapping, then those that `<<` merges into it."""
    yield mapping
    for key, value in mapping.pairs:
        if isinstance(key, Scalar) and _is_merge(key):
            for node in value.items if isinstance(value, Sequence) else [value]:
                if isinstance(node, Mapping) and not node.tagged:
                    yield from _merged(node)


def _is_merge(key: Scalar) -> bool:
    return key.plain and key.text == MERGE


def pairs_of(mapping: Mapping) -> dict[str, tuple[Scalar, Node]]:
    """Return the pairs of a mapping by key, with merge keys resolved. A key of the mapping wins over a merged one."""
    found: dict[str, tuple[Scalar, Node]] = {}
    for key, value in _flattened(mapping):
        found.setdefault(key.text, (key, value))
    return found


def faults(node: Node, document: Document, path: str) -> Iterator[Problem]:
    """Report the tags, duplicate keys, keys that are not text, and broken merge keys at and below `node`."""
    waiting: list[tuple[Node, str]] = [(node, path)]
    seen: set[int] = set()  # an anchored node is checked once, at its first place
    while waiting:
        here, path = waiting.pop()
        if id(here) in seen or (isinstance(here, Scalar) and not here.tagged):
            continue
        seen.add(id(here))
        if here.tagged:
            yield tag_problem(here, document, path)
        if isinstance(here, Scalar):
            continue
        if isinstance(here, Sequence):
            waiting += [(item, f"{path}.{index}") for index, item in enumerate(here.items)]
            continue
        yield from _faults_of_keys(here, document, path)
        for key, value in here.pairs:
            waiting.append((value, joined(path, shown_key(key.text) if isinstance(key, Scalar) else "…")))


def tag_problem(node: Node, document: Document, path: str) -> Problem:
    """Return the problem of a node with a tag, which only another program could know."""
    hint = "put quotes around a value that begins with `!`; write {env: NAME} for a variable, {file: PATH} for a file"
    message = "a YAML tag is not allowed here"
    return Problem("bad-yaml", message, path=path or None, origin=document.origin(node), hint=hint)


def _faults_of_keys(mapping: Mapping, document: Document, path: str) -> Iterator[Problem]:
    first: dict[str, Scalar] = {}
    for key, value in mapping.pairs:
        if key.tagged:
            yield tag_problem(key, document, path)
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
    """Report duplicates of one key in a mapping of the application that leads to credconf's section.

    credconf would take the first, and the application's own YAML loader the last.
    """
    for each in _merged(mapping):
        found = [key for key, _ in each.pairs if isinstance(key, Scalar) and key.text == name and not _is_merge(key)]
        if found:
            yield from (_duplicate(key, found[0], document, path) for key in found[1:])
            return  # a merged one would be displaced


def _duplicate(key: Scalar, first: Scalar, document: Document, path: str) -> Problem:
    name = shown_key(key.text)
    message = f"`{name}` appears twice in one mapping (first on line {first.line})"
    where = joined(path, name)
    return Problem("duplicate-key", message, path=where, origin=document.origin(key), hint="remove one of the two")


def plain(node: Node) -> Any:
    """Convert a node to text, lists and dictionaries. The parser has bounded its depth and size."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, (_, value) in pairs_of(node).items()}


Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the pure Python parser does the same, nine times slower
_YAML = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def yaml_lines(text: str) -> list[str]:
    """Split a text into lines as YAML does."""
    return _YAML.split(text)


class Lines:
    """The lines of the files of one configuration, which no `repr` shows. Each file is split once, on first use.

    Args:
        documents: the texts of the YAML files, by name.
        dotenv: the text of `.env`.
    """

    __slots__ = ("_documents", "_dotenv", "_split")

    def __init__(self, documents: MappingOf[str, str], dotenv: str = "") -> None:
        self._documents = documents
        self._dotenv = dotenv
        self._split: dict[tuple[str, str | None], list[str]] = {}

    def at(self, origin: Origin) -> str:
        """Return the line to which an origin points; an empty string where it points to none."""
        key = (origin.place, origin.file)
        if key not in self._split:
            self._split[key] = self._lines_of(origin)
        lines, number = self._split[key], origin.line or 0
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def _lines_of(self, origin: Origin) -> list[str]:
        return (
            dotenv_lines(self._dotenv)
            if origin.place == "dotenv"
            else yaml_lines(self._documents.get(origin.file or "", ""))
        )
