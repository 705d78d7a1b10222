"""Requests that a failing service receives from callers that retry: `python -m benchmarks.faults`.

The first table is for twenty calls of one credential in a row, with each face. The second is for eight threads that
call one credential for six seconds, with a pause of 50 ms after each call. A cell contains the number of token requests
that the service received and, after a `+`, of discovery requests.

Retries within a call are disabled on both sides (`http.retries: 0`, `retry_total=0`), because with `Retry-After: 30`,
each call of azure-identity would sleep 90 s. All other settings have their defaults, so a cell shows what a credential
remembers from earlier calls. For a server that is down, the cells contain connection attempts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import sides
from .child import measure
from .counts import ASYNC, SYNC
from .table import Row, grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .service import Service
    from .sides import Side

PAUSE = 0.05
"""Seconds between two calls of a thread of the second table."""
REMEMBERED = 5.0
"""Seconds for which a credential may remember a refusal."""
_NONE = "no failure"


@dataclass(frozen=True)
class Fault:
    """An answer of the service instead of a token.

    Attributes:
        what: its name in the tables.
        status: of the answer.
        body: of the answer.
        headers: of the answer, beside the usual ones.
        meets: the kinds of requests with this answer.
        lasts: seconds for which a credential may remember it; 0 for none.
    """

    what: str
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    meets: tuple[str, ...] = ("token",)
    lasts: float = 0.0


def _refusal(what: str, code: int, **changes: Any) -> Fault:
    from credconf.testing.answers import Refusal, refused
    from credconf.testing.wire import Call

    facts = {"tenant": sides.TENANT, "client_id": sides.CLIENT}
    answer = refused(Refusal(code, **facts), Call("POST", "/", {}, {}, {}), time.time())
    return Fault(**{"what": what, "status": answer.status, "body": answer.body.decode(), **changes})


def faults() -> list[Fault]:
    """Return all faults that are answers. A server that is down gives none."""
    wait, html = {"Retry-After": "30"}, {"Content-Type": "text/html"}
    everywhere = ("token", "openid-configuration")  # the tenant is in the path of both
    return [
        _refusal("429, Retry-After: 30", 90055, headers=wait, lasts=30.0),
        _refusal("503, Retry-After: 30", 90033, headers=wait, lasts=30.0),
        _refusal("429", 90055),
        _refusal("503", 90033),
        Fault("500", 500, ""),
        _refusal("AADSTS700016, unknown application", 700016, lasts=REMEMBERED),
        _refusal("AADSTS7000215, wrong secret", 7000215, lasts=REMEMBERED),
        _refusal("AADSTS90002, unknown tenant", 90002, meets=everywhere, lasts=REMEMBERED),
        Fault("200, no JSON", 200, "<html>Welcome to this hotel</html>", html),
    ]


DOWN = "server down"
MAIN = ("429, Retry-After: 30", "503, Retry-After: 30", "503", "AADSTS700016, unknown application", DOWN)
"""The faults of the second table."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run.

    Attributes:
        calls: the number of calls in a row.
        met: the faults for these calls; `None` for all.
        threads: the number of threads that call at the same time.
        seconds: the duration of these calls.
        main: the faults for these threads.
    """

    calls: int = 20
    met: tuple[str, ...] | None = None
    threads: int = 8
    seconds: float = 6.0
    main: tuple[str, ...] = MAIN


FULL = Sizes()
QUICK = Sizes(seconds=2.0, main=MAIN[:2])


# In the process of the client


def in_a_row(side: Side, face: str, port: int | None, calls: int) -> dict[str, Any]:
    """Call one credential a number of times, one call after the other."""
    attempts = _counted_attempts(port)
    outcomes: Counter[str] = Counter()
    if face == "sync":
        credential = SYNC[side](retries=0)
        for _ in range(calls):
            outcomes[_failure_of(credential)] += 1
    else:
        asyncio.run(_in_a_row(side, calls, outcomes))
    return {"calls": calls, "errors": outcomes, "attempts": attempts["connect"]}


async def _in_a_row(side: Side, calls: int, outcomes: Counter[str]) -> None:
    async with ASYNC[side](retries=0) as credential:
        for _ in range(calls):
            outcomes[await _failure_of_async(credential)] += 1


async def _failure_of_async(credential: Any) -> str:
    try:
        await credential.get_token(sides.SCOPE)
    except Exception as exc:  # noqa: BLE001 - each side has errors of its own
        return type(exc).__name__
    return _NONE


def at_once(side: Side, port: int | None, threads: int, seconds: float) -> dict[str, Any]:
    """Call one credential from several threads for some seconds, with a pause after each call."""
    attempts = _counted_attempts(port)
    credential = SYNC[side](retries=0)
    barrier, outcomes = threading.Barrier(threads), [Counter[str]() for _ in range(threads)]

    def ask(mine: Counter[str]) -> None:
        barrier.wait()
        end = time.monotonic() + seconds
        mine[_failure_of(credential)] += 1
        while time.monotonic() < end:
            time.sleep(PAUSE)
            mine[_failure_of(credential)] += 1

    crowd = [threading.Thread(target=ask, args=(each,)) for each in outcomes]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    errors = sum(outcomes, Counter[str]())
    return {"calls": errors.total(), "errors": errors, "attempts": attempts["connect"]}


def _failure_of(credential: Any) -> str:
    try:
        credential.get_token(sides.SCOPE)
    except Exception as exc:  # noqa: BLE001 - each side has errors of its own
        return type(exc).__name__
    return _NONE


def _counted_attempts(port: int | None) -> Counter[str]:
    """Resolve the login host to a port, or to an unused one, and count the connection attempts."""
    logging.disable()  # azure-identity warns of each failure
    if port is None:
        closed = socket.socket()  # bound and not listening: no other process gets the port
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        _KEPT.append(closed)
    sides.send_login_to(port)
    attempts: Counter[str] = Counter()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][1] == port:
            attempts["connect"] += 1

    sys.addaudithook(hook)
    return attempts


_KEPT: list[socket.socket] = []


# In the process of the benchmark


def rows(sizes: Sizes, service: Service) -> tuple[list[Row], list[Row]]:
    """Return the rows of both tables. The first has one for each fault and face."""
    known: dict[str, Fault | None] = {**{fault.what: fault for fault in faults()}, DOWN: None}
    first = [
        _row(f"{name}, {face}", known[name], service, "in_a_row", face=face, calls=sizes.calls)
        for name in sizes.met or known
        for face in ("sync", "async")
    ]
    crowd = {"threads": sizes.threads, "seconds": sizes.seconds}
    return first, [_row(name, known[name], service, "at_once", **crowd) for name in sizes.main]


def _row(what: str, fault: Fault | None, service: Service, function: str, **arguments: Any) -> Row:
    seen: dict[str, Any] = {}
    for side in ("theirs", "ours"):
        service.reset(fault=fault)
        port = None if fault is None else service.port
        done = measure(f"faults:{function}", service.environ(), side=side, port=port, **arguments)
        if _NONE in done["errors"]:
            raise RuntimeError("a call got a token from a service that gives none")
        attempts = done.pop("attempts")
        seen[side] = {"requests": {"attempts": attempts} if fault is None else service.counts(), **done}
    theirs, ours = (_main(seen[side]["requests"]) for side in ("theirs", "ours"))
    if fault is None or not fault.lasts:
        return Row(what, "requests", theirs, ours, detail=seen)
    goal = 1 + int(arguments.get("seconds", 0.0) / fault.lasts)
    reached = sum(seen["ours"]["requests"].values()) <= goal
    return Row(what, "requests", theirs, ours, None, str(goal), reached, seen)


def _main(counted: dict[str, int]) -> int:
    return counted.get("token", 0) + counted.get("attempts", 0)


def tables(sizes: Sizes, first: Sequence[Row], second: Sequence[Row]) -> str:
    """Return both tables in Markdown."""
    heads = ("azure-identity", "ours", "azure-identity, async", "ours, async", "goal", "")
    lines: list[tuple[str, ...]] = [(f"{sizes.calls} calls in a row, retries off", *heads)]
    for plain, coroutines in zip(first[::2], first[1::2], strict=True):
        reached = None if plain.reached is None else plain.reached and bool(coroutines.reached)
        what = plain.what.removesuffix(", sync")
        lines.append((what, *_cells(plain), *_cells(coroutines), plain.goal, _verdict(reached)))
    what = f"{sizes.threads} threads for {sizes.seconds:g} s, {PAUSE * 1000:.0f} ms apart"
    crowd: list[tuple[str, ...]] = [(what, *heads[:2], *heads[4:])]
    crowd += [(row.what, *_cells(row), row.goal, _verdict(row.reached)) for row in second]
    return f"{grid(lines)}\n\n{grid(crowd)}"


def _cells(row: Row) -> Iterator[str]:
    for side in ("theirs", "ours"):
        counted = (row.detail or {})[side]["requests"]
        others = sum(counted.values()) - _main(counted)
        yield f"{_main(counted)} + {others}" if others else str(_main(counted))


def _verdict(reached: bool | None) -> str:  # noqa: FBT001 - of one row
    return {True: "reached", False: "MISSED", None: ""}[reached]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    from .__main__ import RESULTS, about_this_run
    from .service import Service

    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="use fewer faults for the threads, for 2 s each")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIRECTORY", help="default: %(default)s")
    options = parser.parse_args(arguments)
    sizes = QUICK if options.quick else FULL
    with Service() as service:
        first, second = rows(sizes, service)
    print(tables(sizes, first, second))
    options.results.mkdir(parents=True, exist_ok=True)
    measured = {"in_a_row": [row.as_json() for row in first], "at_once": [row.as_json() for row in second]}
    name = "faults-quick.json" if options.quick else "faults.json"
    result = {**about_this_run(quick=options.quick), **measured}
    (options.results / name).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
