"""The cost of a cached `get_token`, compared with the floor.

The floor is a dict look-up and a clock read with the same signature (`async def` for the asynchronous one). Subjects
and floor take turns in one process, with tokens from a stub. The best turn of each is reported. Coroutines are awaited
one after another in one running loop, whose cost is included.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import TYPE_CHECKING, Any

from . import sides, stubs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TURNS = 60
"""Many short turns: on a busy machine, some of them run undisturbed."""


class Floor:
    """The minimum that a credential does."""

    def __init__(self, token: object) -> None:
        self._tokens = {(sides.SCOPE,): token}
        self._now = time.time

    def get_token(  # noqa: D102
        self,
        *scopes: str,
        claims: str | None = None,  # noqa: ARG002 - the signature is part of what is measured
        tenant_id: str | None = None,  # noqa: ARG002
        enable_cae: bool = False,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> object:
        token = self._tokens[scopes]
        self._now()
        return token


class AsyncFloor(Floor):
    """The minimum that an asynchronous credential does."""

    async def get_token(  # type: ignore[override]  # noqa: D102
        self,
        *scopes: str,
        claims: str | None = None,  # noqa: ARG002
        tenant_id: str | None = None,  # noqa: ARG002
        enable_cae: bool = False,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> object:
        token = self._tokens[scopes]
        self._now()
        return token


def cached(turn: float = 0.005) -> dict[str, float]:
    """Seconds for each hit of the synchronous classes, with one tenant.

    Args:
        turn: seconds for one turn of one subject.
    """
    subjects = {
        "ours": sides.ours(http_client=stubs.StubClient()),
        "theirs": sides.theirs(transport=stubs.stub_transport()),
    }
    subjects["floor"] = Floor(subjects["ours"].get_token(sides.SCOPE))
    subjects["theirs"].get_token(sides.SCOPE)
    loops = {name: _loop(subject.get_token) for name, subject in subjects.items()}
    return _best_of_turns(loops, turn)


def _loop(get_token: Callable[..., object]) -> Callable[[int], float]:
    def run(times: int) -> float:
        scope = sides.SCOPE
        begin = time.perf_counter()
        for _ in itertools.repeat(None, times):
            get_token(scope)
        return time.perf_counter() - begin

    return run


def cached_async(tenants: int = 1, turn: float = 0.005) -> dict[str, float]:
    """Seconds for each hit of the asynchronous classes that hold so many tenants' tokens.

    The call names no tenant, as everybody's does. With more than one there are three more results, with `_named`: the
    call names one of them at random, and the floor's key is the pair of scopes and tenant.
    """
    names = [sides.TENANT, *itertools.islice(sides.tenants(), tenants - 1)]
    return asyncio.run(_cached_async(names, turn))


async def _cached_async(names: list[str], turn: float) -> dict[str, float]:
    subjects = {
        "ours": sides.ours_async(http_client=stubs.StubClient()),
        "theirs": sides.theirs_async(transport=stubs.async_stub_transport()),
    }
    for subject in subjects.values():
        for name in names:
            await subject.get_token(sides.SCOPE, tenant_id=name)
    subjects["floor"] = AsyncFloor(await subjects["ours"].get_token(sides.SCOPE))
    loops = {name: async_loop(subject.get_token) for name, subject in subjects.items()}
    best = await _best_of_async_turns(loops, turn)
    if len(names) > 1:
        asked = random.Random(0).choices(names, k=1000)
        subjects["floor"] = AsyncPairFloor(names)
        loops = {name: async_loop_over(subject.get_token, asked) for name, subject in subjects.items()}
        named = await _best_of_async_turns(loops, turn)
        best |= {f"{name}_named": seconds for name, seconds in named.items()}
    for name in ("ours", "theirs"):
        await subjects[name].close()
    return best


class AsyncPairFloor:
    """The minimum for a call that names a tenant."""

    def __init__(self, names: list[str]) -> None:
        self._tokens: dict[tuple[tuple[str, ...], str | None], object] = {
            ((sides.SCOPE,), name): name for name in names
        }
        self._now = time.time

    async def get_token(  # noqa: D102
        self,
        *scopes: str,
        claims: str | None = None,  # noqa: ARG002
        tenant_id: str | None = None,
        enable_cae: bool = False,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> object:
        token = self._tokens[scopes, tenant_id]
        self._now()
        return token


def async_loop(get_token: Callable[..., Awaitable[object]]) -> Callable[[int], Awaitable[float]]:
    """Return a loop over the call, which returns its duration in seconds."""

    async def run(times: int) -> float:
        scope = sides.SCOPE
        begin = time.perf_counter()
        for _ in itertools.repeat(None, times):
            await get_token(scope)
        return time.perf_counter() - begin

    return run


def async_loop_over(get_token: Callable[..., Awaitable[object]], names: list[str]) -> Callable[[int], Awaitable[float]]:
    """Return a loop over the call with a tenant, which returns its duration in seconds."""

    async def run(times: int) -> float:
        scope = sides.SCOPE
        asked = list(itertools.islice(itertools.cycle(names), times))
        begin = time.perf_counter()
        for name in asked:
            await get_token(scope, tenant_id=name)
        return time.perf_counter() - begin

    return run


def _best_of_turns(loops: dict[str, Callable[[int], float]], turn: float) -> dict[str, float]:
    times = {name: _times(turn, loop(10)) for name, loop in loops.items()}
    turns = [{name: loop(times[name]) / times[name] for name, loop in loops.items()} for _ in range(TURNS)]
    return {name: min(each[name] for each in turns) for name in loops}


async def _best_of_async_turns(loops: dict[str, Callable[[int], Awaitable[float]]], turn: float) -> dict[str, float]:
    times = {name: _times(turn, await loop(10)) for name, loop in loops.items()}
    best = dict.fromkeys(loops, float("inf"))
    for _ in range(TURNS):
        for name, loop in loops.items():
            best[name] = min(best[name], await loop(times[name]) / times[name])
    return best


def _times(turn: float, ten: float) -> int:
    """Return the number of calls in a turn, from the duration of ten calls."""
    return max(10, int(turn / (ten / 10)))
