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

from .transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .http import HttpClient, HttpResponse, TransportOptions

URL: Final = "AZURE_KUBERNETES_TOKEN_PROXY"
SERVER_NAME: Final = "AZURE_KUBERNETES_SNI_NAME"
CA_FILE: Final = "AZURE_KUBERNETES_CA_FILE"
CA_DATA: Final = "AZURE_KUBERNETES_CA_DATA"
VARIABLES: Final = (URL, SERVER_NAME, CA_FILE, CA_DATA)


@record
class TokenProxy:
    """Where the token proxy is.

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
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        message = f"{URL} is not an https:// URL without a user, a query and a fragment"
        return NotFound("bad-value", message, "the webhook sets it: remove your own", "token_proxy")
    ca_file, ca_data = environ.get(CA_FILE) or None, environ.get(CA_DATA) or None
    if (ca_file is None) == (ca_data is None):
        state = "neither" if ca_file is None else "both"
        message = f"one of {CA_FILE} and {CA_DATA} must be set, and {state} is"
        return NotFound("bad-value", message, "the webhook sets one of them: remove your own", "token_proxy")
    proxy = TokenProxy(url, environ.get(SERVER_NAME) or None, ca_file, ca_data)
    authorities = proxy.authorities()
    return replace(authorities, path="token_proxy") if isinstance(authorities, NotFound) else proxy


class TokenProxyClient:
    """An HTTP client that sends the requests of a token to the token proxy, and trusts only its authorities.

    The file of the authorities is read again when it has changed. While it is empty or gone, the old ones count.

    Args:
        proxy: The token proxy.
        options: How requests are sent.
        make: Makes the transport.
    """

    def __init__(
        self, proxy: TokenProxy, options: TransportOptions, make: Callable[[TransportOptions], Transport] = Transport
    ) -> None:
        self._proxy = proxy
        self._options = options
        self._make = make
        # By process id: no child of a fork has a lock that a thread of its parent held.
        self._locks: dict[int, threading.Lock] = {}
        self._stamp: object = None
        self._transport: HttpClient | None = None

    def get(self, url: str, **arguments: Any) -> HttpResponse:
        """Send a GET request; see `Transport.get`."""
        return self._current().get(self._proxy.moved(url), **arguments)

    def post(self, url: str, **arguments: Any) -> HttpResponse:
        """Send a POST request; see `Transport.post`."""
        return self._current().post(self._proxy.moved(url), **arguments)

    def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            self._transport.close()

    def _current(self) -> HttpClient:
        stamp = _stamp(self._proxy.ca_file)
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            if self._transport is None or stamp != self._stamp:
                authorities = self._proxy.authorities()
                old = self._transport
                if old is not None and isinstance(authorities, NotFound):
                    return old
                verify = b"" if isinstance(authorities, NotFound) else authorities
                options = replace(self._options, verify=verify, server_name=self._proxy.server_name)
                self._transport, self._stamp = self._make(options), stamp
                if old is not None:
                    old.close()
            return self._transport


def _stamp(path: str | None) -> object:
    try:
        found = os.stat(path) if path is not None else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_ino, found.st_size)
