"""The signals that end `credconf fake`."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C, `kill`, the end of the terminal, Ctrl-Break. Each system has some of them."""


class StopSignals:
    """Within its block, these signals raise nothing: `wait()` returns after one, also if it came before the call.

    So none can interrupt the creation or removal of a file. A signal that the parent process ignores (`nohup`) is still
    ignored.
    """

    def __enter__(self) -> Self:
        self._woken, self._wake = socket.socketpair()
        self._wake.settimeout(0)
        # The C code of Python writes the number of a signal there. A `threading.Event` could deadlock in a handler.
        self._descriptor = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        found = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        heeded = [number for number in found if signal.getsignal(number) is not signal.SIG_IGN]
        self._handlers: dict[int, Any] = {number: signal.signal(number, _nothing) for number in heeded}
        return self

    def wait(self) -> None:
        """Wait for a signal."""
        while self._woken.recv(1)[0] not in self._handlers:
            pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._descriptor)
        self._wake.close()
        self._woken.close()


def _nothing(*_: object) -> None:
    """Handle a signal that is read elsewhere."""
