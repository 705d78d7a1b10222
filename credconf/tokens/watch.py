"""Ends calls that take too long, whatever they wait for."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self


class Watch:
    """Watches calls, each of which may take the same time.

    One thread serves all of them; it runs while there are calls, and a little longer.

    Args:
        seconds: that a call may take.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._deadlines: dict[Call, float] = {}
        self._runs = False

    def add(self, call: Call) -> None:
        """Watch a call that begins now. Where no thread can be started, this time nobody watches."""
        with self._lock:
            self._deadlines[call] = time.monotonic() + self.seconds
            starts, self._runs = not self._runs, True
        if starts:
            try:
                threading.Thread(target=self._run, name="credconf-redis", daemon=True).start()
            except RuntimeError:
                self._runs = False

    def remove(self, call: Call) -> None:
        """It has ended."""
        with self._lock:
            self._deadlines.pop(call, None)

    def _run(self) -> None:
        idle = False
        while True:
            now = time.monotonic()
            with self._lock:
                if idle and not self._deadlines:
                    self._runs = False
                    return
                late = [call for call, deadline in self._deadlines.items() if deadline <= now]
                for call in late:
                    del self._deadlines[call]
                idle = not self._deadlines
                # Whatever begins while this thread sleeps has its deadline after the end of that sleep.
                pause = min(self._deadlines.values(), default=now + self.seconds) - now
            for call in late:
                call.end()
            time.sleep(pause)


class Call:
    """One call: it is watched inside `with`.

    Attributes:
        cut: whether it was ended because it took too long.

    Args:
        watch: of all calls.
        end: ends it, from another thread.
    """

    def __init__(self, watch: Watch, end: Callable[[], object]) -> None:
        self.cut = False
        self._watch = watch
        self._end = end

    def end(self) -> None:
        """It has taken too long."""
        self.cut = True
        self._end()

    def __enter__(self) -> Self:
        self._watch.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.remove(self)
