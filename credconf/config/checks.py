"""What is wrong in one place already, whatever other places say; and the order in which problems are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from credconf.problems import Problem, closest
from credconf.records import replace

from .lineage import there_are
from .nodes import shown_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .entries import Book
    from .layers import Layer
    from .origins import Origin, Value

_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NOT_THERE = frozenset({"no-name", "unknown-name", "unknown-parent", "missing-section"})
"""What is not there as far as the files could be read: it may stand in one that could not."""
_PLACE_ORDER = {"file": 0, "dotenv": 1, "environment": 2, "argument": 3, "preset": 4, "default": 5}


def exclusive(layer: Layer, path: str) -> Problem | None:
    """`cloud` and `authority` in one source.

    Args:
        layer: the source.
        path: of `authority`, for the problem.
    """
    if not ("cloud" in layer.values and "authority" in layer.values):
        return None
    cloud, authority = layer.values["cloud"], layer.values["authority"]
    message = f"`cloud` ({cloud.origin}) and `authority` exclude each other"
    return Problem("conflict", message, path=path, origin=authority.origin, hint="keep one of them")


def is_prefix(raw: Any) -> bool:
    """Whether variables can begin with it; `None` listens to none."""
    return raw is None or (isinstance(raw, str) and bool(_PREFIX.fullmatch(raw)))


def bad_prefix(value: Value, path: str) -> Problem | None:
    """An `env_prefix` that no variable begins with. Of what is no text, or an empty one, the model says enough."""
    if is_prefix(value.raw) or not isinstance(value.raw, str) or not value.raw.strip():
        return None
    message = "`env_prefix` must be the beginning of a variable's name, or null"
    hint = "write letters, digits and `_`, such as REPORTS_"
    return Problem("bad-value", message, path=path, origin=value.origin, hint=hint)


def unusable(name: str, origin: Origin, book: Book) -> Problem | None:
    """Why an entry that something chooses can't be used.

    Args:
        name: of the entry.
        origin: what chooses it.
        book: all entries.
    """
    if name not in book.parts:
        meant = closest(name, book.names)
        have = there_are(book.names, "no file has named credentials")
        hint = f"did you mean `{meant}`?" if meant else have
        message = f"there is no credential `{shown_key(name)}`"
        return Problem("unknown-name", message, path="default" if origin.file else None, origin=origin, hint=hint)
    if book.is_abstract(name):
        message = f"`{name}` is abstract: it is there to be extended"
        path = f"credentials.{name}"
        return Problem("abstract", message, path=path, origin=origin, hint="choose one that extends it")
    return None


def in_order(problems: Iterable[Problem], files: Sequence[str]) -> tuple[Problem, ...]:
    """The problems in the order of the files and lines; each once.

    Args:
        problems: from anywhere.
        files: as they were named, in their order.
    """
    numbers = {name: number for number, name in enumerate(files)}

    def order(problem: Problem) -> tuple[int, int, int, int]:
        origin = problem.origin
        if origin is None:
            return (len(_PLACE_ORDER), 0, 0, 0)
        file = numbers.get(origin.file or "", len(numbers))
        return (_PLACE_ORDER[origin.place], file, origin.line or 0, origin.column or 0)

    return tuple(sorted(_once(problems), key=order))


def _once(problems: Iterable[Problem]) -> Iterable[Problem]:
    unique: dict[Any, Problem] = {}
    for problem in problems:
        unique.setdefault(_what(problem), problem)
    return unique.values()


def _what(problem: Problem) -> Any:
    """What is the same for problems of which one is enough."""
    place = problem.origin and problem.origin.over(())
    if problem.code == "conflict":
        # `cloud` beside `authority` is seen in the layer, which knows where both stand, and later by the model.
        return problem.code, place
    if place is None or place.line is None:
        return problem
    # What is anchored, merged or inherited stands in one place, whatever entries it is told of.
    return problem.code, problem.message, replace(place, entry=None)
