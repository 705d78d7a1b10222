"""Calls of a Redis that take a bounded time, whatever state it is in. The only importer of redis-py."""

from __future__ import annotations

import contextlib
import os
import socket
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from credconf.ground.bundles import unusable_bundle
from credconf.ground.causes import shortage
from credconf.ground.deferred import importing, whole_packages
from credconf.ground.third_parties import despite_warnings
from credconf.ground.workers import TooLong, Workers, bounded
from credconf.settings.formats import shown

from .store import Busy, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Opening


_T = TypeVar("_T")

_CONNECTIONS = 16
"""Of one process, at most. A call takes a millisecond or two: a few serve many threads; a fleet has many pods. More are
made only where as many calls are under way at once."""
_IDLE = 30.0
"""Seconds after which connections are made anew: a firewall may have dropped them without notice."""
_RESTS = 2.0
"""Seconds after which a thread without a call ends: most tokens are in memory, and calls are rare."""
_LONGEST = 4
"""Times of its `timeout`, within which each answer must begin, that a call may take with all that it is made of: the
look-up of a name, a connection, several answers, and the turns of this process where many are short of CPU."""
_NO_ANSWER = "it did not answer several calls"
_NO_PLACE = "this process calls it more often at once than it has connections"
_MOST: Final = 8 * 1024 * 1024
"""Bytes that may come back between two requests: more than seventeen values, as far as they are read."""
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class RedisClient:
    """One Redis, connected to when it is first called.

    Attributes:
        label: what logs call it.
        timeout: seconds within which each answer must begin.

    Args:
        timeout: see above.
        opening: the URL, the certificates, and the clock.
    """

    def __init__(self, timeout: float, opening: Opening) -> None:
        url = opening.identity.texts.get("token_cache.url") or ""
        hidden = url.startswith("unix:") or "token_cache.url" in opening.identity.hidden
        self.label = "the Redis of token_cache" if hidden else f"the Redis at {shown(url)}"
        self._opening = opening
        self.timeout = timeout
        self._longest = _LONGEST * self.timeout
        self._monotonic = opening.monotonic
        self._workers = Workers(_CONNECTIONS, "credconf-redis", idle=_RESTS)
        self._client: Any = None
        self._closed = False
        self._used = 0.0
        self._begin()

    def _begin(self) -> None:
        self._lock = Lock()
        self._places = BoundedSemaphore(_CONNECTIONS)
        self._calls = 0
        self._hung = 0  # abandoned calls that have not ended

    def call(self, operation: Callable[[Any], _T]) -> _T:
        """Return the result of an operation on a `redis.Redis`.

        Raises:
            Unavailable: it failed, or took too long.
        """
        client = self._current()
        self._enter()
        call = _Call(operation)
        try:
            bounded(self._workers, lambda: self._do(call, client), self._longest)
        except TooLong:
            self._give_up(call, client)
        except RuntimeError as exc:
            self._places.release()
            call.reason = str(shortage(exc) or "no thread can be started to call it")
        if call.reason is not None:
            raise Unavailable(call.reason)
        return call.results[0]

    def _enter(self) -> None:
        """Have a place among those who call; each has a connection."""
        if self._places.acquire(timeout=self.timeout):
            return
        if self._hung:  # abandoned calls take the places
            raise Unavailable(_NO_ANSWER)
        raise Busy(_NO_PLACE)

    def _do(self, call: _Call[_T], client: Any) -> None:
        """On a thread of ours: the look-up of a name has no time-out, and an answer that comes byte by byte no end."""
        with self._lock:
            self._calls += 1
        try:
            call.results.append(despite_warnings(lambda: call.operation(client)))
        except Exception as exc:  # noqa: BLE001 - another server makes redis-py raise anything; see `_reason`
            call.reason = _reason(exc, self.timeout)
        finally:
            with self._lock:
                call.ended = True
                self._hung -= call.given_up
                self._calls -= 1
                self._used = self._monotonic()
                left = self._client if self._closed and not self._calls else None
            _disconnect(left)
            self._places.release()

    def _give_up(self, call: _Call[_T], client: Any) -> None:
        """Cut a call that takes too long. That hits the others, too, of a Redis that is of no use to them."""
        with self._lock:
            call.given_up = not call.ended
            self._hung += call.given_up
        _disconnect(client)
        call.reason = f"it took more than {self._longest:g} s"

    def _current(self) -> Any:
        with self._lock:
            now = self._monotonic()
            stale = self._client if not self._calls and now - self._used > _IDLE else None
            client = self._client = None if stale is not None else self._client
            self._used = now
        _disconnect(stale)
        if client is None:
            made = self._new()  # not under the lock, where `close()` would wait for the import
            with self._lock:
                client = self._client = made if self._client is None else self._client
        return client

    def _new(self) -> Any:
        try:
            return despite_warnings(self._made)
        except Unavailable as exc:
            reason = str(exc)
        except Exception as exc:  # noqa: BLE001 - such as a URL that redis-py does not understand
            reason = _reason(exc, self.timeout)
        raise Unavailable(reason)

    def _made(self) -> Any:
        with importing, whole_packages():
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        url = self._opening.identity.texts.get("token_cache.url") or ""
        options: dict[str, Any] = {
            "socket_timeout": self.timeout,
            "socket_connect_timeout": self.timeout,
            "retry": Retry(NoBackoff(), 0),  # what failed is tried again by the next caller, after a pause
            "protocol": 2,  # one round trip less, and no notifications
        }
        if not url.startswith("unix:"):
            options |= {"socket_keepalive": True, "socket_keepalive_options": _keepalive()}
        if url.startswith("rediss:"):
            options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True, **self._authorities()}
        pool = redis.BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=self.timeout, **options)
        pool.connection_class = type("Connection", (_Metering, pool.connection_class), {})
        return redis.Redis(connection_pool=pool)

    def _authorities(self) -> dict[str, str]:
        """Trusted beside the machine's own: those of `http.ca_bundle`.

        Raises:
            Unavailable: they can't be read any more.
        """
        bundle = self._opening.certificates
        if bundle is None:
            return {}
        unusable = unusable_bundle(bundle)
        if unusable is not None:
            raise Unavailable(f"http.ca_bundle {unusable.reason}")
        return {"ssl_ca_path" if os.path.isdir(bundle) else "ssl_ca_certs": bundle}

    def close(self) -> None:
        """Close the connections, once the calls that are under way have ended; a later call leaves none behind."""
        with self._lock:
            self._closed = True
            client = None if self._calls else self._client
        _disconnect(client)

    def after_fork(self) -> None:
        """In the child of a fork the connections are the parent's; redis-py closes its copies without a word to it."""
        self._client = None
        self._workers.after_fork()
        self._begin()


class _TooMuch(Exception):
    """More was received than any answer has."""


class _Metered:
    """A socket that receives a bounded number of bytes between two requests.

    redis-py takes the length of an answer from its first line, and keeps what comes in memory.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._left = _MOST

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def sendall(self, *arguments: Any) -> None:
        self._left = _MOST
        self._socket.sendall(*arguments)

    def recv(self, *arguments: Any) -> bytes:
        received: bytes = self._socket.recv(*arguments)
        self._count(len(received))
        return received

    def recv_into(self, *arguments: Any) -> int:
        received: int = self._socket.recv_into(*arguments)
        self._count(received)
        return received

    def _count(self, received: int) -> None:
        self._left -= received
        if self._left < 0:
            raise _TooMuch


class _Metering:
    """A connection of redis-py over such a socket."""

    def _connect(self) -> _Metered:
        return _Metered(super()._connect())  # type: ignore[misc]


class _Call(Generic[_T]):
    """One call. Its results are in a list, because an operation may give `None`."""

    def __init__(self, operation: Callable[[Any], _T]) -> None:
        self.operation = operation
        self.results: list[_T] = []
        self.reason: str | None = None
        self.ended = False
        self.given_up = False


def _disconnect(client: Any) -> None:
    if client is not None:
        with contextlib.suppress(Exception):  # a connection that can't be closed is none
            client.connection_pool.disconnect()


def _keepalive() -> dict[int, int]:
    """By the system's numbers, of what this system has."""
    return {getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)}


def _reason(exc: Exception, timeout: float) -> str:
    """Why a call failed, without a word of what was sent or received."""
    if lack := shortage(exc) or shortage(exc.__cause__ or exc.__context__ or exc):
        return str(lack)
    from redis import exceptions

    reasons: list[tuple[type[Exception], str]] = [
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
    for kind, reason in reasons:
        if isinstance(exc, kind):
            return reason
    return _unconnected(exc) if isinstance(exc, OSError) else "it does not answer as a Redis does"


def _unconnected(exc: Exception) -> str:
    text = str(exc)  # it is looked at, not shown: it names the host
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return "its certificate is not trusted"
    return "its TLS can't be spoken" if "SSL" in text else "there is no connection to it"
