"""The Nth tenant: the CPU of its token, its memory, and (for the plot) the cached asynchronous call.

HTTP is a stub inside the process on both sides, so that no CPU of a server counts. CPU is the time of the process, not
wall-clock time. The synchronous classes fetch tokens; credconf's asynchronous face reads from the same engine.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import random
import resource
import sys
import time
from typing import TYPE_CHECKING, Any

from . import hot, sides, stubs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from .sides import Side

HITS = 100
TURN = 20
_SHARE = 4
"""Python's collector goes through all objects each time that their number has grown by a quarter."""


def growth(side: Side, sizes: list[int], sample: int) -> list[dict[str, float]]:
    """Return the seconds of CPU for one more tenant's token, by the number of tenants.

    Args:
        side: the side of the credential.
        sizes: the numbers of tenants, ascending. One process reaches each of them in turn.
        sample: the number of tokens for the mean, the last ones of each number; a quarter of it if that is more.

    Returns:
        For each size: `tenants`, `cpu`, `cpu_empty` (the same for an empty credential, measured in turn with it, as
        the speed of a machine changes within minutes), and for credconf `cached`: the seconds of a cached asynchronous
        call for any of them.
    """
    credential, face = _credential(side)
    names = sides.tenants()
    held: list[str] = []
    points = []
    for size in sizes:
        batch = min(max(sample, size // _SHARE), size - len(held))
        _fill(credential, held, itertools.islice(names, size - len(held) - batch))
        point = {"tenants": float(size), **_compared(side, credential, held, batch)}
        if face is not None:
            point["cached"] = asyncio.run(_hit(face, held))
        points.append(point)
    return points


def _compared(side: Side, credential: Any, held: list[str], batch: int) -> dict[str, float]:
    """Return the seconds of CPU for each token of a batch, and of a new credential, with some of each in turn."""
    seconds = {"cpu": 0.0, "cpu_empty": 0.0}
    names = sides.tenants()
    for done in range(0, batch, TURN):
        part = min(TURN, batch - done)
        fresh = _alone(side)
        fresh.get_token(sides.SCOPE)  # what is imported or made with the first token is none's cost
        for name, subject, kept in (("cpu", credential, held), ("cpu_empty", fresh, [])):
            asked = list(itertools.islice(names, part))
            begin = time.process_time()
            _fill(subject, kept, asked)
            seconds[name] += time.process_time() - begin
        fresh.close()
    return {name: total / batch for name, total in seconds.items()}


def cached_growth(sizes: list[int]) -> list[dict[str, float]]:
    """Return `tenants` and `cached`, as in `growth`, for azure-identity, whose asynchronous class has its own cache."""
    return asyncio.run(_cached_growth(sizes))


async def _cached_growth(sizes: list[int]) -> list[dict[str, float]]:
    credential = sides.theirs_async(transport=stubs.async_stub_transport())
    held: list[str] = []
    points = []
    for size in sizes:
        for name in itertools.islice(sides.tenants(), size - len(held)):
            await credential.get_token(sides.SCOPE, tenant_id=name)
            held.append(name)
        points.append({"tenants": float(size), "cached": await _hit(credential, held)})
    await credential.close()
    return points


def _credential(side: Side) -> tuple[Any, Any]:
    if side == "ours":
        return sides.ours_both(stubs.StubClient())
    return _alone(side), None


def _alone(side: Side) -> Any:
    if side == "ours":
        return sides.ours(http_client=stubs.StubClient())
    return sides.theirs(transport=stubs.stub_transport())


def _fill(credential: Any, held: list[str], names: Iterable[str]) -> None:
    for name in names:
        credential.get_token(sides.SCOPE, tenant_id=name)
        held.append(name)


async def _hit(face: Any, held: list[str]) -> float:
    loop: Callable[[int], Awaitable[float]] = hot.async_loop_over(
        face.get_token, random.Random(0).choices(held, k=HITS)
    )
    return min([await loop(HITS) for _ in range(5)]) / HITS


def memory(side: Side | None, tenants: int) -> float:
    """Return the bytes of resident memory that each of the second half of 2 N tenants adds, with the token's text.

    Args:
        side: the side of the credential; `None` for the floor, a list of the tokens' texts only.
        tenants: N.
    """
    keep = _keeper(side)
    names = sides.tenants()
    for name in itertools.islice(names, tenants):
        keep(name)
    before = _resident()
    for name in itertools.islice(names, tenants):
        keep(name)
    return (_resident() - before) / tenants


def _keeper(side: Side | None) -> Callable[[str], object]:
    if side is None:
        texts: list[str] = []
        return lambda _: texts.append(stubs.token_text())
    credential, _ = _credential(side)
    return lambda name: credential.get_token(sides.SCOPE, tenant_id=name)


def _resident() -> int:
    """Return resident bytes; without /proc, the maximum so far, which grows in the same way."""
    gc.collect()
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
