"""An exception as programs print it: the standard library, rich, structlog and pytest, each with locals."""

from __future__ import annotations

import json
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest
import structlog
from rich.traceback import Trace, Traceback

import credconf
from credconf.problems import as_dicts, as_github, as_text
from tests.secrecy.reach import ours, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALL = 1_000_000


def renderings(error: BaseException) -> Iterator[tuple[str, str]]:
    """Everything that any of them makes of an error, and all that is reachable from it."""
    yield "str", str(error)
    yield "repr", repr(error)
    yield "format", f"{error!s} {error!r} {error}"
    yield from walk(error, private=True, source="error")
    frames = error.__traceback__
    error.__traceback__ = ours(frames)
    try:
        yield "traceback", "".join(_standard(error))
        yield "rich", _rich(error)
        yield "structlog", _structlog(error)
        yield "pytest", str(pytest.ExceptionInfo.from_exception(error).getrepr(showlocals=True, style="long"))
    finally:
        error.__traceback__ = frames
    yield from _copies(error)


def _standard(error: BaseException) -> Iterator[str]:
    yield from traceback.TracebackException.from_exception(error, capture_locals=True).format()


def _rich(error: BaseException) -> str:
    trace = Traceback.extract(
        type(error), error, error.__traceback__, show_locals=True, locals_max_length=_ALL, locals_max_string=_ALL
    )
    return "\n".join(_texts_of(trace))


def _texts_of(trace: Trace) -> Iterator[str]:
    """What rich prints, except the lines of source code, whose colours cost most of the time of a printed traceback."""
    for stack in trace.stacks:
        yield f"{stack.exc_type}: {stack.exc_value} {stack.notes}"
        for frame in stack.frames:
            yield from (f"{name} = {value}" for name, value in (frame.locals or {}).items())
        for trace_of_a_member in stack.exceptions:
            yield from _texts_of(trace_of_a_member)


def _structlog(error: BaseException) -> str:
    transform = structlog.tracebacks.ExceptionDictTransformer(
        show_locals=True, locals_max_length=_ALL, locals_max_string=_ALL, max_frames=1_000
    )
    return json.dumps(transform((type(error), error, error.__traceback__)), ensure_ascii=False)


def _copies(error: BaseException) -> Iterator[tuple[str, str]]:
    if isinstance(error, credconf.CredconfError):
        pickled = pickle.dumps(error)
        yield "pickle", pickled.decode("latin-1")
        yield from walk(pickle.loads(pickled), private=True, source="unpickled")  # noqa: S301 - our own
    if isinstance(error, credconf.ConfigError):
        yield "text", as_text(error.problems, colour=True)
        yield "github", as_github(error.problems)
        yield "json", json.dumps(as_dicts(error.problems), ensure_ascii=False)
