"""Simulates a day of many pods with the real code and a virtual clock: `python -m benchmarks.day`.

Each pod is an engine with its own cache, flights and refreshes and, if tokens are shared, a coordinator and a circuit
breaker. MSAL calls a stub instead of HTTPS. There are no threads and no sleeps: the simulation moves each pod from one
event to the next, and a wait moves only the pod's own clock.

The events are the first calls after a token is due; earlier calls only read the pod's memory. Calls are random
(Poisson), so the wait for the first call after any moment has the same distribution.
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
"""The latency of Entra in seconds. That of the shared store is `STORE`."""
STORE = 0.0005
CALLS = 30.0
"""Seconds between two calls of one pod, on average."""
DEPLOYMENT = (10 * HOUR, 10.25 * HOUR)
ENTRA_IS_DOWN = (14.5 * HOUR, 15 * HOUR)
STORE_IS_DOWN = (18 * HOUR, 19 * HOUR)
START = 60.0
"""Seconds in which all pods start."""
CRASHES = 0.25
"""Restarts of a pod in a day, in addition to the deployment."""


class World:
    """The virtual time, including the waits of the current pod, and the counts of the simulation."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.requests: Counter[int] = Counter()
        self.failed = 0
        self.longest = 0.0

    def clock(self) -> float:
        """Return the wall clock."""
        return BEGIN + self.now

    def monotonic(self) -> float:
        """Return the monotonic clock."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the current pod wait."""
        self.now += seconds

    def within(self, span: tuple[float, float]) -> bool:
        """Return whether a period includes the current time."""
        return span[0] <= self.now < span[1]


class Entra:
    """An HTTP client for MSAL that answers after the latency, and counts requests."""

    def __init__(self, world: World) -> None:
        self._world = world

    def post(self, *_: Any, **__: Any) -> Answer:
        """Answer with a token, or with 503 during the outage."""
        self._world.requests[int(self._world.now // 60)] += 1
        self._world.sleep(LATENCY)
        if self._world.within(ENTRA_IS_DOWN):
            return Answer(503, "{}")
        text = f"{self._world.random.getrandbits(64):016x}"
        return Answer(200, json.dumps({"access_token": text, "token_type": "Bearer", "expires_in": LIFE}))

    def get(self, *_: Any, **__: Any) -> Answer:
        """Fail: the simulation sends no GET request."""
        return Answer(404, "{}")

    def close(self) -> None:
        """Do nothing."""


class Answer:
    """An HTTP response."""

    def __init__(self, status_code: int, text: str) -> None:
        self.status_code = status_code
        self.text = text
        self.headers: dict[str, str] = {}

    def raise_for_status(self) -> None:
        """Raise an error for an error status, as `requests` does."""
        if self.status_code >= 400:  # noqa: PLR2004 - of HTTP
            raise OSError(self.status_code)


class Store:
    """The shared store. A pod does not see what another one writes later on the virtual clock."""

    label = "the store"
    patience = None  # no background work: there is one thread, with a virtual clock

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
        """Return the last item at the current time of the pod that reads."""
        return max((item for item in history.get(key, ()) if item[0] <= self._world.now), default=None, key=_moment)

    def _note(self, history: dict[str, list[Any]], key: str, item: Any) -> None:
        """Add an item, and keep those that slower pods may still see."""
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
        """Do nothing: the simulation does not fork."""

    def close(self) -> None:
        """Do nothing."""


def _moment(item: tuple[Any, ...]) -> float:
    return float(item[0])


class Lock:
    """A lock with the times of its acquisition and release."""

    lease = None
    local = False

    def __init__(self, world: World) -> None:
        self._world = world
        self.taken = world.now
        self.released = float("inf")

    def renew(self) -> bool:
        """Do nothing: the lock does not expire."""
        return True

    def release(self) -> None:
        """Release the lock at the current time of its holder."""
        self.released = self._world.now

    def after_fork(self) -> None:
        """Do nothing: the simulation does not fork."""


class _Inline:
    """Runs refreshes in the caller, instead of in threads."""

    def submit(self, task: Callable[[], object]) -> None:
        task()


class Pod:
    """A process that starts, restarts, and requests tokens."""

    def __init__(self, world: World, plan: Blueprint, store: Store | None) -> None:
        self._world, self._plan, self._store = world, plan, store
        self.start()

    def start(self) -> None:
        """Start with an empty memory."""
        self._engine = Engine(self._plan)
        self._engine._refreshes.workers = _Inline()  # type: ignore[assignment]  # noqa: SLF001 - no threads here
        if self._store is not None:
            self._engine._coordinator = Coordinator(self._store, self._engine._requester, self._plan)  # noqa: SLF001 - as above

    def call(self) -> float:
        """Request a token, and return the time of the next event."""
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
    """Simulate a day.

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
            continue  # the pod has restarted since this event was planned
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
    """Run the command line."""
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
