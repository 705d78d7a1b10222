"""Applies all rules to one credential: for `load()` with the values of a machine, for `credconf check` without.

Without a machine, variables and the values of references are unknown. A missing setting is then no problem, because
the environment may supply it, and a reference need not be readable. All other rules are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from credconf.config.reading.entries import read_entries
from credconf.config.reading.inheritance import unusable
from credconf.config.reading.nodes import Lines
from credconf.ground.records import replace
from credconf.kinds import SETTINGS, Invalid, Kind, validate
from credconf.kinds.readable import Readable, readable
from credconf.kinds.validation import kind_of
from credconf.problems import Problem
from credconf.problems.problem import Origin, joined
from credconf.references import Reader

from . import layers as layer_of
from .advice import advice
from .layers import conventional, exclusive, merge_file_layers, place_in, tree
from .notation import notes_on_files, notes_on_references, notes_on_values, with_notes
from .reporting import NOT_THERE, named_variables, of_another_kind, placed, reported, used_variables
from .safety import (
    answered_by,
    discovered_variables,
    displaced_host,
    mixed_identity,
    redirected_secret,
    unnamed_source,
)
from .stand_ins import others, setting_of, stand_ins
from .variables import PREFIX, Scheme, bad_prefix, is_prefix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from credconf.config.reading.inheritance import Entries
    from credconf.config.reading.nodes import Document
    from credconf.problems.problem import Severity
    from credconf.references import NotFound

    from .layers import Layer, Value
    from .missing import Missing
    from .request import Machine


class Judge:
    """Applies all rules to one credential, and collects all its problems.

    Attributes:
        problems: the problems so far; paths are those of the whole configuration.
        layers: the layers, highest first.
        merged: the winning values, by path.
        scheme: the variables that the credential reads.
        invalid: the problems of the model where it is invalid; they are not in `problems`.
        reader: finds the values of references.
        used: the variables that the credential would take from `.env`.

    Args:
        entries: the entries of the files.
        name: the name of the entry; `None` for the flat form.
        section: the dotted path of the mapping that holds the entries.
        lines: the lines of the files.
        machine: the values of the machine; `None` where they are unknown.
    """

    def __init__(self, entries: Entries, name: str | None, section: str, lines: Lines, machine: Machine | None) -> None:
        self.problems: list[Problem] = []
        self.layers: list[Layer] = []
        self.merged: Mapping[str, Value] = {}
        self.scheme = Scheme.of(name, None, prefixed=False)
        self.invalid: tuple[Problem, ...] = ()
        self.used: list[str] = []
        self.reader = machine.reader if machine is not None else Reader({}, known=False)
        self._entries = entries
        self._name = name
        self._section = section
        self._lines = lines
        self._machine = machine

    def path(self, path: str) -> str:
        """Return the path of a setting in the whole configuration."""
        whole = joined(f"credentials.{self._name}", path) if self._name is not None else path
        return joined(self._section, whole) if self._entries.files else whole

    def lineage(self) -> list[str | None]:
        """Return the entry and what it extends; `None` is the flat form."""
        if self._name is None:
            return [None] if None in self._entries.parts else []
        return list(self._entries.lineage(self._name))

    def judge(self) -> Kind | None:
        """Apply the rules. Returns the settings if they are valid; `problems` may hold errors of other rules."""
        self._merge([part.layer for entry in self.lineage() for part in self._entries.parts[entry]])
        fields = tree(self.merged)
        if self._machine is None:
            fields = {**fields, **stand_ins(fields)}
        settings = validate(fields)
        self._check_redirections(settings)
        notes = list(notes_on_values(self.merged, self._lines))
        # Where settings are invalid, the rules for references and the warnings still apply to the others.
        usable: Kind | None
        given: Collection[str] = SETTINGS
        if isinstance(settings, Invalid):
            self.invalid = settings.problems
            usable, given = others(fields, settings.problems)
        else:
            usable = settings
        found: list[Problem] = []
        if usable is not None:
            notes += self._notes_on_machine(usable)
            found = list(self._on_references(usable, given, {note.path for note in notes}))
        self._add(found, notes)
        return None if isinstance(settings, Invalid) else settings

    def _add(self, found: Sequence[Problem], notes: Sequence[Problem]) -> None:
        """Add problems and notes, whose paths are relative to the entry. A note on an error becomes its hint."""
        own = len(self.invalid)
        told, left = with_notes([*self.invalid, *found], notes)
        self.invalid = tuple(told[:own])
        self.problems += [self._own(problem) for problem in (*left, *told[own:])]

    def _notes_on_machine(self, settings: Kind) -> Iterator[Problem]:
        if self._machine is not None:
            yield from notes_on_references(settings, self.merged, self.reader, self._machine.dotenv, self._lines)
            yield from notes_on_files(self.merged, self.scheme)

    def _merge(self, named: list[Layer]) -> None:
        machine = self._machine
        if machine is None:
            self.layers = named
            self.merged = merge_file_layers(named)
            self._add_prefix_problem(named)
        else:
            arguments = layer_of.arguments(machine.request.arguments, self.problems)
            self._choose_variables([arguments, *named])
            environment = layer_of.environment(machine.request.environ, self.scheme, self.problems)
            file = machine.dotenv
            dotenv = layer_of.dotenv(file.name, file.variables, file.origin, self.scheme, self.problems)
            self.layers = [arguments, environment, dotenv, *named, conventional(machine.request.environ)]
            self._check_unknown_variables(machine)
            from .pydantic_sources import merge_layers  # pydantic-settings is slower to import than a file to check

            self.merged = merge_layers(self.layers)
            self.used = used_variables(dotenv, self.merged, machine.request.environ)
            self.problems += machine.dotenv.twice(self.used)
            if machine.dotenv.exists:
                names = {*(variable.name for variable in self.scheme.variables()), *named_variables(self.merged)}
                self.problems += machine.dotenv.unread(names, machine.request.environ)
        found = [exclusive(layer, self.path("authority")) for layer in self.layers]
        self.problems += [problem for problem in found if problem is not None]
        if machine is not None:
            ignored = of_another_kind(self.merged)
            self.problems += [problem for problem in ignored.values() if problem is not None]
            self.merged = {path: value for path, value in self.merged.items() if path not in ignored}
        for problem in mixed_identity(self.layers, self.merged, self.reader):
            # The environment of a machine may give the entry a secret of its own.
            self.problems.append(problem if machine is not None else self._own(problem, severity="warning"))
        self.problems += displaced_host(self.layers, self.merged, self.path("authority"))

    def _own(self, problem: Problem, **changes: Any) -> Problem:
        """Return a problem with its path in the whole configuration."""
        return replace(problem, path=self.path(problem.path or ""), **changes)

    def _add_prefix_problem(self, layers: Sequence[Layer]) -> Value | None:
        value = next((layer.values["env_prefix"] for layer in layers if "env_prefix" in layer.values), None)
        problem = bad_prefix(value.raw, value.origin, self.path("env_prefix")) if value is not None else None
        self.problems += [problem] if problem is not None else []
        return value

    def _choose_variables(self, layers: Sequence[Layer]) -> None:
        value = self._add_prefix_problem(layers)
        if value is not None:
            self.scheme = Scheme.of(self._name, value.raw if is_prefix(value.raw) else None, prefixed=True)

    def _check_unknown_variables(self, machine: Machine) -> None:
        environ, dotenv = machine.request.environ, machine.dotenv
        if not any(name.upper().startswith(PREFIX) for name in (*environ, *dotenv.variables)):
            return
        from .unknown_variables import unknown_variables

        schemes = {name: Scheme.of(name, None, prefixed=False) for name in (None, *self._entries.names)}
        schemes[self._name] = self.scheme  # it may have an `env_prefix`
        prefixes = self._entries.prefixes()
        self.problems += unknown_variables(
            environ, lambda name: Origin("environment", name), schemes, self._name, prefixes
        )
        self.problems += unknown_variables(dotenv.variables, dotenv.origin, schemes, self._name, prefixes)

    def _check_redirections(self, settings: Kind | Invalid) -> None:
        if self._machine is None:
            return
        dotenv, environ = self._machine.dotenv, self._machine.request.environ
        invalid = {problem.path for problem in settings.problems} if isinstance(settings, Invalid) else set()
        from_dotenv = discovered_variables(dotenv.variables, environ) if dotenv.discovered else {}
        redirected = (*redirected_secret(self.merged, self.reader, from_dotenv), *unnamed_source(self.merged))
        # An invalid value decides nothing, and is an error already.
        self.problems += [problem for problem in redirected if problem.path not in invalid]
        if dotenv.discovered:
            self.reader = replace(self.reader, pinned=answered_by(from_dotenv, self.merged))

    def _on_references(
        self, settings: Kind, given: Collection[str], noted: Collection[str | None]
    ) -> Iterator[Problem]:
        """Yield the references that can't be read, so that a wrong deployment fails at its start, and the advice."""
        found = readable(settings, replace(self.reader, runs=False))
        failures = [(path, failure) for path, failure in found.failures if setting_of(path) in given]
        if self.reader.known:
            yield from (self._unreadable(path, failure, found) for path, failure in failures)
        if found.identity_is_whole or not self.reader.known:
            unread = {path for path, _ in failures} if self.reader.known else set()
            for item in advice(settings, found.identity, found.proofs, self.merged, self.reader):
                # No warning about the permissions of a file that could not be read.
                if item.path not in unread and not (item.path in noted and item.code in _OF_IDS):
                    yield item

    def _unreadable(self, path: str, failure: NotFound, found: Readable) -> Problem:
        origin = place_in(self.merged, path) or place_in(self.merged, path.rpartition(".")[0])  # an inferred setting
        message = f"`{path}`: {failure.message}"
        hint = self.missing().hint_of(failure, path, origin, self.merged)
        severity: Severity = "warning" if path in found.optional else "error"
        looked_in = ("environment",) if failure.variable else ()  # completed with what else was searched
        return Problem(failure.code, message, severity, path, origin, hint, looked_in)

    def missing(self) -> Missing:
        """Return what explains the missing settings of the credential on a machine."""
        from .missing import Missing  # only broken configurations need it

        assert self._machine is not None
        machine, kind = self._machine, kind_of(tree(self.merged))
        return Missing(machine.request, machine.dotenv, self._entries, self.scheme, tuple(self.lineage()), kind)

    def placed(self, problem: Problem) -> Problem:
        """Return a problem of the model with its place and its path in the whole configuration."""
        there = placed(problem, self.merged, self.layers, self._entries, self._name)
        return replace(there, path=self.path(there.path or ""))


_OF_IDS: Final = frozenset({"client-id-no-guid", "unknown-authority"})
"""Advice that a note on the notation of the same value explains better."""


def judge(documents: Sequence[Document], section: str | None = None, *, whole: bool = True) -> tuple[Problem, ...]:
    """Check all entries of one configuration without a machine.

    Args:
        documents: the parsed files, the lowest layer first.
        section: the dotted path of credconf's mapping; `None` for the whole file.
        whole: whether these are all files of the configuration, so that no other could not be read.

    Returns:
        Errors and warnings in the order of the files, each once.
    """
    entries = read_entries(list(documents), section)
    problems = list(entries.problems)
    chosen = unusable(*entries.default, entries) if entries.default else None
    if chosen is not None:
        problems.append(replace(chosen, path=joined(section or "", chosen.path or "default")))
    lines = Lines({item.name: item.text for item in documents})
    problems += _of_entries(entries, section or "", lines)
    if not whole or entries.unread:
        problems = [problem for problem in problems if problem.code not in NOT_THERE]
    return reported(problems, [document.name for document in documents], documents)


def _of_entries(entries: Entries, section: str, lines: Lines) -> list[Problem]:
    """Return the problems of each entry with all that it extends, and those of a parent alone only once."""
    own: dict[Any, Problem] = {}
    inherited: dict[Any, Problem] = {}
    for name in entries.parts:
        for problem in _of_entry(entries, name, section, lines):
            what = (problem.code, problem.message, problem.origin and problem.origin.over(()))
            if problem.origin is None or problem.origin.entry == name:
                own.setdefault(what, problem)
            else:
                inherited.setdefault((*what, name), problem)
    return [*own.values(), *(problem for (*what, _), problem in inherited.items() if tuple(what) not in own)]


def _of_entry(entries: Entries, name: str | None, section: str, lines: Lines) -> Iterator[Problem]:
    one = Judge(entries, name, section, lines, None)
    one.judge()
    yield from one.problems
    # A missing setting may come from the environment, also where `kind` needs another proof than the one given.
    yield from (one.placed(problem) for problem in one.invalid if problem.code != "missing")
