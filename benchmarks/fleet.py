"""Processes that share tokens, beside azure-identity's persistent cache: `python -m benchmarks.fleet`.

Both sides keep a plain file in a home of their own. All processes of a row are started before the first is waited for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credconf.tokens.file import FileBackend
from credconf.tokens.persistence import plain
from credconf.tokens.shared import Entry

from .__main__ import RESULTS, about_this_run
from .child import clean_environ
from .service import Service
from .start import PROGRAMS
from .table import Row, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

_DELAY = 0.05
"""Seconds that the server takes for a token."""
_LONGEST = 300


def cold(service: Service, side: str, home: Path, processes: int) -> dict[str, int]:
    """The requests of many processes that start together and find nothing."""
    service.reset(_DELAY)
    started = [_start(service, side, home, "cold") for _ in range(processes)]
    for each in started:
        _until_token(each)
    return service.counts()


def warm(service: Service, side: str, home: Path, times: int) -> float:
    """Seconds from the start of a process to the token that it finds; the median."""
    service.reset(_DELAY)
    taken = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        _until_token(_start(service, side, home, "warm"))
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[1:])  # the first one has asked


def _start(service: Service, side: str, home: Path, name: str) -> subprocess.Popen[bytes]:
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "LOCALAPPDATA": str(home)}
    environ = clean_environ({**service.environ(), **places})
    command = [sys.executable, str(PROGRAMS / f"shared_{side}.py"), service.authority, name]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)


def _until_token(process: subprocess.Popen[bytes]) -> None:
    said, _ = process.communicate(timeout=_LONGEST)
    if said.strip() != b"token":
        raise RuntimeError("a process got no token")


def refresh(directory: Path, tokens: int, times: int = 200) -> float:
    """Seconds that the file adds to one request: two looks, a lock and a new token, among so many others."""
    backend = FileBackend(str(directory), str(tokens), plain, 10_000, clock=time.time, steady=time.monotonic)
    entry = Entry("x" * 1500, "Bearer", 3599, None, 0.0)
    for number in range(tokens - 1):
        backend.put(str(number), entry)
    begin = time.perf_counter()
    for _ in range(times):
        backend.get("key")
        lock = backend.lock("key")
        backend.get("key")
        backend.put("key", entry)
        if lock is not None:
            lock.release()
    return (time.perf_counter() - begin) / times


def rows(processes: int, times: int) -> list[Row]:
    """All of it."""
    with Service() as service, tempfile.TemporaryDirectory(prefix="credconf-benchmark-") as directory:
        homes = {side: Path(directory) / side for side in ("ours", "theirs")}
        for home in homes.values():
            home.mkdir()
        counted: dict[str, Any] = {side: cold(service, side, home, processes) for side, home in homes.items()}
        numbers = {side: counts.get("token", 0) for side, counts in counted.items()}
        what = f"token requests of {processes} processes, cold, file"
        found = [Row(what, "requests", numbers["theirs"], numbers["ours"], None, "1", numbers["ours"] <= 1, counted)]
        taken = {side: warm(service, side, home, times) for side, home in homes.items()}
        found.append(Row("process start to a token found in the file", "s", taken["theirs"], taken["ours"]))
        for tokens in (1, 100):
            what = f"what the file adds to a request, {tokens} tokens in it"
            found.append(Row(what, "s", None, refresh(Path(directory) / "refresh", tokens)))
        return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--processes", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--times", type=int, default=11, help="starts of each program; default: %(default)s")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIRECTORY")
    options = parser.parse_args(arguments)
    measured = rows(options.processes, options.times)
    print(markdown(measured))
    options.results.mkdir(parents=True, exist_ok=True)
    result = {**about_this_run(quick=False), "rows": [row.as_json() for row in measured]}
    (options.results / "fleet.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
