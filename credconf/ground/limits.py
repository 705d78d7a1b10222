"""The resources that a system may refuse to a process: descriptors, threads, processes, memory."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

from .records import record


@record
class Shortage:
    """A resource that this process needs and can't get now.

    Attributes:
        what: A clause for messages.
        hint: What the user can do.
    """

    what: str
    hint: str

    @property
    def advice(self) -> str:
        """The hint as a sentence."""
        return f"{self.hint[0].upper()}{self.hint[1:]}."

    def __str__(self) -> str:
        return f"{self.what}; {self.hint}"


_DESCRIPTORS = Shortage(
    "this process can open no more files",
    "raise its limit (`ulimit -n`), or close what it keeps open",
)
_THREADS = Shortage(
    "no more threads or processes can be started",
    "raise their limit (`ulimit -u`, `pids.max` of a container), or end some",
)
_OF_SYSTEM = {
    errno.EMFILE: _DESCRIPTORS,
    errno.ENFILE: Shortage("this machine can open no more files", "raise its limit (`fs.file-max`), or close some"),
    errno.EAGAIN: _THREADS,
    errno.ENOMEM: Shortage("no memory is left", "give the process more memory"),
}


def shortage(exc: BaseException) -> Shortage | None:
    """Return the resource whose lack caused an exception; `None` for another cause."""
    if isinstance(exc, MemoryError):
        return _OF_SYSTEM[errno.ENOMEM]
    if isinstance(exc, RuntimeError):
        return _THREADS if "start new thread" in str(exc) else None
    if isinstance(exc, ImportError):  # of a shared library: only its text has the cause
        text = str(exc)
        return next((lack for number, lack in _OF_SYSTEM.items() if os.strerror(number) in text), None)
    return _OF_SYSTEM.get(exc.errno or 0) if isinstance(exc, OSError) else None


def no_descriptor() -> Shortage | None:
    """Return the shortage if this process can open no more files. `getaddrinfo` reports another cause for it."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as exc:
        return shortage(exc)
    return None


_reserve: list[int] = []
_ERRORS = "credconf.errors"


def reserve() -> None:
    """Reserve a descriptor until `credconf.errors` is imported: without one, a failure could not be reported."""
    if not _reserve and _ERRORS not in sys.modules:
        with contextlib.suppress(OSError):
            _reserve.append(os.open(os.devnull, os.O_RDONLY))


def use_reserve() -> None:
    """Release the reserved descriptor."""
    with contextlib.suppress(IndexError, OSError):  # another thread may have released it
        os.close(_reserve.pop())
