"""A box for a secret. Frames hold the box; the secret itself is only ever part of an expression.

Whatever prints the variables of a frame (a traceback with locals, a log handler that walks `f_back`, a debugger's
report from a signal handler) shows what functions hold in their variables. So code that has to touch a secret opens
the box inside an expression whose functions are written in C, which have no frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, TypeVar


class Opaque:
    """A secret that no `repr`, `vars()`, copy or pickle shows.

    Assign `content` after construction: the frame of a constructor would hold it.

    Attributes:
        content: the secret.
    """

    __slots__ = ("content",)

    content: Any

    def __repr__(self) -> str:
        return "<opaque>"

    def __reduce__(self) -> NoReturn:
        message = "a secret is neither copied nor pickled"
        raise TypeError(message)


_T = TypeVar("_T")


class Hidden(Mapping[str, _T]):
    """A mapping whose `repr` shows nothing of it, so that a traceback with locals does not either."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, _T]) -> None:
        self._items = items

    @property
    def mapping(self) -> Mapping[str, _T]:
        """The hidden value, as it was passed. It may be of any type."""
        return self._items

    def __getitem__(self, name: str) -> _T:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return "<hidden>"

    def __copy__(self) -> Hidden[_T]:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Hidden[_T]:
        return self

    def __reduce__(self) -> NoReturn:
        """Pickling would write every value.

        Raises:
            TypeError: always.
        """
        message = "variables and arguments can't be pickled: they may hold secrets"
        raise TypeError(message)


class SecretHeaders(Mapping[str, str]):
    """The headers of a request, of which one holds a secret.

    Args:
        plain: the other headers.
        name: the name of the header with the secret.
        secret: the secret.
        before: the text before it, such as `Basic `.
    """

    __slots__ = ("_before", "_name", "_plain", "_secret")

    def __init__(self, plain: Mapping[str, str], name: str, secret: Opaque, before: str = "") -> None:
        self._plain, self._name, self._secret, self._before = plain, name, secret, before

    def __getitem__(self, name: str) -> str:
        return f"{self._before}{self._secret.content}" if name == self._name else self._plain[name]

    def __iter__(self) -> Iterator[str]:
        yield from (*self._plain, self._name)

    def __len__(self) -> int:
        return len(self._plain) + 1

    def __repr__(self) -> str:
        return f"<{len(self)} headers>"
