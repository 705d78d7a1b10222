"""A proxy: how it is named in a message, how it is asked for a connection, and which hosts are asked without it.

`requests.utils.should_bypass_proxies` is no help: it looks at the environment and, on some systems, at the system's
settings, and changes `os.environ` while it works. A proxy was decided by the configuration, with its origin.
"""

from __future__ import annotations

import binascii
import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from credconf.settings.formats import PORTS, host_and_port

if TYPE_CHECKING:
    from .http import TransportOptions

_SOCKS_PORT = 1080
_URL = re.compile(
    r"(?:([A-Za-z0-9]+)://)?(?:([^:/?#]*)(?::([^/?#]*))?@)?(\[[0-9A-Fa-f:.]+\]|[^\[\]@:/?#]+)(?::([0-9]{1,5}))?(?:[/?#].*)?"
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
_LARGEST_PORT = 65535
_LAST_OF_LATIN_1 = "\xff"
_LONGEST_LOGIN = 255  # of SOCKS 5


class Proxy:
    """A proxy, by its URL. No frame holds its password in a variable.

    Attributes:
        scheme: `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`; empty where the URL is none of a proxy.
        host: a name or an address.
        port: of TCP.
        user: bytes; empty where the URL names none.
    """

    __slots__ = ("_login", "_parts", "_password", "_request", "host", "port", "scheme", "user")

    def __init__(self, options: TransportOptions) -> None:
        self._login, self._request = "", bytearray()
        self._parts: Any = _URL.fullmatch(options.proxy or "")
        self._parts = self._parts.groups("") if self._parts else ("", "", "", "", "")
        self.scheme, self.user, self._password, self.host, self.port = self._parts
        self.user = _PERCENT.sub(_byte, self.user.encode())
        self._password = _PERCENT.sub(_byte, self._password.encode())
        self.host = self.host.strip("[]").lower()
        self.scheme = self.scheme.lower() or "http"
        self.port = int(self.port or PORTS.get(self.scheme, _SOCKS_PORT))
        usable = self.scheme in _SCHEMES and self.host and 0 < self.port <= _LARGEST_PORT
        if not usable or (
            self.scheme.startswith("socks") and max(len(self.user), len(self._password)) > _LONGEST_LOGIN
        ):
            self.scheme = ""
        self._parts = None

    def __repr__(self) -> str:
        return f"<proxy {self}>"

    def __str__(self) -> str:
        if not self.host:
            return "(its address can't be read)"
        return f"{self.host}:{self.port}"

    @property
    def resolves(self) -> bool:
        """Whether the proxy looks up the server's name."""
        return self.scheme not in {"socks4", "socks5"}

    def connect_request(self, host: str, port: int) -> bytearray:
        """A CONNECT request, with the user and password that the URL names (RFC 7617)."""
        name = host if host.isascii() else host.encode("idna").decode()
        target = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        self._request = bytearray(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode())
        if self.user:
            # The RFC leaves the encoding to the server; what fits into Latin-1 is sent so, as everybody does.
            self._login = (b"%s:%s" % (self.user, self._password)).decode("utf-8", "replace")
            self._request += b"Proxy-Authorization: Basic %s\r\n" % binascii.b2a_base64(
                self._login.encode("latin-1" if max(self._login) <= _LAST_OF_LATIN_1 else "utf-8"), newline=False
            )
        self._request += b"\r\n"
        return self._request

    def socks_login(self) -> bytearray:
        """The user and password that the URL names, for SOCKS 5 (RFC 1929)."""
        lengths = len(self.user), len(self._password)
        self._request = bytearray(b"\1%c%s%c%s" % (lengths[0], self.user, lengths[1], self._password))
        return self._request


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode())


def bypasses(url: str, no_proxy: str | None) -> bool:
    """Whether `no_proxy` takes the host of `url` out.

    Entries are divided by commas or white space: `*`, a host name, which covers its subdomains (with or without a
    leading dot), an address or a network, each with an optional `:port`.
    """
    if not no_proxy:
        return False
    host, port = host_and_port(url)
    host = host.rstrip(".")
    return any(_matches(entry, host, port) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    if _is_network(entry):
        return _is_within(host, entry)
    name, separator, number = entry.rpartition(":")
    if separator and number.isdecimal():
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]")
    if _is_network(entry):
        return _is_within(host, entry)
    entry = entry.lstrip(".").rstrip(".")
    # At a label's boundary: `example.com` says nothing about `notexample.com`.
    return bool(entry) and (host == entry or host.endswith("." + entry))


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:  # the host is a name
        return False
