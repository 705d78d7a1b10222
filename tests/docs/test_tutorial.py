"""The tutorial, from its first line to its last, as a reader types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import DOCS, Page

PAGE = Page(DOCS / "tutorial.md")
# The interpreter that runs the tests stands for the reader's.
INSTALLATION = ["python -m venv .venv", ". .venv/bin/activate", "pip install credconf"]
IN_ANOTHER_TERMINAL = "credconf fake"
LAST_LINE = "Ctrl-C ends it.\n"


class Terminal:
    """A shell's directory and variables, and the programs that run in terminals beside it."""

    def __init__(self, directory: Path) -> None:
        foreign = ("AZURE_", "CREDCONF_", "PYTEST_", "COV_")
        own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        programs = directory / "bin"
        programs.mkdir()
        (programs / "python").symlink_to(sys.executable)
        beside = Path(sys.executable).parent
        self.environ = {**own, "PATH": os.pathsep.join([str(beside), str(programs), own["PATH"]])}
        self.directory = directory
        self.running: list[subprocess.Popen[str]] = []

    def type(self, line: str) -> str:
        """What is said to a line."""
        command, *rest = line.split(maxsplit=1)
        if command == "export":
            name, _, self.environ[name] = rest[0].partition("=")
            return ""
        if command == "unset":
            self.environ.pop(rest[0])
            return ""
        if line == IN_ANOTHER_TERMINAL:
            return self._start(line.split())
        shell = ["sh", "-c", f"{line} 2>&1"]
        done = subprocess.run(shell, cwd=self.directory, env=self.environ, capture_output=True, text=True, check=False)
        return done.stdout

    def _start(self, words: list[str]) -> str:
        program = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=self.directory, env=self.environ, stdout=subprocess.PIPE, text=True
        )
        self.running.append(program)
        assert program.stdout is not None
        said = ""
        while not said.endswith(LAST_LINE):
            line = program.stdout.readline()
            assert line, said
            said += line
        return said

    def close(self) -> None:
        while self.running:
            program = self.running.pop()
            program.terminate()
            program.communicate()
            assert program.returncode == 0


@pytest.fixture
def terminal(tmp_path):
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def lead_to_the_fake_one(terminal: Terminal) -> None:
    """The end of the tutorial is about the real Entra: the variables of the machine lead to the fake one instead."""
    fake = yaml.safe_load((terminal.directory / "fake.yaml").read_text(encoding="utf-8"))
    terminal.environ |= {
        "AZURE_AUTHORITY_HOST": fake["authority"],
        "CREDCONF_DISABLE_INSTANCE_DISCOVERY": "true",
        "CREDCONF_HTTP__CA_BUNDLE": str(terminal.directory / fake["http"]["ca_bundle"]),
    }


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_tutorial_works_as_it_is_written(terminal):
    said = ""
    typed_lines = []
    for block in PAGE.blocks():
        if block.title:
            (terminal.directory / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "text":
            assert all(words(part) in words(said) for part in block.text.split("…"))
        elif block.language == "console":
            for typed, expected in block.sessions:
                typed_lines.append(typed)
                if typed in INSTALLATION:
                    continue
                said = terminal.type(typed)
                if expected:
                    assert said == expected
                if typed == "unset CREDCONF_FILE":
                    lead_to_the_fake_one(terminal)
    assert typed_lines[:3] == INSTALLATION
    assert len(typed_lines) > 15
    terminal.close()
    assert not list(terminal.directory.glob("fake.*"))
    assert not (terminal.directory / "secrets").exists()
