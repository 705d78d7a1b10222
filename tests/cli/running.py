"""The command line, in this process or its own, and what holds of every call: no traceback, and no canary."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from credconf.cli import main
from tests.config.project import CANARY

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Outcome:
    status: int
    said: str

    @property
    def json(self):
        return json.loads(self.said)

    @property
    def codes(self):
        return [problem["code"] for problem in self.json["problems"]]


def run(*arguments, stdin=None, canary=CANARY) -> Outcome:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in {0, 1, 2}
    assert canary not in result.output
    return Outcome(result.exit_code, result.output)


def terminal(*arguments, answers=(), meets=None):
    """The real program at a terminal of its own.

    Args:
        *arguments: of the command line.
        answers: what is typed, a line each.
        meets: texts in the order in which they are waited for, with what to do then, which is told the process.

    Returns:
        Its exit status, and all that it wrote there.
    """
    import pty

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell: a child would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "credconf", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    awaited = list((meets or {}).items())
    said = b""
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # Linux reports the end so
                break
            if not chunk:
                break
            said += chunk
            while awaited and awaited[0][0].encode() in said:
                awaited.pop(0)[1](process)
    os.close(ours)
    return process.returncode, said.decode()


def program(*arguments, stdin=None, **environ):
    """The real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "credconf", *arguments],
        capture_output=True,
        input=stdin,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )
