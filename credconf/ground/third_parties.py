"""Calls libraries whose warnings may be exceptions (`python -W error`, a test runner)."""

from __future__ import annotations

import os
import threading
import warnings
from typing import TYPE_CHECKING, TypeVar

from .causes import is_foreign

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

# By process id: no child of a fork has a lock that a thread of its parent held.
_locks: dict[int, threading.RLock] = {}


def despite_warnings(work: Callable[[], _T]) -> _T:
    """Return the result of `work`. If a warning ends it, call it again with warnings ignored.

    A library's warning is about its code, such as a deprecation. It must not become a failure, whose message would
    name another cause.

    Args:
        work: calls a library. It may be called twice.
    """
    try:
        return work()
    except Warning as exc:
        if is_foreign(exc):
            raise
    # The filters of warnings are the process's own, so one thread at a time changes them.
    with _locks.setdefault(os.getpid(), threading.RLock()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()
