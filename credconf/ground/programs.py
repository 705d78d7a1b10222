"""Running a program in bounded time, with bounded output, and leaving nothing behind.

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
from typing import TYPE_CHECKING

from .causes import shortage
from .records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

_REST = 0.5
"""Seconds for what the program started to end its output, too, once the program has ended."""
_LAST = 1.0
"""Seconds that a killed program may take to be gone. One of another user (`sudo`) can't be killed at all."""
_SHORTEST, _LONGEST = 0.001, 0.05  # seconds between two looks; they grow from one to the other


@record
class Failed:
    """Why a program gave nothing to use.

    Attributes:
        what: a clause whose subject is the program, such as `ended with status 1`.
        hint: what to do.
    """

    what: str
    hint: str


def run(command: tuple[str, ...], environ: Mapping[str, str], seconds: float, limit: int) -> bytes | Failed:
    """What a program prints, or why there is nothing to use.

    Args:
        command: the program and its arguments; no shell reads them.
        environ: of the program.
        seconds: the time that it may take.
        limit: the bytes that it may print.
    """
    deadline = time.monotonic() + seconds
    with contextlib.ExitStack() as ours:
        try:
            process, output = _started(command, environ, ours)
        except (OSError, ValueError) as exc:
            return _not_started(exc)
        content = _content(process, output, deadline, limit)
        if len(content) > limit:
            hint = "let it print the secret alone"
            return Failed(f"printed more than {limit // 1024} KB", hint)
        status = _status_by(process, deadline)
    if status is None:
        hint = "run it by hand: it may wait for a login, or for a server that is out of reach"
        return Failed(f"did not end within {seconds:g} s", hint)
    if status != 0:
        hint = "run it by hand: what it wrote to its standard error is not kept, since it may hold secrets"
        return Failed(f"ended with status {status}", hint)
    return bytes(content)


def _not_started(exc: OSError | ValueError) -> Failed:
    lack = shortage(exc)
    if lack is not None:
        return Failed(f"could not be started: {lack.what}", lack.hint)
    reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "its arguments are not valid"
    hint = "install it, or name it by its whole path: PATH is that of this process, and no shell reads the words"
    return Failed(f"could not be started: {reason}", hint)


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


def _content(process: subprocess.Popen[bytes], output: int, deadline: float, limit: int) -> bytearray:
    """What the program prints until it ends, or until the deadline; a little more than the limit at most."""
    content = bytearray()
    until, pause, ended = deadline, _SHORTEST, False
    while len(content) <= limit and (left := until - time.monotonic()) > 0:
        if _is_readable(output, min(left, pause)):
            part = os.read(output, limit + 1)
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
