"""Every setting of a resolved configuration with its origin, and its value where it may be shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, SecretStr, ValidationError

from credconf.entra import proxies
from credconf.kinds import Identity, identify
from credconf.records import record, replace
from credconf.references import CommandReference, EnvReference, FileReference

from .variables import Scheme

if TYPE_CHECKING:
    from credconf.kinds import Kind

    from .origins import Origin
    from .resolution import Resolved

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
        return (proxies.shown(url), False) if url else (None, True)
    if path == "token_cache.url" and written is not None:
        url = identity.cache_url if identity is not None and path not in identity.hidden else None
        return (proxies.shown(url), False) if url and not url.startswith("unix:") else (None, True)
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
