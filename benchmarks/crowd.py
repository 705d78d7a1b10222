"""Tokens of many tenants at once: seconds until the last token from a cold credential and a slow service.

The service runs in another process (`service`), does not sign tokens, and replaces the well-known authority as in
`counts`. Before the clock starts, everything is imported and another credential has fetched a token, so imports are not
measured. The threads are a pool of the caller. The asynchronous classes get all their calls in one `gather`.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from . import sides
from .counts import ASYNC, SYNC

if TYPE_CHECKING:
    from .sides import Side


def threads(side: Side, port: int, tenants: int, workers: int) -> float:
    """Return the seconds in which a number of threads get the tokens of a number of tenants."""
    names = list(itertools.islice(sides.tenants(), tenants))
    sides.send_login_to(port)
    SYNC[side]().get_token(sides.SCOPE)
    credential = SYNC[side]()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: time.sleep(0.01), range(workers)))  # starts its threads
        begin = time.perf_counter()
        list(pool.map(lambda name: credential.get_token(sides.SCOPE, tenant_id=name), names))
        return time.perf_counter() - begin


def coroutines(side: Side, port: int, tenants: int) -> float:
    """Return the seconds in which one coroutine for each tenant gets its token."""
    sides.send_login_to(port)
    return asyncio.run(_coroutines(side, tenants))


def shared(side: Side, port: int, tenants: int, name: str) -> dict[str, float]:
    """Return `seconds` and `cpu` of the tokens of a number of tenants, shared in a file.

    A second process finds the tokens of the first one in the file.
    """
    sides.send_login_to(port)
    return asyncio.run(_shared(side, tenants, name))


async def _shared(side: Side, tenants: int, name: str) -> dict[str, float]:
    make = {"ours": sides.ours_shared, "theirs": sides.theirs_shared}[side]
    async with make(f"{name}-first") as other:
        await other.get_token(sides.SCOPE)
    async with make(name) as credential:
        begin, cpu = time.perf_counter(), time.process_time()
        asked = (credential.get_token(sides.SCOPE, tenant_id=f"tenant-{each}.example") for each in range(tenants))
        await asyncio.gather(*asked)
        return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}


async def _coroutines(side: Side, tenants: int) -> float:
    names = list(itertools.islice(sides.tenants(), tenants))
    async with ASYNC[side]() as other:
        await other.get_token(sides.SCOPE)
    async with ASYNC[side]() as credential:
        begin = time.perf_counter()
        await asyncio.gather(*(credential.get_token(sides.SCOPE, tenant_id=name) for name in names))
        return time.perf_counter() - begin
