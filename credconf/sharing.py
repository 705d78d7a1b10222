"""Shares engines between credentials, and resets engines after a fork."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from .ground.aging import let_pass

if TYPE_CHECKING:
    from collections.abc import Callable


class Sharable(Protocol):
    """An engine that credentials can share."""

    def hold(self) -> bool:
        """Count another credential that uses the engine; false if the last one has released it."""
        ...

    def after_fork(self) -> None:
        """Reset the engine in the child of a fork."""
        ...

    def forget_pauses(self) -> None:
        """Forget refusals and pauses, so that the next call asks Entra."""
        ...

    def age(self, seconds: float) -> None:
        """Make tokens, refusals and pauses older."""
        ...


_Engine = TypeVar("_Engine", bound=Sharable)
_alive: weakref.WeakSet[Sharable] = weakref.WeakSet()
_shared: dict[bytes, Sharable] = {}
_lock = threading.RLock()  # a signal handler of its holder may need a token


def shared(key: bytes, make: Callable[[], _Engine]) -> _Engine:
    """Return the engine of a key, which is a digest of its blueprint, with one more hold; make it if there is none."""
    with _lock:
        engine = _shared.get(key)
        if engine is None or not engine.hold():
            engine = _shared[key] = make()
            engine.hold()
        return cast("_Engine", engine)


def forget(engine: Sharable) -> None:
    """Stop sharing an engine."""
    with _lock:
        for key in [key for key, other in _shared.items() if other is engine]:
            del _shared[key]


def forget_shared_engines() -> None:
    """Stop sharing all engines, so that the next `from_config()` makes a new one. For tests."""
    with _lock:
        _shared.clear()


def forget_pauses() -> None:
    """Let every engine of this process forget refusals and pauses. For tests."""
    for engine in _living():
        engine.forget_pauses()


def age_all(seconds: float) -> None:
    """Make everything that the engines of this process and their stores hold older. For tests."""
    let_pass(seconds)
    for engine in _living():
        engine.age(seconds)


def _living() -> list[Sharable]:
    while True:
        try:
            return list(_alive)
        except RuntimeError:  # another thread has made an engine meanwhile
            continue


def mend_after_fork(engine: Sharable) -> None:
    """Call `engine.after_fork()` in the child of every fork, as long as the engine exists."""
    _alive.add(engine)


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - a lock that the parent held can't be released in the child
    _lock = threading.RLock()
    for engine in _living():
        engine.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
