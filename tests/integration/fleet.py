"""Processes that share a Redis, started together and spoken to line by line."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

SCOPE = "https://vault.azure.net/.default"
_PROGRAM = str(Path(__file__).with_name("redis_worker.py"))
_LONGEST = 120.0  # seconds, so that a test which would hang fails


class Worker:
    """One process."""

    def __init__(self, config: dict[str, Any], before: Sequence[str] = ()) -> None:
        command = [*before, sys.executable, _PROGRAM, json.dumps(config), SCOPE]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._end = threading.Timer(_LONGEST, self.process.kill)
        self._end.daemon = True
        self._end.start()

    def hear(self) -> dict[str, Any]:
        """What it says next."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.stderr.read())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, tenant: str = "") -> None:
        """Have it get a token."""
        assert self.process.stdin is not None
        self.process.stdin.write(tenant + "\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """End it, and tell what it logged."""
        _, log = self.process.communicate(timeout=_LONGEST)
        self._end.cancel()
        return log

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.communicate()
        self._end.cancel()


class Fleet:
    """Some of them; what a test leaves running is killed."""

    def __init__(self, config: dict[str, Any], size: int) -> None:
        self.workers = [Worker(config) for _ in range(size)]
        for worker in self.workers:
            worker.hear()

    def ask(self, tenant: str = "") -> list[dict[str, Any]]:
        """Have all of them get a token at once."""
        for worker in self.workers:
            worker.ask(tenant)
        return [worker.hear() for worker in self.workers]

    def end(self) -> list[str]:
        """End them, and tell what they logged."""
        return [worker.end() for worker in self.workers]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
