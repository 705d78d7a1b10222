from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from credconf.tokens.flight import Abandoned, Flights


@pytest.fixture
def flights():
    return Flights()


def test_those_who_ask_at_the_same_time_share_one_flight(flights):
    arrived, go_on = threading.Event(), threading.Event()
    calls = []

    def fetch():
        calls.append(1)
        arrived.set()
        go_on.wait(20)
        return object()

    with ThreadPoolExecutor(20) as pool:
        outcomes = [pool.submit(flights.run, "key", fetch) for _ in range(20)]
        assert arrived.wait(20)
        go_on.set()
        assert len({id(outcome.result(20)) for outcome in outcomes}) <= len(calls)
    assert len(calls) < 20


def test_only_the_first_leads(flights):
    flight, leads = flights.join("key")
    again, leads_too = flights.join("key")
    assert (leads, leads_too) == (True, False)
    assert again is flight


def test_the_next_flight_begins_when_one_has_landed(flights):
    assert flights.run("key", lambda: 1) == 1
    assert flights.run("key", lambda: 2) == 2
    assert flights.join("key")[1]


def test_flights_of_different_keys_do_not_wait_for_each_other(flights):
    together = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda key: flights.run(key, lambda: together.wait(20) is not None), "ab")) == [True, True]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, ValueError, GeneratorExit])
def test_an_exception_is_the_leaders_own_and_a_follower_takes_over(flights, interrupt):
    arrived, go_on = threading.Event(), threading.Event()

    def fails():
        arrived.set()
        go_on.wait(20)
        raise interrupt

    def lead():
        with pytest.raises(interrupt):
            flights.run("key", fails)
        return "raised"

    with ThreadPoolExecutor(4) as pool:
        leader = pool.submit(lead)
        assert arrived.wait(20)
        followers = [pool.submit(flights.run, "key", lambda: "fetched") for _ in range(3)]
        go_on.set()
        assert leader.result(20) == "raised"
        assert {follower.result(20) for follower in followers} == {"fetched"}


def test_an_abandoned_flight_tells_those_who_wait(flights):
    flight, _ = flights.join("key")
    flights.abandon("key")
    assert isinstance(flight.result(0), Abandoned)
    assert flights.run("key", lambda: "next") == "next"


def test_a_flight_cannot_be_cancelled_by_one_who_waits(flights):
    flight, _ = flights.join("key")
    assert not flight.cancel()
    flights.lead("key", lambda: 1)
    assert flight.result(0) == 1


def test_in_the_child_of_a_fork_nobody_flies(flights):
    flights.join("key")
    flights._lock.acquire()
    flights.after_fork()
    assert flights.run("key", lambda: 1) == 1


def test_nothing_stays_behind(flights):
    for key in range(100):
        flights.run(key, lambda: 1)
    assert flights._flying == {}
