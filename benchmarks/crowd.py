"""Many tenants at once, cold: seconds until the last token, with a service that takes its time for each answer.

The service is a process of its own (`service`), whose tokens are not signed, and stands in for the well-known authority
as in `counts`. Everything is imported and one token of another credential was fetched before the clock starts: this is
about requests, not about imports. Threads are the caller's own pool; the asynchronous classes get all their calls in
one `gather`.
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
    """Seconds for so many tenants' tokens, asked for by so many threads."""
    names = list(itertools.islice(sides.tenants(), tenants))
    sides.send_login_to(port)
    SYNC[side]().get_token(sides.SCOPE)
    credential = SYNC[side]()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: time.sleep(0.01), range(workers)))  # its threads run
        begin = time.perf_counter()
        list(pool.map(lambda name: credential.get_token(sides.SCOPE, tenant_id=name), names))
        return time.perf_counter() - begin


def coroutines(side: Side, port: int, tenants: int) -> float:
    """Seconds for so many tenants' tokens, asked for by as many coroutines."""
    sides.send_login_to(port)
    return asyncio.run(_coroutines(side, tenants))


def shared(side: Side, port: int, tenants: int, name: str) -> dict[str, float]:
    """`seconds` and `cpu` for so many tenants' tokens, that the processes of a user share in a file of that name.

    A process that asks for them after another one finds them there.
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
