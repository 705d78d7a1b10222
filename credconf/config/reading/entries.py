"""Reads the entries of all files: flat or named, with one layer for each file that has the entry."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from credconf.config.layers import KNOWN, Layer, Value, anchored_value
from credconf.ground.files import absolute
from credconf.ground.records import replace
from credconf.kinds import ALIASES, NESTED, SETTINGS
from credconf.kinds.validation import is_user_key, unknown_key
from credconf.problems import Problem, shown_key
from credconf.problems.problem import Origin, joined
from credconf.references import REFERENCES
from credconf.settings.formats import ENTRY_NAME

from .document import missing_section, section_of
from .inheritance import Entries, EntryPart, colliding_names, inheritance_problems
from .nodes import Mapping, Scalar, Sequence, faults, pairs_of, plain

if TYPE_CHECKING:
    from .nodes import Document, Node


_CONTROLS = frozenset({"extends", "abstract"})
_TOP = frozenset({"default", "credentials"})


def read_entries(documents: list[Document], section: str | None) -> Entries:
    """Read the entries of all files.

    Args:
        documents: the parsed files, the lowest layer first.
        section: dotted path of credconf's mapping in the files; `None` for the whole file.
    """
    entries = Entries(files=[document.name for document in documents])
    holders = [(document, section_of(document, section, entries)) for document in documents]
    if section and not any(found for _, found in holders) and not entries.problems:
        entries.problems.append(missing_section(section, documents))
    for document, mapping in reversed(holders):
        if mapping is not None:
            _read_file(document, mapping, section or "", entries)
    if None in entries.parts and (entries.names or entries.default):
        origin = entries.parts[None][0].origin
        message = "one file is flat and another has named credentials"
        entries.problems.append(Problem("flat-and-named", message, origin=origin, hint="write all of them in one form"))
    entries.problems += colliding_names(entries)
    entries.problems += inheritance_problems(entries)
    return entries


def _read_file(document: Document, mapping: Mapping, path: str, entries: Entries) -> None:
    entries.problems += faults(mapping, document, path)
    pairs = {key: pair for key, pair in pairs_of(mapping).items() if not is_user_key(key)}
    if not path and (other := _other_file(document, pairs)):
        entries.problems.append(other)
        entries.unread = True
        return
    if not _TOP & pairs.keys():
        part = _entry_part(document, mapping, None, path, entries.problems)
        entries.parts.setdefault(None, []).append(part)
        return
    for key, (key_node, value) in pairs.items():
        if key in KNOWN | _CONTROLS:
            message = f"`{key}` of the flat form is beside `{min(_TOP & pairs.keys())}` of the named form"
            hint = "move it into an entry of `credentials`"
            entries.problems.append(
                Problem("flat-and-named", message, path=joined(path, key), origin=document.origin(key_node), hint=hint)
            )
        elif key not in _TOP:
            entries.problems.append(_at(_unknown_at_top(key, value, path), document.origin(key_node)))
    if "default" in pairs and entries.default is None:
        node = pairs["default"][1]
        if isinstance(node, Scalar):
            entries.default = (node.text, document.origin(node))
        else:
            entries.problems.append(_wrong("default", "a name", document.origin(node), path))
    if "credentials" in pairs:
        _read_named(document, pairs["credentials"][1], joined(path, "credentials"), entries)


def _other_file(document: Document, pairs: dict[str, tuple[Scalar, Node]]) -> Problem | None:
    """Return the problem of a file that is another tool's, and has no setting; `kind` is a common word."""
    if not pairs or not pairs.keys().isdisjoint((KNOWN | _TOP) - {"kind"}):
        return None
    from credconf.kinds.hints import file_of_another_tool  # only broken files need it

    found = file_of_another_tool(pairs, [key for key, (_, node) in pairs.items() if not isinstance(node, Scalar)])
    if found is None:
        return None
    key, what = found
    hint = f"this is {what}, not a configuration of credconf: name another file"
    return Problem(
        "unknown-key", f"`{key}` is not a setting", path=key, origin=document.origin(pairs[key][0]), hint=hint
    )


def _is_name(text: str) -> bool:
    return re.fullmatch(ENTRY_NAME.pattern, text) is not None


def _read_named(document: Document, node: Node, path: str, entries: Entries) -> None:
    if not isinstance(node, Mapping):
        entries.problems.append(
            _wrong("credentials", "a mapping of names", document.origin(node), path.rpartition(".")[0])
        )
        return
    pairs = pairs_of(node)
    misplaced = _settings_among_names(document, pairs, path, entries.problems)
    for name, (key, value) in pairs.items():
        if is_user_key(name) or name in misplaced:
            continue
        where = joined(path, shown_key(name))
        if not _is_name(name):
            meant = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
            usable = shown_key(name) != "…" and _is_name(meant)
            rule = "lower-case letters and digits, joined by single `-` or `_`"
            hint = f"write `{meant}`: {rule}" if usable else f"write {rule}, such as my-app"
            message = f"`{shown_key(name)}` is not a usable name"
            entries.problems.append(Problem("bad-name", message, path=where, origin=document.origin(key), hint=hint))
        elif not isinstance(value, Mapping):
            entries.problems.append(_wrong(name, "a mapping of settings", document.origin(value), path))
        else:
            part = _entry_part(document, value, name, where, entries.problems)
            part.origin = document.origin(key, name)
            entries.parts.setdefault(name, []).append(part)


def _settings_among_names(
    document: Document, pairs: dict[str, tuple[Scalar, Node]], path: str, problems: list[Problem]
) -> set[str]:
    """Report settings that are not indented below the name of their entry; return the keys that this explains."""
    found = [name for name, (_, value) in pairs.items() if name in KNOWN | _CONTROLS and not _holds_settings(value)]
    if not found:
        return set()
    names = list(pairs)
    before = names[max(names.index(found[0]) - 1, 0)]
    value = pairs[before][1]
    is_empty = before not in found and isinstance(value, Scalar) and not value.text
    below = f"`{shown_key(before)}:`" if is_empty else "the name of an entry, such as `my-app:`"
    message = f"`{found[0]}` is a setting, and stands where the name of an entry is expected"
    hint = f"indent it{' and the settings after it' if len(found) > 1 else ''} below {below}"
    origin = document.origin(pairs[found[0]][0])
    problems.append(Problem("wrong-type", message, path=joined(path, found[0]), origin=origin, hint=hint))
    return {*found, *([before] if is_empty else [])}


def _holds_settings(node: Node) -> bool:
    """Whether a node may be that of an entry. `kind` alone may also be that of a group."""
    return isinstance(node, Mapping) and not pairs_of(node).keys().isdisjoint((KNOWN | _CONTROLS) - {"kind"})


def _entry_part(
    document: Document, mapping: Mapping, name: str | None, path: str, problems: list[Problem]
) -> EntryPart:
    part = EntryPart(name, document.origin(mapping, name), Layer(document.name, entry=name))
    pairs = pairs_of(mapping)
    known = KNOWN | _CONTROLS
    before: tuple[str, Node] | None = None
    for key, (key_node, value) in pairs.items():
        here, before = before, (key, value)
        where = joined(path, shown_key(key))
        if is_user_key(key):
            continue
        if name is not None and key == "extends":
            part.extends = _parents(document, value, where, problems)
        elif name is not None and key == "abstract":
            part.abstract = _boolean(document, value, where, problems)
        elif key not in KNOWN:
            problem = unknown_in_entry(key, known, path, here) if name else _unknown_at_top(key, value, path, here)
            problems.append(_at(problem, document.origin(key_node)))
        elif key in ALIASES and ALIASES[key] in pairs:
            message = f"`{key}` and `{ALIASES[key]}` are the same setting"
            problems.append(
                Problem("conflict", message, path=where, origin=document.origin(key_node), hint="keep one of them")
            )
        else:
            _add(part, document, ALIASES.get(key, key), key_node, value)
            if key in NESTED:
                _check_group(key_node, value, document, where, problems)
    return part


def _check_group(group: Scalar, node: Node, document: Document, path: str, problems: list[Problem]) -> None:
    if not isinstance(node, Mapping):
        from credconf.kinds.hints import shape_of_group  # only broken configurations need it

        problem = _wrong(group.text, "a mapping of settings", document.origin(node), path.rpartition(".")[0])
        text = node.text if isinstance(node, Scalar) else ""
        problems.append(replace(problem, hint=shape_of_group(group.text, text)))
        return
    for key, (key_node, _) in pairs_of(node).items():
        if key not in NESTED[group.text] and not is_user_key(key):
            problems.append(_at(unknown_in_group(key_node, group, path), document.origin(key_node)))


def _add(part: EntryPart, document: Document, path: str, key: Scalar, node: Node) -> None:
    if path in NESTED:
        for leaf, (leaf_key, inner) in pairs_of(node).items() if isinstance(node, Mapping) else ():
            if leaf in NESTED[path]:
                _add(part, document, f"{path}.{leaf}", leaf_key, inner)
        return
    written = plain(node)
    raw: Any = anchored_value(path, written, os.path.dirname(absolute(document.name)))
    if SETTINGS[path].setting.is_null and isinstance(node, Scalar) and node.is_null:
        raw = None
    place, at_key = document.origin(node, part.name), document.origin(key, part.name)
    part.layer.values[path] = Value(raw, place, at_key, node, written)


def _parents(document: Document, node: Node, path: str, problems: list[Problem]) -> tuple[tuple[str, Origin], ...]:
    items = node.items if isinstance(node, Sequence) else [node]
    scalars = [item for item in items if isinstance(item, Scalar)]
    for item in scalars:
        if not item.text.strip():
            hint = "name an entry, or remove it"
            problems.append(Problem("empty", "`extends` is empty", path=path, origin=document.origin(item), hint=hint))
    if len(scalars) != len(items):
        problems.append(_wrong("extends", "a name or a list of names", document.origin(node), path.rpartition(".")[0]))
    return tuple((item.text, document.origin(item)) for item in scalars if item.text.strip())


def _boolean(document: Document, node: Node, path: str, problems: list[Problem]) -> bool:
    text = node.text.lower() if isinstance(node, Scalar) else ""
    if text not in {"true", "false", "yes", "no", "on", "off"}:
        problems.append(_wrong("abstract", "true or false", document.origin(node), path.rpartition(".")[0]))
    return text in {"true", "yes", "on"}


def _wrong(key: str, expected: str, origin: Origin, path: str) -> Problem:
    return Problem("wrong-type", f"`{key}` must be {expected}", path=joined(path, key), origin=origin)


def _at(problem: Problem, origin: Origin) -> Problem:
    return replace(problem, origin=origin)


def unknown_in_entry(key: str, known: frozenset[str], path: str, before: tuple[str, Node] | None) -> Problem:
    """Return the problem of an unknown key among the settings of an entry.

    Args:
        key: the key, as it is written.
        known: the keys that an entry may hold.
        path: the path of the entry.
        before: the key and the value before it.
    """
    problem = unknown_key(key, known, joined(path, shown_key(key)))
    if before is None or key not in REFERENCES:
        return problem
    setting, value = before
    is_empty = isinstance(value, Scalar) and not value.text
    return (
        replace(problem, hint=f"indent it below `{setting}`")
        if is_empty and setting in SETTINGS and SETTINGS[setting].is_text
        else problem
    )


def _unknown_at_top(key: str, value: Node, path: str, before: tuple[str, Node] | None = None) -> Problem:
    """Return the problem of an unknown key at the top of a file; see `unknown_in_entry`."""
    problem = unknown_in_entry(key, KNOWN | _TOP, path, before)
    if _holds_settings(value) and problem.meant is None:
        return replace(problem, hint="if it is an entry, indent it below `credentials:`")
    return problem


def unknown_in_group(key: Scalar, group: Scalar, path: str) -> Problem:
    """Return the problem of an unknown key in a group of settings.

    Args:
        key: the key, with its position.
        group: the key of the group, with its position.
        path: the path of the group.
    """
    problem = unknown_key(key.text, frozenset(NESTED[group.text]), joined(path, shown_key(key.text)))
    if key.text not in KNOWN:
        return replace(problem, meant=joined(group.text, problem.meant)) if problem.meant else problem
    where = f"begin it in the column of `{group.text}`" if key.line > group.line else f"write it beside `{group.text}`"
    return replace(problem, hint=f"it is a setting of the entry: {where}", meant=key.text)
