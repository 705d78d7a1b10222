"""Engines that several credentials share, and what a fork does to engines."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Engine

_alive: weakref.WeakSet[Engine] = weakref.WeakSet()
_shared: dict[bytes, Engine] = {}
_lock = threading.Lock()


class _Importing:
    """Held while libraries are imported, and during a fork.

    A child that is born in the middle of an import could never finish it, because the thread that held the lock of the
    module is not there.

    An import that fails half-way (no file descriptor was left) can be repeated. Python forgets the package that failed,
    and keeps its finished modules, which the next import would take for parts of the new package without binding them
    to it: MSAL then fails with an AttributeError for as long as the process lives. So they are forgotten, too.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._before: list[list[str]] = []
        self.acquire, self.release = self._lock.acquire, self._lock.release

    def __enter__(self) -> None:
        self.acquire()
        self._before.append(list(sys.modules))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            before = self._before.pop()
            if kind is not None:
                _forget_orphans(set(sys.modules).difference(before))
        finally:
            self.release()


def _forget_orphans(names: set[str]) -> None:
    """Forget modules without the package that they belong to."""
    for name in sorted(names):  # a package comes before its modules
        package = name.rpartition(".")[0]
        if package and package not in sys.modules:
            sys.modules.pop(name, None)


importing = _Importing()


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
