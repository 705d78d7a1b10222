"""The costs of a start: of imports, and from the start of a process to its first token.

Each measurement is a new process, and the sides take turns. The best run of an import is reported.
"""

from __future__ import annotations

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
    """Return the seconds of bare Python, and those that each side's import adds."""
    best = dict.fromkeys(_IMPORTS, float("inf"))
    for _ in range(times):
        for name, code in _IMPORTS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean_environ({}), check=True, timeout=_LONGEST)
            best[name] = min(best[name], time.perf_counter() - begin)
    # An import that costs less than the noise must not appear to save time.
    return {name: max(0.0, each - best["floor"]) if name != "floor" else each for name, each in best.items()}


def first_token(service: Service, authority: str, directory: Path, times: int) -> dict[str, list[float]]:
    """Return the seconds from each start of a process to its first token, with YAML, the environment and `.env`.

    Args:
        service: the running service, with its delay.
        authority: its URL, or that of a distance in front of it.
        directory: an empty directory for the files.
        times: the number of runs of each program. The first run, which compiles and warms disks, does not count.
    """
    write_files(authority, directory)
    # The same identity from the same three sources, in the form of each program's users.
    environ = clean_environ({**service.environ(), "AZURE_CLIENT_ID": sides.CLIENT})
    programs = {"ours": PROGRAMS / "ours.py", "theirs": PROGRAMS / "by_hand.py", "floor": PROGRAMS / "bare.py"}
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(times + 1):
        for name, program in programs.items():
            taken[name].append(_checked(program, directory, environ))
    return {name: each[1:] for name, each in taken.items()}


def problem(directory: Path, times: int) -> dict[str, float]:
    """Return the best times in seconds to report a wrong configuration, and to `import pydantic_settings` only.

    Args:
        directory: an empty directory for the file.
        times: the number of runs of each program.
    """
    fields = ["tenant_id: '\"contoso.onmicrosoft.com\"'", "clinet_id: x", "http: {timeout: soon}"]
    (directory / "credconf.yaml").write_text("\n".join([*fields, ""]), encoding="utf-8")
    programs = {"import": PROGRAMS / "only_import.py", "ours": PROGRAMS / "broken.py"}
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(times + 1):
        for name, program in programs.items():
            best[name] = min(best[name], _checked(program, directory, clean_environ({})))
    return best


def write_files(authority: str, directory: Path) -> None:
    """Write the YAML file and `.env` of the programs."""
    lines = [f"tenant_id: {sides.TENANT}", f"authority: {authority}", "disable_instance_discovery: true"]
    (directory / "identity.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    dotenv = directory / ".env"
    dotenv.touch(mode=0o600)
    dotenv.write_text(f"AZURE_CLIENT_SECRET={sides.SECRET}\n", encoding="utf-8")


def _checked(program: Path, directory: Path, environ: Mapping[str, str]) -> float:
    taken, line = until_first_line(program, directory, environ)
    if line not in {b"token\n", b"told\n"}:
        message = f"{program.name} did not get there"
        raise RuntimeError(message)
    return taken


def until_first_line(program: Path, directory: Path, environ: Mapping[str, str]) -> tuple[float, bytes]:
    """Return the seconds from the start of a program to its first line, and the line.

    Raises:
        RuntimeError: it failed.
    """
    begin = time.perf_counter()
    command = [sys.executable, str(program)]
    with subprocess.Popen(command, cwd=directory, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - begin
        process.stdout.read()
    if process.returncode:
        message = f"{program.name} failed"
        raise RuntimeError(message)
    return taken, line
