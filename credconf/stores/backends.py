"""The backends that a configuration can name: each is the module of its name, with a function `open_backend`."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

from credconf.references.base import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.tokens.blueprint import Blueprint
    from credconf.tokens.source import Source

    from .store import Backend

# What each kind needs to be installed: an extra, and the packages of it that are imported.
_EXTRAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "file": ("persistent", ("msal_extensions",)),
    "redis": ("redis", ("redis",)),
}


def missing_extra(kind: str) -> NotFound | None:
    """What is not installed of what a kind of token cache needs."""
    if kind not in _EXTRAS:
        return None
    extra, packages = _EXTRAS[kind]
    if all(importlib.util.find_spec(name) is not None for name in packages):
        return None
    message = f"`kind: {kind}` needs the extra credconf[{extra}], which is not installed"
    return NotFound("missing-extra", message, f'pip install "credconf[{extra}]"')


def backend_of(plan: Blueprint, source: Source) -> Backend | None:
    """Where the tokens of a blueprint are shared; `None` for memory alone.

    Raises:
        ConfigError: the backend can't be used on this machine.
    """
    kind = plan.settings.token_cache.kind
    if kind not in _EXTRAS:
        return None
    opening: Callable[[Blueprint, Source], Backend] = importlib.import_module(f"credconf.stores.{kind}").open_backend
    return opening(plan, source)
