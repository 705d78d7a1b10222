from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credconf.tokens.cache import Token, TokenCache, UserTokenCache
from tests.contract.faces import Clock


def token(text="text", life=3600.0, refresh_in=None, received=1000.0, monotonic=50.0):
    return Token(text, "Bearer", life, refresh_in, received, monotonic)


@pytest.fixture
def clocks():
    return Clock(1000.0), Clock(50.0)


@pytest.fixture
def store(clocks):
    return TokenCache(3, *clocks)


def test_a_token_has_both_of_azure_cores_shapes():
    made = token(refresh_in=1800)
    assert made.access == ("text", 4600)
    assert (made.info.token, made.info.expires_on, made.info.refresh_on) == ("text", 4600, 2800)
    assert made.info.token_type == "Bearer"


def test_a_token_shows_nothing_of_its_text():
    assert "canary" not in repr(token("canary"))


def test_what_was_put_is_got(store):
    kept = token()
    store.put(("a",), kept)
    assert store.get(("a",)) is kept
    assert store.get(("b",)) is None


@pytest.mark.parametrize("which", [0, 1], ids=["wall clock", "monotonic clock"])
def test_a_token_ends_when_either_clock_says_so(store, clocks, which):
    store.put(("a",), token())
    clocks[which].advance(3599.5)
    assert store.get(("a",))
    clocks[which].advance(0.5)
    assert store.get(("a",)) is None


def test_a_wall_clock_that_is_set_back_keeps_no_token_alive(store, clocks):
    store.put(("a",), token())
    clocks[0].advance(-86400)
    clocks[1].advance(3600)
    assert store.get(("a",)) is None


def test_a_token_without_a_life_is_never_got(store):
    store.put(("a",), token(life=0))
    assert store.get(("a",)) is None


def test_the_store_is_bounded_and_the_oldest_goes_first(store):
    for key in "abcd":
        store.put((key,), token(key))
    assert [store.get((key,)) is not None for key in "abcd"] == [False, True, True, True]


def test_a_token_that_was_fetched_again_is_young(store):
    for key in "abcad":
        store.put((key,), token(key))
    assert [store.get((key,)) is not None for key in "abcd"] == [True, False, True, True]


def test_a_cleared_store_is_empty(store):
    store.put(("a",), token())
    store.clear()
    assert store.get(("a",)) is None


@given(st.lists(st.integers(0, 9)), st.integers(1, 6))
def test_it_holds_the_last_keys_that_were_put(keys, limit):
    store = TokenCache(limit, lambda: 1000.0, lambda: 50.0)
    for key in keys:
        store.put((str(key),), token(str(key)))
    last = list(dict.fromkeys(str(key) for key in reversed(keys)))[:limit]
    assert set(store.tokens) == {(key,) for key in last}
    assert all(store.get((key,)).access.token == key for key in last)


def test_threads_may_put_and_get_at_once(clocks):
    store = TokenCache(50, *clocks)
    failures = []

    def work(seed):
        try:
            for number in range(500):
                store.put((str((number * seed) % 97),), token())
                store.get((str(number % 97),))
        except Exception as exc:  # noqa: BLE001 - told below
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert len(store.tokens) == 50


def test_in_the_child_of_a_fork_its_lock_is_free(store):
    store._lock.acquire()
    store.after_fork()
    store.put(("a",), token())
    assert store.get(("a",))


def test_a_postponed_token_is_due_later_by_both_clocks():
    made = token()
    made.postpone(2000.0, 70.0, 30.0)
    assert (made.due, made.monotonic_due) == (2030.0, 100.0)
    assert made.expires == 4600.0


class TestTokensOfUsers:
    def test_those_that_were_used_longest_ago_go_first(self, clocks):
        cache = UserTokenCache(2, *clocks)
        for key in ("a", "b"):
            cache.put((key,), token(key))
        assert cache.get(("a",))
        cache.put(("c",), token("c"))
        assert [key for (key,) in cache.tokens] == ["a", "c"]
        assert cache.newest() == ["a", "c"]

    def test_those_that_have_expired_go_as_soon_as_they_are_the_oldest(self, clocks):
        wall, _ = clocks
        cache = UserTokenCache(9, *clocks)
        for key, life in (("a", 60.0), ("b", 60.0), ("c", 3600.0), ("d", 60.0)):
            cache.put((key,), token(key, life))
        wall.advance(61)
        cache.put(("e",), token("e", received=wall()))
        assert [key for (key,) in cache.tokens] == ["c", "d", "e"]
        assert cache.get(("d",)) is None

    def test_a_use_waits_for_no_lock(self, clocks):
        cache = UserTokenCache(9, *clocks)
        cache.put(("a",), token("a"))
        with cache._lock:  # as a thread has it that a signal handler has stopped, in which a token is needed
            assert cache.get(("a",))

    def test_threads_that_use_and_replace_them_disturb_nobody(self, clocks):
        cache = UserTokenCache(8, *clocks)

        def work(start):
            for number in range(2000):
                key = (f"{(start + number) % 12}",)
                if cache.get(key) is None:
                    cache.put(key, token(key[0]))
                cache.newest()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert len(cache.tokens) == 8

    def test_they_can_grow_older_while_other_threads_use_them(self, clocks):
        cache = UserTokenCache(300, *clocks)
        for number in range(300):
            cache.put((number,), token(number))
        done = threading.Event()

        def use():
            while not done.is_set():
                for number in range(300):
                    cache.get((number,))

        with ThreadPoolExecutor(2) as pool:
            users = [pool.submit(use) for _ in range(2)]
            try:
                for _ in range(300):
                    cache.age(0.001)
            finally:
                done.set()
            assert [user.result() for user in users] == [None, None]

    def test_a_valid_token_is_never_missing_while_another_is_added(self, clocks):
        cache = UserTokenCache(10_000, *clocks)
        cache.put(("first",), token())
        done = threading.Event()

        def add():
            for number in range(3000):
                cache.put((number,), token())
            done.set()

        adding = threading.Thread(target=add)
        adding.start()
        missed = 0
        while not done.is_set():
            missed += cache.tokens.get(("first",)) is None
        adding.join()
        assert missed == 0
