"""A real Redis Cluster, and a real primary with a replica that Sentinels watch; each server is a process of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis.crc import key_slot

from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_SLOTS = 16384
_PRIMARIES = 3
_LONGEST = 60.0  # seconds
FAILOVER = 1_000
"""Milliseconds after which a server that does not answer is replaced."""


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + _LONGEST
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class _Servers:
    """Some servers; what a test leaves running is killed."""

    servers: list[RedisServer]

    def kill(self) -> None:
        for server in self.servers:
            server.kill()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def start(self) -> None:
        for server in self.servers:
            server.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()


def _directory(of: Path, name: str) -> Path:
    path = of / name
    path.mkdir()
    return path


class Cluster(_Servers):
    """Three primaries and a replica of each.

    Args:
        directory: an empty one.
        options: of `redis-server`, for each.
        tls: certificate and key.
    """

    def __init__(self, directory: Path, *options: str, tls: tuple[str, str] | None = None) -> None:
        more = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(FAILOVER), "--repl-ping-replica-period", "1"]
        more += ["--repl-diskless-sync-delay", "0"]
        more += ["--tls-cluster", "yes", "--tls-replication", "yes"] if tls is not None else []
        self.servers = [
            RedisServer(_directory(directory, f"node-{number}"), *more, *options, tls=tls, with_bus=True)
            for number in range(2 * _PRIMARIES)
        ]

    def hosts(self, host: str = "127.0.0.1") -> str:
        """As a URL has them: not all of them, since a cluster tells the others."""
        return ",".join(f"{host}:{server.port}" for server in self.servers[:2])

    @property
    def url(self) -> str:
        return f"redis://{self.hosts()}"

    def start(self) -> None:
        """Start it, and wait until each node knows all."""
        super().start()
        primaries, replicas = self.servers[:_PRIMARIES], self.servers[_PRIMARIES:]
        first = self.servers[0]
        for number, server in enumerate(self.servers):
            ask(server, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            ask(server, "CLUSTER", "MEET", "127.0.0.1", first.port, first.bus)
        for number, server in enumerate(primaries):
            of_it = range(number * _SLOTS // _PRIMARIES, (number + 1) * _SLOTS // _PRIMARIES)
            ask(server, "CLUSTER", "ADDSLOTS", *of_it)
        ids = [ask(server, "CLUSTER", "MYID") for server in primaries]
        until(lambda: all(len(_nodes(server)) == len(self.servers) for server in self.servers))
        for replica, primary in zip(replicas, ids, strict=True):
            ask(replica, "CLUSTER", "REPLICATE", primary)
        until(self.is_whole)

    def is_whole(self) -> bool:
        """Whether every slot is served, and every server knows of three primaries with a replica each."""
        return all(
            _state(server)["cluster_state"] == "ok" and [len(each) for each in _slots(server)] == [4] * _PRIMARIES
            for server in self.servers
        )

    def primary_of(self, name: bytes) -> RedisServer:
        """The server that has a key."""
        slot = key_slot(name)
        (found,) = [primary for first, last, primary, *_ in _slots(self.servers[0]) if first <= slot <= last]
        return self._server(found)

    def stored(self, pattern: str = "*") -> list[bytes]:
        """What all primaries have."""
        running = [server for server in self.servers if server.process is not None and _role(server) == "master"]
        return [name for server in running for name in ask(server, "KEYS", pattern)]

    def replica_of(self, primary: RedisServer) -> RedisServer:
        """The server that takes over from a primary."""
        (found,) = [other for _, _, first, other in _slots(primary) if first[1] == primary.port]
        return self._server(found)

    def _server(self, found: Sequence[Any]) -> RedisServer:
        return next(server for server in self.servers if server.port == found[1])


class Watched(_Servers):
    """A primary and its replica, under the eyes of three Sentinels.

    Args:
        directory: an empty one.
        password: of the two servers.
        sentinel_password: of the Sentinels.
    """

    name = "mymaster"

    def __init__(self, directory: Path, *, password: str | None = None, sentinel_password: str | None = None) -> None:
        more = ["--repl-diskless-sync-delay", "0", *(["--masterauth", password] if password else [])]
        self.primary = RedisServer(_directory(directory, "primary"), *more, password=password)
        self.replica = RedisServer(
            _directory(directory, "replica"),
            *more,
            "--replicaof",
            "127.0.0.1",
            str(self.primary.port),
            password=password,
        )
        self.sentinels = [
            RedisServer(
                _directory(directory, f"sentinel-{number}"),
                config=self._config(password, sentinel_password),
                password=sentinel_password,
            )
            for number in range(3)
        ]
        self.servers = [self.primary, self.replica, *self.sentinels]

    def _config(self, password: str | None, sentinel_password: str | None) -> Sequence[str]:
        lines = [
            f"sentinel monitor {self.name} 127.0.0.1 {self.primary.port} 2",
            f"sentinel down-after-milliseconds {self.name} {FAILOVER}",
            f"sentinel failover-timeout {self.name} 3000",
        ]
        lines += [f"sentinel auth-pass {self.name} {password}"] if password else []
        return [*lines, *([f"sentinel sentinel-pass {sentinel_password}"] if sentinel_password else [])]

    @property
    def url(self) -> str:
        """Of its Sentinels."""
        return "redis://" + ",".join(f"127.0.0.1:{server.port}" for server in self.sentinels)

    def start(self) -> None:
        """Start it, and wait until the Sentinels know each other and the replica."""
        super().start()
        until(lambda: _role(self.replica) == "connected")
        until(lambda: all(self._knows_all(sentinel) for sentinel in self.sentinels))

    def _knows_all(self, sentinel: RedisServer) -> bool:
        with sentinel.client() as client:
            state = client.sentinel_master(self.name)
        return state["num-slaves"] == 1 and state["num-other-sentinels"] == 2


def ask(server: RedisServer, *command: Any) -> Any:
    """The answer of one server."""
    with server.client() as client:
        return client.execute_command(*command)


def _nodes(server: RedisServer) -> list[str]:
    with server.client() as client:
        return list(client.cluster("NODES"))


def _state(server: RedisServer) -> dict[str, str]:
    with server.client() as client:
        return dict(client.cluster("INFO"))


def _slots(server: RedisServer) -> Any:
    with server.client() as client:
        client.set_response_callback("CLUSTER SLOTS", lambda answer, **_: answer)
        return client.execute_command("CLUSTER SLOTS")


def _role(server: RedisServer) -> str:
    """`master`, or the state of the link of a replica."""
    with server.client() as client:
        role = client.role()
    return "master" if role[0] == b"master" else str(role[3].decode())
