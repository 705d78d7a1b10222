"""The claims of an access token, for people to read. Nothing here checks its signature: only its audience can."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jwt

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TIMES = frozenset({"exp", "nbf", "iat", "auth_time", "xms_tcdt"})

READABLE = (
    *("aud", "iss", "tid", "appid", "azp", "app_displayname", "oid", "idtyp"),
    *("roles", "scp", "wids", "groups", "xms_cc"),
    *("iat", "nbf", "exp", "ver"),
)
"""The claims that tell who may do what, and for how long, in the order to show them in."""


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims, signature unchecked; `None` for a token that is opaque to clients (encrypted, or no JWT at all)."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        # Python reads and writes NaN and Infinity, which are no JSON.
        return json.loads(json.dumps(claims), parse_constant=str)  # type: ignore[no-any-return]
    except (jwt.InvalidTokenError, ValueError, RecursionError, TypeError, AttributeError):
        return None  # whatever the decoder stumbles over: the server may send any text for a token


def readable(claim: str, value: object) -> str:
    """A claim's value as text: times as UTC, lists without brackets, anything else as JSON."""
    if claim in _TIMES and isinstance(value, int | float):
        return utc(value) or str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "(none)"
    return json.dumps(value)


def utc(timestamp: float) -> str | None:
    """A second of Unix time as UTC, for people; `None` for one that no calendar has."""
    moment = _moment(timestamp)
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def iso(timestamp: float) -> str | None:
    """A second of Unix time as ISO 8601 has it; `None` for one that no calendar has."""
    moment = _moment(timestamp)
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment(timestamp: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def life(seconds: float) -> str:
    """How long something is still valid, in words."""
    if seconds <= 0:
        return "expired"
    for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * unit:
            return f"for {seconds / unit:.0f} {name}"
    return f"for {seconds:.0f} seconds"
