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
from .records import field, record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
        reason: `start`, `time`, `size` or `status`.
        status: the exit status, if the program ended with one other than 0.
        errors: what it wrote to its standard error, if that was asked for.
    """

    what: str
    hint: str
    reason: str = "start"
    status: int | None = None
    errors: bytes = field(default=b"", repr=False)


def run(
    command: tuple[str, ...],
    environ: Mapping[str, str],
    seconds: float,
    limit: int,
    *,
    directory: str | None = None,
    keep_errors: bool = False,
) -> bytes | Failed:
    """The output of a program, or the reason why there is none.

    Args:
        command: the program and its arguments; no shell reads them.
        environ: of the program.
        seconds: the time that it may take.
        limit: the bytes that it may print.
        directory: its working directory; by default that of this process.
        keep_errors: whether a failure keeps the beginning of its standard error, up to `limit` bytes.
    """
    deadline = time.monotonic() + seconds
    with contextlib.ExitStack() as ours:
        try:
            process, *outputs = _started(command, environ, ours, directory, keep_errors=keep_errors)
        except (OSError, ValueError) as exc:
            return _not_started(exc)
        contents = {output: bytearray() for output in outputs}
        _read(process, contents, deadline, limit)
        content, errors = contents[outputs[0]], bytes(contents[outputs[-1]][:limit]) if keep_errors else b""
        if len(content) > limit:
            hint = "let it print only the secret"
            return Failed(f"printed more than {limit // 1024} KB", hint, "size")
        status = _status_by(process, deadline)
    if status is None:
        hint = "run it in a shell: it may wait for a login, or for a server that can't be reached"
        return Failed(f"did not end within {round(seconds, 1):g} s", hint, "time", errors=errors)
    if status != 0:
        hint = "run it in a shell: credconf discards its standard error, which may contain secrets"
        return Failed(f"ended with status {status}", hint, "status", status, errors)
    return bytes(content)


def _not_started(exc: OSError | ValueError) -> Failed:
    lack = shortage(exc)
    if lack is not None:
        return Failed(f"could not be started: {lack.what}", lack.hint)
    reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "its arguments are not valid"
    hint = "install it, or name it by its whole path: PATH is that of this process, and no shell reads the words"
    return Failed(f"could not be started: {reason}", hint)


def _started(
    command: tuple[str, ...],
    environ: Mapping[str, str],
    ours: contextlib.ExitStack,
    directory: str | None,
    *,
    keep_errors: bool,
) -> tuple[subprocess.Popen[bytes], *tuple[int, ...]]:
    """The program, and the descriptors of its output and its errors; `ours` ends the one and closes the others.

    Raises:
        OSError: it can't be started.
        ValueError: no program can have such arguments.
    """
    with contextlib.ExitStack() as theirs:
        # Opened here: where a later one can't be had, `Popen` leaves behind those that it has opened itself.
        null = os.open(os.devnull, os.O_RDWR)
        theirs.callback(os.close, null)
        pipes = [_pipe(ours, theirs) for _ in range(2 if keep_errors else 1)]
        process = subprocess.Popen(  # noqa: S603 - argv of a configuration, run only where the program allowed it
            list(command),
            stdin=null,
            stdout=pipes[0][1],
            stderr=pipes[1][1] if keep_errors else null,
            env=dict(environ),
            cwd=directory,
            start_new_session=True,
        )
        ours.callback(_end, process)  # KeyboardInterrupt, too, must not leave the program behind
    return process, *(output for output, _ in pipes)


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe: the end that we read, and the one that the program writes to."""
    output, end = os.pipe()
    theirs.callback(os.close, end)
    ours.callback(os.close, output)
    return output, end


def _read(process: subprocess.Popen[bytes], contents: dict[int, bytearray], deadline: float, limit: int) -> None:
    """Read what the program prints until it ends, or until the deadline; a little more than the limit at most.

    Args:
        process: the program.
        contents: what was read, by descriptor. The first one ends it all where it is over the limit; what is over the
            limit of another one is dropped.
        deadline: on the monotonic clock.
        limit: bytes of each.
    """
    until, pause, ended = deadline, _SHORTEST, False
    first, waiting = next(iter(contents)), set(contents)
    while waiting and len(contents[first]) <= limit and (left := until - time.monotonic()) > 0:
        for output in _readable(waiting, min(left, pause)):
            part = os.read(output, limit + 1)
            if not part:
                waiting.discard(output)
            elif len(contents[output]) <= limit:
                contents[output] += part
        if not ended and _status(process) is not None:
            ended, until = True, min(deadline, time.monotonic() + _REST)
        pause = min(pause * 2, _LONGEST)


if sys.platform == "win32":
    import _winapi
    import msvcrt

    def _readable(outputs: Collection[int], seconds: float) -> list[int]:
        """Those with something to read, or at their end, within some seconds. Windows can't wait for a pipe."""
        until = time.monotonic() + seconds
        while True:
            found = [output for output in outputs if _has_some(output)]
            if found or time.monotonic() >= until:
                return found
            time.sleep(_SHORTEST)

    def _has_some(output: int) -> bool:
        try:
            return bool(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(output), 0)[0])
        except BrokenPipeError:
            return True
else:
    # Not the default one, which needs a descriptor of its own. eventlet has no `poll`.
    _Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

    def _readable(outputs: Collection[int], seconds: float) -> list[int]:
        """Those with something to read, or at their end, within some seconds."""
        with _Selector() as selector:
            for output in outputs:
                selector.register(output, selectors.EVENT_READ)
            return [key.fd for key, _ in selector.select(seconds)]


def _status_by(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """The status with which the program ends; `None` where it does not until the deadline."""
    pause = _SHORTEST
    while (status := _status(process)) is None and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)
    return status


def _status(process: subprocess.Popen[bytes]) -> int | None:
    """The status with which the program has ended; `None` while it runs.

    Where the system can report the end without reaping the program, no other process gets its id before its session
    is killed.
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
