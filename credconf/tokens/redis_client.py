"""Calls of a Redis that take a bounded time, whatever state it is in. The only importer of redis-py."""

from __future__ import annotations

import os
import socket
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from credconf.config.files import unusable_bundle
from credconf.entra.proxies import shown
from credconf.sharing import importing

from .shared import Unavailable
from .watch import Call, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.blueprint import Blueprint

_T = TypeVar("_T")

_CONNECTIONS = 4
"""Of one process, at most. A call takes less than a millisecond: a few serve many threads; a fleet has many pods."""
_IDLE = 30.0
"""Seconds after which connections are made anew: a firewall may have dropped them, and says so to nobody."""
_LONGEST = 10
"""Times of its `timeout`, within which each answer must begin, that a call may take: to connect and say who calls is up
to six answers, and a process that starts with many others gets little of the CPU."""
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class RedisClient:
    """One Redis, connected to when it is first called.

    Attributes:
        label: what logs call it.

    Args:
        plan: the URL, the certificates, and the time that a call may take.
    """

    def __init__(self, plan: Blueprint) -> None:
        url = plan.identity.cache_url or ""
        hidden = url.startswith("unix:") or "token_cache.url" in plan.identity.hidden
        self.label = "the Redis of token_cache" if hidden else f"the Redis at {shown(url)}"
        self._plan = plan
        self._timeout = plan.settings.token_cache.timeout
        self._steady = plan.monotonic
        self._lock = Lock()
        self._watch = Watch(_LONGEST * self._timeout)
        self._client: Any = None
        self._calls = 0
        self._used = 0.0

    def call(self, operation: Callable[[Any], _T]) -> _T:
        """What an operation gives that gets a `redis.Redis`.

        Raises:
            Unavailable: it failed, or took too long.
        """
        with self._lock:
            self._calls += 1
            idle = self._steady() - self._used > _IDLE
            stale = self._client if self._calls == 1 and idle else None
            self._client = None if stale is not None else self._client
        call: Call | None = None
        try:
            _disconnect(stale)
            client = self._connected()
            # A server that sends a byte now and then could hold a call for hours. To cut it hits the other calls, too,
            # of a Redis that is of no use to them.
            with Call(self._watch, lambda: _disconnect(client)) as call:
                return operation(client)
        except Unavailable as exc:
            reason = str(exc)
        except Exception as exc:  # noqa: BLE001 - what is no Redis makes redis-py raise anything; `_reason` tells
            late = call is not None and call.cut
            reason = f"it took more than {self._watch.seconds:g} s" if late else _reason(exc, self._timeout)
        finally:
            with self._lock:
                self._calls -= 1
                self._used = self._steady()
        raise Unavailable(reason)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> Any:
        with importing:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        url = self._plan.identity.cache_url or ""
        options: dict[str, Any] = {
            "socket_timeout": self._timeout,
            "socket_connect_timeout": self._timeout,
            "retry": Retry(NoBackoff(), 0),  # what failed is tried again by the next caller, after a pause
            "protocol": 2,  # one round trip less, and no notifications
        }
        if not url.startswith("unix:"):
            options |= {"socket_keepalive": True, "socket_keepalive_options": _keepalive()}
        if url.startswith("rediss:"):
            options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True, **self._authorities()}
        pool = redis.BlockingConnectionPool.from_url(
            url, max_connections=_CONNECTIONS, timeout=self._timeout, **options
        )
        return redis.Redis(connection_pool=pool)

    def _authorities(self) -> dict[str, str]:
        """Trusted beside the machine's own: those of `http.ca_bundle`.

        Raises:
            Unavailable: they can't be read any more.
        """
        bundle = self._plan.transport.verify
        if not isinstance(bundle, str):
            return {}
        unusable = unusable_bundle(bundle)
        if unusable is not None:
            raise Unavailable(f"http.ca_bundle {unusable.reason}")
        return {"ssl_ca_path" if os.path.isdir(bundle) else "ssl_ca_certs": bundle}

    def close(self) -> None:
        """Close the connections; a later call makes new ones."""
        with self._lock:
            client, self._client = self._client, None
        _disconnect(client)

    def after_fork(self) -> None:
        """In the child of a fork the connections are the parent's; redis-py closes its copies without a word to it."""
        self._lock = Lock()
        self._watch = Watch(_LONGEST * self._timeout)
        self._client = None
        self._calls = 0


def _disconnect(client: Any) -> None:
    if client is not None:
        client.connection_pool.disconnect()


def _keepalive() -> dict[int, int]:
    """By the system's numbers, of what this system has."""
    return {getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)}


def _reason(exc: Exception, timeout: float) -> str:
    """Why a call failed, without a word of what was sent or received."""
    from redis import exceptions

    said: list[tuple[type[Exception], str]] = [
        (exceptions.TimeoutError, f"it did not answer within {timeout:g} s"),
        (exceptions.AuthenticationError, "it refused the user or the password"),
        (exceptions.AuthenticationWrongNumberOfArgsError, "it refused the user or the password"),
        (exceptions.NoPermissionError, "its user lacks a permission"),
        (exceptions.OutOfMemoryError, "it is full"),
        (exceptions.ReadOnlyError, "it is a replica, which can't be written"),
        (exceptions.BusyLoadingError, "it is starting"),
        (exceptions.ClusterDownError, "its cluster is down"),
        (exceptions.AskError, "it is a cluster, and the token is on another node"),
        (exceptions.ConnectionError, _unconnected(exc)),
        (exceptions.ResponseError, "it answered with an error"),
    ]
    for kind, reason in said:
        if isinstance(exc, kind):
            return reason
    return _unconnected(exc) if isinstance(exc, OSError) else "it does not answer as a Redis does"


def _unconnected(exc: Exception) -> str:
    text = str(exc)  # it is looked at, not shown: it names the host
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return "its certificate is not trusted"
    return "its TLS can't be spoken" if "SSL" in text else "there is no connection to it"
