"""The rows of the table by group, with the measurement and the budget of each."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import counts, start
from . import kinds as without_a_secret
from .child import measure
from .distance import Distance
from .table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .service import Service
    from .sizes import Sizes

HIT = 1.5
"""The budget of a cached call, in floors."""
FLAT = 1.25
"""The maximum ratio of the costs of the Nth tenant's token and the first ones, if the cost is flat."""
KILOBYTE = 1024
CROWD = 0.95
IMPORT = 0.010
START = 0.8
START_AFAR = 0.75
ROUND_TRIP = 0.04
"""Seconds to a server in another region."""
TELLING = 0.100


def cached(sizes: Sizes) -> Iterator[Row]:
    """Yield the rows of a cached `get_token`."""
    goal = f"{HIT} floors"
    yield _hit("cached get_token, sync", measure("hot:cached", turn=sizes.turn), goal)
    yield _hit("cached get_token, async", measure("hot:cached_async", turn=sizes.turn), goal)
    times = measure("hot:cached_async", turn=sizes.turn, tenants=sizes.many)
    yield _hit(f"the same, {sizes.many:,} tenants held", times, f"{goal}, flat")
    named = {name: times[f"{name}_named"] for name in ("ours", "theirs", "floor")}
    yield _hit("the same, for one of them by tenant_id=", named, "")


def _hit(what: str, times: dict[str, float], goal: str) -> Row:
    reached = times["ours"] <= HIT * times["floor"] if goal else None
    return Row(what, "s", times["theirs"], times["ours"], times["floor"], goal, reached)


def requests(sizes: Sizes, service: Service) -> Iterator[Row]:
    """Yield the rows of requests, which the service counts."""
    yield _counted("requests for the first token, sync", 1, service, "threads", number=1)
    yield _counted("requests for the first token, async", 1, service, "coroutines", number=1)
    yield _counted("the same, sync, unknown authority", 2, service, "threads", number=1, unknown=True)
    yield _counted("the same, async, unknown authority", 2, service, "coroutines", number=1, unknown=True)
    yield _counted(f"requests of {sizes.threads} threads, cold", 1, service, "threads", number=sizes.threads)
    what = f"requests of {sizes.coroutines:,} coroutines, cold"
    yield _counted(what, 1, service, "coroutines", number=sizes.coroutines)


def kinds(sizes: Sizes) -> Iterator[Row]:
    """Yield the rows of requests of threads with each kind without a secret."""
    for kind in without_a_secret.KINDS:
        what = f"requests of {sizes.kind_threads} threads, cold, {kind}"
        theirs, ours = (
            measure("kinds:threads", kind=kind, side=side, number=sizes.kind_threads) for side in ("theirs", "ours")
        )
        yield Row(what, "requests", theirs, ours, None, "1", ours <= 1)


def _counted(what: str, goal: int, service: Service, function: str, **arguments: Any) -> Row:
    theirs = counts.requests(service, function, "theirs", **arguments)
    ours = counts.requests(service, function, "ours", **arguments)
    number = sum(ours.values())
    detail = {"theirs": theirs, "ours": ours}
    return Row(what, "requests", sum(theirs.values()), number, None, str(goal), number <= goal, detail)


def paired(what: str, pairs: list[list[float]], goal: float, detail: dict[str, Any] | None = None) -> Row:
    """Return the row of pairs of measurements.

    Args:
        what: the name of the row.
        pairs: azure-identity's number and credconf's, in turn.
        goal: the largest median of the ratios.
        detail: other data for the JSON.
    """
    theirs, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = tuple(our / their for their, our in pairs)
    reached = statistics.median(ratios) <= goal
    return Row(what, "s", theirs, ours, None, f"{goal} of theirs", reached, detail, ratios)


def crowd(sizes: Sizes, service: Service) -> Iterator[Row]:
    """Yield the rows of many tenants at once."""
    what = f"{sizes.crowd:,} tenants at once, cold, {sizes.delay * 1000:.0f} ms server"
    pairs = [[_crowd(service, sizes, "coroutines", side) for side in ("theirs", "ours")] for _ in range(sizes.pairs)]
    coroutines = paired(f"{what}, async", pairs, CROWD)
    yield coroutines
    # Once is enough for theirs, because it takes several times as long as ours.
    theirs = _crowd(service, sizes, "threads", "theirs", workers=sizes.workers)
    ours = min(_crowd(service, sizes, "threads", "ours", workers=sizes.workers) for _ in range(sizes.rounds))
    reached = coroutines.theirs is not None and ours < coroutines.theirs
    yield Row(f"the same, {sizes.workers} threads", "s", theirs, ours, None, "less than their async", reached)


def _crowd(service: Service, sizes: Sizes, function: str, side: str, **arguments: Any) -> float:
    service.reset(sizes.delay)
    arguments |= {"side": side, "port": service.port, "tenants": sizes.crowd}
    seconds: float = measure(f"crowd:{function}", service.environ(), **arguments)
    return seconds


def growth(sizes: Sizes) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of the Nth tenant's token, and the points of the plot."""
    theirs = measure("tenants:growth", side="theirs", sizes=sizes.growth, sample=sizes.sample)
    ours = measure("tenants:growth", side="ours", sizes=[*sizes.growth, *sizes.far], sample=sizes.sample)
    points = {"theirs": theirs, "ours": ours, "theirs_cached": measure("tenants:cached_growth", sizes=sizes.cached)}
    their_cpu, our_cpu = _cpu(theirs), _cpu(ours)
    empty = _cpu(ours, "cpu_empty")
    rows = []
    for tenants in sizes.reported:
        times = our_cpu[tenants] / empty[tenants]
        goal = f"flat: {times:.2f} times the first's"
        what = f"CPU of the {tenants:,}th tenant's token"
        rows.append(Row(what, "s", their_cpu.get(tenants), our_cpu[tenants], None, goal, times <= FLAT))
    return rows, points


def _cpu(points: list[dict[str, float]], name: str = "cpu") -> dict[int, float]:
    return {int(point["tenants"]): point[name] for point in points}


def memory(sizes: Sizes) -> Row:
    """Return the row of memory for each tenant, without the token's text."""
    for_theirs, for_ours = sizes.remembered
    text = measure("tenants:memory", side=None, tenants=for_ours)
    theirs = measure("tenants:memory", side="theirs", tenants=for_theirs) - text
    ours = measure("tenants:memory", side="ours", tenants=for_ours) - text
    detail = {"text": text}
    return Row("memory per tenant, beside the token", "bytes", theirs, ours, None, "1 KB", ours <= KILOBYTE, detail)


def beginnings(sizes: Sizes, service: Service) -> Iterator[Row]:
    """Yield the rows of imports and of the start of a process to its first token."""
    added = start.imports(sizes.imports)
    goal, detail = "10 ms over bare Python", {"bare_python": added["floor"]}
    yield Row(
        "import, over bare Python", "s", added["theirs"], added["ours"], None, goal, added["ours"] <= IMPORT, detail
    )
    with tempfile.TemporaryDirectory(prefix="credconf-benchmark-") as directory:
        told = start.problem(Path(directory), sizes.starts)
    beyond, detail = told["ours"] - told["import"], {"import_pydantic_settings": told["import"]}
    what = "a configuration problem, beyond importing pydantic-settings"
    yield Row(what, "s", None, beyond, None, "100 ms", beyond <= TELLING, detail)
    service.reset(sizes.start_delay)
    late = f"{sizes.start_delay * 1000:.0f} ms server"
    yield _first_token(f"process start to first token, {late}", START, sizes, service, service.authority)
    with Distance(service.port, ROUND_TRIP) as distance:
        what = f"the same, {late} that is {ROUND_TRIP * 1000:.0f} ms away"
        yield _first_token(what, START_AFAR, sizes, service, distance.authority)


def _first_token(what: str, goal: float, sizes: Sizes, service: Service, authority: str) -> Row:
    with tempfile.TemporaryDirectory(prefix="credconf-benchmark-") as directory:
        taken = start.first_token(service, authority, Path(directory), sizes.starts)
    pairs = [list(pair) for pair in zip(taken["theirs"], taken["ours"], strict=True)]
    return paired(what, pairs, goal, {"bare_python": statistics.median(taken["floor"])})
