"""What the code around HTTP agrees on: the client's interface, its options, its answers and its failures.

Nothing third-party is imported here, so that a signature may name these types for free.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, Protocol

from credconf._version import __version__
from credconf.ground.records import field, record

if TYPE_CHECKING:
    from collections.abc import Mapping

Reason = Literal[
    "dns", "refused", "connect", "tls", "proxy", "timeout", "reset", "too-large", "closed", "resources", "other"
]

_FIRST_ERROR_STATUS = 400


class HttpResponse(Protocol):
    """An answer, as MSAL reads it; `requests.Response` is one."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def text(self) -> str:
        """The body."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...

    def raise_for_status(self) -> object:
        """Raise an exception for a status of 400 or more."""
        ...


class HttpClient(Protocol):
    """Whoever sends the requests: the `http_client` of MSAL. `requests.Session` is one, and so is our transport.

    The methods are called with keywords: `get(url, params=, headers=)` and `post(url, params=, data=, headers=)`,
    where `data` is the mapping of a form. The signatures are looser than the calls, because type checkers would
    otherwise refuse clients that name their parameters differently.
    """

    def get(self, url: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send a GET request, called with the keywords `params` and `headers`."""
        ...

    def post(self, url: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send a POST request, called with the keywords `params`, `data` and `headers`."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def client_fault(client: object) -> str | None:
    """Why an object can't be the `http_client`; `None` where it can, or where there is none."""
    missing = [name for name in ("get", "post", "close") if not callable(getattr(client, name, None))]
    if client is None or not missing:
        return None
    return f"http_client= is an object with get, post and close; {type(client).__name__} has no {', no '.join(missing)}"


@record
class Response:
    """An answer, whatever its status.

    Attributes:
        status_code: the HTTP status.
        text: the body. It may hold a token, so it stays out of `repr`.
        headers: the names in lower case. They stay out of `repr`, too: a server may set cookies.
    """

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])

    def raise_for_status(self) -> None:
        """Raise for a status of 400 or more, without quoting the answer.

        Raises:
            RuntimeError: with the status, and nothing of the body.
        """
        if self.status_code >= _FIRST_ERROR_STATUS:
            message = f"the server answered with HTTP status {self.status_code}"
            raise RuntimeError(message)


@record
class TransportOptions:
    """How requests are sent. All times are in seconds.

    Attributes:
        connect_timeout: to connect to one address, and again for the TLS handshake.
        read_timeout: for the longest silence of the server.
        total_timeout: for one request with all its retries and the waits between them.
        retries: how often a request is repeated after the first attempt.
        proxy: the URL of the proxy for https requests. It may hold a password, so it stays out of `repr`.
        no_proxy: the hosts that are asked directly: names (which cover their subdomains), addresses, networks, `*`.
        verify: True for certifi's authorities, the path of a bundle or directory, or False for no verification.
        user_agent: the header.
        log_requests: log method, host, path, status and duration of each attempt, at DEBUG.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 10.0
    total_timeout: float = 30.0
    retries: int = 3
    proxy: str | None = field(default=None, repr=False)
    no_proxy: str | None = None
    verify: bool | str = True
    user_agent: str = f"credconf/{__version__} Python/{sys.version_info.major}.{sys.version_info.minor}"
    log_requests: bool = False


class TransportFailure(Exception):
    """There is no answer. Nothing of the request is in it: no path, no query, no header, no body, no password.

    Attributes:
        reason: the sort of failure.
        message: one sentence that names the host and says what happened.
        attempts: how many attempts were made; 0 when the deadline had passed before the first.
        retryable: it may be different next time.
    """

    def __init__(self, reason: Reason, message: str, *, attempts: int = 1, retryable: bool = False) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.attempts = attempts
        self.retryable = retryable

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"attempts": self.attempts, "retryable": self.retryable}
        return type(self), (self.reason, self.message), state
