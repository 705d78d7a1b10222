"""Which outcome is worth another attempt, and after how long. Pure decisions: no clock, no network."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from .http import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .http import TransportFailure

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0

# Beyond this exponent the cap has long been reached; without a bound a large count would overflow the float.
_LARGEST_EXPONENT = 16

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")


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
    try:
        date = parsedate_to_datetime(text)
        # RFC 9110 has HTTP dates in GMT only; "-0000" and an unknown zone come out without one.
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):  # whatever the parser stumbles over
        return None
