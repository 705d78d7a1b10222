"""Tokens in a real Redis, with simulated time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis

from credconf.assembly import blueprint_of
from credconf.entra.proof import Proof, Sealed
from credconf.ground.log import Log
from credconf.ground.records import replace
from credconf.kinds import validate
from credconf.references import Reader
from credconf.stores.sealing import Seal
from credconf.tokens.blueprint import Blueprint, opened_store
from tests.stores.storages import Storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.problems.failure import Failure
    from credconf.stores.redis_store import RedisStore
    from credconf.stores.store import Entry

TENANT = "tenant-canary"
CLIENT = "client-canary"
SECRET = "canary-secret-7zE8Q~~A9ZCjQD2"


class Secrets:
    """Stands for the source: which secrets there are, and which worked."""

    def __init__(self, *texts: str, worked: str | None = None) -> None:
        self.log = Log("client client")
        self.proofs = [_proof(text) for text in texts]
        self.entries: list[Entry | Failure] = []
        self.scopes: list[str] = []
        self.worked = None if worked is None else Sealed(_proof(worked))

    def listed(self) -> list[Proof]:
        return self.proofs

    def entry(self, scope: str) -> Entry | Failure:
        self.scopes.append(scope)
        return self.entries.pop(0)


def _proof(text: str) -> Proof:
    return Proof(text, (text,), "the client secret")


def plan_of(url: str, clock: Callable[[], float], monotonic: Callable[[], float], **cache: object) -> Blueprint:
    fields = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET}
    settings = validate({**fields, "token_cache": {"url": url, "timeout": 5, **cache}})
    plan = blueprint_of(settings, Reader({}), None)
    assert isinstance(plan, Blueprint)
    return replace(plan, clock=clock, monotonic=monotonic)


@dataclass
class InRedis(Storage):
    """Stored values grow older instead: no test can set the clock of the Redis."""

    url: str = ""

    def open(self) -> RedisStore:
        return opened_store(plan_of(self.url, self.clock, self.monotonic), Secrets(SECRET))

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        seal = Seal(SECRET.encode())
        with redis.Redis.from_url(self.url, protocol=2) as client:
            for name in client.keys("*"):
                data = seal.open(client.get(name), name.decode())
                left = client.pttl(name) - int(seconds * 1000)
                if left <= 0:
                    client.delete(name)
                    continue
                assert data is not None
                (time,) = {"until", "at"} & data.keys()
                data[time] -= int(seconds * 1000)
                client.set(name, seal.close(data, name.decode()), px=left)
