"""Completes the problems of a configuration: places, order and excerpts; and what has no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credconf.ground.records import replace
from credconf.kinds import KINDS, PROOFS
from credconf.kinds.validation import kind_of, present_proofs
from credconf.problems import Problem
from credconf.references import reference_in

from .layers import place_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from credconf.config.reading.inheritance import Entries
    from credconf.config.reading.nodes import Document
    from credconf.problems.problem import Origin

    from .dotenv import Dotenv
    from .layers import Layer, Value


def used_variables(layer: Layer, merged: Mapping[str, Value], environ: Mapping[str, str]) -> list[str]:
    """Return the variables of `.env` that are used: those that give a setting, and those that a reference names.

    Args:
        layer: the layer of `.env`.
        merged: the winning values.
        environ: the process environment, which wins over `.env` for a reference.
    """
    named = named_variables(merged)
    read = [origin.name for value in layer.values.values() for origin in value.origin.flat() if origin.name]
    return list(dict.fromkeys([*read, *(name for name in named if not environ.get(name))]))


def named_variables(merged: Mapping[str, Value]) -> list[str]:
    """Return the variables that references name."""
    items = [item for value in merged.values() for item in (value.raw if isinstance(value.raw, list) else [value.raw])]
    references = [reference_in(item) for item in items]
    return [reference.names_variable for reference in references if reference and reference.names_variable]


def of_another_kind(merged: Mapping[str, Value]) -> dict[str, Problem | None]:
    """Return the values that only an `AZURE_` variable gives and that the kind does not have or use, by path.

    Each has a warning, unless several kinds have the setting: such a variable is probably for other programs.

    Args:
        merged: the winning values.
    """
    given = {path: value.raw for path, value in merged.items()}
    ambient = {path for path, value in merged.items() if is_ambient(value) and not value.origin.displaced}
    if given.get("kind") is None:
        # A webhook gives a token file to each container, also to one that has a secret.
        yielding = {model.proof for model in KINDS.values() if model.yields and model.proof in ambient}
        if any(proof not in yielding for proof in present_proofs(given)):
            given = {path: raw for path, raw in given.items() if path not in yielding}
    kind = kind_of(given)
    if kind is None:
        return {}
    found: dict[str, Problem | None] = {}
    exclusive = {*KINDS[kind].exclusive} & given.keys()
    for path in ambient:
        field = path.split(".")[0]
        yields = path in exclusive and not exclusive <= ambient
        if field in KINDS[kind].model_fields and not yields:
            continue
        origin = merged[path].origin
        message = f"{origin.name} is set, and has no effect on a credential of `kind: {kind}`"
        hint = "unset it if it is not needed"
        if field in PROOFS:
            hint += f", or set `kind: {kind_of({field: True})}` to use it"
        is_common = sum(field in model.model_fields for model in KINDS.values()) > 1
        found[path] = None if is_common else Problem("unheard-variable", message, "warning", path, origin, hint)
    return found


def is_ambient(value: Value) -> bool:
    """Whether an `AZURE_` variable gives a value: it may be there for other programs."""
    origin = value.origin
    return origin.place in {"environment", "dotenv"} and (origin.name or "").startswith("AZURE_")


NOT_THERE = frozenset({"no-name", "unknown-name", "unknown-parent", "missing-section"})
"""Problems of something that may be in a file that could not be read."""
_PLACE_ORDER = {"file": 0, "dotenv": 1, "environment": 2, "argument": 3, "preset": 4, "default": 5}


def in_order(problems: Iterable[Problem], files: Sequence[str]) -> tuple[Problem, ...]:
    """Return each problem once, in the order of the files and lines.

    Args:
        problems: the problems, in any order.
        files: the names of the files, in the order in which they were named.
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
        unique.setdefault(_identity(problem), problem)
    return unique.values()


def _identity(problem: Problem) -> Any:
    """Return a key that is equal for problems of which one is enough."""
    place = problem.origin and problem.origin.over(())
    if problem.code == "conflict":
        # Both the layer, which knows the places, and the model report `cloud` beside `authority`.
        return problem.code, place
    if place is None or place.line is None:
        return problem
    # An anchored, merged or inherited value has one place, and may be a problem of several entries.
    return problem.code, problem.message, replace(place, entry=None)


def reported(
    problems: Iterable[Problem], files: Sequence[str], documents: Sequence[Document], dotenv: Dotenv | None = None
) -> tuple[Problem, ...]:
    """Return each problem once, in the order of the files and lines, with excerpts.

    Args:
        problems: the problems, in any order.
        files: the names of all files, including unreadable ones, in the order in which they were named.
        documents: the files that could be parsed.
        dotenv: the `.env` file.
    """
    found = in_order(problems, files)
    if not found:
        return ()
    from credconf.config.reading.excerpts import with_excerpts  # only problems need it

    return with_excerpts(found, {item.name: item.text for item in documents}, dotenv.text if dotenv is not None else "")


def placed(
    problem: Problem, merged: Mapping[str, Value], layers: Sequence[Layer], entries: Entries, name: str | None
) -> Problem:
    """Add the place to a problem of the model.

    Args:
        problem: the problem; its path is relative to the credential.
        merged: the winning values.
        layers: the layers, highest first.
        entries: the entries of the files.
        name: the name of the credential's entry.
    """
    path = problem.path or ""
    if problem.code == "two-proofs":
        return _two_proofs(problem, merged, layers, entries, name)
    is_at_key = problem.code == "unknown-key" and path in merged
    return replace(problem, origin=merged[path].key if is_at_key else place_in(merged, path))


def _two_proofs(
    problem: Problem, merged: Mapping[str, Value], layers: Sequence[Layer], entries: Entries, name: str | None
) -> Problem:
    """Place the problem of two proofs at the proof of the highest layer."""

    def rank(field: str) -> tuple[int, int, int]:
        layer = next(number for number, layer in enumerate(layers) if field in layer.values)
        origin = merged[field].origin
        return layer, -(origin.line or 0), -(origin.column or 0)

    highest, *others = sorted(present_proofs(merged), key=rank)
    origin = merged[highest].origin
    entry = _heir(origin, [merged[field].origin for field in others], entries, name)
    beside = ", ".join(f"`{field}` ({merged[field].origin})" for field in others)
    of = f" for `{entry}`" if entry else ""
    message = f"`{highest}` and {beside} are set{of}: one credential has one proof"
    return replace(problem, message=message, path=highest, origin=origin)


def _heir(origin: Origin, others: Sequence[Origin], entries: Entries, name: str | None) -> str | None:
    """Return the entry that has both proofs: the one with the highest, if it extends those with the others."""
    if origin.entry is None or origin.entry not in entries.parts:
        return name
    lineage = set(entries.lineage(origin.entry))
    return origin.entry if all(other.entry in lineage for other in others) else name
