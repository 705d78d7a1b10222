"""Token answers, made regular before MSAL sees them."""

from __future__ import annotations

import json
import math
from typing import Any

LONGEST_LIFE = 10 * 365 * 24 * 3600


def parsed(text: str) -> object:
    """The JSON of a body; `None` for anything else, however deeply nested or malformed."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def normalised(payload: object) -> dict[str, Any] | None:
    """A token answer with a usable token and whole numbers; `None` if there is no token in it.

    Servers write `expires_in` as a number or as text, and may leave it out (RFC 6749 only recommends it): such a
    token is handed on, and not kept, because nobody knows for how long it is valid.
    """
    if not isinstance(payload, dict):
        return None
    token = payload.get("access_token")
    if not isinstance(token, str) or not token:
        return None
    lifetime = _seconds(payload.get("expires_in"))
    answer: dict[str, Any] = {"access_token": token, "expires_in": lifetime or 0, "token_type": "Bearer"}
    if isinstance(payload.get("token_type"), str) and payload["token_type"]:
        answer["token_type"] = payload["token_type"]
    refresh_in = _seconds(payload.get("refresh_in"))
    if refresh_in is not None and lifetime and refresh_in < lifetime:
        answer["refresh_in"] = refresh_in
    return answer


def _seconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    return int(min(max(number, 0), LONGEST_LIFE))
