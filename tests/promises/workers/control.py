"""The parent's side: a fake Entra that a child process drives, and the child itself.

The fake runs in the parent, where no patch of the child reaches it. The child sends commands over a socket (hold the
requests, wait until one has arrived, release them): it waits for events, never for an amount of time.
"""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.promises.workers.world import FAILED
from tests.secrecy.canaries import CANARY, SECRET

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from credconf.testing import FakeEntra

ROOT = Path(__file__).parents[3]
_LONGEST = 120


class Commands:
    """The commands of a child, by name."""

    def __init__(self, entra: FakeEntra) -> None:
        self._entra = entra
        self._changed = threading.Condition()
        self._holds = False
        self._held = 0
        self._pipe: int | None = None
        entra.before_token = self._wait
        entra.known_hosts.add("127.0.0.1")  # MSAL asks about the host without its port
        # FakeEntra has no hook for discovery requests.
        self._answer = entra._service.answer
        entra._service.answer = self._discovered

    def _wait(self, _: object = None) -> None:
        with self._changed:
            if self._holds:
                self._held += 1
                self._changed.notify_all()
                assert self._changed.wait_for(lambda: not self._holds, _LONGEST)

    def _discovered(self, call: Any, route: Any) -> Any:
        if route.kind in {"openid-configuration", "instance-discovery"}:
            self._wait()
        return self._answer(call, route)

    def hold(self) -> None:
        """Answer no request until `release`."""
        with self._changed:
            self._holds, self._held = True, 0

    def arrived(self, number: int = 1) -> None:
        """Wait until so many requests are held."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._held >= number, _LONGEST)

    def release(self) -> None:
        """Answer the requests that are held, and all later ones."""
        with self._changed:
            self._holds = False
            self._changed.notify_all()

    def begin_to_write(self, pipe: str) -> None:
        """Wait until a program reads from a named pipe. It blocks there until `write`."""
        before, self._pipe = self._pipe, os.open(pipe, os.O_WRONLY)
        if before is not None:
            os.close(before)  # not earlier: a program that is reading already would see the end of the file

    def write(self) -> None:
        """Write the secret into the pipe."""
        assert self._pipe is not None
        os.write(self._pipe, SECRET.encode())
        os.close(self._pipe)

    def count(self, kind: Any = "token") -> int:
        return self._entra.count(kind)

    def tokens(self, expires_in: int, refresh_in: int | None) -> None:
        self._entra.tokens(expires_in, refresh_in)

    def goes_down(self) -> None:
        self._entra.goes_down()

    def comes_back(self) -> None:
        self._entra.comes_back()


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        name, *arguments = json.loads(self.rfile.readline())
        assert not name.startswith("_")
        result = getattr(self.server.commands, name)(*arguments)  # type: ignore[attr-defined]
        self.wfile.write(json.dumps(result).encode() + b"\n")


class Control(socketserver.ThreadingTCPServer):
    """Runs the commands that children send."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, commands: Commands) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.commands = commands
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self.commands.release()
        self.shutdown()
        self.server_close()
        self._thread.join()


class Children:
    """Runs programs in child processes."""

    def __init__(self, entra: FakeEntra, control: Control, directory: Path) -> None:
        self._entra = entra
        self._control = control
        self._directory = directory
        self._registration = entra.register(tenants="*", secrets=[SECRET])

    def fields(self, **changes: Any) -> dict[str, Any]:
        """A configuration whose secret is the canary."""
        mine = {"client_id": self._registration.client_id, "client_secret": SECRET}
        return self._entra.config(**{**mine, **changes})

    def run(self, library: str, program: str, *arguments: str, **changes: Any) -> None:
        """Run a program under a library, and search its output for the canary.

        Raises:
            AssertionError: the program found something wrong, or showed a secret.
            RuntimeError: the program did not run to its end for another reason.
        """
        path, port = self._written(changes), str(self._control.server_address[1])
        command = [sys.executable, "-m", "tests.promises.workers.child", library, port, path, program, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environ(), capture_output=True, text=True, timeout=_LONGEST, check=False
        )
        CANARY.assert_absent([("output", done.stdout), ("error output", done.stderr)])
        assert done.returncode != FAILED, done.stderr[-3000:]
        if done.returncode or done.stdout.splitlines()[-1:] != ["done"]:
            message = f"{program} ended with status {done.returncode}: {done.stderr[-3000:]}"
            raise RuntimeError(message)

    @contextlib.contextmanager
    def gunicorn(self, server: socket.socket, *options: str, warm: bool = False) -> Iterator[subprocess.Popen[str]]:
        """Serve `application` by two gevent workers of gunicorn on a listening socket."""
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--workers", "2"]
        command += ["--bind", f"fd://{server.fileno()}", "--graceful-timeout", "5", *options]
        command += ["--log-level", "debug", "tests.promises.workers.application:application"]
        environ = {**self._environ(), "FIELDS": self._written({}), "WARM": "yes" if warm else ""}
        descriptors = (server.fileno(),)
        pipe, error = subprocess.PIPE, subprocess.STDOUT
        with subprocess.Popen(
            command, cwd=ROOT, env=environ, pass_fds=descriptors, stdout=pipe, stderr=error, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def _written(self, changes: dict[str, Any]) -> str:
        path = self._directory / "fields.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.fields(**changes)), encoding="utf-8")
        return str(path)

    def _environ(self) -> dict[str, str]:
        caches = {"XDG_CACHE_HOME": str(self._directory / "cache"), "LOCALAPPDATA": str(self._directory / "cache")}
        return {**os.environ, **caches, "PYTHONWARNINGS": "ignore"}  # eventlet warns that it is deprecated
