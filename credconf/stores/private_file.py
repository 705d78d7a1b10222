"""The plain file of tokens: private to its user, and a document of a known shape."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from .store import Unavailable

LARGEST = 1024 * 1024
"""Bytes of a file, and characters of a text, that are read."""


def private_directory(path: str) -> None:
    """A directory that only its owner can enter.

    Raises:
        Unavailable: there can be none.
    """
    reason: str | None
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.stat(path)
        if os.name != "posix":
            return
        if found.st_uid != os.geteuid():
            reason = "it belongs to another user"
        else:
            if stat.S_IMODE(found.st_mode) & 0o077:
                os.chmod(path, 0o700)
            return
    except OSError as exc:
        reason = exc.strerror
    message = f"the directory {path} can't be used: {reason}"
    raise Unavailable(message)


class PlainFile:
    """A text in a file; used like msal-extensions' `FilePersistence`, which opens whatever has that name."""

    is_encrypted = False

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self) -> str:
        """The text, or the beginning of one that is too long."""
        descriptor = os.open(self._path, os.O_RDONLY | _flags("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
        with os.fdopen(descriptor, "rb") as file:
            return (file.read(LARGEST + 1) or b"").decode()

    def save(self, text: str) -> None:
        """Write the text into a new file."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flags("O_NOFOLLOW", "O_BINARY")
        with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
            file.write(text.encode())

    def get_location(self) -> str:
        """The path."""
        return self._path


def _flags(*names: str) -> int:
    """The flags of those that this system has."""
    return sum(getattr(os, name, 0) for name in names)


def is_ours(path: str) -> bool:
    """Whether a file is there that this user has written; `False` where there is nothing.

    Raises:
        ValueError: something else has its name, or others can change it: a token in it may be of their making.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    theirs = os.name == "posix" and (found.st_uid != os.geteuid() or found.st_mode & 0o022)
    if theirs or not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
        raise ValueError
    return True


_LATEST = 1e12  # seconds; more than any clock says
_FORMAT = "credconf-tokens-1"


def empty() -> dict[str, Any]:
    """A document without tokens."""
    return {"format": _FORMAT, "tokens": {}, "failures": {}}


def parsed(text: str) -> dict[str, Any] | None:
    """A document of ours; `None` for anything else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.keys() != empty().keys() or document["format"] != _FORMAT:
        return None
    tokens, failures = document["tokens"], document["failures"]
    if not (isinstance(tokens, dict) and isinstance(failures, dict)):
        return None
    stamped = all(_has_numbers(kept, "at", "up") and _is_flat(kept) for kept in tokens.values())
    told = all(_has_numbers(each, "at", "up", "seconds") and _is_told(each) for each in failures.values())
    return document if stamped and told else None


def _is_told(each: dict[str, Any]) -> bool:
    """Whether nothing in it is nested so deep that it could be read, and not be written again."""
    failure = each.get("failure")
    rest = {name: value for name, value in each.items() if name != "failure"}
    if not isinstance(failure, dict) or not _is_flat(rest):
        return False
    codes = failure.get("codes")
    return _is_flat({**failure, "codes": None}) and (not isinstance(codes, list) or _is_flat(dict(enumerate(codes))))


def _is_flat(kept: dict[Any, Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in kept.values())


def _has_numbers(kept: Any, *names: str) -> bool:
    return isinstance(kept, dict) and all(_is_time(kept.get(name)) for name in names)


def _is_time(value: Any) -> bool:
    """JSON has numbers that are none (`NaN`), and some with which nobody can calculate."""
    return isinstance(value, int | float) and -_LATEST < value < _LATEST
