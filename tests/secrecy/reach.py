"""What is reachable, and the walk through it.

A live credential must hold a secret somewhere. What is held here is therefore:

- **Printing.** Whatever `str`, `repr`, `format`, `pprint`, rich, structlog, pytest and `traceback` with locals make of
  an object, and of what its public attributes, items and fields lead to. Two boxes stay closed, because no code
  opens them by accident: pydantic's `SecretStr` and `SecretBytes` (`get_secret_value()`), and our `Hidden` (by name).
- **Errors and log records** travel: into files, to other machines. They are walked whole, private attributes and slots
  included: `args`, causes, contexts, notes, attributes, `exc_info`. Of a traceback, the locals of every frame from the
  first one of ours on are printed and, as far as they are plain containers and records, walked.
- **Live frames** are looked at in the same way, from the current one along `f_back`.
- **Copies** (`copy`, `pickle`, `json`, `model_dump`) are bytes and text, searched as such.

What only a debugger or the garbage collector's list of objects shows (an attribute that begins with `_` of a live
credential) is not reachable in this sense: code in the process has the secret anyway.
"""

from __future__ import annotations

import logging
import os
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretBytes, SecretStr

import credconf
from credconf.ground.opaque import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
HOME = os.path.join(os.path.dirname(os.path.abspath(credconf.__file__)), "")
_CLOSED = (SecretStr, SecretBytes, Hidden)
_OPAQUE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def ours(frames: types.TracebackType | None) -> types.TracebackType | None:
    """The traceback from the first frame of ours on: a test's own frames know its canary."""
    while frames is not None and not frames.tb_frame.f_code.co_filename.startswith(HOME):
        frames = frames.tb_next
    return frames


def walk(
    thing: Any, *, private: bool, source: str = "it", seen: dict[int, Any] | None = None
) -> Iterator[tuple[str, str]]:
    """Every text that can be reached, with the way to it.

    Args:
        thing: where to begin.
        private: follow attributes that begin with `_`, too.
        source: the way so far.
        seen: what was visited (kept, so that no id is used twice).
    """
    seen = {} if seen is None else seen
    if id(thing) in seen or isinstance(thing, _OPAQUE):
        return
    seen[id(thing)] = thing
    if isinstance(thing, str | bytes):
        yield source, thing if isinstance(thing, str) else thing.decode("latin-1")
        return
    yield f"repr({source})", repr(thing)
    if isinstance(thing, _CLOSED) or thing is os.environ:
        return
    for name, inner in _inside(thing, private=private):
        yield from walk(inner, private=private, source=f"{source}{name}", seen=seen)


def _inside(thing: Any, *, private: bool) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, Mapping):
        yield from ((f".key({number})", key) for number, key in enumerate(thing))
        yield from ((f"[{number}]", value) for number, value in enumerate(thing.values()))
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from ((f"[{number}]", item) for number, item in enumerate(thing))
    if isinstance(thing, BaseException):
        yield from (
            (f".{name}", getattr(thing, name, None)) for name in ("args", "__cause__", "__context__", "__notes__")
        )
        if private:
            yield from _frames(thing)
    for name in _names(thing):
        if private or not name.startswith("_"):
            yield f".{name}", getattr(thing, name, None)


def _names(thing: Any) -> set[str]:
    slots = {name for cls in type(thing).__mro__ for name in _listed(cls.__dict__.get("__slots__", ()))}
    fields = set(type(thing).model_fields) if isinstance(thing, BaseModel) else set()
    return {*slots, *fields, *getattr(thing, "__dict__", {})} - {"__dict__", "__weakref__"}


def _listed(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _frames(error: BaseException) -> Iterator[tuple[str, Any]]:
    frames = ours(error.__traceback__)
    while frames is not None:
        yield from variables(frames.tb_frame)
        frames = frames.tb_next


def variables(frame: types.FrameType) -> Iterator[tuple[str, Any]]:
    """The variables of a frame, as far as they are printed or walked."""
    code = frame.f_code
    for name, value in list(frame.f_locals.items()):
        where = f" in {os.path.basename(code.co_filename)}:{code.co_name}:{name}"
        plain = isinstance(value, str | bytes | Mapping | list | tuple | set | frozenset | BaseException)
        # An object's inside is not printed with the frame; a record's is, field by field.
        yield where, value if plain and not isinstance(value, _CLOSED) else Printed(value)


def stack(frame: types.FrameType | None) -> Iterator[tuple[str, str]]:
    """Every text in the frames of a live stack, from one frame up to the first one of a test."""
    while frame is not None and not frame.f_code.co_filename.startswith(TESTS):
        for source, value in variables(frame):
            yield from walk(value, private=True, source=source)
        frame = frame.f_back


class Printed:
    """What printing shows of an object: its `repr`, nothing behind it."""

    __slots__ = ("__thing",)

    def __init__(self, thing: Any) -> None:
        self.__thing = thing

    def __repr__(self) -> str:
        try:
            return repr(self.__thing)
        except Exception as exc:  # noqa: BLE001 - an object whose constructor is still at work
            return f"<{type(exc).__name__}>"


def texts_of_records(records: list[logging.LogRecord]) -> Iterator[tuple[str, str]]:
    """All that log records say and hold."""
    for number, record in enumerate(records):
        source = f"log {number} of {record.name}"
        yield source, logging.Formatter("%(name)s %(threadName)s %(message)s").format(record)
        held = {name: value for name, value in vars(record).items() if name not in {"pathname", "filename"}}
        yield from walk(held, private=True, source=source)
