"""What every place beyond the process keeps of its word: the contract of a store."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from credconf.problems.failure import Failure
from credconf.stores.store import Entry, Stored, key_of
from tests.stores.storages import STORAGES

KEY = key_of("https://login.example:8443", "tenant", "client", ("https://a/.default",), cae=False)
REFUSAL = Failure("no such scope", "invalid_scope", (70011,), "correlation", "trace", "now", 400, 2.5)


@pytest.fixture(params=[*STORAGES, "redis"])
def storage(request, tmp_path):
    if request.param == "redis":
        from tests.stores.redis_storage import InRedis

        return InRedis(url=request.getfixturevalue("redis_url"))
    return STORAGES[request.param](tmp_path)


@pytest.fixture
def ours(storage):
    return storage.open()


@pytest.fixture
def theirs(storage):
    return storage.open()


def entry(token="token", lifetime=3600.0, refresh_in=1800.0, age=0.0):
    return Entry(token, "Bearer", lifetime, refresh_in, age)


def test_where_nothing_was_put_there_is_nothing(ours):
    assert ours.get(KEY) == Stored()


def test_what_one_process_puts_another_gets(ours, theirs):
    ours.put(KEY, entry())
    seen = theirs.get(KEY)
    assert (seen.entry.token, seen.entry.token_type) == ("token", "Bearer")
    assert (seen.entry.lifetime, seen.entry.refresh_in) == (3600, 1800)
    assert seen.entry.age == pytest.approx(0, abs=1)
    assert seen.failure is None


def test_a_token_of_which_the_server_said_no_more_than_its_end_is_kept(ours, theirs):
    ours.put(KEY, entry(refresh_in=None))
    assert theirs.get(KEY).entry.refresh_in is None


def test_a_token_ages_from_the_request_on(storage, ours, theirs):
    ours.put(KEY, entry(age=5))
    storage.wait(100)
    assert theirs.get(KEY).entry.age == pytest.approx(105, abs=1)
    assert theirs.get(KEY).entry.remaining == pytest.approx(3495, abs=1)


def test_a_token_is_gone_when_it_ends(storage, ours, theirs):
    ours.put(KEY, entry(lifetime=60, refresh_in=None))
    storage.wait(61)
    assert theirs.get(KEY) == Stored()


def test_a_later_token_takes_the_place_of_an_earlier_one(ours, theirs):
    ours.put(KEY, entry("first"))
    theirs.put(KEY, entry("second", lifetime=60))
    assert ours.get(KEY).entry.token == theirs.get(KEY).entry.token == "second"


KEYS = [
    key_of(authority, tenant, client, scopes, cae=cae)
    for authority in ("https://a", "https://a:8443")
    for tenant in ("tenant", "other", None, "")
    for client in ("client", "other")
    for scopes in (("a",), ("b",), ("a", "b"), ("a b",))
    for cae in (False, True)
]


def test_tokens_of_different_keys_never_mix(ours, theirs):
    assert len(set(KEYS)) == len(KEYS)
    for number, key in enumerate(KEYS):
        ours.put(key, entry(str(number)))
    assert [theirs.get(key).entry.token for key in KEYS] == [str(number) for number in range(len(KEYS))]


def test_a_failure_reaches_the_others_whole(storage, ours, theirs):
    ours.put_failure(KEY, REFUSAL, 30)
    storage.wait(5)
    seen = theirs.get(KEY)
    assert seen.entry is None
    assert seen.failure == REFUSAL
    assert seen.failure_age == pytest.approx(5, abs=1)


def test_a_failure_of_which_little_is_known_reaches_the_others(ours, theirs):
    failure = Failure("no answer", "timeout")
    ours.put_failure(KEY, failure, 30)
    assert theirs.get(KEY).failure == failure


def test_a_failure_is_forgotten_after_its_time(storage, ours, theirs):
    ours.put_failure(KEY, REFUSAL, 30)
    storage.wait(31)
    assert theirs.get(KEY) == Stored()


def test_a_failure_takes_no_token_away_and_a_token_ends_a_failure(ours, theirs):
    ours.put(KEY, entry())
    ours.put_failure(KEY, REFUSAL, 30)
    assert theirs.get(KEY).entry.token == "token"
    assert theirs.get(KEY).failure == REFUSAL
    theirs.put(KEY, entry("new"))
    assert ours.get(KEY).failure is None


def test_one_process_has_the_lock_of_a_key(ours, theirs):
    lock = ours.lock(KEY)
    assert lock is not None
    assert theirs.lock(KEY) is None
    assert ours.lock(KEY) is None
    lock.release()
    assert theirs.lock(KEY) is not None


def test_the_locks_of_different_keys_are_different(ours, theirs):
    assert all((ours if number % 2 else theirs).lock(key) is not None for number, key in enumerate(KEYS))


def test_a_lock_is_renewed_while_it_is_held(ours):
    assert ours.lock(KEY).renew() is True


def test_a_lock_that_is_released_twice_is_not_taken_from_its_new_holder(ours, theirs):
    first = ours.lock(KEY)
    first.release()
    second = theirs.lock(KEY)
    first.release()
    assert ours.lock(KEY) is None
    second.release()


def test_many_threads_never_hold_one_lock_at_once(storage):
    holders, most, taken = 0, 0, 0
    counting = threading.Lock()

    def contend(_):
        nonlocal holders, most, taken
        backend = storage.open()
        for _ in range(100):
            lock = backend.lock(KEY)
            if lock is None:
                continue
            with counting:
                holders += 1
                taken += 1
                most = max(most, holders)
            with counting:
                holders -= 1
            lock.release()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(contend, range(8)))
    assert most == 1
    assert taken > 8


def test_no_update_is_lost(storage):
    def put(number):
        backend = storage.open()
        for each in range(10):
            backend.put(f"{number}.{each}", entry(f"{number}.{each}"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put, range(6)))
    reader = storage.open()
    for number in range(6):
        for each in range(10):
            assert reader.get(f"{number}.{each}").entry.token == f"{number}.{each}"


def test_what_logs_call_it_shows_nothing_of_the_tokens(ours):
    ours.put(KEY, entry("canary"))
    assert "canary" not in ours.label + repr(ours) + repr(ours.get(KEY))
    ours.close()
