"""The seconds that tests have let pass, by which everything older than that is older than the clocks say."""

from __future__ import annotations

import time

_passed: list[tuple[float, float]] = []  # the monotonic time of each, and its seconds


def let_pass(seconds: float) -> None:
    """Let everything that exists in this process become older. For tests."""
    _passed.append((time.monotonic(), seconds))


def real_age(age: float) -> float:
    """The age of something that is `age` seconds old by the clock, with all seconds that have passed meanwhile."""
    if not _passed:
        return age
    since = time.monotonic() - age
    return age + sum(seconds for at, seconds in list(_passed) if at >= since)
