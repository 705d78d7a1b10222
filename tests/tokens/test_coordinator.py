"""Processes that share a store: one request among them, and none of them worse off than alone."""

from __future__ import annotations

import itertools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from credconf.entra.request import TokenRequest
from credconf.ground.log import Log
from credconf.ground.records import replace
from credconf.problems.failure import Failure
from credconf.tokens.cache import Token
from credconf.tokens.coordinator import Coordinator
from credconf.tokens.metrics import Metrics
from credconf.tokens.policy import SPACING, Pauses
from credconf.tokens.requester import Terms
from credconf.tokens.store_calls import FAILOVER, FIRST_PAUSE, LONGEST_PAUSE, LeaseRenewer
from tests.contract.faces import plan, wait_until
from tests.stores.storages import InMemory

SCOPE = "https://a.example/.default"
FIELDS = {"tenant_id": "tenant", "client_id": "client", "client_secret": "secret"}
THROTTLED = Failure("throttled", "throttled", status_code=429, retry_after=5)
UNAVAILABLE = Failure("down", "unavailable", status_code=500)
UNREACHABLE = Failure("no route", "connect")
REFUSED = Failure("wrong secret", "invalid_client", (7000215,), status_code=401)
UNREADABLE = Failure("no file", "missing-file", unavailable=True)


def request(scope=SCOPE, claims=None):
    return TokenRequest((scope,), "tenant", claims, cae=False, key=(scope,))


def kept():
    return False


class Process:
    """One process: its own coordinator, and a requester whose answers the test gives."""

    def __init__(self, storage, answer=None, sleep=None):
        self.storage = storage
        self.asked = []
        self.slept = 0.0
        self.answer = answer or self.token
        changes = {"clock": storage.clock, "monotonic": storage.monotonic, "sleep": sleep or self.sleep}
        self.log = Log("client")
        self.metrics = Metrics("client_secret", self.log)
        self.pauses = Pauses(storage.monotonic, lambda _: True)
        self.coordinator = Coordinator(storage.open(), self, plan(FIELDS, random=lambda: 0.5, **changes))

    def ask(self, request, terms):
        self.asked.append(terms)
        return self.answer() if callable(self.answer) else self.answer

    def token(self, text=None, life=3600.0):
        return Token(text or f"of {id(self)}", "Bearer", life, None, self.storage.clock(), self.storage.monotonic())

    def sleep(self, seconds):
        self.slept += seconds
        self.storage.wait(seconds)

    def get(self, terms=None, superseded=kept, **changes):
        return self.coordinator.ask(request(**changes), terms or Terms(), superseded)


@pytest.fixture
def storage():
    return InMemory()


def text(outcome):
    assert isinstance(outcome, Token), outcome
    return outcome.access.token


def test_what_one_process_has_got_the_next_one_does_not_ask_for(storage):
    first, second = Process(storage), Process(storage)
    got = first.get()
    storage.wait(100)
    found = second.get()
    assert text(found) == text(got)
    assert (found.expires, found.monotonic_expires) == (got.expires, got.monotonic_expires)
    assert not second.asked
    assert storage.calls.count("get") == 3  # to look, to look again with the lock, and the second process
    assert not storage.held


def test_a_token_that_ends_at_once_is_not_worth_having(storage):
    first, second = Process(storage), Process(storage)
    first.get()
    storage.wait(3599.5)
    second.get()
    assert len(second.asked) == 1


def test_processes_with_other_clocks_agree_on_how_long_a_token_lives(storage):
    first, second = Process(storage), Process(storage)
    got = first.get()
    skewed = plan(FIELDS, clock=lambda: storage.clock() - 7200, monotonic=storage.monotonic, random=lambda: 0.5)
    second.coordinator = Coordinator(storage.open(), second, skewed)
    storage.wait(60)
    found = second.get()
    assert not second.asked
    assert found.expires - (storage.clock() - 7200) == pytest.approx(got.expires - storage.clock(), abs=1)


def test_one_of_many_processes_asks_and_all_have_its_token(storage):
    arrived = threading.Barrier(16)
    landed = threading.Event()
    waiting = threading.Semaphore(0)

    def sleep(_):
        waiting.release()
        landed.wait(10)

    def slow():
        for _ in range(15):  # the answer comes when all the others wait for it
            assert waiting.acquire(timeout=10)
        return processes[0].token("the one")

    processes = [Process(storage, slow, sleep) for _ in range(16)]

    def run(process):
        arrived.wait(10)
        outcome = process.get()
        landed.set()
        return text(outcome)

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(run, processes)) == {"the one"}
    assert sum(len(process.asked) for process in processes) == 1
    assert not storage.held


def busy(storage):
    """Another process requests the token."""
    other = Process(storage)
    key = other.coordinator._key(request())
    return key, storage.open().lock(key)


def test_who_waits_gets_the_token_when_it_is_there(storage):
    _, lock = busy(storage)
    process = Process(storage)

    def sleep(seconds):
        process.sleep(seconds)
        if process.slept > 2:
            other = Process(storage)
            other.coordinator.ask_anew(request(), Terms())
            lock.release()

    waiting = Process(storage, sleep=sleep)
    assert text(waiting.get())
    assert not waiting.asked
    assert 2 < process.slept < 3


def test_when_the_holder_is_gone_one_of_those_who_wait_takes_its_place(storage):
    _, lock = busy(storage)
    process = Process(storage)

    def sleep(seconds):
        process.sleep(seconds)
        if process.slept > 1:
            lock.release()

    waiting = Process(storage, sleep=sleep)
    assert text(waiting.get())
    assert len(waiting.asked) == 1
    assert not storage.held
    assert waiting.asked[0].since == pytest.approx(storage.monotonic() - process.slept)


def test_patience_ends_and_then_each_asks_for_himself(storage):
    busy(storage)
    waiting = Process(storage)
    assert text(waiting.get())
    assert 7 < waiting.slept < 13
    assert storage.entries  # what it got is there for the others


def test_a_caller_with_less_time_has_less_patience(storage):
    busy(storage)
    waiting = Process(storage)
    waiting.get(Terms(timeout=3))
    assert waiting.slept < 2


def test_polls_grow_apart(storage):
    busy(storage)
    pauses = []
    waiting = Process(storage, sleep=lambda seconds: (pauses.append(seconds), storage.wait(seconds)))
    waiting.get()
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.05
    assert 0.3 < pauses[-1] <= 0.75
    assert len(pauses) < 40


# Failures


def fails_while_another_waits(storage, failure):
    key, lock = busy(storage)
    process = Process(storage)

    def sleep(seconds):
        process.sleep(seconds)
        if process.slept > 1:
            storage.open().put_failure(key, failure, SPACING)
            lock.release()

    return Process(storage, sleep=sleep)


def test_what_the_server_answered_reaches_those_who_waited(storage):
    waiting = fails_while_another_waits(storage, THROTTLED)
    assert waiting.get() == THROTTLED
    assert not waiting.asked


@pytest.mark.parametrize(
    "failure", [UNREACHABLE, REFUSED, replace(UNAVAILABLE, unretried=True)], ids=["network", "secret", "not retried"]
)
def test_what_may_be_the_holders_alone_is_tried_by_oneself(storage, failure):
    waiting = fails_while_another_waits(storage, failure)
    assert text(waiting.get())
    assert len(waiting.asked) == 1
    assert waiting.slept < 2


def test_a_failure_is_delivered_and_not_kept(storage):
    first, second = Process(storage, UNAVAILABLE), Process(storage)
    assert first.get() == UNAVAILABLE
    storage.wait(0.001)
    assert text(second.get())
    assert len(second.asked) == 1


@pytest.mark.parametrize("options", [{}, {"claims": '{"a": 1}'}], ids=["as the holder of the lock", "without a lock"])
def test_a_pause_that_one_process_is_asked_for_is_kept_by_all(storage, options):
    first, second = Process(storage, THROTTLED), Process(storage)
    assert first.get(**options) == THROTTLED
    storage.wait(2)
    assert second.get() == replace(THROTTLED, retry_after=3)
    assert not second.asked
    storage.wait(3)
    assert text(second.get())


def test_a_pause_is_kept_for_a_minute_at_most(storage):
    Process(storage, replace(THROTTLED, retry_after=3600)).get()
    second = Process(storage)
    storage.wait(59)
    assert second.get().retry_after == 3541
    storage.wait(1)
    assert text(second.get())


def test_a_pause_that_is_over_for_the_test_does_not_come_back_from_the_store(storage):
    Process(storage, THROTTLED).get()
    second = Process(storage)
    storage.wait(1)
    second.coordinator.forget_pauses()
    assert text(second.get())


def test_a_failure_of_this_process_alone_is_not_stored(storage):
    assert Process(storage, UNREADABLE).get() == UNREADABLE
    assert not storage.failures
    assert not storage.held


# Refreshes


def due(storage):
    """A process with a token that is due, which is what the others have, too."""
    process = Process(storage)
    old = process.get()
    process.asked.clear()
    storage.wait(3400)
    return process, old, Terms(retries=False, replacing=old)


def test_a_token_that_is_due_is_replaced(storage):
    process, old, terms = due(storage)
    process.answer = lambda: process.token("new")
    assert text(process.get(terms)) == "new"
    assert text(Process(storage).get()) == "new"
    assert old.access.token != "new"


def test_what_another_process_has_refreshed_is_adopted(storage):
    process, _, terms = due(storage)
    other = Process(storage)
    other.answer = lambda: other.token("new")
    other.coordinator.ask_anew(request(), Terms())
    assert text(process.get(terms)) == "new"
    assert not process.asked


def test_no_caller_waits_for_a_refresh_of_another_process(storage):
    process, old, terms = due(storage)
    busy(storage)
    assert process.get(terms) is old
    assert not process.asked
    assert process.slept == 0


def test_in_its_last_minute_a_token_is_refreshed_though_another_process_has_the_lock(storage):
    process, _, terms = due(storage)
    busy(storage)
    storage.wait(140 + 1)
    process.answer = lambda: process.token("new")
    assert text(process.get(terms)) == "new"


@pytest.mark.parametrize("failure", [UNAVAILABLE, UNREACHABLE], ids=["server", "network"])
def test_while_refreshes_fail_one_process_tries_for_all(storage, failure):
    process, old, terms = due(storage)
    other = Process(storage, failure)
    assert other.get(Terms(retries=False, replacing=old)) == failure
    storage.wait(SPACING - 1)
    assert process.get(terms) == failure
    assert not process.asked
    storage.wait(2)
    assert text(process.get(terms))
    assert len(process.asked) == 1


def test_a_refresh_tries_a_secret_of_ones_own(storage):
    process, old, terms = due(storage)
    Process(storage, REFUSED).get(Terms(retries=False, replacing=old))
    assert text(process.get(terms))
    assert len(process.asked) == 1


def test_what_is_superseded_is_put_nowhere(storage):
    process, _, terms = due(storage)
    before = dict(storage.entries)
    process.answer = lambda: process.token("new")
    process.get(terms, superseded=lambda: True)
    assert storage.entries == before


# Claims, and asking anew


def test_claims_use_no_stored_token_and_store_theirs(storage):
    first, second, third = Process(storage), Process(storage), Process(storage)
    first.get()
    second.answer = lambda: second.token("with claims")
    assert text(second.get(claims="{}")) == "with claims"
    assert text(third.get()) == "with claims"
    assert not third.asked


def test_asking_anew_asks_whatever_there_is(storage):
    first, second = Process(storage), Process(storage)
    first.get()
    storage.calls.clear()
    second.coordinator.ask_anew(request(), Terms())
    assert len(second.asked) == 1
    assert storage.calls == ["put"]


@pytest.mark.parametrize("failing", ["get", "lock"])
def test_a_refresh_waits_for_a_failover_of_the_store(storage, failing):
    process, old, terms = due(storage)
    storage.failing = {failing}
    assert process.get(terms) is old
    storage.wait(FAILOVER - 1)
    assert process.get(terms) is old
    assert not process.asked
    storage.failing = set()
    storage.wait(FAILOVER)
    process.answer = lambda: process.token("new")
    assert text(process.get(terms)) == "new"
    storage.failing = {failing}
    assert process.get(replace(terms, replacing=process.token("due"))).access.token == "due"


def test_a_refresh_waits_no_longer_for_a_store_that_stays_down(storage):
    process, _, terms = due(storage)
    storage.failing = {"get"}
    process.get(terms)
    storage.wait(FAILOVER)
    process.answer = lambda: process.token("new")
    assert text(process.get(terms)) == "new"


def test_in_its_last_minute_a_token_is_refreshed_though_the_store_fails(storage):
    process, _, terms = due(storage)
    storage.failing = {"get"}
    storage.wait(140 + 1)
    process.answer = lambda: process.token("new")
    assert text(process.get(terms)) == "new"


# A store that fails

FAULTS = [{"get"}, {"lock"}, {"put"}, {"release"}, {"put_failure"}, {"get", "lock", "put", "release", "put_failure"}]


@pytest.mark.parametrize("failing", FAULTS, ids=lambda failing: ", ".join(sorted(failing)))
@pytest.mark.parametrize("lease", [None, 5.0], ids=["no lease", "lease"])
def test_no_fault_of_a_store_costs_a_token(storage, failing, lease):
    storage.lease = lease
    if lease is None and "release" in failing:
        failing = failing - {"release"}  # such a lock is local, and ends with the process
    storage.failing = failing
    assert text(Process(storage).get())


@pytest.mark.parametrize("failing", FAULTS, ids=lambda failing: ", ".join(sorted(failing)))
def test_no_fault_of_a_store_hides_what_the_server_said(storage, failing):
    storage.lease = 5.0
    storage.failing = failing
    assert Process(storage, THROTTLED).get() == THROTTLED


def test_a_bug_in_a_store_costs_no_token(storage, caplog):
    process = Process(storage)
    process.coordinator._breaker.store.get = lambda key: [][key]
    with caplog.at_level(logging.WARNING, "credconf"):
        assert text(process.get())
    assert "TypeError" in caplog.text


def test_a_store_that_is_down_is_left_alone_and_told_of_once(storage, caplog):
    process = Process(storage)
    storage.failing = {"get", "put", "lock", "release", "put_failure"}
    with caplog.at_level(logging.INFO, "credconf"):
        for number in range(50):
            assert text(process.get(scope=str(number)))
        tries = len(storage.calls)
        assert tries == 1
        for _ in range(20):
            storage.wait(LONGEST_PAUSE * 1.5)
            process.get(scope="again")
        assert len(storage.calls) == tries + 20
        storage.failing = set()
        storage.wait(LONGEST_PAUSE * 1.5)
        process.get(scope="back")
        process.get(scope="and well")
    said = [(record.levelname, record.message) for record in caplog.records]
    assert [level for level, _ in said] == ["WARNING", "INFO"]
    assert "it is down" in said[0][1]
    assert "is back" in said[1][1]
    assert text(Process(storage).get(scope="and well"))


def test_a_store_that_is_down_is_tried_less_and_less_often(storage):
    process = Process(storage)
    storage.failing = {"get"}
    tried = []
    process.get()
    for _ in range(int(FIRST_PAUSE * 400)):
        storage.wait(1)
        before = len(storage.calls)
        process.get()
        if len(storage.calls) > before:
            tried.append(storage.monotonic())
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > LONGEST_PAUSE * 0.9
    assert pauses[-1] < LONGEST_PAUSE * 1.5


def test_a_store_that_can_only_be_read_is_read(storage, caplog):
    first = Process(storage)
    first.get()
    storage.failing = {"put", "lock", "release", "put_failure"}
    with caplog.at_level(logging.INFO, "credconf"):
        for _ in range(10):
            second = Process(storage)
            assert text(second.get()) == text(first.get())
            assert not second.asked
        process = Process(storage)
        for number in range(10):
            process.get(scope=str(number))
            assert text(process.get()) == text(first.get())
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_one_caller_at_a_time_tries_a_store_that_was_down(storage):
    process = Process(storage)
    storage.failing = {"get"}
    process.get()
    storage.wait(LONGEST_PAUSE * 2)
    storage.failing = set()
    trying, hung = threading.Event(), threading.Event()
    store = process.coordinator._breaker.store
    look = store.get

    def hang(key):
        trying.set()
        hung.wait(10)
        return look(key)

    store.get = hang
    thread = threading.Thread(target=process.get, kwargs={"scope": "hanging"})
    thread.start()
    assert trying.wait(10)
    assert text(process.get(scope="meanwhile"))  # without waiting for the try
    hung.set()
    thread.join(10)


# A store that is slow


class Slow:
    """A process with a store each answer of which takes some seconds, from its second flight on or at once."""

    def __init__(self, storage, seconds, *operations, at_once=False):
        storage.patience, storage.lease = 0.5, 5.0
        self.process = Process(storage)
        if not at_once:
            self.process.get(scope="before")
            storage.calls.clear()
            storage.entries.clear()
        self.storage = storage
        self.seconds = seconds
        store = self.process.coordinator._breaker.store
        for name in operations:
            setattr(store, name, self.slowed(getattr(store, name)))

    def slowed(self, operation):
        def call(*arguments):
            self.storage.wait(self.seconds)
            return operation(*arguments)

        return call

    def lost(self, scope):
        """What a caller loses to it."""
        began = self.storage.monotonic()
        assert text(self.process.get(scope=scope))
        return self.storage.monotonic() - began


def test_a_store_that_answers_slowly_costs_a_caller_little_and_is_told_of_once(storage, caplog):
    slow = Slow(storage, 0.4, "get", "lock")
    with caplog.at_level(logging.INFO, "credconf"):
        assert slow.lost("first") < 1.0
        assert not storage.held
        assert storage.entries, "it had the lock, and the others wait for the token"
        assert slow.lost("second") == 0
        for number in range(20):
            storage.wait(LONGEST_PAUSE * 2)
            assert slow.lost(str(number)) < 0.5
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "too slow" in caplog.text
        slow.seconds = 0.01
        storage.wait(LONGEST_PAUSE * 2)
        slow.lost("back")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_what_a_slow_store_has_is_used(storage):
    first, slow = Process(storage), Slow(storage, 0.7, "get")
    first.get()
    asked = len(slow.process.asked)
    assert text(slow.process.get()) == text(first.get())
    assert len(slow.process.asked) == asked


def test_the_slow_first_flight_of_a_process_does_not_open_the_circuit(storage, caplog):
    slow = Slow(storage, 0.7, "get", "lock", at_once=True)
    assert 2.0 < slow.lost("first") < 2.2  # two looks, and the lock between them
    assert not caplog.records
    assert storage.entries
    slow.lost("second")
    assert "too slow" in caplog.text


def test_who_has_seen_that_it_is_slow_does_not_even_ask_for_the_lock(storage):
    slow = Slow(storage, 0.7, "get")
    slow.lost("first")
    assert storage.calls == ["get"]


def test_a_caller_waits_briefly_for_its_token_to_be_stored_and_the_lock_is_released_after_it(storage):
    storage.patience, storage.lease = 0.2, 5.0
    process, goes_on = Process(storage), threading.Event()
    store = process.coordinator._breaker.store
    put = store.put

    def slow(key, entry):
        assert goes_on.wait(20)
        put(key, entry)

    store.put = slow
    assert text(process.get())
    assert storage.held
    assert not storage.entries
    goes_on.set()
    wait_until(lambda: not storage.held)
    assert [call for call in storage.calls if call in {"put", "release"}] == ["put", "release"]


# Its life


def test_a_lease_is_renewed_while_a_request_is_under_way(storage):
    storage.lease = 0.03
    renewed = threading.Event()

    def slow():
        for _ in range(1000):
            if storage.renewed >= 3:
                renewed.set()
                break
            threading.Event().wait(0.01)
        return process.token()

    process = Process(storage, slow)
    process.get()
    assert renewed.is_set()
    assert not storage.held
    wait_for_the_end_of("credconf-leases")


def test_a_lease_is_renewed_while_others_are_which_takes_long():
    together = threading.Barrier(8)

    class Far:
        lease, local = 0.06, False

        def __init__(self):
            self.renewed = threading.Event()

        def renew(self):
            if not self.renewed.is_set():
                together.wait(20)  # one after the other they would wait for ever
                self.renewed.set()
            return True

    leases, locks = LeaseRenewer(), [Far() for _ in range(8)]
    for lock in locks:
        leases.add(lock)
    assert all(lock.renewed.wait(20) for lock in locks)
    for lock in locks:
        leases.remove(lock)


def wait_for_the_end_of(name):
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(10)
            assert not thread.is_alive()


def test_an_interrupt_leaves_no_lock_behind(storage):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Process(storage, interrupted).get()
    assert not storage.held
    assert text(Process(storage).get())


def test_in_the_child_of_a_fork_the_parents_locks_stay(storage):
    inside = []

    def forked():
        process.coordinator.after_fork()
        inside.append(dict(storage.held))
        return process.token()

    process = Process(storage, forked)
    process.get()
    assert len(inside[0]) == 1
    assert len(storage.held) == 1  # what the child forgot is not released by it


def test_closing_closes_the_store(storage):
    process = Process(storage)
    process.coordinator.close()
    assert process.coordinator._breaker.store.closed
