"""The way to a server through a proxy: CONNECT (RFC 9110), SOCKS 4, 4a and 5 (RFC 1928, 1929).

Everything happens on our own sockets, so that it ends with the deadline, however slowly a proxy answers.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from .incoming import BadAnswer, Incoming
from .sockets import connected, secured

if TYPE_CHECKING:
    import ssl

    from .proxies import Proxy

_AUTHENTICATION = 407
_LOWEST_SERVER_ERROR = 500
_SUCCESS = range(200, 300)
_SOCKS5_PASSWORD = 2
_SOCKS4_GRANTED = 0x5A
_SOCKS5_REFUSALS = {
    2: "its rules do not allow it",
    3: "the network is unreachable",
    4: "the host is unreachable",
    5: "the connection was refused",
    6: "it took too long",
}


class ProxyRefused(Exception):
    """The proxy answered, and did not connect.

    Attributes:
        words: what it did instead, as the end of a sentence.
        retryable: it may be different next time.
    """

    def __init__(self, words: str, *, retryable: bool = False) -> None:
        super().__init__()
        self.words = words
        self.retryable = retryable


class ProxyUnusable(Exception):
    """The proxy could not be reached, or does not speak its protocol.

    Attributes:
        error: what went wrong.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def tunnel(proxy: Proxy, host: str, port: int, tls: ssl.SSLContext, timeout: float | None) -> Any:
    """A connection to a server, by way of a proxy.

    Args:
        proxy: of any kind.
        host: of the server.
        port: of the server.
        tls: for a proxy that is itself reached over TLS.
        timeout: seconds for each operation.

    Raises:
        ProxyRefused: see there.
        ProxyUnusable: see there.
        OSError: the server's name can't be resolved.
    """
    address = None if proxy.resolves else _address_of(host, port, proxy.scheme)
    sock: Any = None
    try:
        sock = connected(proxy.host, proxy.port, timeout)
        if proxy.scheme == "https":
            sock = secured(sock, tls, proxy.host)
        _negotiate(sock, proxy, address or host, port)
    except (OSError, BadAnswer) as exc:
        problem = exc
    except BaseException:
        if sock is not None:
            sock.close()
        raise
    else:
        return sock
    if sock is not None:
        sock.close()
    raise ProxyUnusable(problem)


def _address_of(host: str, port: int, scheme: str) -> str:
    family = socket.AF_INET if scheme == "socks4" else socket.AF_UNSPEC
    try:
        return str(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4][0])
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None


def _negotiate(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    if proxy.scheme in {"http", "https"}:
        _http(sock, proxy, host, port)
    elif proxy.scheme in {"socks4", "socks4a"}:
        _socks4(sock, proxy, host, port)
    else:
        _socks5(sock, proxy, host, port)


def _http(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    sock.sendall(memoryview(proxy.connect_request(host, port)))
    answer = Incoming(sock)
    status = answer.head()
    if status == _AUTHENTICATION:
        raise ProxyRefused("asks for a user name and a password (HTTP status 407)")
    if status not in _SUCCESS:
        raise ProxyRefused(f"did not connect (HTTP status {status})", retryable=status >= _LOWEST_SERVER_ERROR)
    if not answer.is_empty:
        raise BadAnswer("it says more than that it connected")


def _socks4(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    address = _address(host)
    known = address.packed if isinstance(address, IPv4Address) else b"\0\0\0\1"
    name = b"" if isinstance(address, IPv4Address) else _name(host) + b"\0"
    sock.sendall(memoryview(b"\4\1%s%s%s\0%s" % (port.to_bytes(2, "big"), known, proxy.user, name)))
    version, status = _received(sock, 8)[:2]
    if version:
        raise BadAnswer("it is not SOCKS 4")
    if status != _SOCKS4_GRANTED:
        raise ProxyRefused("did not connect", retryable=True)


def _socks5(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    sock.sendall(b"\5\2\0\2" if proxy.user else b"\5\1\0")
    version, method = _received(sock, 2)
    if version != 5:  # noqa: PLR2004 - the version's number
        raise BadAnswer("it is not SOCKS 5")
    if method == _SOCKS5_PASSWORD and proxy.user:
        sock.sendall(memoryview(proxy.socks_login()))
        if _received(sock, 2)[1]:
            raise ProxyRefused("refuses the user name and password")
    elif method:
        raise ProxyRefused("asks for a user name and a password")
    address = _address(host)
    if address is None:
        target = b"\3%c%s" % (len(_name(host)), _name(host))
    else:
        target = (b"\1" if isinstance(address, IPv4Address) else b"\4") + address.packed
    sock.sendall(b"\5\1\0%s%s" % (target, port.to_bytes(2, "big")))
    _, status, _, kind = _received(sock, 4)
    if status:
        words = _SOCKS5_REFUSALS.get(status, f"SOCKS error {status}")
        raise ProxyRefused(f"did not connect: {words}", retryable=status in {1, 3, 4, 5, 6})
    length = {1: 4, 4: 16}.get(kind) or _received(sock, 1)[0]
    _received(sock, length + 2)  # the address at which the proxy connects from


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _name(host: str) -> bytes:
    return host.encode() if host.isascii() else host.encode("idna")


def _received(sock: socket.socket, count: int) -> bytes:
    """Exactly so many bytes: what follows them belongs to TLS."""
    received = bytearray(count)
    rest: Any = memoryview(received)
    while rest:
        got = sock.recv_into(rest)
        if not got:
            raise ConnectionResetError
        rest = rest[got:]
    return bytes(received)
