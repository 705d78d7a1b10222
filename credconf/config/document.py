"""YAML as text with positions: no number, date, boolean or null is guessed, and nothing is dropped in silence.

PyYAML's composer recurses in C (a few thousand brackets end the process) and expands aliases without a limit, so
the tree is built here from the parser's events, with bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from credconf.problems import Problem

from .files import CONFIGURATION_LIMIT, Unreadable, read_text
from .origins import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the pure parser is nine times slower, not different

MAX_DEPTH = 32
MAX_NODES = 20_000
MAX_SHOWN_KEY = 40
_NAME_PUNCTUATION = str.maketrans("", "", "_-.$")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CORE_TAGS = frozenset(
    {"!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "merge"))}
)
_COLLECTION_TAGS = frozenset({"!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text as it was written; `plain` where it had no quotes."""

    text: str = field(repr=False)
    plain: bool
    line: int
    column: int
    size: int = 1

    @property
    def is_null(self) -> bool:
        """Written as YAML's null. Only the few settings that give null a meaning ask."""
        return self.plain and self.text in _NULLS

    def child(self, step: str | int) -> Node | None:  # noqa: ARG002 - the same question is asked of every node
        """A scalar holds nothing."""
        return None


@dataclass(slots=True)
class Sequence:
    """A list of nodes."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    size: int = 1

    def child(self, step: str | int) -> Node | None:
        """The node at an index."""
        return self.items[step] if isinstance(step, int) and 0 <= step < len(self.items) else None


@dataclass(slots=True)
class Mapping:
    """Pairs of nodes in the order of the file; merge keys and duplicates are still in it."""

    line: int
    column: int
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    size: int = 1

    def child(self, step: str | int) -> Node | None:
        """The value of a key."""
        return next((value for key, value in _flattened(self) if key.text == step), None)


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file: its name as given, its root, and whether it was only found."""

    name: str
    root: Node | None = field(repr=False)
    found: bool = False

    def origin(self, node: Node, entry: str | None = None) -> Origin:
        """Where a node stands."""
        return Origin("file", file=self.name, line=node.line, column=node.column, entry=entry, found=self.found)


def read_document(path: str, *, found: bool = False) -> Document | Problem:
    """Read and parse one YAML file of at most 1 MB.

    A problem is returned, not raised: the frames that know the text of the file, and the secrets in it, must be in no
    traceback.

    Args:
        path: the file, named as the user named it.
        found: nobody named the file; it was found in the working directory.
    """
    text = read_text(path, CONFIGURATION_LIMIT)
    if isinstance(text, Unreadable):
        origin = Origin("file", file=path, line=text.line, column=text.column, found=found)
        return Problem(text.code, f"the configuration file {text.reason}", origin=origin)
    root = parse(text, path)
    return root if isinstance(root, Problem) else Document(path, root, found)


def parse(text: str, name: str) -> Node | Problem | None:
    """The root node of one YAML document, `None` for an empty one, or what keeps it from being one."""
    try:
        return _Composer(name).compose(yaml.parse(text, Loader=_Loader))
    except _Broken as exc:
        return exc.problem
    except yaml.MarkedYAMLError as exc:
        return _syntax(name, text, exc)
    except yaml.YAMLError:
        # The reader's own error (a control character) knows an index at the best.
        message = "the file holds a character that YAML does not allow"
        return Problem("bad-yaml", message, origin=Origin("file", file=name))


class _Broken(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class _Composer:
    """Events to nodes, without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stack: list[Sequence | Mapping] = []
        self.keys: list[Node | None] = []  # for each open mapping, the key that waits for its value
        self.anchored: dict[str, Node] = {}
        self.open: list[str | None] = []  # the anchors of the open collections
        self.root: Node | None = None
        self.documents = 0

    def compose(self, events: Iterator[Any]) -> Node | None:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    raise self.broken(
                        event, "the file holds more than one YAML document", "keep one document in a file"
                    )
            elif isinstance(event, yaml.ScalarEvent):
                self.check_tag(event, _CORE_TAGS)
                self.add(event, Scalar(event.value, event.style in (None, ""), *_position(event)))
            elif isinstance(event, yaml.AliasEvent):
                self.alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self.start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.end(event)
        return None if isinstance(self.root, Scalar) and self.root.is_null else self.root

    def start(self, event: Any) -> None:
        self.check_tag(event, _COLLECTION_TAGS)
        if len(self.stack) >= MAX_DEPTH:
            raise self.broken(event, f"the file is nested deeper than {MAX_DEPTH} levels", code="too-complex")
        kind = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
        self.stack.append(kind(*_position(event)))
        self.keys.append(None)
        self.open.append(event.anchor)

    def end(self, event: Any) -> None:
        node = self.stack.pop()
        self.keys.pop()
        anchor = self.open.pop()
        if anchor:
            self.anchored[anchor] = node
        self.put(event, node)

    def alias(self, event: Any) -> None:
        node = self.anchored.get(event.anchor)
        if node is None:
            inside = event.anchor in self.open
            message = (
                "an alias refers to the mapping or list that holds it" if inside else "an alias refers to no anchor"
            )
            raise self.broken(event, message, "put quotes around a value that begins with `*`")
        self.put(event, node)

    def add(self, event: Any, node: Scalar) -> None:
        if event.anchor:
            self.anchored[event.anchor] = node
        self.put(event, node)

    def put(self, event: Any, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.size += node.size
        if parent.size > MAX_NODES:
            raise self.broken(
                event, f"the file holds more than {MAX_NODES:,} values, aliases counted", code="too-complex"
            )
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self.keys[-1] = None

    def check_tag(self, event: Any, allowed: frozenset[str]) -> None:
        if event.tag is not None and event.tag not in allowed:
            raise self.broken(event, "a YAML tag is not allowed here", "put quotes around a value that begins with `!`")

    def broken(self, event: Any, message: str, hint: str | None = None, code: str = "bad-yaml") -> _Broken:
        line, column = _position(event)
        return _Broken(
            Problem(code, message, origin=Origin("file", file=self.name, line=line, column=column), hint=hint)
        )


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _syntax(name: str, text: str, exc: yaml.MarkedYAMLError) -> Problem:
    # PyYAML's own words may quote the line, so they are not used: the character at the mark tells as much.
    mark = exc.problem_mark or exc.context_mark
    if mark is None:
        return Problem("bad-yaml", "this is not YAML", origin=Origin("file", file=name))
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    origin = Origin("file", file=name, line=mark.line + 1, column=mark.column + 1)
    if "\t" in line[: mark.column + 1]:
        return Problem(
            "bad-yaml", "a tab stands where YAML allows only spaces", origin=origin, hint="indent with spaces"
        )
    if line[mark.column : mark.column + 1] in set("@`%*&!|>'\"[]{}"):
        return Problem(
            "bad-yaml",
            "this is not valid YAML",
            origin=origin,
            hint="put quotes around a value that begins with one of @ ` % * & ! | > ' \" [ ] { }",
        )
    hint = "check the indentation, the `: ` after the key, and the quotes"
    return Problem("bad-yaml", "this is not valid YAML", origin=origin, hint=hint)


def _flattened(mapping: Mapping) -> Iterator[tuple[Scalar, Node]]:
    """The pairs with scalar keys, a mapping's own before what `<<` merges into it."""
    merged: list[Node] = []
    for key, value in mapping.pairs:
        if isinstance(key, Scalar):
            if _is_merge(key):
                merged += value.items if isinstance(value, Sequence) else [value]
            else:
                yield key, value
    for node in merged:
        if isinstance(node, Mapping):
            yield from _flattened(node)


def _is_merge(key: Scalar) -> bool:
    return key.plain and key.text == "<<"


def entries(mapping: Mapping) -> dict[str, tuple[Scalar, Node]]:
    """The pairs of a mapping by key; its merge keys are resolved, a key of its own wins over a merged one."""
    found: dict[str, tuple[Scalar, Node]] = {}
    for key, value in _flattened(mapping):
        found.setdefault(key.text, (key, value))
    return found


def faults(node: Node, document: Document, path: str) -> Iterator[Problem]:
    """What no mapping below `node` may hold: duplicate keys, keys that are no text, merge keys that merge nothing."""
    waiting: list[tuple[Node, str]] = [(node, path)]
    seen: set[int] = set()  # an anchored node is judged once, where it stands first
    while waiting:
        here, path = waiting.pop()
        if id(here) in seen or isinstance(here, Scalar):
            continue
        seen.add(id(here))
        if isinstance(here, Sequence):
            waiting += [(item, f"{path}.{index}") for index, item in enumerate(here.items)]
            continue
        yield from _faults_of_keys(here, document, path)
        for key, value in here.pairs:
            waiting.append((value, joined(path, shown_key(key.text) if isinstance(key, Scalar) else "…")))


def _faults_of_keys(mapping: Mapping, document: Document, path: str) -> Iterator[Problem]:
    first: dict[str, Scalar] = {}
    for key, value in mapping.pairs:
        if not isinstance(key, Scalar):
            yield Problem("bad-key", "a key must be text", path=path or None, origin=document.origin(key))
        elif _is_merge(key):
            merged = value.items if isinstance(value, Sequence) else [value]
            if not all(isinstance(item, Mapping) for item in merged):
                yield Problem("bad-key", "`<<` merges mappings only", path=path or None, origin=document.origin(key))
        elif key.text in first:
            name = shown_key(key.text)
            message = f"`{name}` stands twice in one mapping (first at line {first[key.text].line})"
            where = joined(path, name)
            yield Problem(
                "duplicate-key", message, path=where, origin=document.origin(key), hint="remove one of the two"
            )
        else:
            first[key.text] = key


def joined(path: str, key: str) -> str:
    """The dotted path of a key."""
    return f"{path}.{key}" if path else key


def shown_key(key: str) -> str:
    """A key as a message may show it: what does not look like a name may be a pasted secret."""
    looks_like_a_name = len(key) <= MAX_SHOWN_KEY and key.translate(_NAME_PUNCTUATION).isalnum()
    return key if looks_like_a_name else "…"


def plain(node: Node) -> Any:
    """A node as Python's own text, lists and dictionaries (depth and size were bounded when it was read)."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, (_, value) in entries(node).items()}
