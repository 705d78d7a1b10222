"""Exceptions from outside, such as Ctrl-C: how to recognise one, and how to raise it without frames of secrets."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

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
