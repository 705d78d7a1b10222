"""Connections that keep to a deadline, below `requests`.

A socket's time-out bounds each single operation: a server that sends a byte every few seconds, or a name with ten
addresses that don't answer, takes as long as it likes. Here every operation on a socket (connecting, the TLS
handshake, sending, receiving headers and body, the proxy's answer to CONNECT) waits at most until the deadline of the
request that its thread is busy with. Only the look-up of a name is the operating system's, and can't be cut short.
"""

# ruff: noqa: D102 (overrides: their bases say what they take and do)

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

POOL_SIZE = 128  # idle connections kept per host; more threads than this open and close their own


class _Limit(threading.local):
    left: Callable[[], float] | None = None


_limit = _Limit()


@contextmanager
def deadline(left: Callable[[], float]) -> Generator[None]:
    """Bound what this thread does on our sockets.

    Args:
        left: tells how many seconds remain.
    """
    _limit.left = left
    try:
        yield
    finally:
        _limit.left = None


def _cut(timeout: float | None) -> float | None:
    if _limit.left is None:
        return timeout
    left = _limit.left()
    if left <= 0:
        message = "the deadline has passed"
        raise TimeoutError(message)
    return left if timeout is None else min(timeout, left)


@contextmanager
def _bounded(sock: socket.socket) -> Generator[None]:
    timeout = sock.gettimeout()
    sock.settimeout(_cut(timeout))
    try:
        yield
    finally:
        if sock.fileno() >= 0:
            sock.settimeout(timeout)


class ConnectTimeout(TimeoutError):
    """Nobody accepted the connection in time."""


class UnusableBundle(OSError):
    """The certificates to trust can't be loaded; `str()` says why."""


class BoundedSocket(socket.socket):
    """A TCP socket that keeps to the thread's deadline."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        with _bounded(self):
            return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        with _bounded(self):
            super().sendall(*args, **kwargs)

    def connect(self, *args: Any, **kwargs: Any) -> None:
        with _bounded(self):
            super().connect(*args, **kwargs)


class BoundedTLSSocket(ssl.SSLSocket):
    """The same under TLS. `SSLContext.sslsocket_class` exists for such subclasses."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        with _bounded(self):
            return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        with _bounded(self):
            return super().send(*args, **kwargs)

    def do_handshake(self, *args: Any, **kwargs: Any) -> None:
        with _bounded(self):
            super().do_handshake(*args, **kwargs)


def _connect(host: str, port: int, timeout: float | None, options: Any) -> socket.socket:
    """Connect to the first address that answers, as `socket.create_connection` does."""
    try:
        addresses = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for family, kind, protocol, _, address in addresses:
        sock = None
        try:
            sock = BoundedSocket(family, kind, protocol)
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(timeout)
            sock.connect(address)
        except OSError as exc:
            failure = ConnectTimeout() if isinstance(exc, TimeoutError) else exc
            if sock is not None:
                sock.close()
        else:
            return sock
    raise failure


class BoundedHTTPConnection(HTTPConnection):
    """A connection without TLS (the instance metadata service of Azure has no other)."""

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, _seconds(self.timeout), self.socket_options)


class BoundedHTTPSConnection(HTTPSConnection):
    """A connection with TLS."""

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port, _seconds(self.timeout), self.socket_options)


class BoundedHTTPPool(HTTPConnectionPool):
    """Connections to one host."""

    # pyright refuses urllib3's own classes in this place, too.
    ConnectionCls = BoundedHTTPConnection  # pyright: ignore[reportAssignmentType]


class BoundedHTTPSPool(HTTPSConnectionPool):
    """Connections to one host, over TLS."""

    ConnectionCls = BoundedHTTPSConnection  # pyright: ignore[reportAssignmentType]

    def _validate_conn(self, conn: Any) -> None:
        if self.cert_reqs != "CERT_NONE":
            super()._validate_conn(conn)
        elif conn.sock is None:
            # urllib3 would warn once per request. Whoever switched verification off in the configuration knows;
            # and a filter on warnings would be the whole process's, not this pool's.
            conn.connect()


_POOLS = {"http": BoundedHTTPPool, "https": BoundedHTTPSPool}


class PoolAdapter(HTTPAdapter):
    """The connections of one process to all hosts, directly or through a proxy, with one TLS context for all.

    An adapter is used without a `requests.Session`: a session would take credentials from `.netrc`, proxies and
    certificates from the environment, keep cookies, and read the body of a redirect without a limit.
    """

    def __init__(self, verify: bool | str) -> None:  # noqa: FBT001 (as in `requests`, where it may be a path)
        self._verify = verify is not False
        self._tls = tls_context(verify)
        super().__init__(pool_connections=32, pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002 (the signature of requests)
        super().init_poolmanager(connections, maxsize, block=block, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._tls, proxy_ssl_context=self._tls, **kwargs)
        if not str(proxy).lower().startswith("socks"):  # their connections open the socket in their own way
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ARG002 (the signature of requests)
        # The context knows its authorities already; requests would have them loaded again for each connection.
        conn.cert_reqs = "CERT_REQUIRED" if self._verify else "CERT_NONE"


def tls_context(verify: bool | str) -> ssl.SSLContext:  # noqa: FBT001 (as in `requests`, where it may be a path)
    """What a server's certificate is checked against. `ssl.create_default_context` would look at the environment.

    Raises:
        UnusableBundle: it can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = BoundedTLSSocket
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    path = DEFAULT_CA_BUNDLE_PATH if verify is True else verify
    is_directory = os.path.isdir(path)
    try:
        context.load_verify_locations(capath=path if is_directory else None, cafile=None if is_directory else path)
    except ssl.SSLError:
        reason = "it holds no certificates that can be read"
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
    else:
        return context
    raise UnusableBundle(reason)


def _seconds(timeout: Any) -> float | None:
    """Of urllib3's "not given", too, which is not ours to see: every request of ours sets its time-outs."""
    return float(timeout) if isinstance(timeout, (int, float)) else None
