from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from credconf.ground import flight as module
from credconf.ground.flight import ABANDONED, Flights
from tests.contract.faces import wait_until
from tests.promises.answering import Threads


@pytest.fixture
def flights():
    return Flights()


def nothing(_):
    pass


def registered(flights, key="key"):
    """A flight that no thread leads yet."""
    return flights.join(key, nothing)


class Held:
    """A fetch that waits until the test releases it."""

    def __init__(self, outcome=None):
        self.arrived, self.go_on = threading.Event(), threading.Event()
        self.outcome = outcome

    def __call__(self):
        self.arrived.set()
        assert self.go_on.wait(20)
        if isinstance(self.outcome, type) and issubclass(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def test_callers_at_the_same_time_share_one_flight(flights):
    fetch = Held("fetched")
    threads = Threads(*[lambda: flights.run("key", fetch)] * 20)
    assert fetch.arrived.wait(20)
    wait_until(lambda: threads.waiting() == 19)
    fetch.go_on.set()
    assert threads.joined() == ["fetched"] * 20


def test_only_the_first_caller_leads(flights):
    led = []
    flight = flights.join("key", led.append)
    assert flights.join("key", led.append) is flight
    assert led == [flight]


def test_the_next_flight_begins_when_one_has_landed(flights):
    assert flights.run("key", lambda: 1) == 1
    assert flights.run("key", lambda: 2) == 2
    assert flights.flying == {}


def test_flights_of_different_keys_do_not_wait_for_each_other(flights):
    together = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda key: flights.run(key, lambda: together.wait(20) is not None), "ab")) == [True, True]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, ValueError, GeneratorExit])
def test_an_exception_is_the_leaders_alone_and_a_follower_leads_the_next_flight(flights, interrupt):
    fails, fetch = Held(interrupt), Held("fetched")
    leader = Threads(lambda: flights.run("key", fails))
    assert fails.arrived.wait(20)
    followers = Threads(*[lambda: flights.run("key", fetch)] * 3)
    wait_until(lambda: followers.waiting() == 3)
    fetch.go_on.set()
    fails.go_on.set()
    assert isinstance(leader.joined()[0], interrupt)
    assert followers.joined() == ["fetched"] * 3


def test_a_follower_does_not_accept_a_poor_outcome_and_the_leader_does(flights):
    poor, good = Held("poor"), Held("good")
    leader = Threads(lambda: flights.run("key", poor, is_poor=lambda outcome: outcome == "poor"))
    assert poor.arrived.wait(20)
    followers = Threads(*[lambda: flights.run("key", good, is_poor=lambda outcome: outcome == "poor")] * 3)
    wait_until(lambda: followers.waiting() == 3)
    good.go_on.set()
    poor.go_on.set()
    assert leader.joined() == ["poor"]
    assert followers.joined() == ["good"] * 3


def test_a_flight_that_cannot_be_started_is_not_left_behind(flights):
    def start(_):
        raise RuntimeError("no thread")

    with pytest.raises(RuntimeError, match="no thread"):
        flights.join("key", start)
    assert flights.run("key", lambda: "next") == "next"


def test_a_thread_that_asks_again_while_it_leads_does_not_wait_for_itself(flights):
    def outer():
        return "outer of " + flights.run("key", lambda: "inner")

    assert flights.run("key", outer) == "outer of inner"
    assert flights.flying == {}


def test_a_flight_whose_leader_is_gone_is_taken_over(flights, monkeypatch):
    monkeypatch.setattr(module, "CHECK_INTERVAL", 0.01)
    lost = flights.join("key", lambda flight: setattr(flight, "_frame", finished_frame()))
    assert lost.outcome is module.PENDING
    assert flights.run("key", lambda: "fetched") == "fetched"


def test_a_leader_may_land_while_a_follower_looks_for_it(flights):
    frames = [finished_frame()]

    class Landing(module.Flight):
        @property
        def _frame(self):
            return frames.pop() if frames else None  # the leader has landed since the first look

        @_frame.setter
        def _frame(self, frame):
            pass

    assert Landing(flights.flying, "key").is_abandoned()


def finished_frame():
    return sys._getframe()


def test_a_flight_that_is_led_is_not_taken_over(flights, monkeypatch):
    monkeypatch.setattr(module, "CHECK_INTERVAL", 0.01)
    fetch = Held("fetched")
    threads = Threads(*[lambda: flights.run("key", fetch)] * 2)
    assert fetch.arrived.wait(20)
    wait_until(lambda: threads.waiting() == 1)
    [flight] = flights.flying.values()
    assert not flight.is_abandoned()
    fetch.go_on.set()
    assert threads.joined() == ["fetched"] * 2


def test_a_follower_waits_no_longer_than_it_may(flights, monkeypatch):
    monkeypatch.setattr(module, "CHECK_INTERVAL", 0.01)
    flight = registered(flights)
    assert flight.wait(longest=0.0) is ABANDONED
    assert flights.run("key", lambda: "fetched") == "fetched"


def test_a_flight_that_was_given_up_is_not_led_later(flights):
    flight = registered(flights)
    flight.land()
    flight.lead(pytest.fail)


def test_who_waits_after_the_landing_is_woken_at_once(flights):
    flight = registered(flights)
    flight.lead(lambda: 1)
    woken = []
    flight.on_landing(lambda: woken.append(1))
    assert woken == [1]
    assert flight.wait() == 1


class Interrupt(BaseException):
    pass


def interrupted(at, work):
    """Do some work, and raise at its n-th instruction in the module of flights.

    Returns:
        Whether there were so many.
    """
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename != module.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
            if count == at:
                raise Interrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # on Python 3.12 only what is set before `settrace` counts
    sys.settrace(trace)
    try:
        work()
    except Interrupt:
        return True
    finally:
        sys.settrace(before)
    return count >= at


def test_an_interrupt_at_any_instruction_leaves_no_flight_behind(flights):
    """A follower of the interrupted flight, too, has its outcome without a look at the clock."""
    at = 1
    while True:  # in a thread of its own, as the exception stays the handled one of the thread where it is raised
        woken = []

        def fetch(woken=woken):
            [flight] = flights.flying.values()
            flight.on_landing(lambda: woken.append(1))
            return "fetched"

        [reached] = Threads(lambda at=at, fetch=fetch: interrupted(at, lambda: flights.run("key", fetch))).joined()
        assert flights.flying == {}, f"instruction {at}"
        assert flights.run("key", lambda: "next") == "next"
        if not reached:
            break
        at += 1
    assert at > 100
    assert woken


def test_in_the_child_of_a_fork_there_are_no_flights(flights):
    registered(flights)
    flights.after_fork()
    assert flights.run("key", lambda: 1) == 1


def test_nobody_joins_a_flight_that_has_an_outcome(flights):
    joined = []

    class Flight(module.Flight):
        def __setattr__(self, name, value):
            if name == "outcome" and value == "fetched":
                joined.append(flights.flying.get("key"))
            super().__setattr__(name, value)

    flight = Flight(flights.flying, "key")
    flights.flying["key"] = flight
    flight.lead(lambda: "fetched")
    assert joined == [None]
    assert flight.wait() == "fetched"


def test_a_leader_that_is_interrupted_before_the_outcome_is_stored_leaves_no_flight(flights, monkeypatch):
    real = module.Flight._remove

    def remove(flight):
        real(flight)
        monkeypatch.undo()
        raise KeyboardInterrupt

    flight = module.Flight(flights.flying, "key")
    flights.flying["key"] = flight
    monkeypatch.setattr(module.Flight, "_remove", remove)
    with pytest.raises(KeyboardInterrupt):
        flight.lead(lambda: "fetched")
    assert (flight.wait(), flights.flying) == (ABANDONED, {})


@pytest.mark.parametrize("face", [lambda flight: flight.wait(), lambda flight: asyncio.run(flight.wait_async())])
def test_a_follower_that_is_not_woken_finds_the_outcome_itself(flights, monkeypatch, face):
    # Without the interpreter's global lock, nothing promises that a leader sees the follower that has just come.
    monkeypatch.setattr(module, "CHECK_INTERVAL", 0.01)
    flight = registered(flights)
    monkeypatch.setattr(module.Flight, "on_landing", lambda *_: setattr(flight, "outcome", "fetched"))
    assert face(flight) == "fetched"


def test_the_frame_of_another_thread_is_left_alone_without_the_global_lock(flights, monkeypatch):
    monkeypatch.setattr(module, "CHECK_INTERVAL", 0.01)
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    lost = flights.join("key", lambda flight: setattr(flight, "_frame", UntouchableFrame()))
    assert lost.wait(longest=0.05) is ABANDONED


class UntouchableFrame:
    def clear(self):
        pytest.fail("it may be in use by its thread")
