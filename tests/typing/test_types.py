"""The type checkers' own verdict on the files beside this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [str(path) for path in sorted(Path(__file__).parent.glob("typing_*.py"))]


def test_there_is_something_to_check():
    assert len(FILES) >= 2


@pytest.mark.parametrize("command", [["mypy", "--strict"], ["pyright", "--warnings"]], ids=["mypy", "pyright"])
def test_a_strict_type_checker_accepts_what_users_write(command):
    pytest.importorskip(command[0])
    result = subprocess.run(
        [sys.executable, "-m", *command, *FILES], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stdout + result.stderr
