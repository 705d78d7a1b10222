"""Engines that several credentials share, and what a fork does to engines."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Engine

_alive: weakref.WeakSet[Engine] = weakref.WeakSet()
_shared: dict[bytes, Engine] = {}
_lock = threading.Lock()

importing = threading.RLock()
"""Held while libraries are imported, and by whoever forks: a child that was born in the middle of an import could never
finish it, because the thread that held the lock of the module is not there."""


def shared(key: bytes, make: Callable[[], Engine]) -> Engine:
    """The engine of a key (a digest of all that makes it), held once more; made if there is none."""
    with _lock:
        engine = _shared.get(key)
        if engine is None:
            engine = _shared[key] = make()
        return engine.hold()


def forget(engine: Engine) -> None:
    """Share an engine no more."""
    with _lock:
        for key in [key for key, other in _shared.items() if other is engine]:
            del _shared[key]


def forget_shared_engines() -> None:
    """Share none of the present engines any more: the next `from_config()` begins anew. For tests."""
    with _lock:
        _shared.clear()


def forget_pauses() -> None:
    """Let every engine of this process ask Entra again, whatever it said. For tests."""
    for engine in list(_alive):
        engine.forget_pauses()


def mend_after_fork(engine: Engine) -> None:
    """Have `engine.after_fork()` called in the child of every fork, for as long as it lives."""
    _alive.add(engine)


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - a lock that was held in the parent can't be released here
    importing.release()
    _lock = threading.Lock()
    for engine in list(_alive):
        engine.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=importing.acquire, after_in_parent=importing.release, after_in_child=_in_child)
