"""Hundreds of threads and coroutines, random faults, and a clock on which a second of ours is a hundred minutes.

`STRESS_SEED` repeats a run's choices (not its timing), `STRESS_SECONDS` makes it longer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
import time
from collections import defaultdict

import pytest

import credconf
from credconf.entra.http import Response
from tests.contract.faces import ASYNC, SYNC, engine_of
from tests.promises.answering import FIELDS, InProcess, Threads, granted, settled

# Read at once: the tests' environment is emptied of such things.
SEED = int(os.environ.get("STRESS_SEED") or random.SystemRandom().randrange(10**9))
SECONDS = float(os.environ.get("STRESS_SECONDS") or 6)
SPEED = 3000  # 60 s in 20 ms: on a busy machine a thread may wait that long for its turn
THREADS, LOOPS, COROUTINES = 120, 4, 60
SCOPES = [f"https://{name}.example/.default" for name in "abcd"]
TENANTS = [None, "one.example", "two.example"]
FAULTS = ["fine", "fine", "fine", "slow", "503", "429", "HTML", "empty", "bug", "interrupt"]


def fast_clock(begin, started=time.monotonic()):  # noqa: B008 - one beginning for all clocks
    return lambda: begin + (time.monotonic() - started) * SPEED


def dice(seed):
    return random.Random(seed)  # noqa: S311 - choices that can be repeated, no secrets


class Judge:
    """Entra in this process, and the invariants: what was asked and handed out, and what is wrong with it."""

    def __init__(self, clock):
        self.clock, self.random = clock, dice(SEED)
        self.fault = "fine"
        self.wrong = []
        self.requests = 0
        self.held = {}
        self._lock = threading.Lock()
        self._flying = defaultdict(int)
        self._asked_at = {}
        self._ends = defaultdict(list)  # of the tokens handed out for each key, in order

    def answer(self, asked):
        key = (asked.tenant, asked.scopes, bool(asked.claims))
        with self._lock:
            self._arrives(key)
            fault, life = self.fault, self.random.choice([3600, 4000, 7000, 9000, 20000])
            if fault in {"fine", "slow"}:
                serial = len(self._ends[key])
                self._ends[key].append(self.clock() + life)
        try:
            time.sleep(0.02 if fault == "slow" else 0.001)
            if fault in {"fine", "slow"}:
                return granted(f"{serial}", life, self.random.choice([None, life // 2]))
            return FAILING[fault]()
        finally:
            with self._lock:
                self._flying[key] -= 1

    def _arrives(self, key):
        now = self.clock()
        self.requests += 1
        self._flying[key] += 1
        if self._flying[key] > 1:
            self.wrong.append(f"{self._flying[key]} requests for {key} at once")
        before, self._asked_at[key] = self._asked_at.get(key), now
        if before is not None and now - before < 30 and self._ends[key] and now < self._ends[key][-1] - 60:
            self.wrong.append(f"{now - before:.1f} s between two requests for {key}, whose token is valid")

    def seen(self, key):
        """How many tokens of a key a caller may count on; to be asked before a call."""
        with self._lock:
            return self.held.get(key, -1)

    def judge(self, key, began, held, outcome):
        """One call: when it began, the newest token that any caller had before, and its result."""
        now = self.clock()
        with self._lock:
            if isinstance(outcome, credconf.AuthenticationError):
                ends = self._ends[key][held:] if held >= 0 else [0]
                if now < min(ends) - 60:
                    self.wrong.append(f"{outcome.error_code} for {key}, whose token is valid for {min(ends) - now} s")
            elif isinstance(outcome, BaseException):
                # An interrupt is its thread's own, which had to fetch; it would be our slip while a token is valid.
                if not isinstance(outcome, KeyboardInterrupt) or (held >= 0 and now < min(self._ends[key][held:]) - 60):
                    self.wrong.append(f"{outcome!r} for {key}")
            else:
                serial = int(outcome.token)
                self.held[key] = max(self.held.get(key, -1), serial)
                self._ends[key][serial] = outcome.expires_on  # its life began a little before the request arrived
                if outcome.expires_on <= began:
                    self.wrong.append(f"a token for {key} that expired {began - outcome.expires_on:.1f} s before")


def _raises(exception):
    def answer():
        raise exception

    return answer


FAILING = {
    "503": lambda: Response(503, "", {}),
    "429": lambda: Response(429, "", {"retry-after": "90"}),
    "HTML": lambda: Response(200, "<html>", {}),
    "empty": lambda: Response(200, "", {}),
    "bug": _raises(RuntimeError),
    "interrupt": _raises(KeyboardInterrupt),
}


class Load:
    """Callers of both faces of one engine, until the time is over."""

    def __init__(self, judge, engine):
        self.judge, self.engine = judge, engine
        self.calls = 0
        self.over = time.monotonic() + SECONDS

    def choices(self, number):
        chance = dice(f"{SEED} {number}")
        while time.monotonic() < self.over and not self.judge.wrong:
            scope, tenant, cae = chance.choice(SCOPES), chance.choice(TENANTS), chance.random() < 0.2
            key = (tenant or FIELDS["tenant_id"], scope, cae)
            options = {"enable_cae": True} if cae else {}
            yield key, scope, options | ({"tenant_id": tenant} if tenant else {}), chance.uniform(0.001, 0.02)
            self.calls += 1

    def thread(self, number):
        credential = SYNC.on(self.engine).credential
        for key, scope, options, pause in self.choices(number):
            held, began = self.judge.seen(key), self.judge.clock()
            try:
                outcome = credential.get_token(scope, **options)
            except BaseException as exc:  # noqa: BLE001 - the judge sees every kind
                outcome = exc
            self.judge.judge(key, began, held, outcome)
            time.sleep(pause)

    async def coroutine(self, number):
        credential = ASYNC.on(self.engine).credential
        for key, scope, options, pause in self.choices(number):
            held, began = self.judge.seen(key), self.judge.clock()
            try:
                outcome = await credential.get_token(scope, **options)
            except Exception as exc:  # noqa: BLE001 - the judge sees every kind
                outcome = exc
            self.judge.judge(key, began, held, outcome)
            await asyncio.sleep(pause)

    def loop(self, first):
        async def main():
            await asyncio.gather(*(self.coroutine(first + number) for number in range(COROUTINES)))

        asyncio.run(main())

    def faults(self):
        chance = dice(SEED + 1)
        while time.monotonic() < self.over:
            self.judge.fault = chance.choice(FAULTS)
            time.sleep(chance.uniform(0.01, 0.3))
        self.judge.fault = "fine"


def test_whatever_happens_no_promise_is_broken(caplog):
    caplog.set_level(logging.CRITICAL, "credconf")
    judge = Judge(fast_clock(1_800_000_000.0))
    engine = engine_of(
        FIELDS, InProcess(judge.answer), clock=judge.clock, monotonic=fast_clock(0.0), random=random.random
    )
    load = Load(judge, engine)
    threads = [lambda number=number: load.thread(number) for number in range(THREADS)]
    loops = [lambda first=1000 * number: load.loop(first) for number in range(1, LOOPS + 1)]
    outcomes = Threads(load.faults, *threads, *loops).joined()
    if judge.wrong or any(outcomes):
        pytest.fail(f"STRESS_SEED={SEED}: {judge.wrong[:5]} {[outcome for outcome in outcomes if outcome][:3]}")
    assert settled(engine)
    assert load.calls > 1000, f"STRESS_SEED={SEED}: hardly anything happened"
    assert judge.requests > 100, f"STRESS_SEED={SEED}: hardly anything was requested"
    logging.getLogger("stress").warning("%s calls, %s requests, seed %s", load.calls, judge.requests, SEED)
