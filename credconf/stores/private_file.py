"""The plain file of tokens: private to its user."""

from __future__ import annotations

import contextlib
import os
import stat

from .store import Unavailable

LARGEST = 1024 * 1024
"""Bytes of a file, and characters of a text, that are read."""


def private_directory(path: str, within: str | None = None) -> None:
    """Make a directory that only its owner can enter.

    Args:
        path: of the directory.
        within: its parent, if that must be made in the same way. A link below it is not followed.

    Raises:
        Unavailable: it can't be made, or belongs to another user.
    """
    reason: str | None
    try:
        found = _made(path, within)
        if not stat.S_ISDIR(found.st_mode):
            reason = "something else has its name; remove that"
        elif os.name != "posix":
            return
        elif found.st_uid != os.geteuid():
            reason = "it belongs to another user"
        else:
            if stat.S_IMODE(found.st_mode) & 0o077:
                os.chmod(path, 0o700)
            return
    except OSError as exc:
        reason = exc.strerror
    message = f"the directory {path} can't be used: {reason}"
    raise Unavailable(message)


def _made(path: str, within: str | None) -> os.stat_result:
    look = os.stat if within is None else os.lstat
    with contextlib.suppress(FileNotFoundError):
        return look(path)
    if within is not None:
        private_directory(within)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return look(path)


def _flags(*names: str) -> int:
    """The flags of these names that the system has."""
    return sum(getattr(os, name, 0) for name in names)


_READ = os.O_RDONLY | _flags("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flags("O_NOFOLLOW", "O_BINARY")


class PlainFile:
    """A text in a file, with the methods of msal-extensions' `FilePersistence`, which opens any kind of file.

    It makes no file object: each system call yields to another thread, and an object makes some more of them.
    """

    is_encrypted = False

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self) -> str:
        """The text, or the beginning of a text that is too long."""
        descriptor = os.open(self._path, _READ)
        try:
            rest = min(os.fstat(descriptor).st_size, LARGEST) + 1
            content = b""
            while rest > 0 and (more := os.read(descriptor, rest)):
                content += more
                rest -= len(more)
        finally:
            os.close(descriptor)
        return content.decode()

    def save(self, text: str) -> None:
        """Write the text into a new file."""
        content = memoryview(text.encode())
        descriptor = os.open(self._path, _WRITE, 0o600)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
        finally:
            os.close(descriptor)

    def get_location(self) -> str:
        """The path."""
        return self._path


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
