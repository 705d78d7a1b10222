"""`FakeAzureCli`: a program `az` on `PATH`, as on a developer's machine. Not on Windows, whose program is `az.cmd`."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credconf.testing import environment
from credconf.testing.directory import changing, new_id
from credconf.testing.refusals import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_SCRIPT = Path(__file__).with_name("az_script.py")


@dataclass(frozen=True)
class AzureCliCall:
    """One call of `az`.

    Attributes:
        arguments: The arguments, without the program.
        cwd: The working directory.
        stdin_closed: Whether nothing could be read from its standard input.
        environ: The variables that begin with `AZURE_`, and those of proxies.
    """

    arguments: tuple[str, ...]
    cwd: str
    stdin_closed: bool
    environ: Mapping[str, str] = field(repr=False)


class FakeAzureCli:
    """A fake Azure CLI: a program `az` in a temporary folder, for `PATH`. Thread-safe, also between processes.

    It answers `az account get-access-token` for one signed-in user, records its calls, and fails on demand. Its tokens
    are JWTs, but no key signed them. It needs a POSIX shell.

    Examples:
        >>> with FakeAzureCli() as az:
        ...     az.is_signed_out(times=1)
        ...     az.environ()["PATH"].startswith(str(az.folder))
        True

    Attributes:
        tenant_id: The tenant of the user.
        subscription_id: The only subscription of the user.
    """

    def __init__(self, *, tenant_id: str | None = None, subscription_id: str | None = None) -> None:
        """Make a fake, without writing a file.

        Args:
            tenant_id: The tenant of the user; None for a random GUID.
            subscription_id: The subscription of the user; None for a random GUID.
        """
        self.tenant_id = tenant_id or new_id()
        self.subscription_id = subscription_id or new_id()
        self._lock = threading.Lock()
        self._faults = 0
        self._shape: dict[str, object] = {"expires_in": 3600, "epoch": True}
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def __repr__(self) -> str:
        directory = self._directory
        return f"<FakeAzureCli {directory.name if directory else 'not started'}>"

    # -- life ---------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Write the program, and return the fake. It does nothing if the fake is started.

        Raises:
            RuntimeError: The system is Windows.
        """
        if os.name == "nt":
            raise RuntimeError("FakeAzureCli writes a shell script, which Windows does not run")
        with self._lock:
            if self._directory is None:
                self._directory = tempfile.TemporaryDirectory(prefix="FakeAzureCli-")
                for name in ("bin", "calls", "counted"):
                    (self._home / name).mkdir()
                script = shutil.copy(_SCRIPT, self.folder / "az_script.py")
                # A `#!` line has no room for a long path, or one with spaces. -I -S: it starts in a few milliseconds.
                command = shlex.join([sys.executable, "-I", "-S", str(script)])
                self.executable.write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8")
                self.executable.chmod(0o700)
                self._write_state()
        return self

    def stop(self) -> None:
        """Remove every file. It does nothing if the fake is stopped."""
        with self._lock:
            directory, self._directory = self._directory, None
        if directory is not None:
            directory.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path:
        """The folder of the program, for `PATH`."""
        return self._home / "bin"

    @property
    def executable(self) -> Path:
        """The program."""
        return self.folder / "az"

    def environ(self) -> dict[str, str]:
        """`PATH`: the folder of the program, then the present value."""
        return {"PATH": os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PATH")]))}

    def apply(self, monkeypatch: environment.Patch) -> None:
        """Set `PATH` for one test, and empty the engines that credentials share.

        Args:
            monkeypatch: pytest's fixture of this name.
        """
        environment.replace_in(monkeypatch, (), self.environ())

    # -- calls --------------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[AzureCliCall]:
        """The recorded calls, oldest first."""
        return [_call_of(json.loads(path.read_text("utf-8"))) for path in self._call_files()]

    def count(self) -> int:
        """The number of recorded calls."""
        return len(self._call_files())

    def forget_calls(self) -> None:
        """Forget the recorded calls."""
        for path in self._call_files():
            path.unlink(missing_ok=True)

    # -- answers and faults -------------------------------------------------------------------------------

    def tokens(self, expires_in: int = 3600, *, epoch: bool = True) -> None:
        """Set the fields of later answers.

        Args:
            expires_in: The lifetime in seconds.
            epoch: Whether the answer has `expires_on`; an old version has only `expiresOn`, a local time.
        """
        with changing(self._lock):
            self._shape = {"expires_in": expires_in, "epoch": epoch}
            if self._directory is not None:
                self._write_state()

    def answers(self, stdout: str = "", stderr: str = "", exit_code: int = 0, times: int | None = None) -> None:
        """Write any text, and end with any exit code.

        Args:
            stdout: What it writes to its standard output: HTML, malformed JSON, nothing.
            stderr: What it writes to its standard error.
            exit_code: Its exit code.
            times: The number of calls; None: until `recovers()`. Faults with a number come first, in their order.
        """
        self._add({"stdout": stdout, "stderr": stderr, "exit_code": exit_code}, times)

    def is_slow(self, seconds: float, times: int | None = None) -> None:
        """Wait before the answer."""
        self._add({"seconds": seconds}, times)

    def is_signed_out(self, times: int | None = None) -> None:
        """Fail, as if no user were signed in."""
        self.answers(stderr="ERROR: Please run 'az login' to setup account.\n", exit_code=1, times=times)

    def misses_subscription(self, times: int | None = None) -> None:
        """Fail, as if no subscription were chosen."""
        text = "ERROR: No subscription found. Run 'az account set' to select a subscription.\n"
        self.answers(stderr=text, exit_code=1, times=times)

    def refuses(self, aadsts: int, times: int | None = None) -> None:
        """Fail with the error of an AADSTS code, and the advice to run `az login`, as a real one does."""
        text = f"ERROR: {text_of(aadsts, {'tenant': self.tenant_id})} Trace ID: {new_id()}\n"
        advice = f'Interactive authentication is needed. Please run:\naz login --tenant "{self.tenant_id}"\n'
        self.answers(stderr=text + advice, exit_code=1, times=times)

    def is_missing(self, times: int | None = None) -> None:
        """Fail with 127, as a shell does that does not find the program."""
        self.answers(stderr="/bin/sh: 1: az: not found\n", exit_code=127, times=times)

    def recovers(self) -> None:
        """End every fault."""
        with changing(self._lock):
            (self._home / "standing.json").unlink(missing_ok=True)
            for path in (self._home / "counted").iterdir():
                path.unlink(missing_ok=True)

    # -- files --------------------------------------------------------------------------------------------

    @property
    def _home(self) -> Path:
        if self._directory is None:
            raise RuntimeError("the FakeAzureCli is not started: use it in a `with` block, or call start()")
        return Path(self._directory.name)

    def _call_files(self) -> list[Path]:
        return sorted((self._home / "calls").glob("[!.]*.json"))

    def _write_state(self) -> None:
        state = {"tenant_id": self.tenant_id, "subscription_id": self.subscription_id, "user": "dev@contoso.com"}
        self._write(self._home / "state.json", {**state, **self._shape})

    def _add(self, fault: Mapping[str, Any], times: int | None) -> None:
        if times is not None and times < 1:
            raise ValueError("`times` is a number of calls, at least 1, or None for all")
        with changing(self._lock):
            if times is None:
                self._write(self._home / "standing.json", fault)
            for _ in range(times or 0):
                self._faults += 1
                self._write(self._home / "counted" / f"{self._faults:09}.json", fault)

    def _write(self, path: Path, content: Mapping[str, object]) -> None:
        """Replace a file at once: the program may read it at any time."""
        draft = path.with_name(f".{path.name}.new")
        draft.write_text(json.dumps(content), "utf-8")
        draft.replace(path)


def _call_of(content: dict[str, Any]) -> AzureCliCall:
    return AzureCliCall(
        arguments=tuple(content["arguments"]),
        cwd=content["cwd"],
        stdin_closed=content["stdin_closed"],
        environ=content["environ"],
    )
