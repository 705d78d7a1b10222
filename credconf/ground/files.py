"""Reading a small, regular text file, and saying in one sentence why it could not be read."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .limits import shortage
from .records import record

if TYPE_CHECKING:
    from os import PathLike

CONFIGURATION_LIMIT = 1024 * 1024
REFERENCE_LIMIT = 64 * 1024
BUNDLE_LIMIT = 16 * 1024 * 1024
_FLAGS = ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOCTTY")


@record
class Unreadable:
    """Why a file could not be read, and sometimes what to do; line and column of what is not UTF-8."""

    code: str
    reason: str
    line: int | None = None
    column: int | None = None
    hint: str | None = None


def absolute(path: str | PathLike[str]) -> str:
    """The path, absolute where there is a working directory; without one, no relative path leads anywhere."""
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        return os.fspath(path)


def read_bytes(path: str | PathLike[str], limit: int) -> bytes | Unreadable:
    """The bytes of a regular file of at most `limit` bytes.

    The type is checked before the file is opened, and again on the open descriptor; it is opened without blocking: a
    FIFO in the place of a secret must not hang the application.
    """
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in _FLAGS)
    try:
        mode = os.stat(path).st_mode  # to open a device may already do something: a watchdog begins to count
        if not stat.S_ISREG(mode):
            return _not_regular(mode)
        descriptor = os.open(path, flags)
    except OSError as exc:
        return _unopened(exc)
    except ValueError:
        return Unreadable("missing-file", "is not a valid path")
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            return _not_regular(mode)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(limit + 1) or b""  # `None` where the system has nothing yet: some files of /proc
    except OSError as exc:
        return _unopened(exc)
    finally:
        os.close(descriptor)
    return too_large(limit) if len(content) > limit else content


def unusable_bundle(path: str) -> Unreadable | None:
    """Why certificates can't be loaded from a path; `None` for a file or a directory that can be read.

    OpenSSL opens it itself, without a limit: a pipe would hang it for ever, and a device never come to an end.
    """
    try:
        found = os.stat(path)
        readable = os.access(path, os.R_OK)
    except OSError as exc:
        return _unopened(exc)
    except ValueError:
        return Unreadable("missing-file", "is not a valid path")
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return Unreadable("not-a-file", "is neither a file nor a directory")
    if stat.S_ISREG(found.st_mode) and found.st_size > BUNDLE_LIMIT:
        return too_large(BUNDLE_LIMIT)
    return None if readable else Unreadable("unreadable-file", "cannot be read: permission denied")


def _not_regular(mode: int) -> Unreadable:
    return Unreadable("not-a-file", "is a directory" if stat.S_ISDIR(mode) else "is not a regular file")


def too_large(limit: int) -> Unreadable:
    """Why more than `limit` bytes are not read."""
    return Unreadable("file-too-large", f"is larger than {limit // 1024} KB")


def _unopened(exc: OSError) -> Unreadable:
    if isinstance(exc, FileNotFoundError | NotADirectoryError):
        return Unreadable("missing-file", "does not exist")
    if isinstance(exc, IsADirectoryError) or (isinstance(exc, PermissionError) and _is_directory(exc.filename)):
        return Unreadable("not-a-file", "is a directory")
    if isinstance(exc, PermissionError):
        return Unreadable("unreadable-file", "cannot be read: permission denied")
    if lack := shortage(exc):
        return Unreadable("unreadable-file", f"cannot be read: {lack.what}", hint=lack.hint)
    return Unreadable("unreadable-file", f"cannot be read: {exc.strerror or 'input/output error'}")


def _is_directory(path: object) -> bool:
    # Windows answers "permission denied" when a directory is opened.
    return isinstance(path, str | bytes) and os.path.isdir(path)


def read_text(path: str | PathLike[str], limit: int) -> str | Unreadable:
    """The text of a file: UTF-8, a byte order mark is dropped."""
    content = read_bytes(path, limit)
    return content if isinstance(content, Unreadable) else decode(content)


def decode(content: bytes) -> str | Unreadable:
    """UTF-8 text without its byte order mark; where it is not UTF-8, the line and column of the first bad byte."""
    body = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as exc:
        start = exc.start
    before = body[:start].decode("utf-8")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    wide = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    return Unreadable("not-utf8", "is UTF-16, not UTF-8" if wide else "is not UTF-8", line, column)
