"""A signal's handler that raises ends the call of the main thread, as its own exception, and no other call."""

from __future__ import annotations

import signal

import pytest

PLACES = ["request", "client", "discovery", "verify"]
FAILS = pytest.mark.xfail(raises=AssertionError, strict=True, reason="what a handler raises becomes a failure of all")


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="the signal is one of Unix")
@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("KeyboardInterrupt", "request"),
        ("KeyboardInterrupt", "discovery"),
        *[pytest.param("SoftTimeLimitExceeded", place, marks=FAILS) for place in PLACES],
        *[pytest.param("TimeoutError", place, marks=FAILS) for place in PLACES],
        pytest.param("Alarm", "client", marks=FAILS),
        pytest.param("Alarm", "verify", marks=FAILS),
    ],
)
def test_the_thread_that_asks_for_all_is_interrupted_alone(children, kind, place):
    children.run("threads", "signals:leader_is_interrupted", kind, place)
