"""A configuration that can't be used, as far as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.records import field, record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.kinds import Kind
    from credconf.problems import Problem
    from credconf.references import Reader

    from .origins import Value


@record
class Unresolved:
    """What was found out before a problem ended it.

    Attributes:
        name: of the entry; `None` for the flat form, and where none was chosen.
        problems: all of them, in the order of the files.
        merged: the winning values, by path.
        settings: the validated model, where only a reference or a rule is the problem.
        prefix: what the paths of problems begin with, that are the entry's.
        reader: finds the values of references.
    """

    name: str | None
    problems: tuple[Problem, ...]
    merged: Mapping[str, Value] = field(default_factory=dict, repr=False)
    settings: Kind | None = field(default=None, repr=False)
    prefix: str = ""
    reader: Reader | None = field(default=None, repr=False)
