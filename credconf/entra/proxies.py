"""A proxy: how to name it in a message, how to connect through it, and which hosts bypass it.

credconf speaks CONNECT (RFC 9110), SOCKS 4, 4a and 5 (RFC 1928, 1929) on its own sockets, so that a connection keeps
to the deadline, however slowly a proxy answers.
"""

from __future__ import annotations

import binascii
import re
import socket
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from credconf.settings.formats import PORTS, host_and_port

from .incoming import BadAnswer, Incoming
from .sockets import connected, secured

if TYPE_CHECKING:
    import ssl

    from .http import TransportOptions


_SOCKS_PORT = 1080
_URL = re.compile(
    r"(?:([A-Za-z0-9]+)://)?(?:([^:/?#]*)(?::([^/?#]*))?@)?(\[[0-9A-Fa-f:.]+\]|[^\[\]@:/?#]+)(?::([0-9]{1,5}))?(?:[/?#].*)?"
)
_unquoted = partial(re.compile(rb"%([0-9A-Fa-f]{2})").sub, lambda found: bytes.fromhex(found[1].decode()))
_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
_LARGEST_PORT = 65535
_LAST_OF_LATIN_1 = "\xff"
_LONGEST_LOGIN = 255  # of SOCKS 5
_AUTHENTICATION = 407
_SUCCESS, _LOWEST_SERVER_ERROR = range(200, 300), 500
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
    """The proxy responded, but did not connect.

    Attributes:
        words: The reason, as the end of a sentence.
        retryable: Whether another attempt may succeed.
    """

    def __init__(self, words: str, *, retryable: bool = False) -> None:
        super().__init__()
        self.words = words
        self.retryable = retryable


class ProxyUnusable(Exception):
    """The proxy can't be reached, or does not speak its protocol.

    Attributes:
        error: The cause.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Proxy:
    """The proxy of the options. No frame holds its password in a variable.

    Attributes:
        scheme: `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`; empty if the URL is not one of a proxy.
        host: A name or an address.
        port: The TCP port.
        user: The user name; empty if the URL has none.
    """

    __slots__ = ("_login", "_parts", "_password", "_request", "host", "port", "scheme", "user")

    def __init__(self, options: TransportOptions) -> None:
        self._login, self._request = "", bytearray()
        self._parts: Any = _URL.fullmatch(options.proxy or "")
        self._parts = self._parts.groups("") if self._parts else ("", "", "", "", "")
        self.scheme, self.user, self._password, self.host, self.port = self._parts
        self.user = _unquoted(self.user.encode())
        self._password = _unquoted(self._password.encode())
        self.host = self.host.strip("[]").lower()
        self.scheme = self.scheme.lower() or "http"
        self.port = int(self.port or PORTS.get(self.scheme, _SOCKS_PORT))
        is_too_long = self.scheme.startswith("socks") and max(len(self.user), len(self._password)) > _LONGEST_LOGIN
        if self.scheme not in _SCHEMES or not self.host or not 0 < self.port <= _LARGEST_PORT or is_too_long:
            self.scheme = ""
        self._parts = None

    def __repr__(self) -> str:
        return f"<proxy {self}>"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.host else "(its address can't be read)"

    @property
    def resolves(self) -> bool:
        """Whether the proxy resolves the server's name."""
        return self.scheme not in {"socks4", "socks5"}

    def connect_request(self, host: str, port: int) -> bytearray:
        """Return a CONNECT request with the user and password of the URL (RFC 7617)."""
        name = host if host.isascii() else host.encode("idna").decode()
        target = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        self._request = bytearray(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode())
        if self.user:
            # The RFC leaves the encoding to the server. Latin-1 is the usual one, if the text fits into it.
            self._login = (b"%s:%s" % (self.user, self._password)).decode("utf-8", "replace")
            self._request += b"Proxy-Authorization: Basic %s\r\n" % binascii.b2a_base64(
                self._login.encode("latin-1" if max(self._login) <= _LAST_OF_LATIN_1 else "utf-8"), newline=False
            )
        self._request += b"\r\n"
        return self._request

    def socks_login(self) -> bytearray:
        """Return the user and password of the URL as a request of SOCKS 5 (RFC 1929)."""
        lengths = len(self.user), len(self._password)
        self._request = bytearray(b"\1%c%s%c%s" % (lengths[0], self.user, lengths[1], self._password))
        return self._request


def bypasses(url: str, no_proxy: str | None) -> bool:
    """Return whether `no_proxy` exempts the host of `url` from the proxy.

    Its entries are separated by commas or white space. An entry is `*`, a host name (which covers its subdomains, with
    or without a leading dot), an address or a network; each but `*` may end with `:port`.

    `urllib.request.proxy_bypass_environment` knows no networks, no IPv6 addresses without brackets, and `*` only alone.
    `requests.utils.should_bypass_proxies` reads and changes the environment.
    """
    if not no_proxy:
        return False
    host, port = host_and_port(url)
    host = host.rstrip(".")
    return any(_matches(entry, host, port) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    network = _network(entry)
    if network is None:
        name, separator, number = entry.rpartition(":")
        if separator and number.isdecimal():
            if number.lstrip("0") != str(port):
                return False
            entry = name
        entry = entry.strip("[]")
        network = _network(entry)
    if network is not None:
        address = _address(host)
        return address is not None and address in network
    entry = entry.strip(".")
    # The match ends at a label's boundary: `example.com` does not cover `notexample.com`.
    return bool(entry) and (host == entry or host.endswith("." + entry))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    with suppress(ValueError):
        return ip_network(text, strict=False)
    return None


def tunnel(proxy: Proxy, host: str, port: int, tls: ssl.SSLContext, timeout: float | None) -> Any:
    """Connect to a server through a proxy.

    Args:
        proxy: A proxy of any scheme.
        host: The host of the server.
        port: The port of the server.
        tls: The TLS context, for an `https` proxy.
        timeout: Seconds for each operation.

    Returns:
        The connected socket, without TLS to the server.

    Raises:
        ProxyRefused: The proxy does not connect.
        ProxyUnusable: The proxy can't be reached, or does not speak its protocol.
        OSError: The server's name can't be resolved.
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
    except BaseException:  # also a Ctrl-C: no socket stays open
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
        raise BadAnswer("it sends more than the response to CONNECT")


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
    if version != 5:  # noqa: PLR2004 - the version
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
    _received(sock, length + 2)  # the address from which the proxy connects


def _address(host: str) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        return ip_address(host)
    return None


def _name(host: str) -> bytes:
    return host.encode() if host.isascii() else host.encode("idna")


def _received(sock: socket.socket, count: int) -> bytes:
    """Receive exactly `count` bytes: the bytes after them belong to TLS."""
    received = bytearray(count)
    rest: Any = memoryview(received)
    while rest:
        got = sock.recv_into(rest)
        if not got:
            raise ConnectionResetError
        rest = rest[got:]
    return bytes(received)
