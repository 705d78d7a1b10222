"""A box for a secret. Frames hold the box; the secret itself is only ever part of an expression.

Whatever prints the variables of a frame (a traceback with locals, a log handler that walks `f_back`, a debugger's
report from a signal handler) shows what functions hold in their variables. So code that has to touch a secret opens
the box inside an expression whose functions are written in C, which have no frames.
"""

from __future__ import annotations

from typing import Any, NoReturn


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
