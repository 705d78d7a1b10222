"""Engines that several credentials share, and what a fork does to engines."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class Sharable(Protocol):
    """What is shared: an engine."""

    def hold(self) -> object:
        """Count one more credential that uses it."""
        ...

    def after_fork(self) -> None:
        """In the child of a fork."""
        ...

    def forget_pauses(self) -> None:
        """Ask Entra again, whatever it said."""
        ...


_Engine = TypeVar("_Engine", bound=Sharable)
_alive: weakref.WeakSet[Sharable] = weakref.WeakSet()
_shared: dict[bytes, Sharable] = {}
_lock = threading.Lock()


def shared(key: bytes, make: Callable[[], _Engine]) -> _Engine:
    """The engine of a key (a digest of all that makes it), held once more; made if there is none."""
    with _lock:
        engine = _shared.get(key)
        if engine is None:
            engine = _shared[key] = make()
        engine.hold()
        return cast("_Engine", engine)


def forget(engine: Sharable) -> None:
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


def mend_after_fork(engine: Sharable) -> None:
    """Have `engine.after_fork()` called in the child of every fork, for as long as it lives."""
    _alive.add(engine)


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - a lock that was held in the parent can't be released here
    _lock = threading.Lock()
    for engine in list(_alive):
        engine.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
