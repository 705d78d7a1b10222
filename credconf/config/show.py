"""Every setting with its origin, and its value where it may be shown: what `credconf show` prints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, SecretStr, ValidationError

from credconf.ground.records import record, replace
from credconf.kinds import FIELDS, NESTED, Identity, Invalid, Kind, identify, validate
from credconf.problems.problem import Origin
from credconf.references import CommandReference, EnvReference, FileReference
from credconf.settings import clouds

from .merging import origins_of, tree
from .static import stand_ins
from .variables import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credconf.kinds import Kind
    from credconf.references import Reader

    from .layers import Value
    from .resolution import Resolved, Unresolved


_NAMES: Final = ("tenant_id", "client_id", "authority", "oidc_authority", "region")
"""The settings that say which identity this is: shown wherever they came from, but for files and programs."""


@record
class Setting:
    """One setting.

    Attributes:
        path: dotted, such as `http.timeout`.
        value: text, a number, a boolean or a list; `None` where it has none, or is hidden.
        hidden: there is a value, which is not shown.
        references: what the configuration refers to instead of holding the value: `{"env": NAME}`, `{"file": PATH}` or
            `{"command": PROGRAM}`, without its arguments.
        origin: where it came from, and what it displaced.
        problems: codes of the errors about it; its value is hidden then.
    """

    path: str
    value: Any
    hidden: bool
    references: tuple[dict[str, str], ...]
    origin: Origin
    problems: tuple[str, ...] = ()


def settings_of(resolved: Resolved) -> Iterator[Setting]:
    """Every setting, those of a group by themselves, in the order of the models. No program is run."""
    found = identify(resolved.settings, replace(resolved.reader, runs=False))
    identity = found if isinstance(found, Identity) else None
    for path, origin in resolved.origins.items():
        yield setting_of(resolved.settings, path, origin, identity)


def setting_of(settings: Kind, path: str, origin: Origin, identity: Identity | None) -> Setting:
    """One setting of a validated model."""
    written = _at(settings, path)
    value, hidden = _shown(path, written, identity)
    return Setting(path, value, hidden, tuple(references_in(written)), origin)


def variables_of(resolved: Resolved) -> str:
    """Which variables the credential listens to, in words."""
    prefixed = resolved.origins["env_prefix"].place != "default"
    scheme = Scheme.of(resolved.name, resolved.settings.env_prefix, prefixed=prefixed)
    if scheme.prefix is None:
        return "listens to no variable"
    documented = ", and the AZURE_ variables of azure-identity" if scheme.azure else ""
    return f"listens to {scheme.prefix}<FIELD>{documented}"


def _at(settings: Any, path: str) -> Any:
    for step in path.split("."):
        settings = getattr(settings, step)
    return settings


def _shown(path: str, written: Any, identity: Identity | None) -> tuple[Any, bool]:
    """The value as it may be shown, and whether that hides it."""
    if path == "http.proxy" and written is not None:  # its URL may hold a password; host and port never do
        url = identity.proxy if identity is not None and path not in identity.hidden else None
        return (clouds.shown(url), False) if url else (None, True)
    if path == "token_cache.url" and written is not None:
        url = identity.cache_url if identity is not None and path not in identity.hidden else None
        return (clouds.shown(url), False) if url and not url.startswith("unix:") else (None, True)
    if path in _NAMES and written is not None:
        known = identity is not None and path not in identity.hidden
        return (getattr(identity, path), False) if known else (None, True)
    if isinstance(written, tuple):
        hidden = any(isinstance(item, SecretStr | BaseModel) for item in written)
        return (None, True) if hidden else (list(written), False)
    if isinstance(written, date):
        return written.isoformat(), False
    return (None, True) if isinstance(written, SecretStr | BaseModel) else (written, False)


def references_in(written: Any) -> Iterator[dict[str, str]]:
    """What a value refers to, validated or as it was written."""
    for item in written if isinstance(written, tuple | list) else (written,):
        if isinstance(item, EnvReference):
            yield {"env": item.env}
        elif isinstance(item, FileReference):
            yield {"file": item.file}
        elif isinstance(item, CommandReference):
            yield {"command": os.path.basename(item.command[0])}
        elif isinstance(item, Mapping) and len(item) == 1:
            yield from _written(*next(iter(item.items())))


def _written(key: Any, name: Any) -> Iterator[dict[str, str]]:
    """A reference that nobody has validated: only what is one is shown."""
    with suppress(ValidationError):
        if key == "env":
            yield {"env": EnvReference(env=name).env}
        elif key == "file":
            yield {"file": FileReference(file=name).file}


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
