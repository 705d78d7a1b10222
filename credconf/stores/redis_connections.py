"""Connections of redis-py that receive a bounded number of bytes and check certificates; why a call of one failed."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, Final

from credconf.ground.bundles import unusable_bundle
from credconf.ground.causes import shortage

from .store import Unavailable

if TYPE_CHECKING:
    from .redis_address import Address
    from .redis_sign_in import SignIn

CONNECTIONS = 16
"""Of one process to one server, at most. A call takes a millisecond or two: a few serve many threads; a fleet has many
pods. More are made only where as many calls are under way at once."""
_MOST: Final = 8 * 1024 * 1024
"""Bytes that may come back between two requests: more than seventeen values, as far as they are read."""
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class Pools:
    """Makes pools of connections. They connect when they are used.

    Args:
        timeout: the seconds within which a connection is made and each answer begins.
        address: whether TLS is spoken, and who signs in.
        certificates: the path of the certificates to trust; `None` for the machine's own.
        sign_in: gives user and password instead of the URL.

    Raises:
        Unavailable: the certificates can't be read any more.
    """

    def __init__(self, timeout: float, address: Address, certificates: str | None, sign_in: SignIn | None) -> None:
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._address = address
        self._timeout = timeout
        self._login: dict[str, Any] = {"username": address.user, "password": address.password}
        if sign_in is not None:
            self._login = {"credential_provider": sign_in}
        self._options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),  # `RedisClient` tries again, or the next caller, after a pause
            "protocol": 2,  # one round trip less, and no notifications
            "max_connections": CONNECTIONS,
        }
        if address.path is None:
            self._options |= {"socket_keepalive": True, "socket_keepalive_options": _keepalive()}
        if address.is_encrypted:
            self._options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True, **_authorities(certificates)}

    def one(self) -> Any:
        """To the one Redis of a URL."""
        import redis

        if self._address.path is not None:
            kind: Any = redis.UnixDomainSocketConnection
            place: dict[str, Any] = {"path": self._address.path}
        else:
            ((host, port),) = self._address.servers()
            kind, place = self._kind(), {"host": host, "port": port}
        place |= {"db": self._address.database, "timeout": self._timeout, **self._login}
        make: Any = redis.BlockingConnectionPool
        return make(connection_class=_metering(kind), **place, **self._options)

    def node(self, host: str, port: int, greet: Any) -> Any:
        """To a node of a Cluster.

        Args:
            host: a name or an address, as the Cluster announces it.
            port: its port.
            greet: what redis-py's client of a Cluster does with a new connection.
        """
        import redis

        kind, known = self._kind(), self._address.hosts[0][0]
        if self._address.is_encrypted and _is_number(host) and not _is_number(known):
            # A managed Cluster announces addresses, and its certificate holds the name by which it is known.
            kind = type("Vouched", (_Vouched, kind), {"vouched_for": known})
        options: dict[str, Any] = {
            "host": host,
            "port": port,
            "redis_connect_func": greet,
            **self._login,
            **self._options,
        }
        return redis.ConnectionPool(connection_class=_metering(kind), **options)

    def sentinel(self, host: str, port: int, password: str | None) -> Any:
        """To a Sentinel."""
        import redis

        options: dict[str, Any] = {"host": host, "port": port, "password": password, **self._options}
        return redis.ConnectionPool(connection_class=_metering(self._kind()), **options)

    def primary(self, name: str, sentinels: Any) -> Any:
        """To the primary that Sentinels know under a name."""
        from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

        kind = SentinelManagedSSLConnection if self._address.is_encrypted else SentinelManagedConnection
        options = {"db": self._address.database, **self._login, **self._options}
        make: Any = SentinelConnectionPool
        return make(name, sentinels, connection_class=_metering(kind), **options)

    def _kind(self) -> Any:
        import redis

        return redis.SSLConnection if self._address.is_encrypted else redis.Connection


def _authorities(certificates: str | None) -> dict[str, str]:
    """Trusted beside the machine's own: those of `http.ca_bundle`.

    Raises:
        Unavailable: they can't be read any more.
    """
    if certificates is None:
        return {}
    unusable = unusable_bundle(certificates)
    if unusable is not None:
        raise Unavailable(f"http.ca_bundle {unusable.reason}")
    return {"ssl_ca_path" if os.path.isdir(certificates) else "ssl_ca_certs": certificates}


def _keepalive() -> dict[int, int]:
    """By the system's numbers, of what this system has."""
    return {getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)}


def _is_number(host: str) -> bool:
    """Whether a host is an address and no name."""
    return ":" in host or host.replace(".", "").isdigit()


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


def _metering(kind: type) -> type:
    return type("Connection", (_Metering, kind), {})


class _Vouched:
    """A connection with TLS to an address, whose certificate must hold a name.

    Attributes:
        vouched_for: the name.
    """

    host: str
    vouched_for: str

    def _wrap_socket_with_ssl(self, sock: Any) -> Any:
        address, self.host = self.host, self.vouched_for
        try:
            return super()._wrap_socket_with_ssl(sock)  # type: ignore[misc]
        finally:
            self.host = address


def reason_of(exc: BaseException, timeout: float) -> str:
    """Why a call failed, without a word of what was sent or received."""
    exc = cause_of(exc)
    if lack := shortage(exc) or shortage(exc.__cause__ or exc.__context__ or exc):
        return str(lack)
    from redis import exceptions
    from redis.sentinel import MasterNotFoundError

    reasons: list[tuple[type[Exception], str]] = [
        (exceptions.TimeoutError, f"it did not answer within {timeout:g} s"),
        (exceptions.AuthenticationError, "it refused the user or the password"),
        (exceptions.AuthenticationWrongNumberOfArgsError, "it refused the user or the password"),
        (exceptions.NoPermissionError, "its user lacks a permission"),
        (exceptions.OutOfMemoryError, "it is full"),
        (exceptions.ReadOnlyError, "it is a replica, which can't be written"),
        (exceptions.BusyLoadingError, "it is starting"),
        (exceptions.ClusterDownError, "its cluster is down"),
        (exceptions.AskError, "it is a cluster: set `token_cache.cluster` to true"),
        (MasterNotFoundError, _without_primary(exc)),
        (exceptions.ConnectionError, _unconnected(exc)),
        (exceptions.ResponseError, _answered(exc)),
        (exceptions.RedisClusterException, "its cluster has no node for the token"),
    ]
    for kind, reason in reasons:
        if isinstance(exc, kind):
            return reason
    return _unconnected(exc) if isinstance(exc, OSError) else "it does not answer as a Redis does"


def is_passing(exc: BaseException) -> bool:
    """Whether a failure may end while another server takes over from the one that failed."""
    from redis import exceptions

    exc = cause_of(exc)
    if isinstance(exc, exceptions.AuthenticationError):
        return False
    passing = (exceptions.ConnectionError, exceptions.ClusterError, exceptions.ReadOnlyError)
    if isinstance(exc, (*passing, exceptions.ClusterDownError, exceptions.TryAgainError)):
        return True
    if isinstance(exc, exceptions.ResponseError):
        return "READONLY" in str(exc)  # a script's, which Redis 6 puts into an error of its own
    return isinstance(exc, exceptions.RedisClusterException | OSError)


def cause_of(exc: BaseException) -> BaseException:
    """What is behind the exception of a Cluster's client that could not learn the nodes."""
    from redis.exceptions import RedisClusterException

    while isinstance(exc, RedisClusterException):
        behind = exc.__cause__ or exc.__context__
        if behind is None:
            break
        exc = behind
    return exc


def _answered(exc: BaseException) -> str:
    text = str(exc)  # it is looked at, not shown
    if text.startswith(("MOVED ", "ASK ")):
        return "it is a cluster: set `token_cache.cluster` to true"
    if "cluster support disabled" in text:
        return "it is no cluster: remove `token_cache.cluster`"
    if "READONLY" in text:
        return "it is a replica, which can't be written"
    return "it answered with an error"


def _without_primary(exc: BaseException) -> str:
    if "AuthenticationError" in str(exc):  # it is looked at, not shown: it quotes what each Sentinel answered
        return "a Sentinel refused the password: check `token_cache.sentinel_password`"
    return "no Sentinel that answers knows a primary of this name"


def _unconnected(exc: BaseException) -> str:
    text = str(exc)  # it is looked at, not shown: it names the host
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return "its certificate is not trusted"
    return "its TLS can't be spoken" if "SSL" in text else "there is no connection to it"
