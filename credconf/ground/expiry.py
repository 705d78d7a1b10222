"""When a secret or a certificate ends, and how that is told: 30, 7 and 1 days ahead, and when it is over.

Entra does not tell an application when its secret ends: `secret_expires_on` notes it. A certificate says it itself.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES: Final = (1, 7, 30)
"""Days ahead, at which it is told."""
OVER: Final = -1

_told: set[tuple[str, str, date, int]] = set()


def days_left(expires_on: date, now: float) -> int:
    """Whole days from today (UTC) to a day; 0 on the day itself, less than 0 after it.

    Args:
        expires_on: the day on which it ends.
        now: seconds of Unix time.
    """
    return (expires_on - datetime.fromtimestamp(now, UTC).date()).days


def stage(expires_on: date, now: float) -> int | None:
    """Within how many days of `STAGES` it ends; `OVER` where it has ended; `None` where that is a long way off."""
    days = days_left(expires_on, now)
    return OVER if days < 0 else next((limit for limit in STAGES if days <= limit), None)


def within(reached: int) -> str:
    """A stage in words: one of `STAGES`."""
    return f"expires within {reached} {'day' if reached == 1 else 'days'}"


def in_days(expires_on: date, now: float) -> str:
    """The day, and how far it is off."""
    days = days_left(expires_on, now)
    if days < 0:
        return f"expired on {expires_on}"
    off = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    return f"expires on {expires_on}, {off}"


def warn_once(warn: Callable[..., object], client: str, name: str, expires_on: date, now: float) -> None:
    """Log that something ends soon, once in this process for each stage.

    Args:
        warn: logs a line, with arguments as those of `%`.
        client: whose it is; not shown.
        name: what ends, for the message.
        expires_on: when.
        now: seconds of Unix time.
    """
    reached = stage(expires_on, now)
    if reached is None or (client, name, expires_on, reached) in _told:
        return
    _told.add((client, name, expires_on, reached))
    warn("%s %s; make a new one in time", name, in_days(expires_on, now))
