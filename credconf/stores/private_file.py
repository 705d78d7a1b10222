"""The plain file of tokens: private to its user, with a document of a known structure."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from .store import Unavailable

LARGEST = 1024 * 1024
"""Bytes of a file, and characters of a text, that are read."""


def private_directory(path: str) -> None:
    """Make a directory that only its owner can enter.

    Raises:
        Unavailable: it can't be made, or belongs to another user.
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
    """A text in a file, with the methods of msal-extensions' `FilePersistence`, which opens any kind of file."""

    is_encrypted = False

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self) -> str:
        """The text, or the beginning of a text that is too long."""
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
    """The flags of these names that the system has."""
    return sum(getattr(os, name, 0) for name in names)


def is_ours(path: str) -> bool:
    """Whether there is a file that only this user can have written; `False` if there is none.

    Raises:
        ValueError: it is not a regular file, or another user can change it and could have forged its tokens.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    theirs = os.name == "posix" and (found.st_uid != os.geteuid() or found.st_mode & 0o022)
    if theirs or not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
        raise ValueError
    return True


_LATEST = 1e12  # seconds; later than any clock
_FORMAT = "credconf-tokens-1"


def empty() -> dict[str, Any]:
    """A document without tokens."""
    return {"format": _FORMAT, "tokens": {}, "failures": {}}


def parsed(text: str) -> dict[str, Any] | None:
    """The document of a text; `None` if it is not one of credconf's."""
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
    failed = all(_has_numbers(each, "at", "up", "seconds") and _is_failure(each) for each in failures.values())
    return document if stamped and failed else None


def _is_failure(each: dict[str, Any]) -> bool:
    """Whether nothing is nested: deep nesting can be read, and not be written again."""
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
    """Whether a value is a usable time. JSON permits `NaN`, and numbers that are too large to calculate with."""
    return isinstance(value, int | float) and -_LATEST < value < _LATEST
