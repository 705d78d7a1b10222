"""Where tokens are shared with other processes: whether it can be used, without leaving anything there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.stores import STORES
from credconf.stores.store import Unavailable, key_of
from credconf.tokens.blueprint import Blueprint, opened_store
from credconf.tokens.source import Source

from .steps import Finding

if TYPE_CHECKING:
    from credconf.stores.store import Store

    from .steps import Case, Subject


def opened(subject: Subject) -> Store | None:
    """The backend, as `from_config()` opens it; `None` for memory alone.

    Raises:
        ConfigError: it can't be used on this machine.
    """
    resolved = subject.resolved
    around = resolved.surroundings
    plan = Blueprint(resolved.settings, subject.identity, resolved.reader, subject.transport, surroundings=around)
    return opened_store(plan, Source(plan))


def token_cache(case: Case, _: float) -> Finding:
    """Look into it, and take a lock in it, which is to write: nothing else is left behind there, nor is this."""
    backend, subject = case.backend, case.known()
    if backend is None:
        return Finding("ok", "in the memory of each process")
    identity = subject.identity
    place = identity.oidc_authority or identity.authority or ""
    key = key_of(place, identity.tenant_id, identity.client_id, ("credconf doctor",), cae=False)
    try:
        backend.get(key)
        lock = backend.lock(key)
        if lock is not None:
            lock.release()
    except Unavailable as exc:
        reason = str(exc)
    else:
        return Finding("ok", f"{backend.label} can be read and written")
    finally:
        backend.close()
    fix = STORES[subject.resolved.settings.token_cache.kind].repair
    details = ("Until then, each process asks Entra for itself.",)
    return Finding("warning", subject.redact(f"{backend.label} can't be used: {reason}"), fix, details)
