"""A real server in a process of its own: started, waited for, stopped, and quoted when a test fails."""

from __future__ import annotations

import re
import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

START_TIMEOUT = 60.0  # seconds; Azurite needs 2 on an idle machine
STOP_TIMEOUT = 5.0  # seconds


class Server:
    """A program that listens on 127.0.0.1, at a port of the system's choice, and announces its URL.

    Args:
        name: What to call it in messages.
        argv: The program and its arguments.
        announces: A pattern for the line that says where it listens; its first group is the URL.
        log: The file that receives everything the program prints.
        environ: The program's whole environment.
    """

    def __init__(
        self, name: str, argv: Sequence[str], *, announces: str, log: Path, environ: Mapping[str, str]
    ) -> None:
        self.name = name
        self._argv = list(argv)
        self._announces = re.compile(announces)
        self._log = log
        self._environ = dict(environ)
        self._found = threading.Event()
        self._url = ""

    @property
    def url(self) -> str:
        """Where it listens, as it announced it."""
        return self._url

    def log(self, lines: int = 60) -> str:
        """The last lines of what it printed."""
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environ,
            encoding="utf-8",
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {self.name}", daemon=True)
        self._reader.start()
        self._found.wait(START_TIMEOUT)
        if not self._url:
            self._stop()
            message = f"{self.name} did not start (exit status {self._process.returncode}):\n{self.log()}"
            raise RuntimeError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._log.open("w", encoding="utf-8") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                if match := self._announces.search(line):
                    self._url = match[1]
                    self._found.set()
        self._found.set()  # it ended: the caller that waits for the URL gets an error

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_TIMEOUT)
        if self._process.stdout is not None:
            self._process.stdout.close()
