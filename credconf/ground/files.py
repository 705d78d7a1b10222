"""Reads small regular files, and reports in one sentence why a file can't be read."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .causes import shortage
from .records import record

if TYPE_CHECKING:
    from os import PathLike

# Bytes.
CONFIGURATION_LIMIT = 1024 * 1024
REFERENCE_LIMIT = 64 * 1024
_FLAGS = ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOCTTY")


@record
class Unreadable:
    """Why a file can't be read.

    Attributes:
        code: The code of the problem.
        reason: The end of a sentence that begins with the file.
        line: The line of the first byte that is not UTF-8, from 1.
        column: The column of that byte, from 1.
        hint: What the user can do, if anything.
    """

    code: str
    reason: str
    line: int | None = None
    column: int | None = None
    hint: str | None = None


def absolute(path: str | PathLike[str]) -> str:
    """Return the absolute path; the path unchanged if the working directory does not exist, or can't be read."""
    try:
        return os.path.abspath(path)
    except OSError:
        return os.fspath(path)


def read_bytes(path: str | PathLike[str], limit: int) -> bytes | Unreadable:
    """Read a regular file of at most `limit` bytes.

    The type is checked before the file is opened, and again on the open descriptor. The file is opened without
    blocking: a FIFO in place of a secret must not hang the application.
    """
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in _FLAGS)
    try:
        mode = os.stat(path).st_mode  # opening a device may have an effect: it starts a watchdog
        if not stat.S_ISREG(mode):
            return _not_regular(mode)
        descriptor = os.open(path, flags)
    except OSError as exc:
        return unopened(exc)
    except ValueError:
        return Unreadable("missing-file", "is not a valid path")
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            return _not_regular(mode)
        content = _content(descriptor, limit + 1)
    except OSError as exc:
        return unopened(exc)
    finally:
        os.close(descriptor)
    return too_large(limit) if len(content) > limit else content


def _content(descriptor: int, size: int) -> bytes:
    """Read from a descriptor without `os.fdopen`, whose stream under eventlet closes it."""
    content = bytearray()
    while len(content) < size:
        try:
            part = os.read(descriptor, size - len(content))
        except BlockingIOError:  # the system has no bytes yet, as for some files of /proc
            break
        if not part:
            break
        content += part
    return bytes(content)


def _not_regular(mode: int) -> Unreadable:
    return Unreadable("not-a-file", "is a directory" if stat.S_ISDIR(mode) else "is not a regular file")


def too_large(limit: int) -> Unreadable:
    """Return the reason for a file of more than `limit` bytes."""
    return Unreadable("file-too-large", f"is larger than {limit // 1024} KB")


def unopened(exc: OSError) -> Unreadable:
    """Return the reason for a file that the system does not open."""
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
    # Windows reports "permission denied" for opening a directory.
    return isinstance(path, str | bytes) and os.path.isdir(path)


def read_text(path: str | PathLike[str], limit: int) -> str | Unreadable:
    """Read a UTF-8 text file of at most `limit` bytes, without its byte order mark."""
    content = read_bytes(path, limit)
    return content if isinstance(content, Unreadable) else decode(content)


def decode(content: bytes) -> str | Unreadable:
    """Decode UTF-8 text, without its byte order mark. The failure has the line and column of the first invalid byte."""
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
