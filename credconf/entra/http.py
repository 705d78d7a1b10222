"""The common parts of the HTTP code: the client's interface, options, responses, failures, and when to retry.

Imports nothing third-party, so that a signature can name these types for free.
"""

from __future__ import annotations

import re
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
RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0

# At this exponent the wait is already capped. Without a bound a large count would overflow the float.
_LARGEST_EXPONENT = 16

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")


class HttpResponse(Protocol):
    """A response, as MSAL reads it. `requests.Response` satisfies it."""

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
    """An HTTP client that sends the requests, with the interface of MSAL's `http_client`.

    `requests.Session` and credconf's own transport satisfy it. The methods are called with keywords:
    `get(url, params=, headers=)` and `post(url, params=, data=, headers=)`, where `data` is the mapping of a form. The
    signatures are looser than the calls, since type checkers would otherwise reject clients with other parameter
    names.
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
    """Return why an object can't be the `http_client`; `None` if it can, or if there is none."""
    missing = [name for name in ("get", "post", "close") if not callable(getattr(client, name, None))]
    if client is None or not missing:
        return None
    return f"http_client= is an object with get, post and close; {type(client).__name__} has no {', no '.join(missing)}"


@record
class Response:
    """A response of any status.

    Attributes:
        status_code: The HTTP status.
        text: The body. It may hold a token, so `repr` omits it.
        headers: The headers, with names in lower case. `repr` omits them, since a server may set cookies.
    """

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])

    def raise_for_status(self) -> None:
        """Raise an exception for a status of 400 or more.

        Raises:
            RuntimeError: The status is 400 or more. The message quotes nothing of the response.
        """
        if self.status_code >= _FIRST_ERROR_STATUS:
            message = f"the server answered with HTTP status {self.status_code}"
            raise RuntimeError(message)


@record
class TransportOptions:
    """The options of the transport. All times are in seconds.

    Attributes:
        connect_timeout: Limit to connect to one address, and again for the TLS handshake.
        read_timeout: Longest silence of the server.
        total_timeout: Limit for one request with all its retries and the waits between them.
        retries: Number of attempts after the first one.
        proxy: URL of the proxy for https requests. It may hold a password, so `repr` omits it.
        no_proxy: Hosts that bypass the proxy: names (which cover their subdomains), addresses, networks, `*`.
        verify: True for certifi's authorities, the path of a bundle or directory, authorities as PEM (bytes), or False
            for no verification.
        server_name: The name in the server's certificate; None for the host of the URL.
        user_agent: Value of the `User-Agent` header.
        log_requests: Log method, host, path, status and duration of each attempt, at DEBUG.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 10.0
    total_timeout: float = 30.0
    retries: int = 3
    proxy: str | None = field(default=None, repr=False)
    no_proxy: str | None = None
    verify: bool | str | bytes = True
    server_name: str | None = None
    user_agent: str = f"credconf/{__version__} Python/{sys.version_info.major}.{sys.version_info.minor}"
    log_requests: bool = False


class TransportFailure(Exception):
    """A request that got no response. It holds no path, query, header, body or password of the request.

    Attributes:
        reason: The category of the failure.
        message: One sentence with the host and the cause.
        attempts: Number of attempts; 0 if the deadline had passed before the first.
        retryable: Whether another attempt may succeed.
        hint: What the user can do, where that is known better than by the category.
    """

    def __init__(
        self, reason: Reason, message: str, *, attempts: int = 1, retryable: bool = False, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.attempts = attempts
        self.retryable = retryable
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"attempts": self.attempts, "retryable": self.retryable, "hint": self.hint}
        return type(self), (self.reason, self.message), state


def is_retryable(outcome: Response | TransportFailure) -> bool:
    """Return whether another attempt may succeed."""
    if isinstance(outcome, Response):
        return outcome.status_code in RETRIED_STATUSES
    return outcome.retryable


def backoff(failures: int, jitter: float) -> float:
    """Return the seconds to wait after consecutive failures, if the server does not name a wait.

    Args:
        failures: Number of consecutive failures, 1 or more.
        jitter: A number from 0 to 1, which scales the wait from half to its full length. So processes that failed at
            the same time do not retry at the same time.
    """
    full = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(failures - 1, _LARGEST_EXPONENT)))
    return full * (0.5 + jitter / 2)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the wait that a server requests in `Retry-After` or in a header of Azure's services.

    The order of the headers is azure-core's (`azure.core.pipeline.policies._utils.get_retry_after`).

    Args:
        headers: The headers, with names in lower case.
        now: Unix time in seconds, for a `Retry-After` that is a date.

    Returns:
        Seconds, 0 or more; a number too large for a float is `inf`. `None` if no header has a valid value.
    """
    given = _seconds(headers.get("retry-after", "").strip(), now)
    if given is not None:
        return given
    for name in _MILLISECONDS:
        text = headers.get(name, "").strip()
        if _NUMBER.fullmatch(text):
            return float(text) / 1000
    return None


def next_wait(
    outcome: Response | TransportFailure, *, failures: int, left: float, jitter: float, now: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or `None` if there is none.

    There is no wait that would end after the deadline: the caller gets the same outcome earlier without it.

    Args:
        outcome: The outcome of the last attempt.
        failures: Number of failed attempts, with this one.
        left: Seconds to the deadline.
        jitter: A number from 0 to 1, see `backoff`.
        now: Unix time in seconds.
    """
    if not is_retryable(outcome):
        return None
    requested = retry_after(outcome.headers, now) if isinstance(outcome, Response) else None
    wait = backoff(failures, jitter) if requested is None else requested
    return wait if wait < left else None


def _seconds(text: str, now: float) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    from datetime import UTC  # not at the top: each start of a process imports this module
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        # HTTP dates are in GMT (RFC 9110). For "-0000" and unknown zones the parser returns a date without a zone.
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser raises each of them
        return None
