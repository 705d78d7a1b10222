"""The use of azure-core's types, which tokens and exceptions have.

azure-core takes about as long to import as a server takes to answer, so it is imported while a first request is under
way. The import may fail where no file descriptor is left.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from credconf.ground.causes import shortage, use_reserve
from credconf.ground.deferred import importing, whole_packages

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.errors import AuthenticationError
    from credconf.problems.failure import Failure


def exception_of(failure: Failure) -> AuthenticationError:
    """A new exception. Raise it outside `except`: azure-core's errors keep the exception that is being handled.

    Raises:
        OSError: no file descriptor is left to import azure-core.
    """
    errors = _errors()
    if errors is None:
        use_reserve()
        errors = _errors()
    if errors is None:  # another thread took the descriptor
        raise OSError(errno.EMFILE, failure.message)
    kind: type[AuthenticationError]
    kind = errors.CredentialUnavailableError if failure.unavailable else errors.AuthenticationError
    return kind(failure)


def _errors() -> Any:
    """The module of the exceptions, which imports azure-core; `None` where no descriptor is left to read it."""
    name = "credconf.errors"
    if name in sys.modules:
        return sys.modules[name]
    try:
        with importing, whole_packages():
            return importlib.import_module(name)
    except (OSError, ImportError) as exc:
        if shortage(exc) is None:
            raise
    return None


@cache  # once it has succeeded, no token waits for another thread's imports
def import_azure_core() -> None:
    """Import the types of tokens and exceptions."""
    with importing, whole_packages():
        importlib.import_module("azure.core.credentials")
        importlib.import_module("credconf.errors")  # of the same package; no descriptor has to be reserved for it now
    use_reserve()


def import_in_background() -> Callable[[], None] | None:
    """A function that imports azure-core on a thread when it is first called; `None` if it is imported already."""
    return None if "azure.core.credentials" in sys.modules else _Once(import_azure_core)


class _Once:
    """Starts a thread at the first call, and does nothing afterwards."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work: list[Callable[[], object]] = [work]

    def __call__(self) -> None:
        if threading.active_count() > 1:
            # Two threads that import parts of one package may get a `_DeadlockError`, the application's threads
            # included. Where this thread is the only one, it waits for an answer and imports nothing.
            return
        with contextlib.suppress(IndexError, RuntimeError):  # without a thread the import happens later
            work = self._work.pop()
            threading.Thread(target=lambda: _suppressed(work), name="credconf-import", daemon=True).start()


def _suppressed(work: Callable[[], object]) -> None:
    with contextlib.suppress(OSError, ImportError):  # the thread that needs it imports it again, and reports the error
        work()
