"""The token proxy of AKS identity binding, which token requests go to instead of Entra.

Source: Microsoft's documentation of identity bindings, and azure-identity's `enable_azure_proxy`.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from credconf.ground.files import REFERENCE_LIMIT, Unreadable, read_bytes
from credconf.ground.records import record, replace
from credconf.references import NotFound

from .http import TransportFailure
from .transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .http import HttpResponse, TransportOptions

URL: Final = "AZURE_KUBERNETES_TOKEN_PROXY"
SERVER_NAME: Final = "AZURE_KUBERNETES_SNI_NAME"
CA_FILE: Final = "AZURE_KUBERNETES_CA_FILE"
CA_DATA: Final = "AZURE_KUBERNETES_CA_DATA"
VARIABLES: Final = (URL, SERVER_NAME, CA_FILE, CA_DATA)


@record
class TokenProxy:
    """The address of the token proxy.

    Attributes:
        url: `https://HOST[:PORT][/PATH]`.
        server_name: the name in its certificate; `None` for the host of the URL.
        ca_file: the path of the only authorities that are trusted.
        ca_data: the same as PEM; `None` with a path.
    """

    url: str
    server_name: str | None
    ca_file: str | None
    ca_data: str | None

    def moved(self, url: str) -> str:
        """Return the URL of a request at the proxy: its origin and path, then the path of the request."""
        proxy, request = urlsplit(self.url), urlsplit(url)
        path = f"{proxy.path.rstrip('/')}/{request.path.lstrip('/')}"
        return urlunsplit((proxy.scheme, proxy.netloc, path, request.query, ""))

    def authorities(self) -> bytes | NotFound:
        """Return the trusted authorities as PEM, or why there are none."""
        if self.ca_file is None:
            return (self.ca_data or "").encode()
        content = read_bytes(self.ca_file, REFERENCE_LIMIT)
        if isinstance(content, Unreadable):
            return NotFound(content.code, f"{CA_FILE} names a file that {content.reason}", content.hint)
        return content if content.strip() else NotFound("empty", f"{CA_FILE} names a file that is empty")


def token_proxy(environ: Mapping[str, str]) -> TokenProxy | NotFound:
    """Return the token proxy that the variables of a pod name, or what is wrong with them."""
    url = environ.get(URL, "")
    if not url:
        hint = "bind the identity to the cluster, or remove `token_proxy`"
        return NotFound("missing-variable", f"the variable {URL} is not set", hint, "token_proxy")
    if not _is_plain(url):
        message = f"{URL} is not an https:// URL without a user, a query and a fragment"
        return NotFound("bad-value", message, "the webhook sets it: remove your own", "token_proxy")
    ca_file, ca_data = environ.get(CA_FILE) or None, environ.get(CA_DATA) or None
    if (ca_file is None) == (ca_data is None):
        state = "neither" if ca_file is None else "both"
        message = f"one of {CA_FILE} and {CA_DATA} must be set, and {state} is"
        return NotFound("bad-value", message, "the webhook sets one of them: remove your own", "token_proxy")
    return TokenProxy(url, environ.get(SERVER_NAME) or None, ca_file, ca_data)


def _is_plain(url: str) -> bool:
    """Whether a URL is https, and holds nothing but a host, a port and a path."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        and bool(parts.hostname)
        and has_port
        and not ("@" in parts.netloc or parts.query or parts.fragment or any(each.isspace() for each in url))
    )


class TokenProxyClient:
    """An HTTP client that sends the requests of a token to the token proxy, and trusts only its authorities.

    The file of the authorities is read again when it has changed. While it is empty or gone, the old ones count. Where
    no proxy or no authorities are known, nothing is sent: an assertion for the proxy must not reach another server.

    Args:
        proxy: The token proxy, or why there is none.
        options: How requests are sent.
    """

    def __init__(self, proxy: TokenProxy | NotFound, options: TransportOptions) -> None:
        self._proxy = proxy
        self._options = options
        # By process id: no child of a fork has a lock that a thread of its parent held.
        self._locks: dict[int, threading.Lock] = {}
        self._stamp: object = None
        self._transports: list[Transport] = []
        self._closed = False

    def get(self, url: str, **arguments: Any) -> HttpResponse:
        """Send a GET request; see `Transport.get`."""
        proxy, transport = self._current()
        return transport.get(proxy.moved(url), **arguments)

    def post(self, url: str, **arguments: Any) -> HttpResponse:
        """Send a POST request; see `Transport.post`."""
        proxy, transport = self._current()
        return transport.post(proxy.moved(url), **arguments)

    def close(self) -> None:
        """Close the connections. The client sends no further request."""
        self._closed = True
        for transport in self._transports:
            transport.close()

    def _current(self) -> tuple[TokenProxy, Transport]:
        proxy = self._proxy
        if isinstance(proxy, NotFound):
            raise TransportFailure("other", f"the token proxy was not asked: {proxy.message}", attempts=0)
        stamp = _stamp(proxy.ca_file)
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            if not self._transports or stamp != self._stamp:
                self._renew(proxy, stamp)
            return proxy, self._transports[-1]

    def _renew(self, proxy: TokenProxy, stamp: object) -> None:
        """Make a transport for new authorities. The old one may be in use: its idle connections end with it."""
        authorities = proxy.authorities()
        if isinstance(authorities, NotFound):
            if not self._transports:
                raise TransportFailure("other", f"the token proxy was not asked: {authorities.message}", attempts=0)
            return
        options = replace(self._options, verify=authorities, server_name=proxy.server_name)
        transport = Transport(options)
        if self._closed:
            transport.close()  # it reports that it is closed
        self._transports[:-1], self._stamp = [], stamp
        self._transports.append(transport)


def _stamp(path: str | None) -> object:
    try:
        found = os.stat(path) if path is not None else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_ino, found.st_size)
