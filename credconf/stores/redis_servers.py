"""One Redis, a Cluster, or the primary that Sentinels name, through redis-py's own clients."""

from __future__ import annotations

import importlib
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr

from credconf.ground.deferred import importing, whole_packages
from credconf.references import NotFound

from .redis_address import address_of
from .redis_connections import Pools
from .store import Unavailable

if TYPE_CHECKING:
    from .redis_address import Options
    from .redis_sign_in import SignIn
    from .settings import Opening


class Servers(Protocol):
    """What a `RedisClient` calls. It connects when it is called."""

    @property
    def fails_over(self) -> bool:
        """Whether another server takes over from one that fails."""
        ...

    def client(self) -> Any:
        """A client of redis-py. That of a Cluster is made here, which asks for the nodes."""
        ...

    def disconnect(self) -> None:
        """Close the connections, also those that calls use."""
        ...

    def renew(self) -> None:
        """Prepare another attempt, after one that failed."""
        ...

    def forget(self) -> None:
        """Forget what is known of the servers, after a call that failed: others may have taken over."""
        ...


def servers_of(cache: Options, opening: Opening, sign_in: SignIn | None) -> Servers:
    """Return the servers of a configuration.

    Raises:
        Unavailable: the certificates or the password of Sentinels can't be read any more.
    """
    with importing, whole_packages():
        importlib.import_module("redis")
    address = address_of(opening.identity.texts.get("token_cache.url") or "")
    pools = Pools(cache.timeout, address, opening.certificates, sign_in)
    if cache.cluster:
        return _Cluster(pools, address.servers())
    if cache.sentinel is not None:
        return _Primary(pools, cache.sentinel, address.servers(sentinels=True), _password(cache, opening))
    return _One(pools)


def sign_in_of(opening: Opening) -> SignIn:
    """Return the sign-in with a token of the credential itself."""
    with importing, whole_packages():
        from .redis_sign_in import SignIn
    address = address_of(opening.identity.texts.get("token_cache.url") or "")
    return SignIn(opening.token, address.user, opening.monotonic)


def _password(cache: Options, opening: Opening) -> str | None:
    given = cache.sentinel_password
    if given is None:
        return None
    if isinstance(given, SecretStr):
        return given.get_secret_value()
    text = opening.reader.text(given)
    if isinstance(text, NotFound):
        raise Unavailable(f"the password of its Sentinels can't be read now: {text.message}")
    return text


class _One:
    """One Redis."""

    fails_over = False

    def __init__(self, pools: Pools) -> None:
        import redis

        self.pool = pools.one()
        self._client = redis.Redis(connection_pool=self.pool)

    def client(self) -> Any:
        return self._client

    def disconnect(self) -> None:
        self.pool.disconnect()

    def renew(self) -> None:
        """There is no other server."""

    def forget(self) -> None:
        """There is no other server."""


class _Primary:
    """The primary that Sentinels know under a name. Each new connection asks one of them which it is."""

    fails_over = True

    def __init__(self, pools: Pools, name: str, sentinels: list[tuple[str, int]], password: str | None) -> None:
        import redis
        from redis.sentinel import Sentinel

        self._sentinel: Any = Sentinel([])  # type: ignore[no-untyped-call]
        self._sentinel.sentinels = [
            redis.Redis(connection_pool=pools.sentinel(host, port, password)) for host, port in sentinels
        ]
        self._client = redis.Redis(connection_pool=pools.primary(name, self._sentinel))

    def client(self) -> Any:
        return self._client

    def disconnect(self) -> None:
        for each in (self._client, *self._sentinel.sentinels):
            each.connection_pool.disconnect()

    def renew(self) -> None:
        self._client.connection_pool.disconnect(inuse_connections=False)

    def forget(self) -> None:
        self.renew()


class _Cluster:
    """A Cluster. After a failure its client is made again, from the hosts of the URL and the nodes that were known."""

    fails_over = True

    def __init__(self, pools: Pools, hosts: list[tuple[str, int]]) -> None:
        self._pools = pools
        self._hosts = hosts
        self._nodes: list[tuple[str, int]] = []
        self._client: Any = None
        self._making = Lock()

    def client(self) -> Any:
        with self._making:
            if self._client is None:
                with importing, whole_packages():
                    from .redis_cluster import ClusterClient

                places = dict.fromkeys((*self._hosts, *self._nodes))
                self._client = ClusterClient(self._pools, list(places))
            return self._client

    def disconnect(self) -> None:
        client = self._client
        if client is not None:
            client.disconnect_connection_pools()

    def renew(self) -> None:
        """redis-py has asked for the nodes again."""

    def forget(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._nodes = [(node.host, int(node.port)) for node in client.get_nodes()]
