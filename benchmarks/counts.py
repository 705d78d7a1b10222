"""Numbers of requests, counted by the token service.

For the well-known authority, the name login.microsoftonline.com resolves to the service, whose certificate contains
that name. Both sides run unchanged. The unknown authority is the service by its address: both sides then send a request
for instance discovery to login.microsoftonline.com, which the service also counts.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from . import sides
from .child import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from .service import Service
    from .sides import Side

SYNC: dict[Side, Callable[..., Any]] = {"ours": sides.ours, "theirs": sides.theirs}
ASYNC: dict[Side, Callable[..., Any]] = {"ours": sides.ours_async, "theirs": sides.theirs_async}


def requests(service: Service, what: str, side: Side, *, unknown: bool = False, **arguments: Any) -> dict[str, int]:
    """Return the service's counts while a function of this module runs in a new process.

    Args:
        service: the running service.
        what: the function's name.
        side: whose credential.
        unknown: whether the authority is one that is not well known.
        **arguments: of the function.
    """
    service.reset()
    authority = service.authority if unknown else None
    where: dict[str, Any] = {"port": service.port, "authority": authority}
    measure(f"counts:{what}", service.environ(), side=side, **where, **arguments)
    return service.counts()


def threads(side: Side, port: int, authority: str | None, number: int) -> int:
    """Request one token from a cold credential in several threads at the same time."""
    sides.send_login_to(port)
    credential = SYNC[side](authority)
    barrier, got = threading.Barrier(number), []

    def ask() -> None:
        barrier.wait()
        got.append(credential.get_token(sides.SCOPE))

    crowd = [threading.Thread(target=ask) for _ in range(number)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    return _all(got, number)


def coroutines(side: Side, port: int, authority: str | None, number: int) -> int:
    """Request one token from a cold credential in several coroutines at the same time."""
    sides.send_login_to(port)
    return asyncio.run(_coroutines(side, authority, number))


async def _coroutines(side: Side, authority: str | None, number: int) -> int:
    async with ASYNC[side](authority) as credential:
        got = await asyncio.gather(*(credential.get_token(sides.SCOPE) for _ in range(number)))
    return _all(got, number)


def _all(got: list[Any], number: int) -> int:
    if len(got) != number:
        message = f"{number - len(got)} of {number} callers got no token"
        raise RuntimeError(message)
    return number
