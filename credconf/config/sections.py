"""A section that no file has, and the one that was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.problems import Problem, closest

from .nodes import Mapping, entries, shown_key
from .origins import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .document import Document


def missing_section(section: str, documents: Sequence[Document]) -> Problem:
    """The problem of a section that none of the files has.

    Args:
        section: dotted path.
        documents: the files.
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


def _nearest(steps: Sequence[str], document: Document) -> tuple[Origin, str] | None:
    """Where a key stands that resembles the first step that is not there, and the whole path with it."""
    node = document.root
    for index, step in enumerate(steps):
        pairs = entries(node) if isinstance(node, Mapping) else {}
        if step in pairs:
            node = pairs[step][1]
            continue
        meant = closest(step, [key for key in pairs if shown_key(key) == key])
        if meant is None:
            return None
        return document.origin(pairs[meant][0]), ".".join((*steps[:index], meant, *steps[index + 1 :]))
    return None
