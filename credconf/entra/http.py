"""What the HTTP code shares: the client's interface, options, responses, failures, and when to retry.

Imports nothing third-party, so that a signature can name these types for free.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC
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

# Beyond this exponent the cap has long been reached; without a bound a large count would overflow the float.
_LARGEST_EXPONENT = 16

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")


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


def is_retryable(outcome: Response | TransportFailure) -> bool:
    """Whether the same request may fare better in a moment."""
    if isinstance(outcome, Response):
        return outcome.status_code in RETRIED_STATUSES
    return outcome.retryable


def backoff(failures: int, jitter: float) -> float:
    """The seconds to wait after so many failures in a row, where the server named none.

    Args:
        failures: 1 or more.
        jitter: from 0 to 1. It moves the wait between half and all of its length, so that many processes that
            failed together do not come back together.
    """
    full = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(failures - 1, _LARGEST_EXPONENT)))
    return full * (0.5 + jitter / 2)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that a server asks to wait: `Retry-After`, or one of the headers that Azure's services use.

    The order is azure-core's (`azure.core.pipeline.policies._utils.get_retry_after`).

    Args:
        headers: with names in lower case.
        now: seconds since the epoch, for a `Retry-After` that is a date.

    Returns:
        None when there is no such header that can be understood, else 0 or more (an absurd number may be `inf`).
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
    """How long to wait before the next attempt, or None when there should be none.

    A wait that does not fit in what is left is not begun: the caller has the outcome now, and would only get the
    same one later.

    Args:
        outcome: of the last attempt.
        failures: how many attempts have failed, this one included.
        left: seconds to the deadline.
        jitter: from 0 to 1, see `backoff`.
        now: seconds since the epoch.
    """
    if not is_retryable(outcome):
        return None
    asked = retry_after(outcome.headers, now) if isinstance(outcome, Response) else None
    wait = backoff(failures, jitter) if asked is None else asked
    return wait if wait < left else None


def _seconds(text: str, now: float) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        # RFC 9110 has HTTP dates in GMT only; "-0000" and an unknown zone come out without one.
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):  # whatever the parser stumbles over
        return None
