"""The connections of one process, kept and reused, with one TLS context for all."""

from __future__ import annotations

import select
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .incoming import Incoming
from .sockets import connected, secured, tls_context
from .tunnels import tunnel

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from .http import Response
    from .payload import Payload
    from .proxies import Proxy

MOST_IDLE = 128  # for each host; more threads than this open and close their own
_PORTS = {"https": 443, "http": 80}


class BadURL(Exception):
    """The URL can't be asked."""


class BadProxy(Exception):
    """The URL of the proxy can't be used."""


class Connection:
    """A connection that serves one request after another.

    Args:
        sock: connected, with TLS where the URL asks for it.
        key: of the pool that it returns to.
    """

    __slots__ = ("_incoming", "_sock", "key")

    def __init__(self, sock: Any, key: tuple[str, bool]) -> None:
        self._sock = sock
        self._incoming = Incoming(sock)
        self.key = key

    def send(self, payload: Payload, timeout: float) -> None:
        """Send a request in one piece: under TLS two are two records.

        Args:
            payload: the request.
            timeout: seconds for each operation, from here on.

        Raises:
            OSError: it can't be sent within the time.
        """
        self._sock.settimeout(timeout)
        try:
            with payload.view as view:
                self._sock.sendall(view)
        except (BrokenPipeError, ConnectionResetError):
            pass  # a server may answer before it has read everything, and close

    def answer(self) -> Response:
        """Read the answer; for what it raises see `Incoming.read`."""
        return self._incoming.read()

    @property
    def reusable(self) -> bool:
        """Whether the last answer left it ready for another request."""
        return self._incoming.reusable

    @property
    def stale(self) -> bool:
        """Whether something arrived since: the server's close, as a rule."""
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._sock.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([self._sock], [], [], 0)[0])  # Windows

    def close(self) -> None:
        """Close it."""
        self._sock.close()


class Pools:
    """The connections to all hosts, directly or through one proxy.

    Args:
        verify: True for certifi's authorities, the path of a bundle or directory, or False for no verification.

    Raises:
        UnusableBundle: the authorities can't be read.
    """

    def __init__(self, verify: bool | str) -> None:  # noqa: FBT001 - as the options have it
        self._tls = tls_context(verify)
        self._closed = False
        self._idle: dict[tuple[str, bool], list[Connection]] = {}
        weakref.finalize(self, _close, self._idle).atexit = False  # of a credential that was never closed

    def take(self, url: SplitResult, proxy: Proxy | None, timeout: float) -> Connection:
        """A connection to the host of a URL: an idle one, or a new one.

        Args:
            url: of the request.
            proxy: the way there.
            timeout: seconds for each operation until it stands.

        Raises:
            BadURL: see there.
            BadProxy: see there.
            OSError: there is none.
        """
        key = f"{url.scheme}://{url.netloc}", proxy is not None
        idle = self._idle.setdefault(key, [])
        with suppress(IndexError):
            while True:
                connection = idle.pop()
                if not connection.stale:
                    return connection
                connection.close()
        return Connection(self._opened(*_host_and_port(url), url.scheme, proxy, timeout), key)

    def _opened(self, host: str, port: int, scheme: str, proxy: Proxy | None, timeout: float) -> Any:
        if proxy is not None and not proxy.scheme:
            raise BadProxy
        sock = connected(host, port, timeout) if proxy is None else tunnel(proxy, host, port, self._tls, timeout)
        if scheme == "http":
            return sock
        try:
            return secured(sock, self._tls, host.rstrip("."))
        except BaseException:
            sock.close()
            raise

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next request, if it can serve one."""
        idle = self._idle.setdefault(connection.key, [])
        if self._closed or not connection.reusable or len(idle) >= MOST_IDLE:
            connection.close()
            return
        idle.append(connection)
        if self._closed:  # meanwhile
            self.close()

    def close(self) -> None:
        """Close those that are idle; the others follow when their request ends."""
        self._closed = True
        _close(self._idle)


def _close(pools: dict[tuple[str, bool], list[Connection]]) -> None:
    for idle in list(pools.values()):
        with suppress(IndexError):  # another thread may take the last one
            while True:
                idle.pop().close()


def _host_and_port(url: SplitResult) -> tuple[str, int]:
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme not in _PORTS or not url.hostname or port == 0:
        raise BadURL
    return url.hostname, port or _PORTS[url.scheme]
