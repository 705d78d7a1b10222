"""The settings of a configuration that can't be used, as far as they are known: `credconf show` is needed most then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credconf.kinds import FIELDS, NESTED, Identity, Invalid, Kind, identify, validate
from credconf.records import replace

from .merging import origins_of, tree
from .origins import Origin
from .provenance import Setting, references_in, setting_of
from .static import stand_ins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from credconf.references import Reader

    from .origins import Value
    from .unresolved import Unresolved


def settings_so_far(unresolved: Unresolved) -> Iterator[Setting]:
    """The settings that are known, and those that problems are about, in the order of the models.

    A value that a problem is about is not shown: it may be a secret in the wrong place.
    """
    troubles = _troubles(unresolved)
    good = {path: value for path, value in unresolved.merged.items() if path not in troubles}
    found = {item.path: item for item in _usable(unresolved, good, troubles)}
    for path, codes in troubles.items():
        value = unresolved.merged.get(path)
        if value is None:
            found[path] = Setting(path, None, hidden=False, references=(), origin=Origin("default"), problems=codes)
        else:
            references = tuple(references_in(value.raw))
            found[path] = Setting(path, None, hidden=True, references=references, origin=value.origin, problems=codes)
    order = [path for name in FIELDS for path in ([f"{name}.{leaf}" for leaf in NESTED.get(name, ())] or [name])]
    yield from (found[path] for path in order if path in found)


def _usable(unresolved: Unresolved, good: Mapping[str, Value], troubles: Iterable[str]) -> Iterator[Setting]:
    """The settings without problems, judged with something valid in the place of those that have one."""
    fields = tree(good)
    settings = unresolved.settings or validate({**stand_ins(fields), **fields})
    if isinstance(settings, Invalid) or unresolved.reader is None:
        return
    settings = _without(settings, troubles)
    identity, unread = _identity(settings, unresolved.reader)
    for path, origin in origins_of(settings, good).items():
        if unresolved.settings is None and (origin.place == "default" or path in {"cloud", "authority"} - good.keys()):
            continue  # what nobody gave is not known yet: it may depend on what is wrong
        setting = setting_of(settings, path, origin, identity)
        codes = unread.get(path)
        yield replace(setting, value=None, hidden=True, problems=(codes,)) if codes else setting


def _identity(settings: Kind, reader: Reader) -> tuple[Identity | None, dict[str, str]]:
    """The texts that can be read, and the codes of what can't."""
    found = identify(settings, replace(reader, runs=False))
    if isinstance(found, Identity):
        return found, {}
    failed = {path: failure.code for path, failure in found}
    again = identify(_without(settings, failed), replace(reader, runs=False))
    return (again if isinstance(again, Identity) else None), failed


def _without(settings: Kind, paths: Iterable[str]) -> Kind:
    """The settings without some of the texts that `identify()` reads."""
    for path in paths:
        group, _, name = path.rpartition(".")
        if group in NESTED:
            inner: Any = getattr(settings, group).model_copy(update={name: None})
            settings = settings.model_copy(update={group: inner})
        elif path in {"tenant_id", "client_id", "authority", "oidc_authority", "region"}:
            settings = settings.model_copy(update={path: None})
    return settings


def _troubles(unresolved: Unresolved) -> dict[str, tuple[str, ...]]:
    """The codes of the errors about each setting, by its path."""
    found: dict[str, list[str]] = {}
    for problem in unresolved.problems:
        path = (problem.path or "").removeprefix(unresolved.prefix)
        steps = path.split(".")
        holding = [".".join(steps[:length]) for length in range(len(steps), 0, -1)]
        about = next((each for each in holding if each in unresolved.merged), None)
        about = about or (path if problem.code == "missing" else None)
        if about is not None and problem.severity == "error":
            found.setdefault(about, []).append(problem.code)
    return {path: tuple(dict.fromkeys(codes)) for path, codes in found.items()}
