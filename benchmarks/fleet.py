"""Processes that share tokens, compared with azure-identity's persistent cache: `python -m benchmarks.fleet`.

Both sides use a plain file in their own home directory. credconf also runs with a real Redis on this machine. All
processes of a row start before the first one is awaited.
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

import credconf
from credconf.ground.log import Log
from credconf.stores.encrypted_storage import plain
from credconf.stores.file_store import FileStore
from credconf.stores.store import Entry
from tests.redis_server import NO_SERVER, RedisServer, executable

from .__main__ import RESULTS, about_this_run
from .child import clean_environ, measure
from .service import Service
from .start import PROGRAMS
from .table import Row, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credconf.stores.store import Store

    from .sides import Side

_DELAY = 0.05
"""The server's latency for a token, in seconds."""
_LONGEST = 300


def cold(service: Service, side: str, home: Path, processes: int, place: str = "cold") -> dict[str, int]:
    """Return the requests of many processes that start together with an empty cache."""
    service.reset(_DELAY)
    started = [_start(service, side, home, place) for _ in range(processes)]
    for each in started:
        _until_token(each)
    return service.counts()


def warm(service: Service, side: str, home: Path, times: int, place: str = "warm") -> float:
    """Return the median of the seconds from the start of a process to its cached token."""
    service.reset(_DELAY)
    taken = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        _until_token(_start(service, side, home, place))
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[1:])  # the first one requested the token


def _start(service: Service, side: str, home: Path, place: str) -> subprocess.Popen[bytes]:
    environ = clean_environ({**service.environ(), **_places(home)})
    command = [sys.executable, str(PROGRAMS / f"shared_{side}.py"), service.authority, place]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)


def _places(home: Path) -> dict[str, str]:
    """The variables that name a home."""
    return {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "LOCALAPPDATA": str(home)}


def _until_token(process: subprocess.Popen[bytes]) -> None:
    said, _ = process.communicate(timeout=_LONGEST)
    if said.strip() != b"token":
        raise RuntimeError("a process got no token")


def refresh(backend: Store, tokens: int, times: int = 200) -> float:
    """Return the seconds that a store with other tokens adds to a request: two reads, a lock and a write."""
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


def _file(directory: Path, tokens: int) -> Store:
    return FileStore(
        str(directory), str(tokens), plain, clock=time.time, monotonic=time.monotonic, log=Log("benchmark")
    )


def crowd(service: Service, homes: dict[Side, Path], tenants: int) -> list[Row]:
    """Return the rows of many tenants that use the file: with an empty cache, and in a second process."""
    found = []
    goals: dict[str, tuple[str, float]] = {"cold": ("2 s", 2.0), "found by another process": ("", 0.0)}
    for state, (goal, seconds) in goals.items():
        service.reset(_DELAY)
        taken = {
            side: measure(
                "crowd:shared",
                {**service.environ(), **_places(home)},
                side=side,
                port=service.port,
                tenants=tenants,
                name="crowd",
            )
            for side, home in homes.items()
        }
        times = taken["theirs"]["seconds"], taken["ours"]["seconds"]
        reached = times[1] <= seconds if goal else None
        what = f"{tenants:,} tenants at once through the file, {state}"
        found.append(Row(what, "s", *times, None, goal, reached, {**taken, "requests": service.counts()}))
    return found


def in_redis(service: Service, home: Path, processes: int, times: int) -> list[Row]:
    """Return the rows with a real Redis, or none if it is not installed."""
    if executable() is None:
        print(NO_SERVER)
        return []
    with RedisServer(home) as redis:
        counted = cold(service, "ours", home, processes, redis.url)
        number = counted.get("token", 0)
        what = f"token requests of {processes} processes, cold, Redis"
        found = [Row(what, "requests", None, number, None, "1", number <= 1, {"ours": counted})]
        taken = warm(service, "ours", home, times, redis.url)
        found.append(Row("process start to a token found in the Redis", "s", None, taken))
        fields = {"tenant_id": "a.example", "client_id": "client", "client_secret": "secret"}
        with credconf.build({**fields, "token_cache": {"url": redis.url}}) as credential:
            backend = credential._engine._coordinator._breaker.store  # noqa: SLF001 - a request is not what is measured
            for tokens in (1, 1000):
                what = f"what the Redis adds to a request, {tokens:,} tokens in it"
                found.append(Row(what, "s", None, refresh(backend, tokens)))
    return found


def rows(processes: int, times: int, tenants: int) -> list[Row]:
    """Return all rows."""
    with Service() as service, tempfile.TemporaryDirectory(prefix="credconf-benchmark-") as directory:
        homes: dict[Side, Path] = {"ours": Path(directory) / "ours", "theirs": Path(directory) / "theirs"}
        for home in homes.values():
            home.mkdir()
        counted: dict[str, Any] = {side: cold(service, side, home, processes) for side, home in homes.items()}
        numbers = {side: counts.get("token", 0) for side, counts in counted.items()}
        what = f"token requests of {processes} processes, cold, file"
        found = [Row(what, "requests", numbers["theirs"], numbers["ours"], None, "1", numbers["ours"] <= 1, counted)]
        taken = {side: warm(service, side, home, times) for side, home in homes.items()}
        found.append(Row("process start to a token found in the file", "s", taken["theirs"], taken["ours"]))
        found += crowd(service, homes, tenants)
        for tokens in (1, 1000):
            what = f"what the file adds to a request, {tokens:,} tokens in it"
            found.append(Row(what, "s", None, refresh(_file(Path(directory) / "refresh", tokens), tokens)))
        return found + in_redis(service, homes["ours"], processes, times)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--processes", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--times", type=int, default=11, help="starts of each program; default: %(default)s")
    parser.add_argument("--tenants", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIRECTORY")
    options = parser.parse_args(arguments)
    measured = rows(options.processes, options.times, options.tenants)
    print(markdown(measured))
    options.results.mkdir(parents=True, exist_ok=True)
    result = {**about_this_run(quick=False), "rows": [row.as_json() for row in measured]}
    (options.results / "fleet.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
