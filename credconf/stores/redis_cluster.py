"""A client of a Redis Cluster over our own connections; imported when a Cluster is called, as it imports redis-py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

if TYPE_CHECKING:
    from .redis_connections import Pools


class _Node(Redis):
    """A node, over our connections."""


class ClusterClient(RedisCluster):
    """A Cluster whose nodes are known. redis-py's client has no setting for the class of its connections.

    It is given no option with which redis-py could make one itself: neither a password nor TLS.

    Args:
        pools: make the connections.
        places: hosts and ports, of which one must answer.

    Raises:
        RedisError: no node could be asked.
    """

    def __init__(self, pools: Pools, places: list[tuple[str, int]]) -> None:
        self._pools = pools
        node_of: Any = ClusterNode
        nodes = [node_of(host, port, redis_connection=self._node(host, port)) for host, port in places]
        super().__init__(
            startup_nodes=nodes,
            dynamic_startup_nodes=False,
            require_full_coverage=False,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self.cluster_error_retry_attempts = 0  # before version 6; `RedisClient` tries again, which knows the time
        manager: Any = self.nodes_manager
        manager.create_redis_node = lambda host, port, **_: self._node(host, port)
        for node in manager.nodes_cache.values():
            self.get_redis_connection(node)

    def get_redis_connection(self, node: ClusterNode) -> Redis:
        """The client of a node; each command asks for it."""
        if not isinstance(node.redis_connection, _Node):
            node.redis_connection = self._node(node.host, node.port)
        return node.redis_connection

    def command(self) -> dict[str, Any]:  # type: ignore[override]
        """Nothing: redis-py would read all commands of the server, to find the keys of those that are sent."""
        return {}

    def determine_slot(self, *arguments: Any) -> Any:
        """The slot of a command: after a script stands the number of keys, after each other command of ours its key."""
        if arguments[0] == "EVAL":
            return super().determine_slot(*arguments)
        return self.keyslot(arguments[1])  # type: ignore[no-untyped-call]

    def _node(self, host: str, port: int | str) -> _Node:
        return _Node(connection_pool=self._pools.node(host, int(port), self.on_connect))

    def __del__(self) -> None:
        """Closing might wait for a lock, in the child of a fork, that a thread of the parent has."""
