"""The places where processes share tokens, with one file for each.

A store is one file here, with its settings and how it is opened and called, and one line in `TokenCacheSettings`.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, model_validator

from credconf.ground.deferred import STRICT
from credconf.problems import closest
from credconf.references import NotFound
from credconf.settings.declaration import Setting
from credconf.settings.faults import fault
from credconf.settings.fields import refuse_to_pickle_secrets

from .file import FileSettings
from .redis import RedisSettings
from .settings import MemorySettings, Opening, StoreSettings

if TYPE_CHECKING:
    from .store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STORES", "Opening", "StoreSettings", "TokenCacheSettings", "store_lack", "store_of"]


_SUMMARIES: Final[dict[str, str]] = {}  # filled below, once the stores are known


def _kind(value: Any) -> Any:
    if isinstance(value, str) and value in STORES:
        return value
    *others, last = (f"`{name}`" for name in STORES)
    message = f"write one of {', '.join(others)} or {last}"
    meant = closest(value, STORES) if isinstance(value, str) else None
    raise fault("bad-value", message, f"did you mean `{meant}`?" if meant else None)


class TokenCacheSettings(RedisSettings, FileSettings, MemorySettings, BaseModel):
    """The settings of the token cache."""

    model_config = STRICT

    kind: Annotated[
        str,
        BeforeValidator(_kind),
        Setting(
            "The place of the cache, inferred from the other settings. With `memory`, those have no effect.",
            ("redis",),
            choices=_SUMMARIES,
        ),
    ] = "memory"

    @classmethod
    def open(cls, opening: Opening) -> Store | None:
        """Return the place of shared tokens by the store in `kind`; `None` for the memory of this process only.

        Raises:
            ConfigError: the store can't be used on this machine.
        """
        return STORES[opening.settings.kind].open(opening)

    def __getstate__(self) -> dict[Any, Any]:
        """As that of the settings around it.

        Raises:
            TypeError: it holds a key, or a URL with a password.
        """
        refuse_to_pickle_secrets(self)
        return super().__getstate__()

    @model_validator(mode="before")
    @classmethod
    def _infer(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("kind") is not None:
            return data
        store = store_of(data)
        return {**data, "kind": store} if store is not None else data

    @model_validator(mode="after")
    def _consistent(self) -> TokenCacheSettings:
        for store, fields in OWN_SETTINGS.items():
            for name in fields if self.kind not in {store, "memory"} else ():
                if name in self.model_fields_set and getattr(self, name) is not None:
                    message = f"`{name}` is not a setting of `kind: {self.kind}`"
                    raise fault("unknown-key", message, f"remove it, or write `kind: {store}`", step=name)
        for name in STORES[self.kind].required:
            if getattr(self, name) is None:
                raise fault("missing", f"`token_cache.{name}` is not set", step=name)
        return self


STORES: Final[dict[str, type[StoreSettings]]] = {
    base.store: base for base in reversed(TokenCacheSettings.__bases__) if issubclass(base, StoreSettings)
}
"""The stores by their names, which are the values of `kind`."""
_SUMMARIES.update({name: store.summary for name, store in STORES.items()})
OWN_SETTINGS: Final = {
    name: tuple(field for field in TokenCacheSettings.model_fields if field in store.__annotations__)
    for name, store in STORES.items()
}
"""The settings that one store has alone."""


def store_of(data: Mapping[str, Any]) -> str | None:
    """The store that some settings are of: the one that is named, else the first whose own settings are there."""
    named = data.get("kind")
    if isinstance(named, str) and named in STORES:
        return named
    present = (name for name, fields in OWN_SETTINGS.items() if any(data.get(field) is not None for field in fields))
    return next(present, None)


def store_lack(cache: TokenCacheSettings, *, here: bool) -> NotFound | None:
    """Why a store can't be used; `None` if it can.

    Args:
        cache: the settings of `token_cache`.
        here: whether to ask this machine, too, and not only what is installed.
    """
    return _missing_extra(cache.kind) or (STORES[cache.kind].lack(cache) if here else None)


def _missing_extra(kind: str) -> NotFound | None:
    """Return the packages of a store that are not installed."""
    extra = STORES[kind].extra
    if extra is None or all(importlib.util.find_spec(name) is not None for name in extra.packages):
        return None
    message = f"`kind: {kind}` needs the extra credconf[{extra.name}], which is not installed"
    return NotFound("missing-extra", message, f'pip install "credconf[{extra.name}]"')
