"""`{command: [argv, ...]}`: the output of a program, if the application allowed it.

A configuration file can't run programs by itself: write access to the YAML is not the right to run code. There is no
shell. The program has ten seconds (`http.total_timeout`, where that is less) and 64 KB. Its standard error is dropped,
as it may contain a secret.

The program runs in a session of its own. When it ends, or its time does, what is left in that session is killed. A
daemon that it starts on purpose survives if it makes a session of its own, as `ssh-agent` and `gpg-agent` do. What
survives can still write to the pipe of the output, and holds nothing else of ours: credconf waits half a second for the
end of the output, takes what the program wrote, and closes its end. No thread reads, so none can be left over.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StringConstraints

from credconf.ground.files import REFERENCE_LIMIT, Unreadable, decode
from credconf.ground.limits import shortage
from credconf.problems.printable import printable

from .base import BaseReference, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Reader, Stamp

TIME_LIMIT = 10.0
_REST = 0.5
"""Seconds for what the program started to end its output, too, once the program has ended."""
_LAST = 1.0
"""Seconds that a killed program may take to be gone. One of another user (`sudo`) can't be killed at all."""
_SHORTEST, _LONGEST = 0.001, 0.05  # seconds between two looks; they grow from one to the other


class CommandReference(BaseReference):
    """The output of a program.

    Attributes:
        command: the program and its arguments; no shell reads them.
    """

    key: ClassVar = "command"
    placeholder: ClassVar = "[PROGRAM, ARGUMENT]"
    expected: ClassVar = "a list of a program and its arguments"
    meaning: ClassVar = (
        "A program and its arguments; the value is what it prints. It runs again when the secret was refused, "
        'and only where the application said `allow={"command"}`.'
    )
    snippet: ClassVar = ["$1"]
    also_called: ClassVar = frozenset({"cmd", "exec", "run", "shell", "program"})
    for_any_text: ClassVar = False
    allowed_by: ClassVar = "command"
    runs: ClassVar = True

    # Out of sight: its arguments may hold what should not be shown.
    command: Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(min_length=1, repr=False)]

    @property
    def label(self) -> str:
        """What messages call it: the program alone, since arguments may hold what should not be shown."""
        return f"the command {printable(self.name)}"

    @property
    def name(self) -> str:
        """The program alone."""
        return os.path.basename(self.command[0])

    def read(self, reader: Reader) -> str | NotFound:
        """The program's output without its trailing newline."""
        return run(self, reader.environ, reader.seconds)

    def stamp(self, reader: Reader) -> Stamp:  # noqa: ARG002 - what the program would print is not known before it runs
        """Its text counts as the same until there is a reason to ask again."""
        return ("command",)

    def not_allowed(self) -> NotFound:
        """Why it does not run."""
        message = "`command` runs a program, which this application did not allow"
        hint = 'pass allow={"command"} to from_config(), or --allow command'
        return NotFound("command-not-allowed", message, hint)


def run(reference: CommandReference, environ: Mapping[str, str], seconds: float | None = None) -> str | NotFound:
    """The program's output without its trailing newline.

    Args:
        reference: names the program.
        environ: of the program.
        seconds: the time that it may take, where that is less than usual.
    """
    output = _output(reference, environ, TIME_LIMIT if seconds is None else min(TIME_LIMIT, seconds))
    if isinstance(output, NotFound):
        return output
    text = decode(output)
    if isinstance(text, Unreadable):
        return NotFound("command-failed", f"what {reference.label} printed {text.reason}")
    return text.removesuffix("\n").removesuffix("\r")


def _output(reference: CommandReference, environ: Mapping[str, str], seconds: float) -> bytes | NotFound:
    deadline = time.monotonic() + seconds
    with contextlib.ExitStack() as ours:
        try:
            process, output = _started(reference.command, environ, ours)
        except (OSError, ValueError) as exc:
            return _not_started(reference, exc)
        content = _content(process, output, deadline)
        if len(content) > REFERENCE_LIMIT:
            hint = "let it print the secret alone"
            return _failed(reference, f"printed more than {REFERENCE_LIMIT // 1024} KB", hint)
        status = _status_by(process, deadline)
    if status is None:
        hint = "run it by hand: it may wait for a login, or for a server that is out of reach"
        return _failed(reference, f"did not end within {seconds:g} s", hint)
    if status != 0:
        hint = "run it by hand: what it wrote to its standard error is not kept, since it may hold secrets"
        return _failed(reference, f"ended with status {status}", hint)
    return bytes(content)


def _failed(reference: CommandReference, what: str, hint: str) -> NotFound:
    return NotFound("command-failed", f"{reference.label} {what}", hint)


def _not_started(reference: CommandReference, exc: OSError | ValueError) -> NotFound:
    lack = shortage(exc)
    if lack is not None:
        return _failed(reference, f"could not be started: {lack.what}", lack.hint)
    reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "its arguments are not valid"
    hint = "install it, or name it by its whole path: PATH is that of this process, and no shell reads the words"
    return _failed(reference, f"could not be started: {reason}", hint)


def _started(
    command: tuple[str, ...], environ: Mapping[str, str], ours: contextlib.ExitStack
) -> tuple[subprocess.Popen[bytes], int]:
    """The program, and the descriptor of its output; `ours` ends the one and closes the other.

    Raises:
        OSError: it can't be started.
        ValueError: no program can have such arguments.
    """
    with contextlib.ExitStack() as theirs:
        # Opened here: where a later one can't be had, `Popen` leaves behind those that it has opened itself.
        null = os.open(os.devnull, os.O_RDWR)
        theirs.callback(os.close, null)
        output, end = os.pipe()
        theirs.callback(os.close, end)
        ours.callback(os.close, output)
        process = subprocess.Popen(  # noqa: S603 - argv of a configuration, run only where the program allowed it
            list(command), stdin=null, stdout=end, stderr=null, env=dict(environ), start_new_session=True
        )
        ours.callback(_end, process)  # KeyboardInterrupt, too, must not leave the program behind
    return process, output


def _content(process: subprocess.Popen[bytes], output: int, deadline: float) -> bytearray:
    """What the program prints until it ends, or until the deadline; a little more than the limit at most."""
    content = bytearray()
    until, pause, ended = deadline, _SHORTEST, False
    while len(content) <= REFERENCE_LIMIT and (left := until - time.monotonic()) > 0:
        if _is_readable(output, min(left, pause)):
            part = os.read(output, REFERENCE_LIMIT + 1)
            if not part:
                break
            content += part
        if not ended and _status(process) is not None:
            ended, until = True, min(deadline, time.monotonic() + _REST)
        pause = min(pause * 2, _LONGEST)
    return content


if sys.platform == "win32":
    import _winapi
    import msvcrt

    def _is_readable(output: int, seconds: float) -> bool:
        """Whether there is something to read, or its end, within some seconds. Windows can't wait for a pipe."""
        until = time.monotonic() + seconds
        while True:
            try:
                if _winapi.PeekNamedPipe(msvcrt.get_osfhandle(output), 0)[0]:
                    return True
            except BrokenPipeError:
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(_SHORTEST)
else:
    # Not the default one, which needs a descriptor of its own. eventlet has no `poll`.
    _Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

    def _is_readable(output: int, seconds: float) -> bool:
        """Whether there is something to read, or its end, within some seconds."""
        with _Selector() as selector:
            selector.register(output, selectors.EVENT_READ)
            return bool(selector.select(seconds))


def _status_by(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """The status with which the program ends; `None` where it does not until the deadline."""
    pause = _SHORTEST
    while (status := _status(process)) is None and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)
    return status


def _status(process: subprocess.Popen[bytes]) -> int | None:
    """The status with which the program has ended; `None` while it runs.

    Where the system can tell without forgetting the program, its number stays its own until its session was killed.
    """
    if sys.platform == "win32" or not hasattr(os, "waitid"):
        return process.poll()
    try:
        found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # others ask for all children of this process (gevent), or SIGCHLD is ignored
        return process.poll()
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):  # `subprocess` itself asks again for what is left behind
        process.wait(_LAST)
