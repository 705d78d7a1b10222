"""Keeps a backend that is down, slow or broken out of the way: a circuit breaker with back-off.

There are two circuits, because a store that is full, or a replica, can be read and not written. Writing waits for
reading: where not even that works, nothing is tried.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from .shared import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .shared import Backend

logger = logging.getLogger("credconf")

_T = TypeVar("_T")

FIRST_PAUSE = 1.0
"""Seconds without a try after the first failure; they double with each further one."""
LONGEST_PAUSE = 60.0


class _Circuit:
    """Closed while all is well; open after a failure, but for one try after each pause."""

    __slots__ = ("failures", "trying", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = 0.0
        self.trying = False

    def enter(self, steady: float) -> bool:
        if not self.failures:
            return True
        if self.trying or steady < self.until:
            return False
        self.trying = True
        return True

    def fail(self, steady: float, jitter: float) -> None:
        pause = min(FIRST_PAUSE * 2.0 ** min(self.failures, 10), LONGEST_PAUSE)
        self.failures += 1
        self.until = steady + pause * (1 + jitter / 4)
        self.trying = False

    def succeed(self) -> None:
        self.failures = 0
        self.trying = False


class Guard:
    """Calls a backend, as long as that makes sense.

    Args:
        backend: which may be down at any time.
        steady: the steady clock.
        random: from 0 to 1; processes that lost it together do not come back together.
    """

    def __init__(self, backend: Backend, steady: Callable[[], float], random: Callable[[], float]) -> None:
        self.backend = backend
        self._steady = steady
        self._random = random
        self._lock = Lock()
        self._reading = _Circuit()
        self._writing = _Circuit()
        self._troubled = False

    def read(self, operation: Callable[[Backend], _T]) -> _T:
        """The result of an operation that only reads.

        Raises:
            Unavailable: it failed now, or did so lately.
        """
        return self._call(self._reading, operation)

    def write(self, operation: Callable[[Backend], _T]) -> _T:
        """The result of an operation that writes.

        Raises:
            Unavailable: it failed now, or did so lately, or not even reading works.
        """
        if self._reading.failures:
            raise Unavailable
        return self._call(self._writing, operation)

    def _call(self, circuit: _Circuit, operation: Callable[[Backend], _T]) -> _T:
        with self._lock:
            entered = circuit.enter(self._steady())
        if not entered:
            raise Unavailable
        reason = "it was interrupted"
        try:
            result = operation(self.backend)
        except Unavailable as exc:
            reason = str(exc)
        except Exception as exc:  # noqa: BLE001 - a bug in a backend costs no caller a token
            reason = f"{type(exc).__name__}, which is a bug in credconf"
        except BaseException:  # passed on: an interrupt ends this try, too, or the circuit would wait for it for ever
            self._failed(circuit, reason)
            raise
        else:
            self._succeeded(circuit)
            return result
        self._failed(circuit, reason)
        raise Unavailable(reason)

    def _failed(self, circuit: _Circuit, reason: str) -> None:
        with self._lock:
            circuit.fail(self._steady(), self._random())
            first, self._troubled = not self._troubled, True
        if first:
            logger.warning("%s can't be used: %s; tokens are kept in memory alone", self.backend.label, reason)

    def _succeeded(self, circuit: _Circuit) -> None:
        if not circuit.failures and not self._troubled:
            return
        with self._lock:
            circuit.succeed()
            back = self._troubled and not (self._reading.failures or self._writing.failures)
            self._troubled = self._troubled and not back
        if back:
            logger.info("%s is back", self.backend.label)

    def after_fork(self) -> None:
        """In the child of a fork nobody is in the middle of a try."""
        self._lock = Lock()
        self._reading.trying = self._writing.trying = False
        self.backend.after_fork()
