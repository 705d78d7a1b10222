"""The connections of one process, reused and with one TLS context, and the messages for their failures.

The exceptions of a connection go no further than this module: their tracebacks lead to the request, and so to the
secret. `explain` translates each into a `TransportFailure`.
"""

from __future__ import annotations

import select
import socket
import ssl
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from credconf.ground.causes import no_descriptor, shortage
from credconf.ground.records import record
from credconf.settings.formats import PORTS, host_of

from .http import TransportFailure
from .incoming import BadAnswer, Incoming, TooLarge
from .proxies import ProxyRefused, ProxyUnusable, tunnel
from .sockets import ConnectTimeout, UnusableBundle, connected, secured, tls_context

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from .http import Reason, Response
    from .messages import Payload
    from .proxies import Proxy


MOST_IDLE = 128
"""Idle connections for each host. A connection beyond them is closed after its request."""


class BadURL(Exception):
    """The URL is not valid, or not of HTTP."""


class BadProxy(Exception):
    """The URL of the proxy is not valid."""


# Any other exception is a bug, and is not translated.
EXPECTED = (OSError, BadAnswer, BadProxy, BadURL, ProxyRefused, ProxyUnusable, TooLarge)

_UNTRUSTED = frozenset({18, 19, 20, 21})  # OpenSSL's X509_V_ERR_*: self-signed, or an unknown issuer
_HINT = "; if it is right, name its authority in http.ca_bundle"


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
        weakref.finalize(self, _close, self._idle).atexit = False  # for a credential that is never closed

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
        return Connection(self._opened(*_host_and_port(url), url.scheme, proxy, timeout), key)

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
        _close(self._idle)


def _close(pools: dict[tuple[str, bool], list[Connection]]) -> None:
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


@record
class Attempt:
    """A failed attempt, for its message.

    Attributes:
        url: The URL of the request. Only its host is shown.
        proxy: The proxy, if the attempt used one. Only its host and port are shown.
        attempts: Number of attempts, with this one.
        elapsed: Seconds that this attempt took.
    """

    url: str
    proxy: Proxy | None
    attempts: int
    elapsed: float

    @property
    def host(self) -> str:
        """The host, with its port if that is not the default."""
        return host_of(self.url)

    @property
    def seconds(self) -> str:
        """The duration with its unit."""
        return f"{self.elapsed:.3g} s"

    def failure(self, reason: Reason, message: str, **known: Any) -> TransportFailure:
        """Return a failure of this attempt."""
        return TransportFailure(reason, message, attempts=self.attempts, **known)


def explain(error: BaseException, attempt: Attempt) -> TransportFailure:
    """Translate an exception into a failure that quotes only messages of OpenSSL and the system.

    Args:
        error: An exception of the types in `EXPECTED`.
        attempt: The attempt that raised it.
    """
    host = attempt.host
    named = no_descriptor() if isinstance(error, socket.gaierror) else None
    if lack := named or shortage(error):
        return attempt.failure("resources", f"{host} could not be asked: {lack}")
    if isinstance(error, UnusableBundle):
        message = f"{host} was not asked: http.ca_bundle can't be used: {error}"
        return attempt.failure("tls", message, hint=error.hint)
    if isinstance(error, TooLarge):
        return attempt.failure("too-large", f"the answer of {host} is larger than 1 MiB")
    if isinstance(error, BadAnswer):
        return attempt.failure("other", f"the answer of {host} can't be understood: {error}")
    if isinstance(error, BadURL):
        return attempt.failure("other", f"{host} can't be asked: the URL is not valid")
    return _proxy_failure(error, attempt) or _tls_failure(error, attempt) or _network_failure(error, attempt)


def _proxy_failure(error: BaseException, attempt: Attempt) -> TransportFailure | None:
    proxy = f"the proxy {attempt.proxy}"
    if isinstance(error, BadProxy):
        return attempt.failure("proxy", f"the address of {proxy} is not valid")
    if isinstance(error, ProxyRefused):
        message = f"{proxy}, on the way to {attempt.host}, {error.words}"
        return attempt.failure("proxy", message, retryable=error.retryable)
    if not isinstance(error, ProxyUnusable):
        return None
    inner = explain(error.error, attempt)
    message = f"{proxy}, on the way to {attempt.host}, could not be used: {_detail(error.error)}"
    return attempt.failure("proxy", message, retryable=inner.retryable)


def _tls_failure(error: BaseException, attempt: Attempt) -> TransportFailure | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = _HINT if error.verify_code in _UNTRUSTED else ""
        return attempt.failure("tls", f"the certificate of {attempt.host} was not accepted: {_detail(error)}{hint}")
    # A connection that is dropped during the handshake is an SSLError, too.
    if not isinstance(error, ssl.SSLError) or isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return None
    return attempt.failure("tls", f"TLS with {attempt.host} failed: {_detail(error)}")


def _network_failure(error: BaseException, attempt: Attempt) -> TransportFailure:
    host = attempt.host
    if isinstance(error, socket.gaierror):
        return attempt.failure("dns", f"the name of {host} could not be resolved: {_detail(error)}", retryable=True)
    if isinstance(error, ConnectionRefusedError):
        return attempt.failure("refused", f"{host} refused the connection", retryable=True)
    if isinstance(error, ConnectTimeout):
        return attempt.failure("timeout", f"{host} could not be reached within {attempt.seconds}", retryable=True)
    if isinstance(error, TimeoutError):
        return attempt.failure("timeout", f"{host} did not answer within {attempt.seconds}", retryable=True)
    if isinstance(error, (ConnectionError, ssl.SSLError)):
        message = f"the connection to {host} was dropped before the answer was complete"
        return attempt.failure("reset", message, retryable=True)
    return attempt.failure("connect", f"{host} could not be reached: {_detail(error)}", retryable=True)


def _detail(error: BaseException) -> str:
    """Return the message of the system or of this package; for another exception only the name of its type."""
    if isinstance(error, BadAnswer):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).replace("_", " ").lower()
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, ConnectionResetError):
        return "it closed the connection"
    return type(error).__name__
