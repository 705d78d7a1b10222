"""What can be said of files without the machine that they are for: nothing but the files themselves is read.

Fields that nobody gave are no problem, because the environment may supply them; nor are references, which need not be
readable here. Everything else that `load()` would say of any entry is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from credconf.config.reading.entries import read_book
from credconf.config.reading.lines import Lines
from credconf.config.reporting.advice import advice_on_texts, displaced_host
from credconf.config.reporting.literals import literal_warnings
from credconf.config.reporting.placing import NOT_THERE, bad_prefix, exclusive, placed, reported, unusable
from credconf.ground.records import replace
from credconf.kinds import KINDS, SETTINGS, Identity, Invalid, Kind, Proof, validate
from credconf.kinds.common import value_at
from credconf.kinds.validation import fitting_kinds, kind_of, present_proofs
from credconf.problems.problem import joined
from credconf.references import BaseReference, NotFound, Reader
from credconf.settings.declaration import declared, stand_in
from credconf.stores import STORES, store_of

from .merging import stacked, tree
from .safety import mixed_identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from credconf.config.reading.lineage import Book, Part
    from credconf.config.reading.nodes import Document
    from credconf.problems import Problem

    from .layers import Layer

_ID: Final = "00000000-0000-0000-0000-000000000000"


def judge(documents: Sequence[Document], section: str | None = None, *, whole: bool = True) -> tuple[Problem, ...]:
    """Everything that is wrong, or probably wrong, with all entries of one configuration.

    Args:
        documents: its files, the lowest layer first.
        section: dotted path of our mapping; the whole file without it.
        whole: these are all of its files; none could not be read.

    Returns:
        Errors and warnings in the order of the files, each once.
    """
    book = read_book(list(documents), section)
    problems = list(book.problems)
    chosen = unusable(*book.default, book) if book.default else None
    if chosen is not None:
        problems.append(replace(chosen, path=joined(section or "", chosen.path or "default")))
    lines = Lines({item.name: item.text for item in documents})
    for parts in book.parts.values():
        for part in parts:
            problems += _of_a_part(part, section or "", lines)
    problems += _of_entries(book, section or "")
    if not whole or book.unread:
        problems = [problem for problem in problems if problem.code not in NOT_THERE]
    return reported(problems, [document.name for document in documents], documents)


def _of_a_part(part: Part, section: str, lines: Lines) -> Iterator[Problem]:
    where = _path_of(part.name, section)
    conflict = exclusive(part.layer, joined(where, "authority"))
    if conflict is not None:
        yield conflict
    prefix = part.layer.values.get("env_prefix")
    problem = bad_prefix(prefix, joined(where, "env_prefix")) if prefix is not None else None
    if problem is not None:
        yield problem
    for warning in literal_warnings(part.layer.values, lines):
        yield replace(warning, path=joined(where, warning.path or ""))


def _of_entries(book: Book, section: str) -> list[Problem]:
    """The problems of each entry with all that it extends. What a parent has by itself is told of the parent alone."""
    own: dict[Any, Problem] = {}
    inherited: dict[Any, Problem] = {}
    for name in book.parts:
        lineage = book.lineage(name) if name is not None else [None]
        layers = [part.layer for entry in lineage for part in book.parts[entry]]
        where = _path_of(name, section)
        for problem in _of_layers(layers, book, name):
            placed = replace(problem, path=joined(where, problem.path or ""))
            what = (problem.code, problem.message, problem.origin and problem.origin.over(()))
            if problem.origin is None or problem.origin.entry == name:
                own.setdefault(what, placed)
            else:
                inherited.setdefault((*what, name), placed)
    return [*own.values(), *(problem for (*what, _), problem in inherited.items() if tuple(what) not in own)]


def _path_of(name: str | None, section: str) -> str:
    return joined(section, f"credentials.{name}") if name is not None else section


def _of_layers(layers: Sequence[Layer], book: Book, name: str | None) -> Iterator[Problem]:
    """What is wrong with one credential; paths are relative to it."""
    merged = stacked(layers)
    settings = _judged(tree(merged))
    if isinstance(settings, Kind):
        yield from advice_on_texts(settings, _known_identity(settings), dict(_known_proofs(settings)), merged)
    else:
        # Also beside a kind that wants another proof than the one that is given: what is missing may come later.
        yield from (placed(item, merged, layers, book, name) for item in settings if item.code != "missing")
    yield from displaced_host(layers, merged, "authority")
    for problem in mixed_identity(layers, merged, _Nothing({})):
        yield replace(problem, severity="warning")  # the environment may give the entry a secret of its own


def _judged(fields: dict[str, Any]) -> Kind | tuple[Problem, ...]:
    """A model of the fields, with something in the place of what is missing, or what is wrong with them."""
    given = fields.get("kind")
    if given is not None and not (isinstance(given, str) and given in KINDS):
        problems = _judged({name: value for name, value in fields.items() if name != "kind"})
        alone = validate({"kind": given})
        wrong = alone.problems if isinstance(alone, Invalid) else ()
        unknown = tuple(problem for problem in wrong if problem.path == "kind")
        return unknown if isinstance(problems, Kind) else (*unknown, *problems)
    result = validate(
        {
            **fields,
            **{name: value for name, value in stand_ins(fields).items() if name not in fields or name == "token_cache"},
        }
    )
    return result.problems if isinstance(result, Invalid) else result


def stand_ins(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What may stand in the place of the fields that are missing, so that the others can be judged."""
    found: dict[str, Any] = {"client_id": _ID}
    if "oidc_authority" not in fields:
        found["tenant_id"] = _ID
    if not present_proofs(fields):
        # Where nothing tells the kind yet, it is one that has all of the settings.
        kind = kind_of(fields) or next(iter(fitting_kinds(fields)), next(iter(KINDS)))
        proof = KINDS[kind].proof
        found[proof] = stand_in(SETTINGS[proof])
    return {**found, **_stand_in_cache(fields)}


def _stand_in_cache(fields: Mapping[str, Any]) -> dict[str, Any]:
    cache = fields.get("token_cache")
    store = store_of(cache) if isinstance(cache, dict) else None
    if store is None or not isinstance(cache, dict):
        return {}
    missing = {name: stand_in(SETTINGS[f"token_cache.{name}"]) for name in STORES[store].required if name not in cache}
    return {"token_cache": {**cache, **missing}} if missing else {}


def _known_identity(settings: Kind) -> Identity:
    """The texts that stand in the files. What a reference stands for is not known, and nothing is said about it."""
    known = {each.path: value_at(settings, each.path) for each in declared(type(settings)) if each.is_text}
    texts = {path: value for path, value in known.items() if isinstance(value, str)}
    return Identity({"client_id": _ID, **texts})


def _known_proofs(settings: Kind) -> Iterator[tuple[str, Proof]]:
    value = getattr(settings, settings.proof)
    items = enumerate(value) if isinstance(value, tuple) else [(None, value)]
    for index, item in items:
        if isinstance(item, SecretStr):
            secret = item.get_secret_value()
            path = settings.proof if index is None else f"{settings.proof}.{index}"
            yield path, Proof(secret, (secret,), path)


class _Nothing(Reader):
    """Reads nothing."""

    def text(self, reference: BaseReference) -> str | NotFound:
        return NotFound("missing-file", f"{reference.label} is not read")
