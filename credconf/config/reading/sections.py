"""Finds credconf's section in a file, or suggests the section that was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.problems import Problem, closest
from credconf.problems.printable import shown_key
from credconf.problems.problem import Origin, joined

from .nodes import Mapping, Sequence, duplicates, pairs_of, tag_problem

if TYPE_CHECKING:
    from collections.abc import Sequence as SequenceOf

    from .inheritance import Entries
    from .nodes import Document


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
