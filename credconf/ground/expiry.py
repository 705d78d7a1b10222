"""The expiry of secrets and certificates, and warnings 30, 7 and 1 days before it, and after it.

Entra does not report the expiry of a secret, so the setting `secret_expires_on` holds it. A certificate contains its
own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES: Final = (1, 7, 30)
"""Days before expiry at which to warn."""
OVER: Final = -1
"""The stage after expiry."""

_warned: set[tuple[str, str, date, int]] = set()


def days_left(expires_on: date, now: float) -> int:
    """Return the whole days from today (UTC) to the expiry: 0 on the day itself, negative after it.

    Args:
        expires_on: The day of the expiry.
        now: Unix time in seconds.
    """
    return (expires_on - datetime.fromtimestamp(now, UTC).date()).days


def stage(expires_on: date, now: float) -> int | None:
    """Return the smallest of `STAGES` that the days left do not exceed.

    Returns:
        `OVER` after the expiry; `None` if more days are left than any stage has.
    """
    days = days_left(expires_on, now)
    return OVER if days < 0 else next((limit for limit in STAGES if days <= limit), None)


def within(reached: int) -> str:
    """Return one of `STAGES` in words."""
    return f"expires within {reached} {'day' if reached == 1 else 'days'}"


def in_days(expires_on: date, now: float) -> str:
    """Return the day of the expiry, and the days until then, in words."""
    days = days_left(expires_on, now)
    if days < 0:
        return f"expired on {expires_on}"
    off = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    return f"expires on {expires_on}, {off}"


def warn_once(warn: Callable[..., object], client: str, name: str, expires_on: date, now: float) -> None:
    """Warn that a secret or certificate expires soon, once in this process for each stage.

    Args:
        warn: Logs a line, with arguments for `%`.
        client: The client id. It is not shown.
        name: The name of the secret or certificate, for the message.
        expires_on: The day of the expiry.
        now: Unix time in seconds.
    """
    reached = stage(expires_on, now)
    if reached is None or (client, name, expires_on, reached) in _warned:
        return
    _warned.add((client, name, expires_on, reached))
    warn("%s %s; make a new one in time", name, in_days(expires_on, now))
