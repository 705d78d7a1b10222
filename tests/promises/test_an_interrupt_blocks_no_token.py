"""Promise: an interrupt at any instruction leaves nothing behind that another caller waits for.

A real signal is handled between two instructions. Here an exception is raised before each instruction in turn, but for
those that take or release a lock in C, where CPython handles no signal: such a lock is always released.
"""

from __future__ import annotations

import dis
import json
import linecache
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import credconf
from credconf.entra.http import Response
from tests.contract.faces import SCOPE, SYNC, Clock, engine_of
from tests.promises.answering import FIELDS, InProcess, granted, settled

PACKAGE = Path(credconf.__file__).parent
# Modules of pure functions and records keep no state between two calls: without them half of the instructions are left.
WATCHED = {
    str(PACKAGE / name)
    for name in (
        "credential.py",
        "engine.py",
        *(f"ground/{name}.py" for name in ("flight", "log", "workers")),
        *(
            f"tokens/{name}.py"
            for name in (
                "azure_core",
                "cache",
                "clients",
                "dispatch",
                "policy",
                "proof_cache",
                "proof_selection",
                "requester",
            )
        ),
        "entra/discovery.py",
    )
}
assert all(Path(name).is_file() for name in WATCHED), "a module has moved"
LOCKING = ("with self._lock:", "with importing, ")


class Interrupt(BaseException):
    """As KeyboardInterrupt, which pytest would take for its own."""


class Known(InProcess):
    """It also vouches for the authority, so that discovery is a part of the path."""

    def get(self, url, **_):
        return Response(200, json.dumps({"tenant_discovery_endpoint": url, "metadata": []}), {})


def is_interruptible(frame):
    line = frame.f_lineno  # None: the compiler's own instruction
    if frame.f_code.co_code[frame.f_lasti] == dis.opmap["NOP"]:
        return False
    return line and not linecache.getline(frame.f_code.co_filename, line).strip().startswith(LOCKING)


def interrupted(at, call):
    """Make a call, and raise before its n-th instruction.

    Returns:
        Whether there were so many.
    """
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename not in WATCHED:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and is_interruptible(frame):
            count += 1
            if count == at:
                raise Interrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # on Python 3.12 only what is set before `settrace` counts
    sys.settrace(trace)
    try:
        call()
    except Interrupt:
        pass
    finally:
        sys.settrace(before)
    return count >= at


@pytest.fixture
def other_thread():
    with ThreadPoolExecutor(1) as pool:
        yield lambda call: pool.submit(call).result(60)


@pytest.fixture
def traced_thread():
    """An exception that is raised by a trace within `except` stays the handled one of its thread for good."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda *call: pool.submit(*call).result(60)


def directory_of(engine):
    client = engine._requester._clients._client
    return None if client is None else client._discovery


def request_is_interrupted(at, other_thread):
    engine = engine_of({**FIELDS, "authority": "https://login.example"}, Known())
    credential = SYNC.on(engine)
    reached = interrupted(at, lambda: credential.get_token(SCOPE))
    assert engine._requests.flights.flying == {}
    assert not directory_of(engine) or directory_of(engine)._flights.flying == {}
    assert engine.log._held.work is None
    assert other_thread(lambda: credential.get_token(SCOPE).token).startswith("token-")
    return reached


def refresh_is_interrupted(at, other_thread):
    clock = Clock()
    client = InProcess(lambda _: granted(f"token-{len(client.asked)}", 400))
    engine = engine_of(FIELDS, client, clock=clock, monotonic=clock)
    credential = SYNC.on(engine)
    credential.get_token(SCOPE)
    clock.advance(205)
    reached = interrupted(at, lambda: credential.get_token(SCOPE))
    settled(engine)
    clock.advance(700)  # a refresh that was lost is known to be lost by now
    other_thread(lambda: credential.get_token(SCOPE))
    before = len(client.asked)
    clock.advance(205)
    other_thread(lambda: credential.get_token(SCOPE))
    settled(engine)
    assert len(client.asked) == before + 1, "the token is not refreshed any more"
    return reached


# An interrupt in a generator that is being closed has no caller: Python 3.12 and later say so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("scene", [request_is_interrupted, refresh_is_interrupted])
def test_after_an_interrupt_at_any_instruction_other_callers_get_their_token(scene, traced_thread, other_thread):
    at = sys.maxsize  # first without an interrupt: what is imported then is not imported under the trace
    assert not traced_thread(scene, at, other_thread)
    at = 1
    while traced_thread(scene, at, other_thread):
        at += 1
    assert at > 100, "the trace saw next to nothing"
