"""The policy of refreshing, seen from outside, by a clock of the test's own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from credconf.tokens.dispatch import CALLERS
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, engine_of, wait_until
from tests.promises.answering import FIELDS, Gate, InProcess, Threads, close, granted, settled

FACES = pytest.mark.parametrize("face", [SYNC, ASYNC], ids=["sync", "async"])


class Scene:
    """An engine, its clock and its server, which says how long tokens live and whether there are any."""

    def __init__(self, life=3600, refresh_in=None, **changes):
        self.clock = Clock()
        self.life, self.refresh_in, self.fails = life, refresh_in, set()
        self.client = InProcess(self._answer)
        self.engine = engine_of(FIELDS, self.client, **{"clock": self.clock, "monotonic": self.clock, **changes})
        self.times = []

    def _answer(self, asked):
        self.times.append(self.clock())
        if asked.scopes in self.fails:
            raise RuntimeError
        return granted(f"token-{len(self.client.asked)}", self.life, self.refresh_in)

    def call(self, scope=SCOPE, face=SYNC):
        token = face.on(self.engine).get_token(scope)
        assert settled(self.engine)
        return token.token

    def requests(self, scope=SCOPE):
        return len([asked for asked in self.client.asked if asked.scopes == scope])


@FACES
@pytest.mark.parametrize(
    ("life", "refresh_in", "due"),
    [
        (86400, 50000, 50000),  # the server's own word
        (3600, 600, 600),
        (86400, None, 43200),  # half of a long life
        (7200, None, 3600),
        (7199, None, 6899),  # 300 s before the end
        (3600, None, 3300),
        (700, None, 400),
        (500, None, 250),  # but not before half
        (3600, 0, 30),  # nor within 30 s
        (80, None, 40),
    ],
)
def test_a_token_is_refreshed_when_it_is_due_and_not_before(face, life, refresh_in, due):
    scene = Scene(life, refresh_in)
    assert scene.call(face=face) == "token-1"
    scene.clock.advance(due - 1)
    assert scene.call(face=face) == "token-1"
    assert scene.requests() == 1
    scene.clock.advance(1)
    assert scene.call(face=face) == "token-1"  # at once
    assert scene.requests() == 2
    assert scene.call(face=face) == "token-2"


def test_chance_spreads_the_refreshes_by_at_most_a_minute():
    due = []
    for chance in (0.0, 0.5, 1.0):
        scene = Scene(86400, random=lambda chance=chance: chance)
        scene.call()
        while scene.requests() == 1:
            scene.clock.advance(1 if scene.clock() - scene.times[0] >= 43190 else 43190)
            scene.call()
        due.append(scene.times[1] - scene.times[0])
    assert due == [43200, 43230, 43260]


@FACES
def test_two_hundred_callers_of_a_due_token_cause_one_refresh_and_wait_for_nothing(face, fake_entra):
    clock = Clock()
    engine = engine_of(fake_entra.config(), clock=clock)
    old = face.on(engine).get_token(SCOPE).token
    clock.advance(3301)
    with Gate() as fake_entra.before_token:
        threads = Threads(*[lambda: face.on(engine).get_token(SCOPE).token] * 200)
        assert set(threads.joined()) == {old}  # while the server holds the refresh
        assert fake_entra.before_token.arrived.wait(20)
    assert settled(engine)
    assert face.on(engine).get_token(SCOPE).token != old
    assert fake_entra.count() == 2
    close(engine)


@pytest.mark.parametrize("fails", [False, True], ids=["success", "failure"])
def test_thirty_seconds_lie_between_two_requests_for_a_valid_token(fails):
    scene = Scene(life=3600, refresh_in=0)
    scene.call()
    scene.fails = {SCOPE} if fails else set()
    for _ in range(600):
        scene.clock.advance(1)
        scene.call()
    between = [after - before for before, after in zip(scene.times, scene.times[1:], strict=False)]
    assert min(between) >= 30
    assert between == ([30, 30, 60, 120, 240] if fails else [30] * 20)


def test_a_failure_that_nobody_expected_to_last_long_is_not_repeated_by_those_who_came_late():
    """Callers who saw the token due before a refresh failed don't begin another one right after it."""
    scene = Scene()
    scene.call()
    scene.clock.advance(3301)
    scene.fails = {SCOPE}
    engine = scene.engine
    request = engine.request("get_token", (SCOPE,), None, None, cae=False)
    token = engine.cache.get(request.key)
    for _ in range(5):
        engine._refresh(request, token)
        assert settled(engine)
    assert scene.requests() == 2


def test_failures_back_off_for_their_own_token_only():
    scene = Scene()
    scene.call(SCOPE)
    scene.call(OTHER_SCOPE)
    scene.fails = {SCOPE}
    scene.clock.advance(3301)
    for _ in range(40):
        scene.call(SCOPE)
        scene.clock.advance(1)
    assert scene.requests(SCOPE) == 3
    scene.call(OTHER_SCOPE)
    assert scene.requests(OTHER_SCOPE) == 2
    assert scene.call(OTHER_SCOPE) == scene.call(OTHER_SCOPE) != "token-2"


def test_under_constant_load_no_call_waits_after_the_first():
    clock, steps = Clock(), 12
    gate_open = threading.Event()
    gate_open.set()

    def answer(_):
        assert gate_open.wait(20)
        return granted(f"token-{len(client.asked)}")

    client = InProcess(answer)
    engine = engine_of(FIELDS, client, clock=clock, monotonic=clock)
    seen = {SYNC.on(engine).get_token(SCOPE).token}
    for _ in range(steps):
        gate_open.clear()  # no request gets an answer: a caller that waits for one never returns
        clock.advance(3301)
        old = Threads(*[lambda: SYNC.on(engine).get_token(SCOPE).token] * 16).joined()
        old += [ASYNC.on(engine).get_token(SCOPE).token]
        assert len(set(old)) == 1
        seen |= set(old)
        gate_open.set()
        assert settled(engine)
    assert len(seen) == steps
    assert len(client.asked) == steps + 1


def test_a_token_that_expires_while_its_refresh_waits_for_a_thread_is_asked_for_at_once():
    clock = Clock()
    with Gate(lambda asked: "held" in asked.scopes and warm.is_set()) as gate:
        warm = threading.Event()

        def answer(asked):
            gate(asked)
            return granted(f"token-{len(client.asked)}")

        client = InProcess(answer)
        engine = engine_of(FIELDS, client, clock=clock, monotonic=clock)
        scopes = [*(f"held{number}/.default" for number in range(4)), SCOPE]
        for scope in scopes:
            SYNC.on(engine).get_token(scope)
        warm.set()
        clock.advance(3301)
        for scope in scopes:  # the refreshes of the first four occupy every thread
            SYNC.on(engine).get_token(scope)
        wait_until(lambda: len(client.asked) == 9)
        clock.advance(300)
        expired = Threads(lambda: SYNC.on(engine).get_token(SCOPE).token)
        wait_until(lambda: expired.outcomes != [None])
        assert expired.joined() == ["token-10"]
    assert settled(engine)
    assert [asked.scopes for asked in client.asked].count(SCOPE) == 2


def test_the_threads_are_few_and_none_keeps_a_process_open():
    before = set(threading.enumerate())
    client = InProcess(lambda asked: gate(asked) or granted("a-token"))
    clock = Clock()
    engine = engine_of(FIELDS, client, clock=clock, monotonic=clock)
    with Gate(lambda _: True) as gate:
        gate.opened.set()
        for number in range(20):
            SYNC.on(engine).get_token(f"due{number}/.default")
        gate.opened.clear()
        clock.advance(3301)
        for number in range(20):
            SYNC.on(engine).get_token(f"due{number}/.default")

        async def cold():
            return await asyncio.gather(
                *(ASYNC.on(engine).credential.get_token(f"cold{n}/.default") for n in range(100))
            )

        loop = Threads(lambda: asyncio.run(cold()))
        wait_until(lambda: len(client.asked) == 20 + 4 + CALLERS)
        time.sleep(0.05)
        ours = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("credconf")]
        assert len(client.asked) == 20 + 4 + CALLERS
        assert sorted({thread.name for thread in ours}) == ["credconf", "credconf-refresh"]
        assert len([thread for thread in ours if thread.name == "credconf"]) <= CALLERS
        assert len([thread for thread in ours if thread.name == "credconf-refresh"]) <= 4
        assert all(thread.daemon for thread in ours)
    assert len(loop.joined()[0]) == 100
    assert settled(engine)


@pytest.mark.parametrize("ending", ["pass", "sys.exit(0)", "credential.close()"])
def test_a_process_with_a_refresh_in_flight_ends_promptly(fake_entra, ending):
    program = f"""
import sys, time
from tests.contract.faces import SYNC, Clock, engine_of
clock = Clock()
credential = SYNC.on(engine_of({fake_entra.config()!r}, clock=clock)).credential
credential.get_token("{SCOPE}")
clock.advance(3301)
credential.get_token("{SCOPE}")
sys.stdin.readline()  # until the refresh has arrived at the server
{ending}
"""
    child = subprocess.Popen([sys.executable, "-W", "error", "-c", program], stdin=-1, stdout=-1, stderr=-1, text=True)
    with Gate(lambda _: fake_entra.count() == 2) as fake_entra.before_token:
        assert fake_entra.before_token.arrived.wait(20)
        out, errors = child.communicate("\n", timeout=10)
    assert (child.returncode, out, errors) == (0, "", "")
