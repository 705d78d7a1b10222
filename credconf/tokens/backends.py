"""The backends that a configuration can name, and what each needs to be installed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from credconf.references.found import NotFound

if TYPE_CHECKING:
    from credconf.blueprint import Blueprint

    from .shared import Backend

# The extra of each kind, and a package of it that nothing else brings.
_EXTRAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "file": ("persistent", ("msal_extensions", "portalocker")),
    "redis": ("redis", ("redis",)),
}


def missing_extra(kind: str) -> NotFound | None:
    """What is not installed of what a kind of token cache needs."""
    extra, packages = _EXTRAS.get(kind, ("", ()))
    if all(importlib.util.find_spec(name) is not None for name in packages):
        return None
    message = f"`kind: {kind}` needs the extra credconf[{extra}], which is not installed"
    return NotFound("missing-extra", message, f'pip install "credconf[{extra}]"')


def backend_of(plan: Blueprint) -> Backend | None:
    """Where the tokens of a blueprint are shared; `None` for memory alone.

    Raises:
        ConfigError: the backend can't be used on this machine.
    """
    kind = plan.settings.token_cache.kind
    if kind == "file":
        from .file import FileBackend

        return FileBackend.of(plan)
    if kind == "redis":
        from .redis import redis_backend

        return redis_backend(plan)
    return None
