"""Keys that are no setting where they stand, and what to do about them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.config.layers import KNOWN
from credconf.config.reading.nodes import Scalar
from credconf.ground.records import replace
from credconf.kinds import NESTED, SETTINGS
from credconf.kinds.validation import unknown_key
from credconf.problems.printable import shown_key
from credconf.problems.problem import joined
from credconf.references import REFERENCES

if TYPE_CHECKING:
    from credconf.config.reading.nodes import Node
    from credconf.problems import Problem


def unknown_in_entry(key: str, known: frozenset[str], path: str, before: tuple[str, Node] | None) -> Problem:
    """The problem of an unknown key among the settings of an entry.

    Args:
        key: as it is written.
        known: what an entry may hold.
        path: of the entry.
        before: the key and the value that stand in front of it.
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


def unknown_in_group(key: Scalar, group: Scalar, path: str) -> Problem:
    """The problem of an unknown key in a group of settings.

    Args:
        key: with its place.
        group: the key of the group, with its place.
        path: of the group.
    """
    problem = unknown_key(key.text, frozenset(NESTED[group.text]), joined(path, shown_key(key.text)))
    if key.text not in KNOWN:
        return replace(problem, meant=joined(group.text, problem.meant)) if problem.meant else problem
    where = f"begin it in the column of `{group.text}`" if key.line > group.line else f"write it beside `{group.text}`"
    return replace(problem, hint=f"it is a setting of the entry: {where}", meant=key.text)
