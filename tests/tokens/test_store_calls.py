"""When a store that fails is called, and when it is left alone."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading

import pytest

from credconf.ground.log import Log
from credconf.stores.store import Busy, Entry, Unavailable
from credconf.tokens.store_calls import FIRST_PAUSE, LONGEST_PAUSE, CircuitBreaker
from tests.stores.storages import InMemory

ENTRY = Entry("token", "Bearer", 3600.0, None, 0.0)


@pytest.fixture
def storage():
    return InMemory(lease=5.0)


@pytest.fixture
def breaker(storage):
    return CircuitBreaker(storage.open(), Log("client"), storage.monotonic, lambda: 0.0)


def look(breaker):
    return breaker.read(lambda store: store.get("key"))


def put(breaker):
    breaker.write(lambda store: store.put("key", ENTRY))


def attempt(operation, *arguments):
    try:
        operation(*arguments)
    except Unavailable:
        return False
    return True


def at_once(breaker, *outcomes):
    """Calls that begin before the first of them ends; they end in this order, with an exception or without."""
    begun, threads = [], []

    def call(outcome, entered, goes):
        def operation(_):
            entered.set()
            goes.wait(10)
            if outcome is not None:
                raise outcome

        attempt(breaker.read, operation)

    for outcome in outcomes:
        entered, goes = threading.Event(), threading.Event()
        threads.append(threading.Thread(target=call, args=(outcome, entered, goes)))
        threads[-1].start()
        assert entered.wait(10)
        begun.append(goes)
    for goes, thread in zip(begun, threads, strict=True):
        goes.set()
        thread.join(10)
        yield


def finish(calls):
    for _ in calls:
        pass


def test_failures_at_the_same_time_count_as_one(storage, breaker):
    finish(at_once(breaker, *[Unavailable("it is down")] * 8))
    storage.wait(FIRST_PAUSE * 1.01)
    assert attempt(look, breaker)


def test_who_is_late_neither_ends_nor_shortens_the_pause(storage, breaker):
    calls = at_once(breaker, Unavailable("it is down"), None, Unavailable("it is down"))
    next(calls)
    next(calls)
    assert not attempt(look, breaker), "a call from before the failure has closed the circuit"
    storage.wait(FIRST_PAUSE * 0.99)
    finish(calls)
    assert not attempt(look, breaker)
    storage.wait(FIRST_PAUSE * 0.02)
    assert attempt(look, breaker), "a call from before the failure has made the pause longer"


def test_who_is_late_makes_no_room_for_a_second_trial(storage, breaker):
    calls = at_once(breaker, Unavailable("it is down"), Unavailable("it is down"))
    next(calls)
    storage.wait(FIRST_PAUSE * 1.01)

    def late(store):
        finish(calls)
        assert not attempt(look, breaker)
        return store.get("key")

    breaker.read(late)
    assert attempt(look, breaker)


def test_a_trial_of_which_nothing_is_heard_has_an_end(storage, breaker):
    storage.failing = {"get"}
    assert not attempt(look, breaker)
    storage.failing = set()
    storage.wait(FIRST_PAUSE * 1.01)
    breaker._reading.enter(storage.monotonic())  # and then an interrupt, before the call
    assert not attempt(look, breaker)
    storage.wait(LONGEST_PAUSE)
    assert attempt(look, breaker)


def test_the_child_of_a_fork_does_not_wait_for_its_parents_trial(storage, breaker):
    storage.failing = {"get"}
    assert not attempt(look, breaker)
    storage.failing = set()
    storage.wait(FIRST_PAUSE * 1.01)
    breaker._reading.enter(storage.monotonic())
    breaker.after_fork()
    assert attempt(look, breaker)


def flight(breaker):
    """What a token costs: a look, the lock, the token, the release."""
    attempt(look, breaker)
    lock = None
    with contextlib.suppress(Unavailable):
        lock = breaker.lock("key")
    try:
        return attempt(put, breaker)
    finally:
        if lock is not None:
            breaker.release(lock)


@pytest.mark.parametrize("fault", ["put", "release", "lock"])
def test_what_fails_is_told_once_and_tried_less_and_less_often_though_all_else_works(storage, breaker, caplog, fault):
    storage.failing = {fault}
    tried = []
    with caplog.at_level(logging.INFO, "credconf"):
        for _ in range(400):
            before = storage.calls.count(fault)
            flight(breaker)
            storage.held.clear()  # a lease ends
            if storage.calls.count(fault) > before:
                tried.append(storage.monotonic())
            storage.wait(1)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        storage.failing = set()
        for _ in range(3):
            storage.wait(LONGEST_PAUSE * 1.5)
            flight(breaker)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > LONGEST_PAUSE * 0.9


def test_who_can_not_store_takes_no_lock_for_which_others_would_wait(storage, breaker):
    storage.failing = {"put"}
    flight(breaker)
    storage.wait(FIRST_PAUSE * 1.01)
    storage.calls.clear()
    flight(breaker)
    assert storage.calls == ["get", "put"]


def test_a_lock_is_released_though_writing_has_just_failed(storage, breaker):
    storage.failing = {"put"}
    flight(breaker)
    assert not storage.held


@pytest.mark.parametrize("fault", ["release", "lock"])
def test_locks_from_before_a_failure_neither_hide_nor_multiply_it(storage, breaker, fault):
    locks = [breaker.lock(str(number)) for number in range(8)]
    storage.failing = {fault}
    if fault == "lock":
        assert not attempt(breaker.lock, "key")
    for lock in locks:
        breaker.release(lock)
    storage.calls.clear()
    assert not attempt(breaker.lock, "key")
    assert storage.calls == []
    storage.failing = set()
    storage.wait(FIRST_PAUSE * 1.01)
    assert attempt(breaker.lock, "key")


def test_a_lock_that_ends_with_the_process_is_released_though_nothing_can_be_read(storage, breaker):
    storage.lease = None
    lock = breaker.lock("key")
    storage.failing = {"get"}
    assert not attempt(look, breaker)
    breaker.release(lock)
    assert not storage.held


def test_where_nothing_can_be_read_a_lock_is_left_to_its_lease(storage, breaker):
    lock = breaker.lock("key")
    storage.failing = {"get"}
    assert not attempt(look, breaker)
    breaker.release(lock)
    assert "release" not in storage.calls


def test_that_this_process_asks_too_much_at_once_is_no_fault_of_the_store(storage, breaker, caplog):
    def busy(_):
        raise Busy("all its connections are in use")

    assert not attempt(breaker.read, busy)
    assert attempt(look, breaker)
    storage.failing = {"get"}
    assert not attempt(look, breaker)
    storage.failing = set()
    storage.wait(FIRST_PAUSE * 1.01)
    assert not attempt(breaker.read, busy)
    assert attempt(look, breaker), "who had no room has taken the trial from the next one"
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
