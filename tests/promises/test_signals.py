"""A signal handler that raises ends the call of the main thread with its own exception, and no other call."""

from __future__ import annotations

import signal

import pytest


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="the signal is one of Unix")
@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "SoftTimeLimitExceeded", "TimeoutError", "Alarm"])
@pytest.mark.parametrize("place", ["request", "client", "discovery", "verify"])
def test_a_signal_ends_only_the_call_of_the_main_thread(children, kind, place):
    children.run("threads", "signals:leader_is_interrupted", kind, place)
