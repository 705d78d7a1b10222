"""Exceptions that are not ours: how to recognise one, and how to let it pass without the frames of secrets."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")


def is_foreign(error: BaseException) -> bool:
    """Whether an exception came from outside into what runs here, instead of saying how that went.

    Such are Ctrl-C, an exit, a killed greenlet, the time limit of a test runner or a task queue. A handler of a signal
    may raise any exception, a `TimeoutError` too: the traceback shows that the handler raised it.
    """
    from asyncio import CancelledError  # on use: what is imported with this module would come with every start

    if isinstance(error, CancelledError | GeneratorExit):
        return False  # an application's HTTP client says so of its own request: none of ours is cancelled like this
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
    """The foreign exception that an exception is, or was made of: libraries wrap a `TimeoutError` of any origin."""
    layers = [error]
    for layer in layers:
        if is_foreign(layer):
            return layer
        inner = (*layer.args, getattr(layer, "error", None), layer.__cause__, layer.__context__)
        layers += [each for each in inner if isinstance(each, BaseException) and all(each is not one for one in layers)]
    return None


def _signal_handlers() -> Iterator[Any]:
    """The code of the functions that handle signals now."""
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        if callable(handler):
            functions: tuple[Any, ...] = (handler, getattr(handler, "__func__", None), type(handler).__call__)
            yield from (function.__code__ for function in functions if hasattr(function, "__code__"))


def without_frames(work: Callable[[], _T]) -> _T:
    """The result of some work. What is raised instead passes on, without its traceback, its cause and its context.

    Failures are returned, so only what is foreign is raised. By then MSAL, redis-py or credconf may be busy with a
    secret, its assertion, or all tokens of a file, and the locals of their frames hold it.
    """
    try:
        return work()
    except BaseException as exc:  # noqa: BLE001 - raised again below, outside, so that no chain holds the frames
        interrupt = exc.with_traceback(None)
    interrupt.__cause__ = interrupt.__context__ = None
    try:
        raise interrupt
    finally:
        del interrupt  # an exception in a local of its own traceback is a cycle
