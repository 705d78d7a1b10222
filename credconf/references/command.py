"""`{command: [argv, ...]}`: the output of a program, if the application allowed it.

A configuration file can't run programs by itself: whoever can write the YAML is not thereby able to run code. There
is no shell; the program has ten seconds (`http.total_timeout`, where that is less) and 64 KB; what it writes to its
standard error is dropped, as it may hold what it was asked for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from typing import IO, TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, StringConstraints

from credconf.config.building import STRICT
from credconf.config.files import REFERENCE_LIMIT, Unreadable, decode
from credconf.problems.printable import printable

from .found import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

TIME_LIMIT = 10.0


class CommandReference(BaseModel):
    """A value that a program prints.

    Attributes:
        command: the program and its arguments; no shell reads them.
    """

    model_config = STRICT

    # Out of sight: its arguments may hold what should not be shown.
    command: Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(min_length=1, repr=False)]

    @property
    def label(self) -> str:
        """What messages call it: the program alone, since arguments may hold what should not be shown."""
        return f"the command {printable(os.path.basename(self.command[0]))}"


def run(
    reference: CommandReference, environ: Mapping[str, str], *, allowed: bool, seconds: float | None = None
) -> str | NotFound:
    """The program's output without its trailing newline.

    Args:
        reference: names the program.
        environ: of the program.
        allowed: by the application.
        seconds: that it may take, where that is less than usual.
    """
    if not allowed:
        return not_allowed()
    output = _output(reference, environ, TIME_LIMIT if seconds is None else min(TIME_LIMIT, seconds))
    if isinstance(output, NotFound):
        return output
    text = decode(output)
    if isinstance(text, Unreadable):
        return NotFound("command-failed", f"what {reference.label} printed {text.reason}")
    return text.removesuffix("\n").removesuffix("\r")


def not_allowed() -> NotFound:
    """The answer to a command that the program did not allow."""
    return NotFound(
        "command-not-allowed",
        "`command` runs a program, which this application did not allow",
        'pass allow={"command"} to from_config(), or --allow command',
    )


def _output(reference: CommandReference, environ: Mapping[str, str], seconds: float) -> bytes | NotFound:
    try:
        process = subprocess.Popen(  # noqa: S603 - argv of a configuration, run only where the program allowed it
            list(reference.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "its arguments are not valid"
        hint = "install it, or name it by its whole path: PATH is that of this process, and no shell reads the words"
        return NotFound("command-failed", f"{reference.label} could not be started: {reason}", hint)
    try:
        return _collect(reference, process, seconds)
    finally:
        _end(process)  # KeyboardInterrupt, too, must not leave the program behind


def _collect(reference: CommandReference, process: subprocess.Popen[bytes], seconds: float) -> bytes | NotFound:
    # A thread reads, because communicate() has no limit of size, and Windows can't wait for a pipe with a time limit.
    chunks: list[bytes] = []
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, chunks), daemon=True)
    deadline = time.monotonic() + seconds
    reader.start()
    reader.join(seconds)
    if chunks and len(chunks[0]) > REFERENCE_LIMIT:
        hint = "let it print the secret alone"
        return NotFound("command-failed", f"{reference.label} printed more than {REFERENCE_LIMIT // 1024} KB", hint)
    try:
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        status = None
    if status is None or not chunks:
        hint = "run it by hand: it may wait for somebody to log in, or for a server that is out of reach"
        return NotFound("command-failed", f"{reference.label} did not end within {seconds:g} s", hint)
    if status != 0:
        hint = "run it by hand: what it wrote to its standard error is not kept, since it may hold secrets"
        return NotFound("command-failed", f"{reference.label} ended with status {status}", hint)
    return chunks[0]


def _read(stream: IO[bytes], chunks: list[bytes]) -> None:
    with stream:  # closed here: from another thread, closing would wait for this one
        chunks.append(stream.read(REFERENCE_LIMIT + 1))


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session: what it started ends with it
    else:
        process.kill()
    process.wait()
