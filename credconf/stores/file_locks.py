"""Locks between the processes of one machine, which end with the process that holds them, even by `kill -9`.

They end with one that hangs, too: its file is removed, and what it holds then is nothing that anybody asks for.

By `fcntl` and `msvcrt` themselves: the usual libraries leave the file of every lock behind, or import Redis.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import threading
import time
from typing import TYPE_CHECKING

from credconf.ground.limits import shortage

from .store import Unavailable

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
LEASE = 5.0
"""Seconds: less than the others have patience, more than a process that is merely short of CPU leaves a lock alone."""
_LOOKS = 3  # for a lock file that is removed while we wait for it
_OTHERS = {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENOTDIR}  # what opening a link, directory or socket says
_TAKEN = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}  # `msvcrt` says one of the latter two

_open: set[_File] = set()


class _File:
    """The file of a lock, open.

    Raises:
        Unavailable: there can be no such file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = _opened(path)
        _open.add(self)

    def lock(self) -> bool:
        """Whether it is ours now; `False` where somebody else has it.

        Raises:
            Unavailable: nobody can have it: some file systems know no locks.
        """
        if self._descriptor is None:
            return False
        try:
            _acquire(self._descriptor)
        except OSError as exc:
            if exc.errno in _TAKEN:
                return False
            reason = exc.strerror
        else:
            return True
        message = f"its file system gives no lock: {reason}"
        raise Unavailable(message)

    def is_there(self) -> bool:
        """Whether its path leads to it: somebody may have removed it, and made another."""
        try:
            return self._descriptor is not None and os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except OSError:
            return False

    def mark(self) -> None:
        """Show that its holder is alive. It is written to because who can't do that can't store a token either.

        Raises:
            Unavailable: it can't be.
        """
        descriptor = self._descriptor
        if descriptor is None:
            return
        try:
            os.write(descriptor, b"\n")
            os.lseek(descriptor, 0, os.SEEK_SET)  # where Windows locks it
            now = time.time()  # of this machine: that of a server of files may differ
            os.utime(descriptor if os.utime in os.supports_fd else self.path, (now, now))
        except OSError as exc:
            reason = exc.strerror
        else:
            return
        message = f"a lock can't be written: {reason}"
        raise Unavailable(message)

    def let_go(self) -> None:
        """Unlock and close it."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                _let_go(self._descriptor)  # said, because the child of a fork may have the file open, too
        self.close()

    def close(self) -> None:
        """Close it, which ends no lock that another process has by the same opening."""
        descriptor, self._descriptor = self._descriptor, None
        _open.discard(self)
        if descriptor is not None:
            os.close(descriptor)


def _close_copies() -> None:
    """In the child of a fork: a copy that stays open would keep the parent's lock for as long as the child lives."""
    for file in list(_open):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_copies)


class FileLock:
    """A lock that is held, as long as its file is open. Its file goes with it.

    Attributes:
        lease: seconds for which a process may hang that holds it; one that ends has lost it at once.
        local: yes.
    """

    lease = LEASE
    local = True

    def __init__(self, file: _File) -> None:
        self._file = file

    @classmethod
    def take(cls, path: str) -> FileLock | None:
        """The lock, or `None` where another process or thread has it.

        Raises:
            Unavailable: there can be no such file, or no lock of it.
        """
        file = _File(path)
        taken = kept = False
        try:
            taken = file.lock()
            if taken:
                file.mark()
                # Its holder removes it before he lets go; whoever thought that it was left did so before it was marked.
                kept = file.is_there()
        finally:
            if taken and not kept:
                cls(file).release()
            elif not taken:
                file.let_go()
        return cls(file) if kept else None

    def renew(self) -> bool:
        """Show that this process does not hang; `False` where another one has thought so."""
        if not self._file.is_there():
            return False
        self._file.mark()
        return True

    def release(self) -> None:
        """Remove the file, then let go: who has opened it meanwhile sees that it is not there any more."""
        if self._file.is_there():
            with contextlib.suppress(OSError):  # Windows removes no file that somebody has open
                os.unlink(self._file.path)
        self._file.let_go()

    def after_fork(self) -> None:
        """Close the child's copy, which does not end the lock."""
        self._file.close()


@contextlib.contextmanager
def exclusive(path: str) -> Generator[None]:
    """Hold the lock of a file that stays, for a few milliseconds; wait for others who do the same.

    Raises:
        Unavailable: somebody has held it for too long, or there can be no such file, or no lock of it.
    """
    file = _waited_for(path)
    try:
        yield
    finally:
        file.let_go()


def is_left(path: str) -> bool:
    """Whether the holder of a lock has hung for so long (stopped, suspended) that another may take its place."""
    try:
        return time.time() - os.lstat(path).st_mtime > LEASE
    except OSError:
        return False


class Turns:
    """Whose turn it is to write a file: one thread of one process at a time.

    Between processes there is no order but a deadline: without a queue of its own some of many threads would never have
    their turn.

    Args:
        path: of a lock file that stays.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._queue = threading.Lock()
        self._failures = 0

    @contextlib.contextmanager
    def mine(self) -> Generator[None]:
        """Wait for it, and hold it.

        Raises:
            Unavailable: as `exclusive`; or the turn of another thread, for which this one waited, has failed.
        """
        before = self._failures
        with self._queue:
            if self._failures != before:  # each would wait until the deadline, one after the other
                message = "it could not be written a moment ago"
                raise Unavailable(message)
            try:
                with exclusive(self._path):
                    yield
            except Unavailable:
                self._failures += 1
                raise

    def after_fork(self) -> None:
        """In the child of a fork it is nobody's turn."""
        self._queue = threading.Lock()


def _waited_for(path: str) -> _File:
    deadline = time.monotonic() + WAIT
    looks = 0
    while True:
        file = _File(path)
        looks += 1
        kept = False
        try:
            while not file.lock():
                if time.monotonic() >= deadline:
                    message = "another process holds its lock"
                    raise Unavailable(message)
                time.sleep(_POLL)
            # Where it has been removed others lock another one. Some file systems never give the same answer twice.
            kept = file.is_there() or looks == _LOOKS
        finally:
            if not kept:
                file.let_go()
        if kept:
            return file


def _opened(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"))
    reason = "something else has its name; remove that"
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as exc:
        if exc.errno not in _OTHERS:
            reason = str(shortage(exc) or exc.strerror)
    else:
        found = os.fstat(descriptor)
        # It is written to, which a file with another name would suffer from.
        if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
            return descriptor
        os.close(descriptor)
    message = f"the lock {path} can't be made: {reason}"
    raise Unavailable(message)
