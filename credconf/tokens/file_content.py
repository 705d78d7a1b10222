"""What the file of tokens contains: a document of a known shape, or something that is not ours."""

from __future__ import annotations

import json
from typing import Any

_LATEST = 1e12  # seconds; more than any clock says
_FORMAT = "credconf-tokens-1"


def empty() -> dict[str, Any]:
    """A document without tokens."""
    return {"format": _FORMAT, "tokens": {}, "failures": {}}


def parsed(text: str) -> dict[str, Any] | None:
    """A document of ours; `None` for anything else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.keys() != empty().keys() or document["format"] != _FORMAT:
        return None
    tokens, failures = document["tokens"], document["failures"]
    if not (isinstance(tokens, dict) and isinstance(failures, dict)):
        return None
    stamped = all(_has_numbers(kept, "at", "up") and _is_flat(kept) for kept in tokens.values())
    told = all(_has_numbers(each, "at", "up", "seconds") and _is_told(each) for each in failures.values())
    return document if stamped and told else None


def _is_told(each: dict[str, Any]) -> bool:
    """Whether nothing in it is nested so deep that it could be read, and not be written again."""
    failure = each.get("failure")
    rest = {name: value for name, value in each.items() if name != "failure"}
    if not isinstance(failure, dict) or not _is_flat(rest):
        return False
    codes = failure.get("codes")
    return _is_flat({**failure, "codes": None}) and (not isinstance(codes, list) or _is_flat(dict(enumerate(codes))))


def _is_flat(kept: dict[Any, Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in kept.values())


def _has_numbers(kept: Any, *names: str) -> bool:
    return isinstance(kept, dict) and all(_is_time(kept.get(name)) for name in names)


def _is_time(value: Any) -> bool:
    """JSON has numbers that are none (`NaN`), and some with which nobody can calculate."""
    return isinstance(value, int | float) and -_LATEST < value < _LATEST
