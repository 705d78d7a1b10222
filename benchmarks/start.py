"""Beginnings: importing, and the way from the start of a process to its first token.

Each is a process of its own, of which the sides take turns. An import counts by its best run, a start by the median.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import ROOT, sides
from .child import clean_environ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .service import Service

PROGRAMS = Path(__file__).parent / "programs"
_IMPORTS = {"floor": "pass", "ours": "import credconf", "theirs": "import azure.identity"}
_LONGEST = 60


def imports(times: int) -> dict[str, float]:
    """Seconds of bare Python, and what each side's import adds to it."""
    best = dict.fromkeys(_IMPORTS, float("inf"))
    for _ in range(times):
        for name, code in _IMPORTS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean_environ({}), check=True, timeout=_LONGEST)
            best[name] = min(best[name], time.perf_counter() - begin)
    # An import that costs less than the noise must not seem to save time.
    return {name: max(0.0, each - best["floor"]) if name != "floor" else each for name, each in best.items()}


def first_token(service: Service, authority: str, directory: Path, times: int) -> dict[str, float]:
    """Seconds from the start of a process to its first token, from YAML, the environment and `.env`.

    Args:
        service: it runs, and answers as late as it was told.
        authority: its URL, or that of a distance before it.
        directory: an empty one, where the files are written.
        times: of each program; the median counts. The first run, which compiles and warms disks, does not.
    """
    _write_files(authority, directory)
    # The same identity from the same three places; each program reads the form that its users write.
    environ = clean_environ({**service.environ(), "AZURE_CLIENT_ID": sides.CLIENT})
    programs = {"ours": PROGRAMS / "ours.py", "theirs": PROGRAMS / "by_hand.py", "floor": PROGRAMS / "bare.py"}
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(times + 1):
        for name, program in programs.items():
            taken[name].append(_until_first_line(program, directory, environ))
    return {name: statistics.median(each[1:]) for name, each in taken.items()}


def problem(directory: Path, times: int) -> dict[str, float]:
    """Seconds until a wrong configuration is told, and of a bare `import pydantic_settings`. The best run counts.

    Args:
        directory: an empty one, where the file is written.
        times: of each program.
    """
    fields = ["tenant_id: '\"contoso.onmicrosoft.com\"'", "clinet_id: x", "http: {timeout: soon}"]
    (directory / "credconf.yaml").write_text("\n".join([*fields, ""]), encoding="utf-8")
    programs = {"import": PROGRAMS / "only_import.py", "ours": PROGRAMS / "broken.py"}
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(times + 1):
        for name, program in programs.items():
            best[name] = min(best[name], _until_first_line(program, directory, clean_environ({})))
    return best


def _write_files(authority: str, directory: Path) -> None:
    lines = [f"tenant_id: {sides.TENANT}", f"authority: {authority}", "disable_instance_discovery: true"]
    (directory / "identity.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    dotenv = directory / ".env"
    dotenv.touch(mode=0o600)
    dotenv.write_text(f"AZURE_CLIENT_SECRET={sides.SECRET}\n", encoding="utf-8")


def _until_first_line(program: Path, directory: Path, environ: Mapping[str, str]) -> float:
    begin = time.perf_counter()
    command = [sys.executable, str(program)]
    with subprocess.Popen(command, cwd=directory, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - begin
        process.stdout.read()
    if line not in {b"token\n", b"told\n"} or process.returncode:
        message = f"{program.name} did not get there"
        raise RuntimeError(message)
    return taken
