"""A day of many pods on a virtual clock, by the real code: `python -m benchmarks.day`.

Each pod is an engine with its own cache, flights and refreshes and, where tokens are shared, a coordinator and a
circuit breaker; below them MSAL talks to a stub instead of HTTPS. Nothing runs in threads and nothing sleeps: a pod is
driven from one moment that matters to the next, and its waits move only its own clock.

The moments that matter are the first call after a token is due: until then a call is a look-up in the pod's memory.
Calls come at random (Poisson), so that the wait for the first one after any moment has the same distribution.
"""

from __future__ import annotations

import argparse
import heapq
import json
import logging
import os
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credconf import AuthenticationError
from credconf.assembly import blueprint_of
from credconf.engine import Engine
from credconf.ground.records import replace
from credconf.kinds import validate
from credconf.references import Reader
from credconf.stores.store import Stored, Unavailable, read, written
from credconf.tokens.coordinator import Coordinator
from credconf.tokens.policy import SPACING

from . import sides

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.problems.failure import Failure
    from credconf.stores.store import Entry
    from credconf.tokens.blueprint import Blueprint

HOUR = 3600.0
DAY = 24 * HOUR
BEGIN = 1_800_000_000.0
LIFE = 3599
LATENCY = 0.15
"""Seconds that Entra takes for a token; the shared store takes `STORE`."""
STORE = 0.0005
CALLS = 30.0
"""Seconds between two calls of one pod, on average."""
DEPLOYMENT = (10 * HOUR, 10.25 * HOUR)
ENTRA_IS_DOWN = (14.5 * HOUR, 15 * HOUR)
STORE_IS_DOWN = (18 * HOUR, 19 * HOUR)
START = 60.0
"""Seconds in which all pods start."""
CRASHES = 0.25
"""Restarts of a pod in a day, beside the deployment."""


class World:
    """Virtual time: the moment of what happens, and how long the pod that it happens to has waited in it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.requests: Counter[int] = Counter()
        self.failed = 0
        self.longest = 0.0

    def clock(self) -> float:
        """Of the wall."""
        return BEGIN + self.now

    def monotonic(self) -> float:
        """Of deadlines."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the pod wait."""
        self.now += seconds

    def within(self, span: tuple[float, float]) -> bool:
        """Whether it is then."""
        return span[0] <= self.now < span[1]


class Entra:
    """What MSAL takes for an HTTP client: answers after some time, and counts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def post(self, *_: Any, **__: Any) -> Answer:
        """A token, or 503."""
        self._world.requests[int(self._world.now // 60)] += 1
        self._world.sleep(LATENCY)
        if self._world.within(ENTRA_IS_DOWN):
            return Answer(503, "{}")
        text = f"{self._world.random.getrandbits(64):016x}"
        return Answer(200, json.dumps({"access_token": text, "token_type": "Bearer", "expires_in": LIFE}))

    def get(self, *_: Any, **__: Any) -> Answer:
        """Nothing here asks for anything else."""
        return Answer(404, "{}")

    def close(self) -> None:
        """Nothing is open."""


class Answer:
    """Of HTTP."""

    def __init__(self, status_code: int, text: str) -> None:
        self.status_code = status_code
        self.text = text
        self.headers: dict[str, str] = {}

    def raise_for_status(self) -> None:
        """As `requests` has it."""
        if self.status_code >= 400:  # noqa: PLR2004 - of HTTP
            raise OSError(self.status_code)


class Store:
    """The shared store. What a pod does later, by its own clock, others do not see before."""

    label = "the store"
    patience = None  # nothing is done behind a caller's back: there is one thread, on a virtual clock

    def __init__(self, world: World) -> None:
        self._world = world
        self._entries: dict[str, list[tuple[float, float, dict[str, Any]]]] = {}
        self._failures: dict[str, list[tuple[float, Failure]]] = {}
        self._locks: dict[str, list[Lock]] = {}
        self.operations = 0

    def _enter(self) -> None:
        self.operations += 1
        if self._world.within(STORE_IS_DOWN):
            self._world.sleep(0.5)
            raise Unavailable("it is down")
        self._world.sleep(STORE)

    def get(self, key: str) -> Stored:
        """See `Store`."""
        self._enter()
        now = self._world.now
        at, since, data = self._last(self._entries, key) or (0.0, 0.0, None)
        failed_at, failure = self._last(self._failures, key) or (0.0, None)
        fresh = failure is not None and at <= failed_at > now - SPACING
        return Stored(read(data, now - since), failure if fresh else None, now - failed_at)

    def _last(self, history: dict[str, list[Any]], key: str) -> Any:
        """What stood there last, at the moment of the pod that looks."""
        return max((item for item in history.get(key, ()) if item[0] <= self._world.now), default=None, key=_moment)

    def _note(self, history: dict[str, list[Any]], key: str, item: Any) -> None:
        """Others may still live in the last minutes."""
        recent = [each for each in history.get(key, ()) if each[0] > self._world.now - 2 * SPACING]
        last = self._last(history, key)
        history[key] = [*(recent if last is None or last in recent else [last, *recent]), item]

    def put(self, key: str, entry: Entry) -> None:
        """See `Store`."""
        self._enter()
        now = self._world.now
        self._note(self._entries, key, (now, now - entry.age, written(entry)))

    def put_failure(self, key: str, failure: Failure, seconds: float) -> None:  # noqa: ARG002 - `Store`
        """See `Store`."""
        self._enter()
        self._note(self._failures, key, (self._world.now, failure))

    def lock(self, key: str) -> Lock | None:
        """See `Store`."""
        self._enter()
        now = self._world.now
        recent = [lock for lock in self._locks.get(key, ()) if lock.released > now - 2 * SPACING]
        if any(lock.taken <= now < lock.released for lock in recent):
            return None
        taken = Lock(self._world)
        self._locks[key] = [*recent, taken]
        return taken

    def after_fork(self) -> None:
        """Nobody forks."""

    def close(self) -> None:
        """Nothing is open."""


def _moment(item: tuple[Any, ...]) -> float:
    return float(item[0])


class Lock:
    """From when it is taken until when it is released."""

    lease = None
    local = False

    def __init__(self, world: World) -> None:
        self._world = world
        self.taken = world.now
        self.released = float("inf")

    def renew(self) -> bool:
        """It needs none."""
        return True

    def release(self) -> None:
        """Now, by the clock of who holds it."""
        self.released = self._world.now

    def after_fork(self) -> None:
        """Nobody forks."""


class _Inline:
    """In the place of the threads for refreshes."""

    def submit(self, task: Callable[[], object]) -> None:
        task()


class Pod:
    """One process: started, restarted, asked for a token now and then."""

    def __init__(self, world: World, plan: Blueprint, store: Store | None) -> None:
        self._world, self._plan, self._store = world, plan, store
        self.start()

    def start(self) -> None:
        """Begin with nothing in memory."""
        self._engine = Engine(self._plan)
        self._engine._refreshes.workers = _Inline()  # type: ignore[assignment]  # noqa: SLF001 - no threads here
        if self._store is not None:
            self._engine._coordinator = Coordinator(self._store, self._engine._requester, self._plan)  # noqa: SLF001 - as above

    def call(self) -> float:
        """Ask for a token; the next moment that matters."""
        world, began = self._world, self._world.now
        request = self._engine.request("get_token", (sides.SCOPE,), None, None, cae=False)
        try:
            token = self._engine.token(request)
        except AuthenticationError:
            world.failed += 1
            return began + world.random.expovariate(1 / CALLS)
        finally:
            world.longest = max(world.longest, world.now - began)
        kept = self._engine.tokens.get(request.key, token)
        return max(min(kept.monotonic_due, kept.monotonic_expires), began) + world.random.expovariate(1 / CALLS)


def run(pods: int, *, shared: bool, seed: int = 1) -> dict[str, Any]:
    """A day.

    Args:
        pods: how many.
        shared: whether they share a store.
        seed: of all that is random.

    Returns:
        `minutes` (requests to Entra in each), `hours`, `failed` calls, `longest` wait of a caller in seconds, and the
        `operations` of the store.
    """
    logging.getLogger("credconf").setLevel(logging.CRITICAL)
    world = World(seed)
    store = Store(world) if shared else None
    plan = _plan(world)
    events: list[tuple[float, int, bool]] = []
    for number in range(pods):
        moments = [world.random.uniform(*DEPLOYMENT)]
        while world.random.random() < CRASHES / (1 + CRASHES):
            moments.append(world.random.uniform(0, DAY))
        events += [(moment, number, True) for moment in [world.random.uniform(0, START), *moments]]
    heapq.heapify(events)
    alive: dict[int, Pod] = {}
    planned: dict[int, float] = {}
    while events and events[0][0] < DAY:
        moment, number, starts = heapq.heappop(events)
        if not starts and planned.get(number) != moment:
            continue  # it was to be asked, and has been restarted since
        world.now = moment
        if number not in alive:
            alive[number] = Pod(world, plan, store)
        elif starts:
            alive[number].start()
        planned[number] = alive[number].call()
        heapq.heappush(events, (planned[number], number, False))
    hours: Counter[int] = Counter()
    for minute, count in world.requests.items():
        hours[minute // 60] += count
    return {
        "minutes": [world.requests[minute] for minute in range(24 * 60)],
        "hours": [hours[hour] for hour in range(24)],
        "failed": world.failed,
        "longest": world.longest,
        "operations": store.operations if store else 0,
    }


def _plan(world: World) -> Blueprint:
    fields = {"tenant_id": sides.TENANT, "client_id": sides.CLIENT, "client_secret": sides.SECRET}
    settings: Any = validate(fields)
    plan: Any = blueprint_of(settings, Reader({}), Entra(world))
    clocks: dict[str, Any] = {"clock": world.clock, "monotonic": world.monotonic, "sleep": world.sleep}
    planned: Blueprint = replace(plan, random=world.random.random, **clocks)
    return planned


def draw(days: dict[str, dict[str, Any]], pods: int, path: Path) -> None:
    """Write the plot as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4), dpi=130, layout="constrained")
    axes = figure.subplots()
    hours = list(range(25))
    looks = {"alone": ("each pod for itself", "#c8553d"), "shared": ("with a shared token cache", "#0b6e4f")}
    for name, (label, colour) in looks.items():
        counts = days[name]["hours"]
        axes.step(hours, [*counts, counts[-1]], where="post", label=label, color=colour, linewidth=1.8)
    spans = {"deployment": DEPLOYMENT, "Entra is down": ENTRA_IS_DOWN, "the cache is down": STORE_IS_DOWN}
    for label, (begin, end) in spans.items():
        axes.axvspan(begin / HOUR, end / HOUR, color="#888888", alpha=0.25, linewidth=0)
        axes.text(begin / HOUR, 1.02, label, fontsize=8, transform=axes.get_xaxis_transform())
    axes.set_title(f"Requests to Entra in a day of {pods:,} pods, simulated", fontsize=11, pad=18)
    axes.set_xlabel("hour")
    axes.set_ylabel("requests in each hour")
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3))
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__)
    parser.add_argument("--pods", type=int, default=4_000, help="default: %(default)s")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", metavar="DIRECTORY")
    options = parser.parse_args(arguments)
    days = {"alone": run(options.pods, shared=False), "shared": run(options.pods, shared=True)}
    for name, day in days.items():
        total, most = sum(day["hours"]), max(day["minutes"])
        print(f"{name}: {total:,} requests, {most:,} in the worst minute, {day['failed']:,} failed calls, ", end="")
        print(f"longest wait {day['longest']:.1f} s, {day['operations']:,} operations of the store")
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "day.json"
    path.write_text(json.dumps({"pods": options.pods, **days}) + "\n", encoding="utf-8")
    draw(days, options.pods, path.with_suffix(".png"))
    print(f"wrote {os.path.relpath(path)} and its plot")


if __name__ == "__main__":
    main()
