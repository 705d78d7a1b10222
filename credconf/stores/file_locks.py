"""Locks between the processes of one machine. A lock ends with the process that holds it, even by `kill -9`.

If the holder hangs, another process removes the file of its lock and makes a new one. The holder then locks a file
without a name.

The module calls `fcntl` and `msvcrt` itself: the usual libraries leave the file of every lock behind, or import Redis.
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

from credconf.ground.causes import shortage

from .store import Busy, Unavailable

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
"""Seconds to wait for a process that writes the file, which takes milliseconds."""
_POLL = 0.005
LEASE = 5.0
"""Seconds without a sign of life after which the holder of a lock counts as hung: fewer than other processes wait, more
than a process needs that is short of CPU."""
_TRIES = 3  # for a lock file that is removed while this process waits for it
_OTHERS = {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENOTDIR}  # the errors of opening a link, directory or socket
_TAKEN = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}  # the latter two are of `msvcrt`

_open: set[_File] = set()


class _File:
    """The open file of a lock.

    Raises:
        Unavailable: the file can't be made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = _opened(path)
        _open.add(self)

    def lock(self) -> bool:
        """Lock it; `False` if it is locked elsewhere.

        Raises:
            Unavailable: its file system has no locks.
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
        """Whether it still has its path: another process may have removed it and made a new file."""
        try:
            return self._descriptor is not None and os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except OSError:
            return False

    def mark(self) -> None:
        """Write to it, as a sign of life. A process that can't write here could not store a token either.

        Raises:
            Unavailable: it can't be written.
        """
        descriptor = self._descriptor
        if descriptor is None:
            return
        try:
            os.write(descriptor, b"\n")
            os.lseek(descriptor, 0, os.SEEK_SET)  # the position that Windows locks
            now = time.time()  # by the clock of this machine: that of a file server may differ
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
                _let_go(self._descriptor)  # explicitly: the child of a fork may have the file open, too
        self.close()

    def close(self) -> None:
        """Close it. This ends no lock that another process holds through the same open file."""
        descriptor, self._descriptor = self._descriptor, None
        _open.discard(self)
        if descriptor is not None:
            os.close(descriptor)


def _close_copies() -> None:
    """Close the parent's files in the child of a fork: an open copy would extend the parent's lock."""
    for file in list(_open):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_copies)


class FileLock:
    """A lock that is held while its file is open. Its release removes the file.

    Attributes:
        lease: the seconds for which its holder may hang. If the holder ends, it loses the lock at once.
        local: its release needs no network.
    """

    lease = LEASE
    local = True

    def __init__(self, file: _File) -> None:
        self._file = file
        # A renewal by another thread must not write to a descriptor that is closed, or of another file by then.
        self._busy = threading.Lock()

    @classmethod
    def take(cls, path: str) -> FileLock | None:
        """Take the lock; `None` if another process or thread holds it.

        Raises:
            Unavailable: the file or its lock can't be had.
        """
        file = _File(path)
        taken = kept = False
        try:
            taken = file.lock()
            if taken:
                file.mark()
                # The last holder removes the file before it unlocks it. A process that took the file for left by a
                # hung holder did so before the mark. In both cases this lock is of a file without a name.
                kept = file.is_there()
        finally:
            if taken and not kept:
                cls(file).release()
            elif not taken:
                file.let_go()
        return cls(file) if kept else None

    def renew(self) -> bool:
        """Give a sign of life; `False` if another process has taken the lock over."""
        with self._busy:
            if kept := self._file.is_there():
                self._file.mark()
        return kept

    def release(self) -> None:
        """Remove the file, then unlock it: a process that has opened it meanwhile detects that it is gone."""
        with self._busy:
            if self._file.is_there():
                with contextlib.suppress(OSError):  # Windows removes no file that is open elsewhere
                    os.unlink(self._file.path)
            self._file.let_go()

    def after_fork(self) -> None:
        """Close the copy of the child, which does not end the lock."""
        self._busy = threading.Lock()
        self._file.close()


@contextlib.contextmanager
def exclusive(path: str) -> Generator[None]:
    """Wait for the lock of a file that stays, and hold it for a few milliseconds.

    Raises:
        Unavailable: another process holds it for too long, or the file or its lock can't be had.
    """
    file = _waited_for(path)
    try:
        yield
    finally:
        file.let_go()


def is_left(path: str) -> bool:
    """Whether the holder of a lock has hung (stopped, suspended) for so long that another process may take it over."""
    try:
        return time.time() - os.lstat(path).st_mtime > LEASE
    except OSError:
        return False


class Turns:
    """Lets one thread of one process at a time write a file.

    Processes have a deadline and no order. Without a queue in each process, some of many threads would never get the
    lock.

    Args:
        path: the path of a lock file that stays.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._queue = threading.RLock()  # a signal handler of its holder may need a token
        self._writing = False
        self._failures = 0

    @contextlib.contextmanager
    def mine(self) -> Generator[None]:
        """Wait for the lock, and hold it.

        Raises:
            Unavailable: see `exclusive`; or the thread for which this one waited has failed.
            Busy: this thread writes already, and a signal handler has interrupted it.
        """
        before = self._failures
        with self._queue:
            if self._writing:  # a signal handler of the thread that writes
                message = "this thread is writing it"
                raise Busy(message)
            if self._failures != before:  # otherwise each thread would wait until the deadline, one by one
                message = "it could not be written a moment ago"
                raise Unavailable(message)
            self._writing = True
            try:
                with exclusive(self._path):
                    yield
            except Unavailable:
                self._failures += 1
                raise
            finally:
                self._writing = False

    def after_fork(self) -> None:
        """Release the queue, in the child of a fork."""
        self._queue = threading.RLock()
        self._writing = False


def _waited_for(path: str) -> _File:
    deadline = time.monotonic() + WAIT
    tries = 0
    while True:
        file = _File(path)
        tries += 1
        kept = False
        try:
            while not file.lock():
                if time.monotonic() >= deadline:
                    message = "another process holds its lock"
                    raise Unavailable(message)
                time.sleep(_POLL)
            # If it was removed, other processes lock a new file. On some file systems two checks never agree.
            kept = file.is_there() or tries == _TRIES
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
        # It is written to: a file that has another name, too, would be damaged.
        if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
            return descriptor
        os.close(descriptor)
    message = f"the lock {path} can't be made: {reason}"
    raise Unavailable(message)
