"""The steps in their order. One that can't work any more is skipped, and says because of what."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .configuration import configuration
from .expiry import expiry
from .network import name_resolution, proxy, tls
from .server import clock, discovery, token
from .steps import Done, Finding, Step, take
from .token_cache import token_cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .steps import Case

_WAY = ("configuration", "name resolution", "proxy", "TLS")
STEPS = (
    Step("configuration", "reading the configuration", configuration, 30.0),
    Step("expiry", "reading when the proofs end", expiry, 5.0, _WAY[:1]),
    Step("token cache", "looking into the token cache", token_cache, 10.0, _WAY[:1]),
    Step("name resolution", "looking up the way to {host}", name_resolution, 5.0, _WAY[:1]),
    Step("proxy", "connecting to {host} through the proxy", proxy, 10.0, _WAY[:2]),
    Step("TLS", "connecting to {host}", tls, 10.0, _WAY[:3]),
    Step("discovery", "asking {host} about the tenant", discovery, 10.0, _WAY),
    Step("clock", "comparing the clocks", clock, 1.0, _WAY),
    Step("token", "asking {host} for a token", token, 30.0, (*_WAY, "discovery")),
)


def examine(case: Case, timeout: float) -> Iterator[Done]:
    """Take each step, within `timeout` seconds altogether."""
    end = time.monotonic() + timeout
    failed: set[str] = set()
    for step in STEPS:
        left = end - time.monotonic()
        cause = next((name for name in step.needs if name in failed), None)
        if cause is not None:
            yield Done(step, Finding("skipped", f"it needs what failed: {cause}"), 0.0)
        elif left <= 0:
            yield Done(step, Finding("skipped", f"the {timeout:g} s of --timeout are used up"), 0.0)
        else:
            done = take(step, case, left)
            if done.finding.result == "failed":
                failed.add(step.name)
            yield done
