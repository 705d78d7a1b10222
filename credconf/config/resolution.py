"""Resolves a request to validated settings, or to all problems at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.config.reading.entries import read_entries
from credconf.config.reading.inheritance import unusable
from credconf.config.reading.nodes import Lines
from credconf.ground.records import field, record, replace
from credconf.problems import Problem, printable
from credconf.problems.problem import Origin

from .judging import Judge
from .layers import CONVENTIONAL, origins_of, surroundings
from .reporting import NOT_THERE, reported
from .request import Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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


@record
class _Sources:
    """The contents of a request's sources, before an entry is chosen.

    Attributes:
        machine: the request, and the `.env` file.
        documents: the files that could be parsed.
        entries: the entries of the files.
        problems: the problems of the files.
    """

    machine: Machine
    documents: list[Document]
    entries: Entries
    problems: list[Problem]

    @property
    def is_unread(self) -> bool:
        """Whether a file could not be read or holds no settings, so that settings may be missing from it."""
        return len(self.documents) < len(self.machine.request.named_files()[0]) or self.entries.unread


def resolve(request: Request) -> Resolved | FailedResolution:
    """Resolve a request to a usable configuration, or to its problems and what is known despite them."""
    sources = _read(request)
    return sources if isinstance(sources, FailedResolution) else _resolve(sources, request)


def resolve_each(request: Request, names: Sequence[str]) -> list[Resolved | FailedResolution]:
    """Resolve several entries of one configuration, as `resolve` does.

    Args:
        request: the request; its own choice is resolved first if there are no `names`.
        names: the entries; by default all that are not abstract.
    """
    sources = _read(request)
    if isinstance(sources, FailedResolution):
        return [sources]
    entries, outcomes = sources.entries, [] if names else [_resolve(sources, request)]
    chosen = {outcome.name for outcome in outcomes}
    wanted = names or [name for name in entries.names if not entries.is_abstract(name) and name not in chosen]
    return [*outcomes, *(_resolve(sources, replace(request, name=name)) for name in wanted)]


def _read(request: Request) -> _Sources | FailedResolution:
    problems: list[Problem] = []
    documents = request.documents(problems)
    dotenv = request.dotenv(problems)
    if _errors(problems) and not documents and request.named_files()[0]:
        # Without a file, most settings would be missing.
        return FailedResolution(None, tuple(problems))
    entries = read_entries(documents, request.section)
    return _Sources(Machine(request, dotenv), documents, entries, [*problems, *entries.problems])


def _resolve(sources: _Sources, request: Request) -> Resolved | FailedResolution:
    """Resolve the entry that a request chooses; the sources are those of the request, or of one with another name."""
    machine, entries, documents = sources.machine, sources.entries, sources.documents
    name, refused = _chosen_entry(request, entries)
    problems = [*sources.problems, *refused]
    if sources.is_unread:
        problems = [problem for problem in problems if problem.code not in NOT_THERE]
    lines = Lines({item.name: item.text for item in documents}, machine.dotenv.text)
    judge = Judge(entries, name, request.section or "", lines, machine)
    nothing_chosen = name is None and (entries.names or (not entries.parts and _errors([*entries.problems, *refused])))
    settings = None if nothing_chosen else judge.judge()
    problems += judge.problems
    problems += _of_dotenv(machine, judge)
    if judge.invalid:
        problems += _of_model(judge, sources, problems)
    shown = _reported(problems, sources)
    if settings is None or _errors(problems):
        return FailedResolution(name, shown, judge.merged, settings, judge.path(""), judge.reader)
    origins = origins_of(settings, judge.merged)
    return Resolved(name, settings, origins, shown, judge.reader, surroundings(request.environ))


def _errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def _of_dotenv(machine: Machine, judge: Judge) -> Iterator[Problem]:
    """Yield the problems of `.env`: warnings if it was only discovered, and is neither used nor lacked."""
    file = machine.dotenv
    if not file.discovered:
        yield from file.problems
        return
    found = [*judge.invalid, *_errors(judge.problems)]
    lacking = [problem.path or "" for problem in found if problem.code in {"missing", "missing-variable"}]
    is_needed = bool(lacking) or any(name in file.variables for name in judge.used)
    held = f"it may hold what is missing: {', '.join(map(printable, lacking))}\n" if lacking else ""
    for problem in file.problems:
        hint = f"{held}{problem.hint or 'correct it'}, or read no .env: env_file=False, or --no-env-file"
        yield replace(problem, severity="error" if is_needed else "warning", hint=hint)


def _of_model(judge: Judge, sources: _Sources, reported_already: list[Problem]) -> list[Problem]:
    """Return the problems of an invalid model with their places; missing settings with the ways to give them."""
    machine, entries, missing = sources.machine, sources.entries, judge.missing()
    name = next(iter(judge.lineage()), None)
    is_explained = (
        sources.is_unread or bool(machine.dotenv.problems) or (name is not None and entries.is_abstract(name))
    )
    found: list[Problem] = []
    for problem in judge.invalid:
        if problem.code != "missing":
            found.append(judge.placed(problem))
        elif not is_explained and not missing.is_explained(problem, reported_already):
            found.append(replace(missing.explained(problem), path=judge.path(problem.path or "")))
    nothing_given = not entries.parts and judge.merged.keys() <= CONVENTIONAL.keys()
    is_all = len(found) > 1 and all(problem.code == "missing" for problem in found)
    return [missing.nothing_given(found)] if nothing_given and is_all else found


def _reported(problems: list[Problem], sources: _Sources) -> tuple[Problem, ...]:
    """Return the problems in order, with excerpts, and with the places that were searched."""
    machine = sources.machine
    # A missing variable may be in a `.env` that could not be read.
    unknown = {"missing-variable"} if machine.dotenv.problems else set()
    shown = [problem for problem in problems if problem.code not in unknown]
    if _errors(shown):
        from .searched import with_places  # only broken configurations need it

        shown = list(with_places(shown, machine.request))
    return reported(shown, machine.request.named_files()[0], sources.documents, machine.dotenv)


def _chosen_entry(request: Request, entries: Entries) -> tuple[str | None, list[Problem]]:
    """Return the entry to use, `None` for the flat form or a failed choice, and the problems of the choice."""
    choice = request.chosen() or entries.default
    if choice is None:
        misspelt = any(problem.meant == "default" for problem in entries.problems)
        return None, [] if misspelt or not entries.names else [_not_chosen(request, entries)]
    name, origin = choice
    problem = unusable(name, origin, entries)
    return name if name in entries.parts else None, [problem] if problem else []


def _not_chosen(request: Request, entries: Entries) -> Problem:
    usable = ", ".join(name for name in entries.names if not entries.is_abstract(name)) or "only abstract ones"
    hint = f"choose one: name= or -n, CREDCONF_NAME, or `default:` in the file; there are: {usable}"
    if request.environ.get("CREDCONF_NAME") == "":
        hint += "\nCREDCONF_NAME is set, but empty"
    return Problem("no-name", "no credential was chosen", origin=_first_place(entries), hint=hint)


def _first_place(entries: Entries) -> Origin:
    return Origin("file", file=entries.files[-1], line=1, column=1)
