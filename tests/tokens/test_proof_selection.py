"""The order of tries: a model of Entra and of files that change, and the promises about requests."""

from __future__ import annotations

import pickle

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from credconf.entra.proof import Candidate, Proof, Sealed
from credconf.problems.failure import Failure
from credconf.references import NotFound, Reader
from credconf.tokens.proof_cache import PATIENCE, ProofCache
from credconf.tokens.proof_selection import ProofHistory, ProofSelector
from tests.diagonal import share

CANARY = "canary~of-a.secret_42"
SECRETS = ["red", "green", "blue", "black"]
MISSING, EMPTY = None, ""


class World:
    """References that hold secrets, a server that accepts some, and a clock."""

    def __init__(self, count, runs=()):
        self.now = 0.0
        self.held = [MISSING] * count
        self.accepted = set()
        self.reads = [0] * count
        self.paused = []
        self.while_paused = lambda: None
        self.runs = runs
        self.cache = ProofCache(Reader({}), lambda: self.now)
        self.history = ProofHistory(lambda: self.now)

    def candidate(self, position):
        def read(_):
            self.reads[position] += 1
            secret = self.held[position]
            if not secret:
                return NotFound("missing-file" if secret is MISSING else "empty", f"nothing is in {position}")
            return Proof(secret, (secret,), str(position))

        runs = position in self.runs
        stamp = (
            (lambda _: ())
            if runs
            else lambda _: None if self.held[position] is MISSING else (hash(self.held[position]),)
        )
        return Candidate(f"client_secret.{position}", f"file {position}", read, stamp, runs=runs)

    def pause(self, seconds):
        self.paused.append(seconds)
        self.while_paused()

    def flight(self, before_answer=lambda: None):
        """What was sent, and the outcome: the secret that worked, or the failure."""
        selector = ProofSelector(
            [self.candidate(n) for n in range(len(self.held))], self.cache, self.history, self.pause
        )
        sent = []
        for attempt in selector.attempts():
            secret = attempt.proof.open().credential
            sent.append(secret)
            before_answer()
            if secret in self.accepted:
                self.history.accept(attempt)
                return sent, secret
            selector.refuse(attempt, Failure(f"{len(sent)} was refused", "invalid_client", (7000215,)))
        return sent, selector.failure()


class Flights(RuleBasedStateMachine):
    """Whatever changes between flights and within them."""

    @initialize(count=st.integers(1, 4), runs=st.sets(st.integers(0, 3)))
    def begin(self, count, runs):
        self.world = World(count, runs)
        self.last = None

    @rule(data=st.data(), secret=st.sampled_from([*SECRETS, MISSING, EMPTY]))
    def a_reference_changes(self, data, secret):
        self.world.held[data.draw(st.integers(0, len(self.world.held) - 1))] = secret

    @rule(accepted=st.sets(st.sampled_from(SECRETS)))
    def the_server_changes(self, accepted):
        self.world.accepted = accepted

    @rule(seconds=st.sampled_from([1.0, PATIENCE - 1, PATIENCE]))
    def time_passes(self, seconds):
        self.world.now += seconds

    @rule()
    def a_caller_asks(self):
        world, held, usable = self.world, list(self.world.held), [item for item in self.world.held if item]
        reads, worked = list(world.reads), world.history.worked
        sent, outcome = world.flight()
        assert len(sent) == len(set(sent)), "a secret was sent twice"
        reached = [item for item in held if item in world.accepted]
        if reached:
            assert isinstance(outcome, str), "a secret that works was not found"
        if isinstance(outcome, Failure):
            assert not reached
            assert outcome.unavailable == (not sent)
            assert set(usable) <= set(sent), "a secret was not tried"
        else:
            assert sent[-1] == outcome
            assert outcome in held or (worked and worked.proof.open().credential == outcome) or world.runs
        assert all(after - before <= 2 + len(world.paused) for before, after in zip(reads, world.reads, strict=True))
        world.paused.clear()
        self.last = (list(world.held), set(world.accepted), world.now, outcome)

    @rule()
    def a_caller_asks_once_more(self):
        """Where nothing has changed since a secret worked, one request is enough, and no program runs."""
        if self.last is None or self.last[:3] != (self.world.held, self.world.accepted, self.world.now):
            return
        if isinstance(self.last[3], Failure):
            return
        reads = list(self.world.reads)
        sent, outcome = self.world.flight()
        assert sent == [outcome]
        assert all(self.world.reads[n] == reads[n] for n in self.world.runs if n < len(reads))

    @invariant()
    def nothing_shows_a_secret(self):
        if hasattr(self, "world"):
            shown = repr((vars(self.world.cache), vars(self.world.history)))
            assert not any(f"'{secret}'" in shown for secret in SECRETS)


Flights.TestCase.settings = settings(max_examples=share(150), stateful_step_count=25, deadline=None)
test_a_secret_that_works_is_found_with_one_request_for_each_secret = Flights.TestCase


def test_what_changes_while_it_is_refused_is_found_in_the_same_flight():
    world = World(1)
    world.held, world.accepted = ["red"], {"green"}

    def replaced():
        world.held = ["green"]

    assert world.flight(replaced) == (["red", "green"], "green")


def test_what_was_refused_is_the_last_resort_and_may_have_become_valid():
    world = World(2)
    world.held = ["red", "green"]
    assert world.flight()[0] == ["red", "green"]
    world.accepted = {"green"}
    assert world.flight() == (["red", "green"], "green")
    assert world.flight() == (["green"], "green")


def test_a_file_that_is_being_written_is_waited_for():
    world = World(1)
    world.held, world.accepted = [EMPTY], {"red"}

    def written():
        if len(world.paused) == 2:
            world.held = ["red"]

    world.while_paused = written
    assert world.flight() == (["red"], "red")
    assert len(world.paused) == 2


def test_a_file_that_stays_empty_is_waited_for_once():
    world = World(1)
    world.held = [EMPTY]
    _, failure = world.flight()
    assert failure.unavailable
    assert 0 < sum(world.paused) <= 1.0
    world.paused.clear()
    world.now += 60
    assert world.flight()[1].unavailable
    assert world.paused == []


def test_a_file_that_is_gone_is_not_waited_for_nor_replaced_by_what_it_held():
    world = World(1)
    world.held, world.accepted = ["red"], {"red"}
    world.flight()
    world.held = [MISSING]
    sent, failure = world.flight()
    assert (sent, failure.unavailable, world.paused) == ([], True, [])


def test_a_program_that_fails_is_not_run_for_each_request_that_can_do_without_it():
    world = World(2, runs={0})
    world.held, world.accepted = [EMPTY, "red"], {"red"}
    for _ in range(3):
        assert world.flight() == (["red"], "red")
    assert world.reads[0] == 1
    world.now += PATIENCE
    world.flight()
    assert world.reads[0] == 2
    world.held[1] = MISSING
    world.held[0] = "green"
    world.accepted = {"green"}
    assert world.flight() == (["green"], "green")


def test_a_program_that_fails_after_a_refusal_leaves_its_last_secret():
    world = World(1, runs={0})
    world.held = ["red"]
    world.flight()
    world.held = [MISSING]
    sent, failure = world.flight()
    assert sent == ["red"]
    assert "client_secret.0 (file 0): AADSTS7000215" in failure.message
    assert "client_secret.0: it can't be read now: nothing is in 0" in failure.message
    world.accepted = {"red"}
    assert world.flight() == (["red"], "red")
    reads = list(world.reads)
    assert world.flight() == (["red"], "red")
    assert world.reads == reads


def test_while_the_last_that_worked_serves_nothing_is_read_again():
    world = World(1)
    world.held, world.accepted = ["red"], {"red"}
    world.flight()
    world.held = ["half"]
    assert world.flight() == (["half", "red"], "red")
    reads = list(world.reads)
    assert world.flight() == (["red"], "red")
    assert world.reads == reads


def test_a_program_alone_that_fails_runs_once_for_each_flight():
    world = World(1, runs={0})
    world.held = [MISSING]
    for number in (1, 2, 3):
        assert world.flight()[1].unavailable
        assert world.reads == [number]


def test_the_refused_are_not_remembered_without_end():
    world = World(1, runs={0})
    for number in range(500):
        world.held = [f"secret {number}"]
        world.flight()
    assert len(world.history._refused) <= 64


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_sealed_proof_can_not_be_pickled_nor_shown(protocol):
    sealed = Sealed(Proof(CANARY, (CANARY,), "file"))
    assert CANARY not in f"{sealed!r} {sealed} {sealed.open!r}"
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)) as caught:
        pickle.dumps(sealed, protocol)
    assert CANARY not in repr(caught.value)
    assert sealed.open().credential == CANARY
