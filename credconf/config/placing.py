"""Where a problem of a merged credential stands: at the value, at the key, or at one of two that exclude each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credconf.kinds import KINDS
from credconf.records import replace

from .merging import place_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credconf.problems import Problem

    from .entries import Book
    from .layers import Layer
    from .origins import Origin, Value

PROOFS: Final = tuple(model.proof for model in KINDS.values())


def placed(
    problem: Problem, merged: Mapping[str, Value], layers: Sequence[Layer], book: Book, name: str | None
) -> Problem:
    """The problem with its place.

    Args:
        problem: of the model; its path is relative to the credential.
        merged: the winning values.
        layers: highest first.
        book: the entries of the files.
        name: of the entry that the credential is.
    """
    path = problem.path or ""
    if problem.code == "two-proofs":
        return _two_proofs(problem, merged, layers, book, name)
    is_at_key = problem.code == "unknown-key" and path in merged
    return replace(problem, origin=merged[path].key if is_at_key else place_in(merged, path))


def _two_proofs(
    problem: Problem, merged: Mapping[str, Value], layers: Sequence[Layer], book: Book, name: str | None
) -> Problem:
    """It is told at the highest of them: what is below was there before."""

    def rank(field: str) -> tuple[int, int, int]:
        layer = next(number for number, layer in enumerate(layers) if field in layer.values)
        origin = merged[field].origin
        return layer, -(origin.line or 0), -(origin.column or 0)

    told, *others = sorted((field for field in PROOFS if field in merged), key=rank)
    origin = merged[told].origin
    entry = _heir(origin, [merged[field].origin for field in others], book, name)
    beside = ", ".join(f"`{field}` ({merged[field].origin})" for field in others)
    of = f" for `{entry}`" if entry else ""
    message = f"`{told}` and {beside} are set{of}: one credential has one proof"
    return replace(problem, message=message, path=told, origin=origin)


def _heir(origin: Origin, others: Sequence[Origin], book: Book, name: str | None) -> str | None:
    """The entry that has both: the one that holds the highest, if it extends those that hold the others."""
    if origin.entry is None or origin.entry not in book.parts:
        return name
    lineage = set(book.lineage(origin.entry))
    return origin.entry if all(other.entry in lineage for other in others) else name
