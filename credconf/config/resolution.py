"""From a request to validated settings: layers, names, precedence, safety, and every problem at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from credconf.config.reading.entries import read_book
from credconf.config.reading.lines import Lines
from credconf.config.reporting.advice import advice, displaced_host
from credconf.config.reporting.literals import literal_warnings
from credconf.config.reporting.missing import heard, of_another_kind
from credconf.config.reporting.placing import NOT_THERE, bad_prefix, exclusive, is_prefix, placed, reported
from credconf.ground.files import absolute
from credconf.ground.records import field, record, replace
from credconf.kinds import Invalid, Kind, Proof, identify, validate
from credconf.kinds.common import unusable_certificates
from credconf.problems import Problem
from credconf.problems.problem import Origin, joined
from credconf.references import NotFound, Reader
from credconf.stores import missing_extra

from . import layers as layer_of
from .choosing import chosen_entry
from .layers import Value
from .merging import origins_of, place_in, tree
from .request import places
from .safety import answered_by, found_variables, mixed_identity, redirected_secret
from .sources import merge
from .surroundings import conventional, surroundings
from .variables import PREFIX, Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.config.reading.dotenv import Dotenv
    from credconf.config.reading.lineage import Book
    from credconf.config.reading.nodes import Document
    from credconf.config.reporting.missing import Missing
    from credconf.kinds import Kind
    from credconf.problems.problem import Severity
    from credconf.tokens.blueprint import Surroundings

    from .layers import Layer, Value
    from .request import Request


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


@record
class Resolved:
    """A configuration that can be used: what `load()` gives, and `build()` takes.

    Attributes:
        name: of the entry; `None` for the flat form.
        settings: the validated, frozen model of its kind.
        origins: where each setting came from, and what it displaced, by dotted path (`http.timeout`).
        warnings: what will work, but is probably wrong.
        reader: finds the values of references.
        surroundings: what the machine says about the network.
    """

    name: str | None
    settings: Kind
    origins: Mapping[str, Origin]
    warnings: tuple[Problem, ...]
    reader: Reader = field(repr=False)
    surroundings: Surroundings = field(repr=False)


def resolve(request: Request) -> Resolved | tuple[Problem, ...]:
    """The configuration that a request means, or all its problems in the order of the files."""
    outcome = attempt(request)
    return outcome if isinstance(outcome, Resolved) else outcome.problems


def attempt(request: Request) -> Resolved | Unresolved:
    """The configuration that a request means, or what is known of it."""
    problems: list[Problem] = []
    documents = request.documents(problems)
    dotenv = request.dotenv(problems)
    if _errors(problems) and not documents and request.named_files()[0]:
        return Unresolved(None, tuple(problems))  # no file could be read: what would be missing from it says nothing
    book = read_book(documents, request.section)
    problems += book.problems
    name, refused = chosen_entry(request, book)
    problems += refused
    if _is_unread(request, documents, book):
        problems = [problem for problem in problems if problem.code not in NOT_THERE]
    resolver = _Resolver(request, book, documents, dotenv, name, problems)
    if name is None and (book.names or (not book.parts and _errors([*book.problems, *refused]))):
        return resolver.unresolved()  # nothing was chosen or found, so nothing can be said about its fields
    return resolver.resolve()


def _is_unread(request: Request, documents: list[Document], book: Book) -> bool:
    """Whether a file may hold what nobody could read in it; that it could not be read is said."""
    return len(documents) < len(request.named_files()[0]) or book.unread


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


class _Resolver:
    """The steps for one chosen entry. All its problems are collected before any is reported."""

    def __init__(  # noqa: PLR0917 - what `resolve` above has read
        self,
        request: Request,
        book: Book,
        documents: list[Document],
        dotenv: Dotenv,
        name: str | None,
        problems: list[Problem],
    ) -> None:
        self.request = request
        self.book = book
        self.documents = documents
        self.dotenv = dotenv
        self.name = name
        self.problems = problems
        self.reader = Reader(request.environ, dotenv.variables, frozenset(request.allow), _path_of(dotenv))
        self.layers: list[Layer] = []
        self.merged: dict[str, Value] = {}

    def resolve(self) -> Resolved | Unresolved:
        """Merge, check, validate."""
        named = [part.layer for entry in self._lineage() for part in self.book.parts[entry]]
        arguments = layer_of.arguments(self.request.arguments, self.problems)
        scheme = self._scheme([arguments, *named])
        environment = layer_of.environment(self.request.environ, scheme, self.problems)
        directory = os.path.dirname(absolute(self.dotenv.name))
        dotenv = layer_of.dotenv(self.dotenv, scheme, directory, self.problems)
        self.layers = layers = [arguments, environment, dotenv, *named, conventional(self.request.environ)]
        self._check_exclusive(layers)
        self._check_strangers(scheme)
        self.merged = merge(layers)
        self.problems += self.dotenv.twice(heard(dotenv, self.merged, self.request.environ))
        self.problems += mixed_identity(layers, self.merged, self.reader)
        self.problems += displaced_host(layers, self.merged, self._path("authority"))
        self.problems += [
            replace(problem, path=self._path(problem.path or ""))
            for problem in literal_warnings(
                self.merged, Lines({item.name: item.text for item in self.documents}, self.dotenv.text)
            )
        ]
        ignored = of_another_kind(self.merged)
        self.problems += ignored.values()
        self.merged = {path: value for path, value in self.merged.items() if path not in ignored}
        settings = validate(tree(self.merged))
        self._check_redirections(settings)
        if isinstance(settings, Invalid):
            from credconf.config.reporting.missing import Missing  # for broken configurations only

            missing = Missing(self.request, self.dotenv, self.book, scheme, tuple(self._lineage()))
            wrong = [problem for problem in settings.problems if not self._is_said(problem, missing)]
            self.problems += missing.with_unread_file(self._placed(problem, missing) for problem in wrong)
            return self.unresolved()
        self._check_references(settings)
        if _errors(self.problems):
            return self.unresolved(settings)
        warnings = self.reported()
        origins = origins_of(settings, self.merged)
        return Resolved(self.name, settings, origins, warnings, self.reader, surroundings(self.request.environ))

    def _lineage(self) -> list[str | None]:
        if self.name is None:
            return [None] if None in self.book.parts else []
        return list(self.book.lineage(self.name))

    def _is_said(self, problem: Problem, missing: Missing) -> bool:
        """Whether something that was said already explains what is missing."""
        if problem.code != "missing":
            return False
        unread = _is_unread(self.request, self.documents, self.book) or self.dotenv.problems
        abstract = self.name is not None and self.book.is_abstract(self.name)
        kind_is_given = "kind" in self.merged
        return bool(unread or abstract) or missing.is_explained(problem, self.problems, kind_is_given=kind_is_given)

    def _scheme(self, layers: list[Layer]) -> Scheme:
        value = next((layer.values["env_prefix"] for layer in layers if "env_prefix" in layer.values), None)
        if value is None:
            return Scheme.of(self.name, None, prefixed=False)
        problem = bad_prefix(value, self._path("env_prefix"))
        if problem is not None:
            self.problems.append(problem)
        prefix = value.raw if is_prefix(value.raw) else None
        return Scheme.of(self.name, prefix, prefixed=True)

    def _check_exclusive(self, layers: list[Layer]) -> None:
        found = [exclusive(layer, self._path("authority")) for layer in layers]
        self.problems += [problem for problem in found if problem is not None]

    def _check_strangers(self, scheme: Scheme) -> None:
        if not any(name.upper().startswith(PREFIX) for name in (*self.request.environ, *self.dotenv.variables)):
            return
        from credconf.config.reporting.unknown_variables import strangers  # most machines have none of these variables

        schemes = {name: Scheme.of(name, None, prefixed=False) for name in (None, *self.book.names)}
        schemes[self.name] = scheme  # `env_prefix` may have replaced it
        prefixes = self.book.prefixes()
        environ = self.request.environ
        self.problems += strangers(environ, lambda name: Origin("environment", name), schemes, self.name, prefixes)
        self.problems += strangers(self.dotenv.variables, self.dotenv.origin, schemes, self.name, prefixes)

    def _check_redirections(self, settings: Kind | Invalid) -> None:
        invalid = {problem.path for problem in settings.problems} if isinstance(settings, Invalid) else set()
        found = found_variables(self.dotenv.variables, self.request.environ) if self.dotenv.found else {}
        redirected = redirected_secret(self.merged, self.reader, found)
        # A value that can't be used decides nothing, and is an error already.
        self.problems += [problem for problem in redirected if problem.path not in invalid]
        if self.dotenv.found:
            self.reader = replace(self.reader, pinned=answered_by(found, self.merged))

    def _check_references(self, settings: Kind) -> None:
        """Everything that a reference names must be readable now, so that a deployment fails at its start."""
        dry = replace(self.reader, runs=False)
        identity = identify(settings, dry)
        if isinstance(identity, list):
            self.problems += [self._unreadable(path, failure) for path, failure in identity]
        proofs: dict[str, Proof] = {}
        failures: list[Problem] = []
        for path, proof in settings.proofs(dry):
            if isinstance(proof, NotFound):
                failures.append(self._unreadable(path, proof))
            else:
                proofs[path] = proof
        # In a list, a secret of tomorrow or yesterday may be absent, as long as one can be read.
        severity: Severity = (
            "warning"
            if proofs and all(item.code in {"missing-file", "missing-variable"} for item in failures)
            else "error"
        )
        self.problems += [replace(problem, severity=severity) for problem in failures]
        bundle = unusable_certificates(settings)
        if bundle is not None:
            self.problems.append(self._unreadable("http.ca_bundle", bundle))
        absent = missing_extra(settings.token_cache.kind)
        if absent is not None:
            self.problems.append(self._unreadable("token_cache.kind", absent))
        if not isinstance(identity, list):
            unread = {problem.path for problem in failures}
            self.problems += [
                warning
                for item in advice(settings, identity, proofs, self.merged)
                # What could not be read need not be hidden: a directory is readable for everybody.
                if (warning := replace(item, path=self._path(item.path or ""))).path not in unread
            ]

    def _unreadable(self, path: str, failure: NotFound) -> Problem:
        return Problem(
            failure.code,
            f"`{path}`: {failure.message}",
            path=self._path(path),
            origin=self._origin(path),
            hint=failure.hint,
        )

    def _placed(self, problem: Problem, missing: Missing) -> Problem:
        path = problem.path or ""
        if problem.code != "missing":
            there = placed(problem, self.merged, self.layers, self.book, self.name)
            return replace(there, path=self._path(there.path or ""))
        looked_in = tuple(map(str, places(self.request)))
        return replace(missing.told(problem), path=self._path(path), looked_in=looked_in)

    def _path(self, path: str) -> str:
        whole = joined(f"credentials.{self.name}", path) if self.name else path
        return joined(self.request.section or "", whole) if self.book.places else whole

    def _origin(self, path: str) -> Origin | None:
        return place_in(self.merged, path)

    def unresolved(self, settings: Kind | None = None) -> Unresolved:
        """What is known so far."""
        return Unresolved(self.name, self.reported(), self.merged, settings, self._path(""), self.reader)

    def reported(self) -> tuple[Problem, ...]:
        """The problems as they are shown."""
        # What a reference names may stand in a `.env` that could not be read.
        unknown = {"missing-variable"} if self.dotenv.problems else set()
        problems = [problem for problem in self.problems if problem.code not in unknown]
        return reported(problems, self.request.named_files()[0], self.documents, self.dotenv)


def _path_of(dotenv: Dotenv) -> str | None:
    return absolute(dotenv.name) if dotenv.exists else None
