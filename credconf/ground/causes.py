"""The cause of an exception: an interrupt from outside, such as Ctrl-C, or a resource that the system refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_T = TypeVar("_T")


def is_foreign(error: BaseException) -> bool:
    """Return whether an exception comes from outside the running code, and is not its result.

    Such exceptions are Ctrl-C, an exit, a killed greenlet, the time limit of a test runner or a task queue. A signal
    handler may raise any exception, also a `TimeoutError`; the traceback then contains the handler.
    """
    from asyncio import CancelledError  # not at the top: each start imports this module

    if isinstance(error, CancelledError | GeneratorExit):
        return False  # an application's HTTP client raises it for its own request; ours are never cancelled so
    if not isinstance(error, Exception):
        return True
    handlers = set(_signal_handlers())
    traceback = error.__traceback__
    while traceback is not None and handlers:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def foreign_in(error: BaseException) -> BaseException | None:
    """Return the foreign exception in a chain, as libraries wrap a `TimeoutError` of any origin; else `None`."""
    layers = [error]
    for layer in layers:
        if is_foreign(layer):
            return layer
        inner = (*layer.args, getattr(layer, "error", None), layer.__cause__, layer.__context__)
        layers += [each for each in inner if isinstance(each, BaseException) and all(each is not one for one in layers)]
    return None


def _signal_handlers() -> Iterator[Any]:
    """Yield the code of the current signal handlers."""
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        if callable(handler):
            functions: tuple[Any, ...] = (handler, getattr(handler, "__func__", None), type(handler).__call__)
            yield from (function.__code__ for function in functions if hasattr(function, "__code__"))


def without_frames(work: Callable[[], _T]) -> _T:
    """Return the result of `work`. An exception is raised without its traceback, cause and context.

    Failures are returned, so only foreign exceptions are raised. The frames of MSAL, redis-py or credconf may then hold
    a secret, its assertion, or all tokens of a file.
    """
    try:
        return work()
    except BaseException as exc:  # noqa: BLE001 - raised below, outside `except`, so no chain holds the frames
        interrupt = exc.with_traceback(None)
    interrupt.__cause__ = interrupt.__context__ = None
    try:
        raise interrupt
    finally:
        del interrupt  # else the exception and its traceback refer to each other


@record
class Shortage:
    """A resource that this process needs and can't get now.

    Attributes:
        what: A clause for messages.
        hint: What the user can do.
    """

    what: str
    hint: str

    @property
    def advice(self) -> str:
        """The hint as a sentence."""
        return f"{self.hint[0].upper()}{self.hint[1:]}."

    def __str__(self) -> str:
        return f"{self.what}; {self.hint}"


_DESCRIPTORS = Shortage(
    "this process can open no more files",
    "raise its limit (`ulimit -n`), or close what it keeps open",
)
_THREADS = Shortage(
    "no more threads or processes can be started",
    "raise their limit (`ulimit -u`, `pids.max` of a container), or end some",
)
_OF_SYSTEM = {
    errno.EMFILE: _DESCRIPTORS,
    errno.ENFILE: Shortage("this machine can open no more files", "raise its limit (`fs.file-max`), or close some"),
    errno.EAGAIN: _THREADS,
    errno.ENOMEM: Shortage("no memory is left", "give the process more memory"),
}


def shortage(exc: BaseException) -> Shortage | None:
    """Return the resource whose lack caused an exception; `None` for another cause."""
    if isinstance(exc, MemoryError):
        return _OF_SYSTEM[errno.ENOMEM]
    if isinstance(exc, RuntimeError):
        return _THREADS if "start new thread" in str(exc) else None
    if isinstance(exc, ImportError):  # of a shared library: only its text has the cause
        text = str(exc)
        return next((lack for number, lack in _OF_SYSTEM.items() if os.strerror(number) in text), None)
    return _OF_SYSTEM.get(exc.errno or 0) if isinstance(exc, OSError) else None


def no_descriptor() -> Shortage | None:
    """Return the shortage if this process can open no more files. `getaddrinfo` reports another cause for it."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as exc:
        return shortage(exc)
    return None


_reserve: list[int] = []
_ERRORS = "credconf.errors"


def reserve() -> None:
    """Reserve a descriptor until `credconf.errors` is imported: without one, a failure could not be reported."""
    if not _reserve and _ERRORS not in sys.modules:
        with contextlib.suppress(OSError):
            _reserve.append(os.open(os.devnull, os.O_RDONLY))


def use_reserve() -> None:
    """Release the reserved descriptor."""
    with contextlib.suppress(IndexError, OSError):  # another thread may have released it
        os.close(_reserve.pop())
