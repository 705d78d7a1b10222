"""Both faces of a credential, spoken to in one way, and engines with a clock of the test's own."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from typing import TYPE_CHECKING, Any

import credconf
from credconf.assembly import blueprint_of
from credconf.engine import Engine
from credconf.ground.records import replace
from credconf.kinds import validate
from credconf.references import Reader
from credconf.tokens.blueprint import Blueprint

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo

SCOPE = "https://storage.azure.com/.default"
OTHER_SCOPE = "https://vault.azure.net/.default"


class Clock:
    """A wall clock that stands still until it is moved. It begins now, since the fake Entra checks assertions."""

    def __init__(self, now: float | None = None) -> None:
        self.now = float(int(time.time())) if now is None else now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float = 0.0, *, to: float | None = None) -> None:
        self.now = self.now + seconds if to is None else float(to)


class Driven:
    """One credential of either face. Each call of a coroutine has an event loop of its own."""

    def __init__(self, credential: Any) -> None:
        self.credential = credential

    def _run(self, outcome: Any) -> Any:
        return asyncio.run(_awaited(outcome)) if isinstance(self.credential, credconf.aio.Credential) else outcome

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return self._run(self.credential.get_token(*scopes, **options))

    def get_token_info(self, *scopes: str, **options: Any) -> AccessTokenInfo:
        return self._run(self.credential.get_token_info(*scopes, **options))

    def verify(self, *scopes: str, **options: Any) -> AccessTokenInfo:
        return self._run(self.credential.verify(*scopes, **options))

    def on_behalf_of(self, user_assertion: str) -> Driven:
        return Driven(self.credential.on_behalf_of(user_assertion))

    def close(self) -> None:
        self._run(self.credential.close())


async def _awaited(outcome: Any) -> Any:
    return await outcome


@dataclasses.dataclass(frozen=True)
class Face:
    """The synchronous or the asynchronous one."""

    name: str

    @property
    def is_async(self) -> bool:
        return self.name == "async"

    @property
    def module(self) -> Any:
        return credconf.aio if self.is_async else credconf

    def build(self, fields: Any, **options: Any) -> Driven:
        return Driven(self.module.build(fields, **options))

    def from_config(self, **options: Any) -> Driven:
        return Driven(self.module.from_config(**{"path": False, "env_file": False, "environ": {}, **options}))

    def make(self, kind: str, *arguments: Any, **options: Any) -> Driven:
        return Driven(getattr(self.module, kind)(*arguments, **options))

    def on(self, engine: Engine) -> Driven:
        return Driven(self.module.Credential(engine))


SYNC, ASYNC = Face("sync"), Face("async")


def plan(fields: Any, http_client: Any = None, **changes: Any) -> Blueprint:
    """The blueprint of an engine that leaves nothing to chance, with changes: a clock, for example."""
    planned = blueprint_of(validate(fields), Reader(os.environ), http_client)  # type: ignore[arg-type]
    assert isinstance(planned, Blueprint), planned
    return replace(planned, **{"random": lambda: 0.0, **changes})


def engine_of(fields: Any, http_client: Any = None, **changes: Any) -> Engine:
    return Engine(plan(fields, http_client, **changes))


def wait_until(condition: Any, seconds: float = 10.0) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
