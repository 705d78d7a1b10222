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


JITTER = 60.0
"""Seconds by which tokens that are due at the same moment, in many processes, are spread at the most."""


def due_at(received: float, expires: float, refresh_on: float | None, jitter: float = 0.0) -> float:
    """When a token should be replaced, in the seconds of the clock that gave the arguments.

    Args:
        received: when it was asked for.
        expires: when it ends.
        refresh_on: when the server wants it replaced, if it said so.
        jitter: from 0 to 1; later by up to a minute, and by no more than a tenth of what is left of its life.
    """
    half = received + (expires - received) / 2
    if refresh_on is not None:
        due = refresh_on
    elif expires - received >= LONG_LIFE:
        due = half
    else:
        due = max(expires - EARLY, half)
    due = max(due, received + SPACING)
    return min(due + jitter * min(JITTER, 0.1 * max(expires - due, 0.0)), expires)


def due_among_many(received: float, due: float, expires: float, jitter: float) -> float:
    """When one of many processes that hold the same token should see to its replacement.

    One will do it for all, the first. Should what they share be down just then, each does it for itself, and they must
    not come all at once: from a tenth of its age earlier, to half of what is left of its life later.

    Args:
        received: when it was asked for.
        due: when it should be replaced.
        expires: when it ends.
        jitter: from 0 to 1.
    """
    first = max(due - 0.1 * (due - received), min(received + SPACING, due))
    last = due + 0.5 * (expires - due)
    return first + jitter * (last - first)


def wait_after(failures: int, retry_after: float | None, jitter: float = 0.0) -> float:
    """Seconds to wait before a refresh of a token that is still valid is tried again.

    Args:
        failures: in a row, the last one included.
        retry_after: seconds that the server asked to wait.
        jitter: from 0 to 1; up to a quarter longer.
    """
    wait = min(SPACING * 2.0 ** min(failures - 1, 10), LONGEST_WAIT) * (1 + jitter / 4)
    return max(wait, min(retry_after or 0.0, LONGEST_WAIT))
