"""Resolves a request to validated settings, or to all problems at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.config.reading.entries import read_entries
from credconf.config.reading.inheritance import unusable
from credconf.config.reading.nodes import Lines
from credconf.ground.records import field, record, replace
from credconf.problems import Problem
from credconf.problems.problem import Origin

from .judging import Judge, Machine
from .layers import origins_of, surroundings
from .reporting import NOT_THERE, Missing, reported
from .request import sources_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.config.reading.inheritance import Entries
    from credconf.config.reading.nodes import Document
    from credconf.entra.request import Surroundings
    from credconf.kinds import Kind
    from credconf.references import Reader

    from .layers import Value
    from .request import Request


@record
class FailedResolution:
    """A configuration that can't be used, with what is known of it.

    Attributes:
        name: the name of the entry; `None` for the flat form, and where none was chosen.
        problems: all problems, in the order of the files.
        merged: the winning values, by path.
        settings: the validated model, if only a reference or a rule is the problem.
        prefix: the path of the entry, with which the paths of its problems begin.
        reader: finds the values of references.
    """

    name: str | None
    problems: tuple[Problem, ...]
    merged: Mapping[str, Value] = field(default_factory=dict, repr=False)
    settings: Kind | None = field(default=None, repr=False)
    prefix: str = ""
    reader: Reader | None = field(default=None, repr=False)


@record
class Resolved:
    """A usable configuration: the result of `load()`, and an argument of `build()`.

    Attributes:
        name: the name of the entry; `None` for the flat form.
        settings: the validated, frozen model of its kind.
        origins: the origin of each setting, with what it displaced, by dotted path (`http.timeout`).
        warnings: problems that do not prevent its use.
        reader: finds the values of references.
        surroundings: values of the machine that concern the network.
    """

    name: str | None
    settings: Kind
    origins: Mapping[str, Origin]
    warnings: tuple[Problem, ...]
    reader: Reader = field(repr=False)
    surroundings: Surroundings = field(repr=False)


def resolve(request: Request) -> Resolved | FailedResolution:
    """Resolve a request to a usable configuration, or to its problems and what is known despite them."""
    problems: list[Problem] = []
    documents = request.documents(problems)
    machine = Machine(request, request.dotenv(problems))
    if _errors(problems) and not documents and request.named_files()[0]:
        return FailedResolution(None, tuple(problems))  # without a file, most settings would be missing
    entries = read_entries(documents, request.section)
    name, refused = _chosen_entry(request, entries)
    problems += [*entries.problems, *refused]
    if _is_unread(machine, documents, entries):
        problems = [problem for problem in problems if problem.code not in NOT_THERE]
    lines = Lines({item.name: item.text for item in documents}, machine.dotenv.text)
    judge = Judge(entries, name, request.section or "", lines, machine)
    nothing_chosen = name is None and (entries.names or (not entries.parts and _errors([*entries.problems, *refused])))
    settings = None if nothing_chosen else judge.judge()
    problems += judge.problems
    if judge.invalid:
        problems += _of_model(judge, machine, entries, problems, is_unread=_is_unread(machine, documents, entries))
    shown = _reported(problems, machine, documents)
    if settings is None or _errors(problems):
        return FailedResolution(name, shown, judge.merged, settings, judge.path(""), judge.reader)
    origins = origins_of(settings, judge.merged)
    return Resolved(name, settings, origins, shown, judge.reader, surroundings(request.environ))


def _is_unread(machine: Machine, documents: list[Document], entries: Entries) -> bool:
    """Whether a file could not be read or holds no settings, so that settings may be missing from it."""
    return len(documents) < len(machine.request.named_files()[0]) or entries.unread


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def _of_model(
    judge: Judge, machine: Machine, entries: Entries, reported_already: list[Problem], *, is_unread: bool
) -> list[Problem]:
    """Return the problems of an invalid model with their places; missing settings with the ways to give them."""
    missing = Missing(machine.request, machine.dotenv, entries, judge.scheme, tuple(judge.lineage()))
    name = next(iter(judge.lineage()), None)
    is_explained = is_unread or bool(machine.dotenv.problems) or (name is not None and entries.is_abstract(name))
    found: list[Problem] = []
    for problem in judge.invalid:
        if problem.code != "missing":
            found.append(judge.placed(problem))
        elif not is_explained and not missing.is_explained(
            problem, reported_already, kind_is_given="kind" in judge.merged
        ):
            found.append(_missing(problem, judge, machine, missing))
    return list(missing.with_unread_file(found))


def _missing(problem: Problem, judge: Judge, machine: Machine, missing: Missing) -> Problem:
    looked_in = tuple(map(str, sources_of(machine.request)))
    return replace(missing.explained(problem), path=judge.path(problem.path or ""), looked_in=looked_in)


def _reported(problems: list[Problem], machine: Machine, documents: list[Document]) -> tuple[Problem, ...]:
    """Return the problems in order, with excerpts."""
    # A missing variable may be in a `.env` that could not be read.
    unknown = {"missing-variable"} if machine.dotenv.problems else set()
    shown = [problem for problem in problems if problem.code not in unknown]
    return reported(shown, machine.request.named_files()[0], documents, machine.dotenv)


def _chosen_entry(request: Request, entries: Entries) -> tuple[str | None, list[Problem]]:
    """Return the entry to use, `None` for the flat form or a failed choice, and the problems of the choice."""
    choice = request.chosen() or entries.default
    if choice is None:
        misspelt = any(problem.meant == "default" for problem in entries.problems)
        return None, [] if misspelt or not entries.names else [_not_chosen(entries)]
    name, origin = choice
    problem = unusable(name, origin, entries)
    return name if name in entries.parts else None, [problem] if problem else []


def _not_chosen(entries: Entries) -> Problem:
    usable = ", ".join(name for name in entries.names if not entries.is_abstract(name)) or "only abstract ones"
    hint = f"choose one: name= or -n, CREDCONF_NAME, or `default:` in the file; there are: {usable}"
    return Problem("no-name", "no credential was chosen", origin=_first_place(entries), hint=hint)


def _first_place(entries: Entries) -> Origin:
    return Origin("file", file=entries.files[-1], line=1, column=1)
