"""Servers that a test holds in its hand: one without sockets, and a gate for the fake Entra."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from credconf.entra.http import Response
from credconf.ground.flight import Flight
from tests.frames import frames

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

# Entra's own host: its endpoint needs no discovery.
FIELDS = {
    "tenant_id": "contoso.onmicrosoft.com",
    "client_id": "11111111-1111-1111-1111-111111111111",
    "client_secret": "made~up.secret",
    "additionally_allowed_tenants": ["*"],
}


class Asked(NamedTuple):
    """What a token request asks for."""

    tenant: str
    scopes: str
    claims: str


class InProcess:
    """An `http_client` without sockets: `answer` is called with what is asked for, and gives the response."""

    def __init__(self, answer: Callable[[Asked], Response] | None = None) -> None:
        self.asked: list[Asked] = []
        self.closed = 0
        self.answer = answer or (lambda _: granted(f"token-{len(self.asked)}"))

    def post(self, url: str, *, data: dict[str, Any], **_: object) -> Response:
        asked = Asked(urlsplit(url).path.split("/")[1], data["scope"], data.get("claims") or "")
        self.asked.append(asked)
        return self.answer(asked)

    def get(self, url: str, **_: object) -> Response:
        raise AssertionError(url)

    def close(self) -> None:
        self.closed += 1


def granted(token: str, expires_in: float = 3600, refresh_in: float | None = None) -> Response:
    """The answer that hands out a token."""
    fields = {"access_token": token, "expires_in": expires_in, "refresh_in": refresh_in, "token_type": "Bearer"}
    return Response(200, json.dumps(fields), {})


class Gate:
    """A fake Entra's `before_token` that holds the requests it `holds` until it is opened."""

    def __init__(self, holds: Callable[[Any], bool] = lambda _: True) -> None:
        self.arrived, self.opened = threading.Event(), threading.Event()
        self._holds = holds

    def __call__(self, request: Any = None) -> None:
        if self._holds(request):
            self.arrived.set()
            assert self.opened.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.set()


class Threads:
    """Threads that run one function each, and what came of it: a value or an exception."""

    def __init__(self, *functions: Callable[[], Any]) -> None:
        self.outcomes: list[Any] = [None] * len(functions)
        self._threads = [
            threading.Thread(target=self._run, args=(index, function)) for index, function in enumerate(functions)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, index: int, function: Callable[[], Any]) -> None:
        try:
            self.outcomes[index] = function()
        except BaseException as exc:  # noqa: BLE001 - interrupts are among what is tested
            self.outcomes[index] = exc

    def waiting(self) -> int:
        """How many of them wait for the outcome of a flight that another one leads."""
        found = frames()
        return sum(_waits(found.get(thread.ident or 0)) for thread in self._threads)

    def joined(self) -> list[Any]:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a thread hangs"
        return self.outcomes


def _waits(frame: Any) -> bool:
    while frame is not None:
        if frame.f_code is Flight.wait.__code__:
            return True
        frame = frame.f_back
    return False


def close(engine: Any) -> None:
    """Close the connections of an engine, however many credentials of the test's still hold it."""
    engine.holds = 1
    engine.release()


def settled(engine: Any, seconds: float = 10.0) -> bool:
    """Wait until the engine's threads have nothing left to do."""
    deadline = time.monotonic() + seconds
    while not all(_is_idle(workers) for workers in (engine._requests.workers, engine._refreshes.workers)):
        assert time.monotonic() < deadline, "the engine's threads do not come to rest"
        time.sleep(0.0002)
    return True


def _is_idle(workers: Any) -> bool:
    with workers._lock:
        return bool(len(workers._tasks) == 0 and workers._idle == sum(thread.is_alive() for thread in workers.threads))
