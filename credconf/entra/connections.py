"""The connections of one process, reused and with one TLS context."""

from __future__ import annotations

import select
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from credconf.settings.formats import PORTS

from .connection_faults import BadProxy, BadURL
from .early import EarlyConnection
from .incoming import Incoming
from .proxies import tunnel
from .sockets import connected, exchange, limited, secured, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from .http import Response
    from .messages import Payload
    from .proxies import Proxy


MOST_IDLE = 128
"""Idle connections for each host. A connection beyond them is closed after its request."""


class Connection:
    """A connection that serves one request after another.

    Args:
        sock: A connected socket, with TLS if the URL is https.
        key: The key of its pool.
    """

    __slots__ = ("_incoming", "_sock", "key")

    def __init__(self, sock: Any, key: tuple[str, bool]) -> None:
        self._sock = sock
        self._incoming = Incoming(sock)
        self.key = key

    def send(self, payload: Payload, timeout: float) -> None:
        """Send a request in one piece, since TLS makes a record of each piece.

        Args:
            payload: The request.
            timeout: Seconds for each operation of this request.

        Raises:
            OSError: The request can't be sent within the time.
        """
        self._sock.settimeout(timeout)
        try:
            with payload.view as view:
                self._sock.sendall(view)
        except (BrokenPipeError, ConnectionResetError):
            pass  # a server may respond and close before it has read the whole request

    def answer(self) -> Response:
        """Read the response. It raises the exceptions of `Incoming.read`."""
        return self._incoming.read()

    @property
    def reusable(self) -> bool:
        """Whether the connection can serve another request after the last response."""
        return self._incoming.reusable

    @property
    def stale(self) -> bool:
        """Whether bytes have arrived since the last response, usually since the server closed the connection."""
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._sock.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([self._sock], [], [], 0)[0])  # Windows

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


class Pools:
    """The connections to all hosts, directly or through one proxy.

    Args:
        verify: See `TransportOptions`; UnusableBundle is raised if the authorities can't be read.
        server_name: See there.
    """

    def __init__(self, verify: bool | str | bytes, server_name: str | None = None) -> None:  # noqa: FBT001 - the option
        self._tls = tls_context(verify)
        self._server_name = server_name
        self._closed = False
        self._idle: dict[tuple[str, bool], list[Connection]] = {}
        self._early: dict[tuple[str, bool], EarlyConnection] = {}
        # For a credential that is never closed.
        weakref.finalize(self, _close, self._idle, self._early).atexit = False

    def take(self, url: SplitResult, proxy: Proxy | None, timeout: float) -> Connection:
        """Return an idle or a new connection to the host of a URL.

        Args:
            url: The URL of the request.
            proxy: The proxy, if the connection uses one.
            timeout: Seconds for each operation that opens the connection.

        Raises:
            BadURL: The URL is not valid.
            BadProxy: The URL of the proxy is not valid.
            ProxyRefused: The proxy does not connect.
            ProxyUnusable: The proxy can't be reached, or does not speak its protocol.
            OSError: The connection can't be opened.
        """
        key = f"{url.scheme}://{url.netloc}", proxy is not None
        idle = self._idle.setdefault(key, [])
        with suppress(IndexError):
            while True:
                connection = idle.pop()
                if not connection.stale:
                    return connection
                connection.close()
        early = self._early.pop(key, None)
        sock = early.result(limited(2 * timeout)) if early is not None else None  # to connect, and for TLS
        return Connection(sock or self._opened(*_host_and_port(url), url.scheme, proxy, timeout), key)

    def open_early(self, url: SplitResult, timeout: float, left: Callable[[], float]) -> None:
        """Begin to connect to the host of a URL, without a proxy. The next request to it takes this connection.

        Args:
            url: The URL of the request.
            timeout: Seconds for each operation that opens the connection.
            left: Returns the seconds that remain for all of them.
        """

        def opened() -> Any:
            with exchange(left):
                return self._opened(*_host_and_port(url), url.scheme, None, timeout)

        key = f"{url.scheme}://{url.netloc}", False
        if key in self._early:
            return  # another thread's first token has begun one
        early = EarlyConnection(opened)
        early.start()  # before `take` can find it
        if self._early.setdefault(key, early) is not early:
            early.close()
        if self._closed:  # another thread has closed the pools since
            self.close()

    def _opened(self, host: str, port: int, scheme: str, proxy: Proxy | None, timeout: float) -> Any:
        if proxy is not None and not proxy.scheme:
            raise BadProxy
        sock = connected(host, port, timeout) if proxy is None else tunnel(proxy, host, port, self._tls, timeout)
        if scheme == "http":
            return sock
        try:
            return secured(sock, self._tls, self._server_name or host.rstrip("."))
        except BaseException:  # also a Ctrl-C: no socket stays open
            sock.close()
            raise

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next request, or close it."""
        idle = self._idle.setdefault(connection.key, [])
        if self._closed or not connection.reusable or len(idle) >= MOST_IDLE:
            connection.close()
            return
        idle.append(connection)
        if self._closed:  # another thread has closed the pools since
            self.close()

    def close(self) -> None:
        """Close the idle connections. The others are closed when their request ends."""
        self._closed = True
        _close(self._idle, self._early)


def _close(pools: dict[tuple[str, bool], list[Connection]], early: dict[tuple[str, bool], EarlyConnection]) -> None:
    with suppress(KeyError):  # each refers to the pools, which would never be freed
        while True:
            early.popitem()[1].close()
    for idle in list(pools.values()):
        with suppress(IndexError):  # another thread may have taken the last one
            while True:
                idle.pop().close()


def _host_and_port(url: SplitResult) -> tuple[str, int]:
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme not in PORTS or not url.hostname or port == 0:
        raise BadURL
    return url.hostname, port or PORTS[url.scheme]
