"""Calls that take too long."""

from __future__ import annotations

import threading
import time

from credconf.tokens.watch import Call, Watch


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "credconf-redis"]


def test_a_call_that_takes_too_long_is_ended():
    ended = threading.Event()
    with Call(Watch(0.05), ended.set) as call:
        assert ended.wait(20)
    assert call.cut


def test_a_call_that_ends_in_time_is_left_alone():
    ended = threading.Event()
    watch = Watch(0.2)
    with Call(watch, ended.set) as call:
        pass
    assert not ended.wait(0.5)
    assert not call.cut


def test_each_of_many_calls_has_its_own_end():
    watch = Watch(0.2)
    ends = [threading.Event() for _ in range(20)]
    calls = [Call(watch, end.set) for end in ends]
    for number, call in enumerate(calls):
        call.__enter__()
        if number % 2:
            call.__exit__()
        time.sleep(0.01)
    assert all(end.wait(20) for end in ends[::2])
    time.sleep(0.3)
    assert [call.cut for call in calls] == [True, False] * 10


def test_one_thread_watches_and_goes_when_there_is_nothing_to_watch():
    before = len(threads())
    watch = Watch(0.1)
    for _ in range(50):
        with Call(watch, lambda: None):
            assert len(threads()) <= before + 1
    deadline = time.monotonic() + 20
    while len(threads()) > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ended = threading.Event()
    with Call(watch, ended.set):
        assert ended.wait(20), "nobody watches any more"
