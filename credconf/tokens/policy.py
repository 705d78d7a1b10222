"""When a token is due, and how long to wait after a failure. Pure: the clock is the caller's."""

from __future__ import annotations

LONG_LIFE = 7200.0
"""Seconds: a token that lives this long is due at half its life, as MSAL's `refresh_in` would have it."""
EARLY = 300.0
"""Seconds before its end at which a shorter token is due, azure-identity's offset."""
SPACING = 30.0
"""Seconds between two requests for one token that is still valid, azure-identity's retry delay."""
LONGEST_WAIT = 600.0
"""Seconds after which a failing refresh is tried again at the latest."""


def due_at(received: float, expires: float, refresh_on: float | None) -> float:
    """When a token should be replaced, in the seconds of the clock that gave the arguments.

    Args:
        received: when it was asked for.
        expires: when it ends.
        refresh_on: when the server wants it replaced, if it said so.
    """
    half = received + (expires - received) / 2
    if refresh_on is not None:
        due = refresh_on
    elif expires - received >= LONG_LIFE:
        due = half
    else:
        due = max(expires - EARLY, half)
    return min(max(due, received + SPACING), expires)


def next_try(now: float, failures: int, retry_after: float | None) -> float:
    """When to try again to refresh a token that is still valid.

    Args:
        now: of the failure.
        failures: in a row, this one included.
        retry_after: seconds that the server asked to wait.
    """
    wait = min(SPACING * 2.0 ** min(failures - 1, 10), LONGEST_WAIT)
    return now + max(wait, min(retry_after or 0.0, LONGEST_WAIT))
