"""Engines that several credentials share, and what a fork does to engines."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .engine import Engine

_alive: weakref.WeakSet[Engine] = weakref.WeakSet()
_shared: dict[bytes, Engine] = {}
_lock = threading.Lock()


importing = threading.RLock()
"""Held while libraries are imported, and during a fork: a child that is born in the middle of an import could never
finish it, because the thread that held the lock of the module is not there."""


@contextmanager
def whole_packages() -> Generator[None]:
    """Import in such a way that an import which fails half-way (no file descriptor was left) can be repeated.

    Python forgets the package that failed, and keeps its finished modules. The next import would take them for parts of
    the new package without binding them to it: MSAL then fails with an AttributeError for as long as the process lives.
    So they are forgotten, too.
    """
    before = list(sys.modules)
    try:
        yield
    except BaseException:
        for name in sorted(set(sys.modules).difference(before)):  # a package comes before its modules
            package = name.rpartition(".")[0]
            if package and package not in sys.modules:
                sys.modules.pop(name, None)
        raise


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
