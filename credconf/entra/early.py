"""A connection that a thread opens while the caller imports MSAL.

In the field a connection takes two to four round trips, about as long as the import. The thread imports nothing: two
threads that import parts of one package may get a `_DeadlockError`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from credconf.ground.causes import shortage

from .connection_faults import EXPECTED

if TYPE_CHECKING:
    from collections.abc import Callable


class EarlyConnection:
    """A socket that is being connected.

    Args:
        opened: Connects, and returns the socket.
    """

    def __init__(self, opened: Callable[[], Any]) -> None:
        self._opened = opened
        self._lock = threading.Lock()
        self._abandoned = False
        self._sock: Any = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._connect, name="credconf-connect", daemon=True)

    def start(self) -> None:
        """Begin to connect.

        Raises:
            RuntimeError: The system has no thread left.
        """
        self._thread.start()

    def _connect(self) -> None:
        try:
            sock = self._opened()
        except EXPECTED as exc:  # the caller's attempt fails with it
            self._error = exc
            return
        with self._lock:
            if not self._abandoned:
                self._sock = sock
                return
        sock.close()

    def result(self, timeout: float | None) -> Any:
        """Return the socket, or `None` if a descriptor was lacking: the caller then connects itself.

        Args:
            timeout: Seconds to wait for it; `None` for no limit.

        Raises:
            TimeoutError: There was no answer in time.
            Exception: One of `EXPECTED`: it can't be connected.
        """
        try:
            self._thread.join(timeout)
        finally:  # also after a Ctrl-C: no socket stays open
            with self._lock:
                sock, self._sock = self._sock, None
                self._abandoned = True
        error, self._error = self._error, None
        if sock is None and self._thread.is_alive():
            raise TimeoutError
        if error is not None and not shortage(error):
            raise error
        return sock

    def close(self) -> None:
        """Close the connection, now or when it has been opened."""
        with self._lock:
            sock, self._sock = self._sock, None
            self._abandoned = True
        if sock is not None:
            sock.close()
