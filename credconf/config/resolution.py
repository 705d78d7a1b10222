"""From a request to validated settings: layers, names, precedence, safety, and every problem at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from credconf.kinds import NESTED, Invalid, Kind, Proof, identify, validate
from credconf.kinds.identity import unusable_certificates
from credconf.problems import Problem
from credconf.records import field, record, replace
from credconf.references import NotFound, Reader
from credconf.tokens.backends import missing_extra

from . import layers as layer_of
from .advice import advice, displaced_host
from .checks import bad_prefix, exclusive, unusable
from .entries import Book, read_book
from .files import absolute
from .lines import Lines
from .literals import literal_warnings
from .merging import place_in, tree
from .nearly import azure_near, strangers
from .nodes import joined
from .origins import Origin, Value
from .places import places
from .redirection import answered_by, found_variables, redirected_secret
from .report import reported
from .safety import mixed_identity
from .sources import merge
from .surroundings import Surroundings, conventional, surroundings
from .variables import Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.problems.model import Severity

    from .document import Document
    from .dotenv import Dotenv
    from .layers import Layer
    from .request import Request


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
    problems: list[Problem] = []
    documents = request.documents(problems)
    dotenv = request.dotenv(problems)
    if _errors(problems) and not documents and request.named_files()[0]:
        return tuple(problems)  # no file could be read: what would be missing from it says nothing
    book = read_book(documents, request.section)
    problems += book.problems
    name = _choose(request, book, problems)
    resolver = _Resolver(request, book, documents, dotenv, name, problems)
    if name is None and (book.names or (not book.parts and _errors(book.problems))):
        return resolver.reported()  # nothing was chosen or found, so nothing can be said about its fields
    return resolver.resolve()


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def _choose(request: Request, book: Book, problems: list[Problem]) -> str | None:
    """The entry to use; `None` for the flat form, and where the choice failed."""
    choice = request.chosen() or book.default
    if choice is None:
        if book.names:
            usable = ", ".join(name for name in book.names if not book.is_abstract(name)) or "none that is not abstract"
            hint = f"pass name=, set CREDCONF_NAME, or write `default:` in the file; there are: {usable}"
            problems.append(Problem("no-name", "no credential was chosen", origin=_first_place(book), hint=hint))
        return None
    name, origin = choice
    problem = unusable(name, origin, book)
    if problem is not None:
        problems.append(problem)
    return name if name in book.parts else None


def _first_place(book: Book) -> Origin:
    return Origin("file", file=book.places[-1], line=1, column=1)


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
        self.merged: dict[str, Value] = {}

    def resolve(self) -> Resolved | tuple[Problem, ...]:
        """Merge, check, validate."""
        named = [part.layer for entry in self._lineage() for part in self.book.parts[entry]]
        arguments = layer_of.arguments(self.request.arguments, self.problems)
        scheme = self._scheme([arguments, *named])
        environment = layer_of.environment(self.request.environ, scheme, self.problems)
        directory = os.path.dirname(absolute(self.dotenv.name))
        dotenv = layer_of.dotenv(self.dotenv, scheme, directory, self.problems)
        layers = [arguments, environment, dotenv, *named, conventional(self.request.environ)]
        self._check_exclusive(layers)
        self._check_strangers(scheme)
        self.merged = merge(layers)
        self.problems += mixed_identity(layers, self.merged, self.reader)
        self._check_redirections()
        self.problems += displaced_host(layers, self.merged, self._path("authority"))
        self.problems += [
            replace(problem, path=self._path(problem.path or ""))
            for problem in literal_warnings(self.merged, Lines(self.documents, self.dotenv))
        ]
        settings = validate(tree(self.merged))
        if isinstance(settings, Invalid):
            self.problems += [self._placed(problem, scheme) for problem in settings.problems if self._is_known(problem)]
            return self.reported()
        self._check_references(settings)
        if _errors(self.problems):
            return self.reported()
        warnings = self.reported()
        origins = _origins(settings, self.merged)
        return Resolved(self.name, settings, origins, warnings, self.reader, surroundings(self.request.environ))

    def _lineage(self) -> list[str | None]:
        if self.name is None:
            return [None] if None in self.book.parts else []
        return list(self.book.lineage(self.name))

    def _is_known(self, problem: Problem) -> bool:
        """What is missing where a parent is missing may stand in the parent."""
        extends = {f"credentials.{name}.extends" for name in self._lineage()}
        cut = any(item.path in extends and item.code in {"unknown-parent", "cycle"} for item in self.problems)
        return problem.code != "missing" or not cut

    def _scheme(self, layers: list[Layer]) -> Scheme:
        value = next((layer.values["env_prefix"] for layer in layers if "env_prefix" in layer.values), None)
        if value is None:
            return Scheme.of(self.name, None, prefixed=False)
        problem = bad_prefix(value, self._path("env_prefix"))
        if problem is not None:
            self.problems.append(problem)
        prefix = None if problem else value.raw
        return Scheme.of(self.name, prefix, prefixed=True)

    def _check_exclusive(self, layers: list[Layer]) -> None:
        found = [exclusive(layer, self._path("authority")) for layer in layers]
        self.problems += [problem for problem in found if problem is not None]

    def _check_redirections(self) -> None:
        found = found_variables(self.dotenv.variables, self.request.environ) if self.dotenv.found else {}
        self.problems += redirected_secret(self.merged, self.reader, found)
        if self.dotenv.found:
            self.reader = replace(self.reader, pinned=answered_by(found, self.merged))

    def _check_strangers(self, scheme: Scheme) -> None:
        schemes = {name: Scheme.of(name, None, prefixed=False) for name in (None, *self.book.names)}
        schemes[self.name] = scheme  # `env_prefix` may have replaced it
        environ = self.request.environ
        self.problems += strangers(environ, lambda name: Origin("environment", name), schemes, self.name)
        self.problems += strangers(self.dotenv.variables, self.dotenv.origin, schemes, self.name)

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
            self.problems += [
                replace(item, path=self._path(item.path or ""))
                for item in advice(settings, identity, proofs, self.merged)
            ]

    def _unreadable(self, path: str, failure: NotFound) -> Problem:
        return Problem(
            failure.code,
            f"`{path}`: {failure.message}",
            path=self._path(path),
            origin=self._origin(path),
            hint=failure.hint,
        )

    def _placed(self, problem: Problem, scheme: Scheme) -> Problem:
        path = problem.path or ""
        if problem.code == "missing":
            return self._missing(problem, path, scheme)
        return replace(problem, path=self._path(path), origin=self._origin(path))

    def _missing(self, problem: Problem, path: str, scheme: Scheme) -> Problem:
        of = f"` of `{self.name}` is not set" if self.name else "` is not set"
        message = problem.message.replace("` is not set", of, 1)
        part = next((self.book.parts[entry][0] for entry in self._lineage()[:1]), None)
        variable = scheme.suggestion(path)
        example = f"`{path}: {{file: PATH}}`" if path in {"client_secret", "client_certificate"} else f"`{path}`"
        ways = [f"add {example}"] if part else []
        ways += [f"set {variable}"] if variable else []
        hint = ", or ".join(ways) or f"pass {path}="
        near = azure_near(variable, self.request.environ) if variable else None
        hint += f"\n{near} is set; did you mean {variable}?" if near else ""
        origin = part.origin if part else None
        return replace(
            problem,
            message=message,
            path=self._path(path),
            origin=origin,
            hint=hint,
            looked_in=tuple(map(str, places(self.request))),
        )

    def _path(self, path: str) -> str:
        whole = joined(f"credentials.{self.name}", path) if self.name else path
        return joined(self.request.section or "", whole) if self.book.places else whole

    def _origin(self, path: str) -> Origin | None:
        return place_in(self.merged, path)

    def reported(self) -> tuple[Problem, ...]:
        """The problems as they are shown."""
        return reported(self.problems, self.request.named_files()[0], self.documents, self.dotenv)


def _path_of(dotenv: Dotenv) -> str | None:
    return absolute(dotenv.name) if dotenv.exists else None


def _origins(settings: Kind, merged: Mapping[str, Value]) -> dict[str, Origin]:
    """The origin of every setting, presets and defaults included."""
    default = Origin("default")
    origins: dict[str, Origin] = {}
    for name in type(settings).model_fields:
        for path in [f"{name}.{leaf}" for leaf in NESTED[name]] if name in NESTED else [name]:
            origins[path] = merged[path].origin if path in merged else default
    if "authority" not in merged and settings.cloud is not None:
        origins["authority"] = Origin("preset", settings.cloud, displaced=origins["cloud"].displaced)
    return origins
