"""The broken examples as sessions at a prompt: what is typed, and what `credconf` says to it.

`python -m tests.examples.sessions`, in the root of the repository, writes what it says now into every `check.txt`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from credconf.cli import main
from tests.examples.running import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN = EXAMPLES / "broken"
SESSION = "check.txt"
CANARY = "kept-from-view"
"""What stands in the broken examples where a secret would."""

_PROMPT = "$ "
_SHOWN = "/app"  # where the examples pretend to be: no path of a machine is written into them
_NOT_OURS = ("AZURE_", "CREDCONF_")


@dataclass(frozen=True)
class Session:
    """What is typed, line by line, and what was said to the last line, which calls `credconf`."""

    typed: tuple[str, ...]
    said: str

    @classmethod
    def read(cls, folder: Path) -> Session:
        lines = (folder / SESSION).read_text(encoding="utf-8").splitlines(keepends=True)
        typed = [line for line in lines if line.startswith(_PROMPT)]
        return cls(tuple(line.removeprefix(_PROMPT).rstrip("\n") for line in typed), "".join(lines[len(typed) :]))

    def __str__(self) -> str:
        return "".join(f"{_PROMPT}{line}\n" for line in self.typed) + self.said


def folders() -> list[Path]:
    """One for each code that a file can produce; each has the code's name."""
    return sorted(path for path in BROKEN.iterdir() if path.is_dir())


def play(folder: Path) -> tuple[int, Session]:
    """Type the session again, in a copy of the folder: the exit status, and what is said now."""
    typed = Session.read(folder).typed
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory).resolve() / folder.name
        shutil.copytree(folder, place)
        for line in typed[:-1]:
            subprocess.run(["sh", "-euc", line], cwd=place, check=True)
        status, said = _call(typed[-1], place)
    return status, Session(typed, said.replace(str(place), _SHOWN))


def _call(line: str, place: Path) -> tuple[int, str]:
    words = shlex.split(line)
    given = {}
    while "=" in words[0]:
        name, _, given[name] = words.pop(0).partition("=")
    program, *arguments = words
    assert program == "credconf"
    foreign = {name: None for name in os.environ if name.startswith(_NOT_OURS)}
    with _inside(place):
        result = CliRunner().invoke(main, arguments, env={**foreign, **given}, prog_name=program)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@contextmanager
def _inside(place: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    for each in folders():
        (each / SESSION).write_text(str(play(each)[1]), encoding="utf-8")
