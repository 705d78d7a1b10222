"""Arguments of a wrong type, as a program passes them that no type checker has seen."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .request import Request


def misuse(request: Request) -> TypeError | None:
    """What is wrong with the arguments of `from_config()` or `load()`; no value is in it."""
    return _path(request.path) or _texts(request) or _env_file(request.env_file) or _environ(request.environ.mapping)


def _path(path: Any) -> TypeError | None:
    if path is None or path is False:
        return None
    if isinstance(path, str | os.PathLike):
        return None
    if not isinstance(path, Sequence) or isinstance(path, bytes):
        return TypeError(f"path= is a path, a list of paths or False, not {_named(path)}")
    odd = [_named(item) for item in path if not isinstance(item, str | os.PathLike)]
    if odd:
        return TypeError(f"path= is a list of paths, one of which is {odd[0]}")
    return None


def _texts(request: Request) -> TypeError | None:
    texts: dict[str, Any] = {"name": request.name, "section": request.section}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            return TypeError(f"{name}= is text, not {_named(value)}")
    return None


def _env_file(env_file: Any) -> TypeError | None:
    if isinstance(env_file, bool | str | os.PathLike):
        return None
    return TypeError(f"env_file= is a path, True or False, not {_named(env_file)}")


def _environ(environ: Any) -> TypeError | None:
    if environ is os.environ:
        return None
    if not isinstance(environ, Mapping):
        return TypeError(f"environ= is a mapping of variables to texts, not {_named(environ)}")
    for name, value in environ.items():
        if not isinstance(name, str):
            return TypeError(f"environ= has a name that is no text, but {_named(name)}")
        if not isinstance(value, str):
            return TypeError(f"environ= has a variable whose value is no text, but {_named(value)}")
    return None


def _named(value: object) -> str:
    return "None" if value is None else type(value).__name__
