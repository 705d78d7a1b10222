"""Refreshes and pauses against a simple model: clocks that pass and jump, a server that fails, asks to wait, refuses.

A refresh runs on a thread of the engine's own; each call waits for it to land, so that every run is the same.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import credconf
from credconf.entra.http import Response
from tests.contract.faces import ASYNC, SYNC, Clock, engine_of
from tests.diagonal import share
from tests.promises.answering import FIELDS, InProcess, granted, settled

SPACING, LONGEST = 30, 600
LONGEST_PAUSE, REFUSED = 60, 5
CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
untils = st.sampled_from(["due", "due", "end", None])
seconds = st.integers(-5, 35)
servers = st.sampled_from(["up", "down", "busy", "refusing"])
waits = st.sampled_from([1, 20, 100, 1000])
numbers = itertools.count()


@dataclass
class Held:
    """What the model knows of a token; pairs are (wall, monotonic)."""

    text: str
    expires: tuple[int, int]
    due: tuple[int, int]
    failures: int = 0

    def is_valid(self, now):
        return now[0] < self.expires[0] and now[1] < self.expires[1]

    def is_due(self, now):
        return now[0] >= self.due[0] or now[1] >= self.due[1]

    def fails(self, now, retry_after):
        wait = max(min(SPACING * 2**self.failures, LONGEST), min(retry_after, LONGEST))
        self.failures += 1
        self.due = later(now, wait)


def later(now, seconds):
    return now[0] + seconds, now[1] + seconds


def due_after(life, refresh_in):
    """DESIGN.md, section 5."""
    if refresh_in is not None and refresh_in < life:
        due = refresh_in
    elif life >= 7200:
        due = life / 2
    else:
        due = max(life - 300, life / 2)
    return min(max(due, SPACING), life)


class World:
    """One engine for all runs (each has a scope of its own), so that the runs leave no threads behind."""

    def __init__(self):
        self.wall, self.monotonic = Clock(2_000_000_000), Clock(1_000_000)
        self.client = InProcess()
        self.engine = engine_of(FIELDS, self.client, clock=self.wall, monotonic=self.monotonic)


world = World()


class RefreshPolicy(RuleBasedStateMachine):
    """One token of one credential."""

    @initialize()
    def begin(self):
        world.wall.advance(to=2_000_000_000)
        self.scope = f"https://run{next(numbers)}.example/.default"
        self.held = None
        self.server, self.retry_after, self.life, self.refresh_in = "up", 0, 3600, None
        self.paused_until = {False: 0, True: 0}  # on the monotonic clock, without claims and with them
        self.requests = []
        self.handed_out = 0
        world.client.answer = self.answer

    @property
    def now(self):
        return int(world.wall()), int(world.monotonic())

    def answer(self, asked):
        assert asked.scopes == self.scope
        self.requests.append(self.now)
        if self.server == "down":
            raise RuntimeError
        if self.server == "busy":
            return Response(429, '{"error": "temporarily_unavailable"}', {"retry-after": str(self.retry_after)})
        if self.server == "refusing":
            return Response(400, '{"error": "unauthorized_client", "error_codes": [700016]}', {})
        self.handed_out += 1
        return granted(f"token-{self.handed_out}", self.life, self.refresh_in)

    def is_paused(self, *, claims):
        """A pause without claims holds for all calls, one with claims for these alone."""
        monotonic = self.now[1]
        return monotonic < self.paused_until[False] or (claims and monotonic < self.paused_until[True])

    def lands(self, *, claims=False):
        """What a request that is made now does to the model."""
        if self.server == "busy":
            self.paused_until[False] = self.now[1] + min(self.retry_after, LONGEST_PAUSE)
        if self.server == "refusing":
            self.paused_until[claims] = self.now[1] + REFUSED
        if self.server != "up":
            return None
        self.paused_until[False] = self.paused_until[claims] = 0
        due = due_after(self.life, self.refresh_in)
        text = f"token-{self.handed_out}"
        self.held = Held(text, later(self.now, self.life), later(self.now, due))
        return text

    def asks(self, is_async, **options):
        try:
            return (ASYNC if is_async else SYNC).on(world.engine).get_token(self.scope, **options)
        except credconf.AuthenticationError:
            return None
        finally:
            assert settled(world.engine)

    @rule(is_async=st.booleans(), server=servers, retry_after=waits, until=untils, by=seconds)
    def a_call(self, is_async, server, retry_after, until, by):
        self.server, self.retry_after = server, retry_after
        self.time_passes(until, by)
        before, now, held = len(self.requests), self.now, self.held
        token = self.asks(is_async)
        requests = len(self.requests) - before
        if held is not None and held.is_valid(now):
            assert token is not None, "a failure reached a caller with a valid token"
            assert token.token == held.text, "a caller with a valid token got another one, so he waited"
            assert requests == held.is_due(now)
            if requests and self.lands() is None:
                held.fails(now, retry_after if server == "busy" else 0)
        elif self.is_paused(claims=False):
            assert requests == 0, "a server that asked to wait was asked"
            assert token is None
            return
        else:
            assert requests == 1
            assert (token.token if token else None) == self.lands()
            if token is None:
                self.requests.pop()  # it was no refresh: a clock that is set back may make the token valid again
        assert token is None or token.expires_on > now[0] or self.life == 0
        self.assert_spaced(held, now, requests)

    def assert_spaced(self, held, now, requests):
        if requests and held is not None and held.is_valid(now) and len(self.requests) > 1:
            last = self.requests[-2]
            assert now[0] - last[0] >= SPACING or now[1] - last[1] >= SPACING, "two requests within 30 s"

    @precondition(lambda self: self.held is not None and self.held.failures)
    @rule(is_async=st.booleans(), server=servers, retry_after=waits)
    def a_call_with_claims(self, is_async, server, retry_after):
        self.server, self.retry_after = server, retry_after
        before, is_paused = len(self.requests), self.is_paused(claims=True)
        token = self.asks(is_async, claims=CLAIMS)
        assert len(self.requests) == before + (not is_paused)
        if is_paused:
            assert token is None
            return
        assert (token.token if token else None) == self.lands(claims=True)
        if token is None:
            self.requests.pop()  # it was no refresh, which may follow at once

    @rule(seconds=st.integers(-100, 100) | st.integers(-50_000, 50_000))
    def somebody_sets_the_clock_or_the_machine_sleeps(self, seconds):
        world.wall.advance(seconds)

    def time_passes(self, until, by):
        """Until the token is due, or ends, or not at all, and some seconds more or less."""
        if self.held is not None and until:
            wall, monotonic = self.held.due if until == "due" else self.held.expires
            by += min(wall - self.now[0], monotonic - self.now[1])
        world.wall.advance(max(0, by))
        world.monotonic.advance(max(0, by))

    @rule(
        life=st.sampled_from([0, 45, 80, 500, 3600, 7199, 7200, 86400]),
        refresh_in=st.none() | st.integers(0, 50_000),
    )
    def later_tokens_are_others(self, life, refresh_in):
        self.life, self.refresh_in = life, refresh_in

    @invariant()
    def nothing_goes_on_between_the_calls(self):
        assert settled(world.engine)


RefreshPolicy.TestCase.settings = settings(
    max_examples=share(120),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
TestTheRefreshPolicy = RefreshPolicy.TestCase
