"""Parses YAML into text with positions, and finds credconf's section in it.

The parser guesses no number, date, boolean or null, and drops nothing silently. PyYAML's composer recurses in C (a few
thousand brackets crash the process) and expands aliases without a limit, so this module builds the tree from the
parser's events, with bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from credconf.ground.files import CONFIGURATION_LIMIT, Unreadable, read_text
from credconf.problems import Problem, closest, shown_key
from credconf.problems.problem import Origin, joined

from .nodes import MERGE, Document, Loader, Mapping, Node, Scalar, Sequence, duplicates, pairs_of, tag_problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as SequenceOf

    from .inheritance import Entries


MAX_DEPTH = 32
MAX_NODES = 20_000
_CORE_TAGS = frozenset(
    {"!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "merge"))}
)
_COLLECTION_TAGS = frozenset({"!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


def read_document(path: str, *, discovered: bool = False) -> Document | Problem:
    """Read and parse one YAML file of at most 1 MB.

    A problem is returned, not raised, because frames that hold the text of the file, and the secrets in it, must not be
    in a traceback.

    Args:
        path: the path, as the user wrote it.
        discovered: whether credconf found the file in the working directory by itself.
    """
    return document_of(read_text(path, CONFIGURATION_LIMIT), path, discovered=discovered)


def document_of(text: str | Unreadable, name: str, *, discovered: bool = False) -> Document | Problem:
    """Parse the text of one YAML file, or return why it could not be read. See `read_document`."""
    if isinstance(text, Unreadable):
        origin = Origin("file", file=name, line=text.line, column=text.column, discovered=discovered)
        return Problem(text.code, f"the configuration file {text.reason}", origin=origin)
    root = parse(text, name)
    return root if isinstance(root, Problem) else Document(name, root, discovered, text)


def parse(text: str, name: str) -> Node | Problem | None:
    """Return the root node of one YAML document, `None` for an empty one, or the problem of a broken one."""
    try:
        return _Composer(name).compose(yaml.parse(text, Loader=Loader))
    except _Broken as exc:
        broken: Problem | yaml.YAMLError = exc.problem
    except yaml.YAMLError as exc:
        broken = exc
    return _syntax_problem(name, text, broken)


def _syntax_problem(name: str, text: str, broken: Problem | yaml.YAMLError) -> Problem:
    from .excerpts import with_excerpt_of_broken  # only broken files need these
    from .yaml_errors import syntax_problem, unprintable_problem

    if isinstance(broken, yaml.MarkedYAMLError):
        broken = syntax_problem(name, text, broken)
    elif not isinstance(broken, Problem):  # the error of PyYAML's reader has no line
        broken = unprintable_problem(name, text)
    return with_excerpt_of_broken(broken, text)


class _Broken(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class _Composer:
    """Builds nodes from the parser's events, without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stack: list[Sequence | Mapping] = []
        self.keys: list[Node | None] = []  # for each open mapping, the key whose value comes next
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
                self.add(event, _scalar(event))
            elif isinstance(event, yaml.AliasEvent):
                self.alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self.start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.end(event)
        return None if isinstance(self.root, Scalar) and self.root.is_null else self.root

    def start(self, event: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise self.broken(event, f"the file is nested deeper than {MAX_DEPTH} levels", code="too-complex")
        kind = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
        self.stack.append(kind(*_position(event), tagged=_is_tagged(event, _COLLECTION_TAGS)))
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
            raise self.unresolved(event)
        self.put(event, node)

    def unresolved(self, event: Any) -> _Broken:
        """Return the problem of an alias without an anchor."""
        key = self.keys[-1] if self.keys else None
        if event.anchor in self.open:
            message = "an alias refers to the mapping or list that holds it"
        elif isinstance(key, Scalar) and key.text == MERGE:
            hint = "write `&NAME` before the mapping to merge, above this line"
            return self.broken(event, "there is no anchor with this name above", hint)
        else:
            message = "an alias refers to no anchor"
        return self.broken(event, message, "put quotes around a value that begins with `*`")

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
                event, f"the file holds more than {MAX_NODES:,} values, with aliases expanded", code="too-complex"
            )
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self.keys[-1] = None

    def broken(self, event: Any, message: str, hint: str | None = None, code: str = "bad-yaml") -> _Broken:
        line, column = _position(event)
        return _Broken(
            Problem(code, message, origin=Origin("file", file=self.name, line=line, column=column), hint=hint)
        )


def _scalar(event: Any) -> Scalar:
    plain = event.style in (None, "")
    line, column = _position(event)
    tagged = _is_tagged(event, _CORE_TAGS)
    if plain and not tagged and event.start_mark.line == event.end_mark.line:
        column = event.end_mark.column - len(event.value) + 1  # an anchor may precede the text itself
    return Scalar(event.value, plain, line, column, tagged=tagged)


def _is_tagged(event: Any, allowed: frozenset[str]) -> bool:
    return event.tag is not None and event.tag not in allowed


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def missing_section(section: str, documents: SequenceOf[Document]) -> Problem:
    """Return the problem of a section that none of the files has.

    Args:
        section: the dotted path of the section.
        documents: the parsed files.
    """
    if not documents:
        message = f"there is no section `{section}`, because no file is read"
        hint = "name the file that has it, or remove section="
        return Problem("missing-section", message, path=section, origin=Origin("argument", "section"), hint=hint)
    names = ", ".join(document.name for document in documents)
    message = f"there is no section `{section}` in {names}"
    for document in reversed(documents):
        found = _nearest(section.split("."), document)
        if found is not None:
            origin, meant = found
            return Problem("missing-section", message, path=section, origin=origin, hint=f"did you mean `{meant}`?")
    origin = Origin("file", file=documents[-1].name)
    return Problem(
        "missing-section",
        message,
        path=section,
        origin=origin,
        hint="check the name of the section, or name another file",
    )


def _nearest(steps: SequenceOf[str], document: Document) -> tuple[Origin, str] | None:
    """Find the key most like the first missing step; return its place and the corrected path."""
    node = document.root
    for index, step in enumerate(steps):
        pairs = pairs_of(node) if isinstance(node, Mapping) else {}
        if step in pairs:
            node = pairs[step][1]
            continue
        meant = closest(step, [key for key in pairs if shown_key(key) == key])
        if meant is None:
            return None
        return document.origin(pairs[meant][0]), ".".join((*steps[:index], meant, *steps[index + 1 :]))
    return None


def section_of(document: Document, section: str | None, entries: Entries) -> Mapping | None:
    """Return credconf's mapping in a file. A file may leave the section out; other reasons become problems."""
    node = document.root
    path = ""
    for step in section.split(".") if section else []:
        if node is not None and node.tagged:
            break
        if isinstance(node, Mapping):
            entries.problems += duplicates(node, step, document, path)
        path = joined(path, step)
        node = pairs_of(node)[step][1] if isinstance(node, Mapping) and step in pairs_of(node) else None
    if node is not None and node.tagged:
        entries.problems.append(tag_problem(node, document, path))
        entries.unread = True
        return None
    if isinstance(node, Mapping):
        return node
    if node is None and section:
        return None  # a layer may leave the section out; `read_entries` reports a section that no layer has
    entries.unread = True
    what = f"the section `{section}`" if section else "the file"
    if node is None:
        origin = Origin("file", file=document.name, line=1, column=1, discovered=document.discovered)
        message, hint = f"{what} is empty", "write the settings, or leave the file out"
        entries.problems.append(Problem("empty-file", message, path=section, origin=origin, hint=hint))
    else:
        message = f"{what} is not a mapping of settings"
        hint = "write `key: value`" + (
            ", without `-`" if isinstance(node, Sequence) else ", with a space after the colon"
        )
        entries.problems.append(Problem("wrong-type", message, path=section, origin=document.origin(node), hint=hint))
    return None
