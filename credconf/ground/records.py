"""Records: classes like `@dataclass(frozen=True, slots=True)`, without code that is compiled for each class.

`dataclasses` generates and compiles five to eight methods for each class: for the thirty classes of a first token this
takes as long as an HTTPS request. Here all classes share their methods. Type checkers see dataclasses (PEP 681).
"""

from __future__ import annotations

from dataclasses import MISSING, Field, field
from typing import Any, TypeVar, dataclass_transform

__all__ = ["field", "mutable_record", "record", "replace"]

_T = TypeVar("_T")
_put = object.__setattr__


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[_T]) -> type[_T]:
    """Make a class of immutable values that compare by their fields. `field()` is that of `dataclasses`."""
    return _made(cls, _FROZEN)


@dataclass_transform(field_specifiers=(field,))
def mutable_record(cls: type[_T]) -> type[_T]:
    """Make a class of values that compare by their fields. Fields can be assigned, so it has no hash."""
    return _made(cls, _MUTABLE)


def replace(of: _T, /, **changes: Any) -> _T:
    """Return a copy of a record with some fields changed.

    Args:
        of: The record.
        **changes: The new values by the names of their fields.

    Raises:
        TypeError: The record has no such field.
    """
    shape: _Shape = of.__record__  # type: ignore[attr-defined]
    return type(of)(**{**{name: getattr(of, name) for name in shape.names}, **changes})


class _Shape:
    """The fields of a class, for the shared methods."""

    __slots__ = ("defaults", "factories", "names", "shown")

    def __init__(self, names: tuple[str, ...], given: dict[str, Any]) -> None:
        fields = {name: value for name, value in given.items() if isinstance(value, Field)}
        plain = {name: value for name, value in given.items() if name not in fields}
        self.names = names
        self.defaults = plain | {name: each.default for name, each in fields.items() if each.default is not MISSING}
        self.factories = {
            name: each.default_factory for name, each in fields.items() if each.default_factory is not MISSING
        }
        self.shown = tuple(name for name in names if name not in fields or fields[name].repr)


def _made(cls: type[_T], methods: dict[str, Any]) -> type[_T]:
    namespace = {name: value for name, value in cls.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    annotations = cls.__annotations__
    names = tuple(name for name, annotation in annotations.items() if not str(annotation).startswith("ClassVar"))
    shape = _Shape(names, {name: namespace.pop(name) for name in names if name in namespace})
    own = {"__slots__": names, "__match_args__": names, "__record__": shape}
    made: Any = type(cls)
    remade: type[_T] = made(cls.__name__, cls.__bases__, {**methods, **namespace, **own})
    return remade


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    shape: _Shape = self.__record__
    value = None
    for name, value in zip(shape.names, args, strict=False):
        _put(self, name, value)
    for name in shape.names[len(args) :]:
        if name in kwargs:
            _put(self, name, kwargs.pop(name))
        elif name in shape.defaults:
            _put(self, name, shape.defaults[name])
        elif name in shape.factories:
            _put(self, name, shape.factories[name]())
        else:
            wrong = f"misses `{name}`"
            break
    else:
        if not kwargs and len(args) <= len(shape.names):
            return
        wrong = f"takes no `{min(kwargs)}`" if kwargs else f"takes {len(shape.names)} arguments at most"
    del args, kwargs, value  # a traceback with locals shows this frame
    message = f"{type(self).__name__}() {wrong}"
    raise TypeError(message)


def _values(of: Any) -> tuple[Any, ...]:
    return tuple([getattr(of, name) for name in of.__record__.names])


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__record__.shown if hasattr(self, name))
    return f"{type(self).__qualname__}({shown})"


def _eq(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _reduce(self: Any) -> tuple[Any, ...]:
    return type(self), _values(self)


def _setattr(self: Any, name: str, value: object) -> None:  # noqa: ARG001 - the signature of `object`
    message = f"{type(self).__name__} can't be changed: `{name}`"
    raise AttributeError(message)


def _delattr(self: Any, name: str) -> None:
    _setattr(self, name, None)


_MUTABLE: dict[str, Any] = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__reduce__": _reduce,
    "__hash__": None,
}
_FROZEN = {**_MUTABLE, "__hash__": _hash, "__setattr__": _setattr, "__delattr__": _delattr}
