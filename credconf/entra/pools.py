"""The connections of one process: urllib3's pools, of our own connections, with one TLS context for all."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.exceptions import LocationParseError, ProxySchemeUnknown

from .sockets import BoundedHTTPConnection, BoundedHTTPSConnection, tls_context

if TYPE_CHECKING:
    from urllib.parse import SplitResult

POOL_SIZE = 128  # idle connections kept per host; more threads than this open and close their own


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


_POOLS: dict[str, Any] = {"http": BoundedHTTPPool, "https": BoundedHTTPSPool}


class MissingSocks(Exception):
    """A SOCKS proxy needs a package that is not there."""


class Pools:
    """The connections to all hosts, directly or through proxies.

    Args:
        verify: True for certifi's authorities, the path of a bundle or directory, or False for no verification.

    Raises:
        UnusableBundle: the authorities can't be read.
    """

    def __init__(self, verify: bool | str) -> None:  # noqa: FBT001 - as the options have it
        self._tls = tls_context(verify)
        self._options: dict[str, Any] = {
            "maxsize": POOL_SIZE,
            "ssl_context": self._tls,
            "cert_reqs": "CERT_NONE" if verify is False else "CERT_REQUIRED",
        }
        self._managers: dict[str | None, PoolManager] = {}
        # urllib3 parses a URL and builds a key for each look-up. There are as many hosts as the configuration names.
        self._pools: dict[tuple[str, str | None], HTTPConnectionPool] = {}

    def of(self, parts: SplitResult, proxy: str | None) -> HTTPConnectionPool:
        """The connections to the host of a URL, by way of a proxy or directly.

        Raises:
            LocationParseError: the URL has no valid port.
            ProxySchemeUnknown: the proxy's URL is none that can be used.
            MissingSocks: see there.
        """
        origin = f"{parts.scheme}://{parts.netloc}"
        pool = self._pools.get((origin, proxy))
        if pool is None:
            # Not by the URL: urllib3 reads one with a backslash or a user in another way than whoever judged it.
            pool = self._manager(proxy).connection_from_host(parts.hostname, _port_of(parts), parts.scheme)
            self._pools[origin, proxy] = pool
        return pool

    def _manager(self, proxy: str | None) -> PoolManager:
        if proxy not in self._managers:
            self._managers[proxy] = self._direct() if proxy is None else self._proxied(proxy)
        return self._managers[proxy]

    def _direct(self) -> PoolManager:
        manager = PoolManager(**self._options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def _proxied(self, proxy: str) -> PoolManager:
        url = proxy if "://" in proxy else f"http://{proxy}"
        parts = urlsplit(url)
        if parts.scheme.lower().startswith("socks"):
            return self._socks(url, *_user_of(parts))
        if not parts.hostname:
            raise ProxySchemeUnknown(None)
        manager = ProxyManager(url, proxy_headers=proxy_headers(url), proxy_ssl_context=self._tls, **self._options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def _socks(self, url: str, name: str, password: str) -> PoolManager:
        if find_spec("socks") is None:  # urllib3 would warn, too
            raise MissingSocks
        from urllib3.contrib.socks import SOCKSProxyManager

        # Its connections open the socket in their own way.
        return SOCKSProxyManager(url, username=name or None, password=password or None, **self._options)

    def close(self) -> None:
        """Close those that are idle; the others follow when their request ends."""
        for pool in list(self._pools.values()):
            pool.close()  # `clear()` forgets it, and an exception of an earlier request may still refer to it
        for manager in list(self._managers.values()):
            manager.clear()


def _port_of(parts: SplitResult) -> int | None:
    with suppress(ValueError):
        return parts.port
    raise LocationParseError("")  # outside, as what urllib says quotes the port


def proxy_headers(proxy: str) -> dict[str, str]:
    """What a CONNECT request says to a proxy: who asks, if its URL names a user."""
    name, password = _user_of(urlsplit(proxy))
    return {"proxy-authorization": _basic(name, password)} if name else {}


def _user_of(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.username or ""), unquote(parts.password or "")


def _basic(name: str, password: str) -> str:
    """RFC 7617 leaves the encoding to the server; what fits into Latin-1 is sent so, as everybody does."""
    both = f"{name}:{password}"
    try:
        encoded = both.encode("latin-1")
    except UnicodeEncodeError:
        encoded = both.encode()
    return f"Basic {b64encode(encoded).decode()}"
