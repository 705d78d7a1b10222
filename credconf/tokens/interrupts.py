"""An interrupt on its way through frames whose locals may hold secrets: it goes on, and they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


def without_frames(work: Callable[[], _T]) -> _T:
    """The result of some work. Of what is raised instead the traceback begins here, without a cause or a context.

    Failures are returned, so this is for what may come at any moment: Ctrl-C, somebody's time limit, a test runner's
    exit. By then MSAL, redis-py or we may be busy with a secret, its assertion, or all tokens of a file.
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
