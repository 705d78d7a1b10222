"""Locks between the processes of one machine, which end with the process that holds them, even by `kill -9`.

By `fcntl` and `msvcrt` themselves: the usual libraries leave the file of every lock behind, or import Redis.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

from .shared import Unavailable

if TYPE_CHECKING:
    from collections.abc import Generator

if sys.platform == "win32":
    import msvcrt

    def _acquire(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _let_go(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _let_go(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


WAIT = 1.0
"""Seconds that somebody who only reads and writes the file may take; it is a matter of milliseconds."""
_POLL = 0.005


class FileLock:
    """A lock that is held, as long as its file is open. Its file goes with it.

    Attributes:
        lease: none: it ends with the process.
    """

    lease = None

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: str) -> FileLock | None:
        """The lock, or `None` where another process or thread has it.

        Raises:
            Unavailable: there can be no such file.
        """
        descriptor = _opened(path)
        if _locked(descriptor):
            if _is_there(path, descriptor):
                return cls(path, descriptor)
            _let_go(descriptor)  # its holder has removed it before he let go; somebody may have made another
        os.close(descriptor)
        return None

    def renew(self) -> bool:
        """It needs no renewal."""
        return True

    def release(self) -> None:
        """Remove the file, then let go: who has opened it meanwhile sees that it is not there any more."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        with contextlib.suppress(OSError):  # Windows removes no file that somebody has open
            os.unlink(self._path)
        _let_go(descriptor)  # said, because the child of a fork may have the file open, too
        os.close(descriptor)

    def after_fork(self) -> None:
        """Close the child's copy, which does not end the lock."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@contextlib.contextmanager
def exclusive(path: str) -> Generator[None]:
    """Hold the lock of a file that stays, for a few milliseconds; wait for others who do the same.

    Raises:
        Unavailable: somebody has held it for too long, or there can be no such file.
    """
    descriptor = _opened(path)
    try:
        deadline = time.monotonic() + WAIT
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                message = "another process holds its lock"
                raise Unavailable(message)
            time.sleep(_POLL)
        try:
            yield
        finally:
            _let_go(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as exc:
        reason = exc.strerror
    message = f"a lock can't be made: {reason}"
    raise Unavailable(message)


def _locked(descriptor: int) -> bool:
    try:
        _acquire(descriptor)
    except OSError:
        return False
    return True


def _is_there(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False
