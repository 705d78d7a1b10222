from __future__ import annotations

import subprocess
import sys
import threading
import weakref

import pytest

from credconf.ground.workers import TooLong, Workers, bounded
from tests.contract.faces import wait_until


def running(name):
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_no_thread_runs_before_there_is_work():
    Workers(2, "before-work", idle=0.05)
    assert running("before-work") == []


def test_no_more_threads_run_than_the_limit():
    workers, go_on = Workers(3, "limited", idle=0.05), threading.Event()
    arrived = threading.Semaphore(0)

    def task():
        arrived.release()
        go_on.wait(20)

    for _ in range(10):
        workers.submit(task)
    for _ in range(3):
        assert arrived.acquire(timeout=20)
    assert len(running("limited")) == 3
    assert not arrived.acquire(timeout=0.05)
    go_on.set()
    for _ in range(7):
        assert arrived.acquire(timeout=20)


def test_one_thread_does_its_tasks_in_their_order():
    workers, done = Workers(1, "ordered", idle=0.05), []
    for number in range(50):
        workers.submit(lambda number=number: done.append(number))
    wait_until(lambda: len(done) == 50)
    assert done == list(range(50))


def test_an_idle_thread_takes_the_next_task():
    workers, names = Workers(8, "reused", idle=5), []
    for number in range(5):
        workers.submit(lambda: names.append(threading.get_ident()))
        wait_until(lambda number=number: len(names) == number + 1)
        wait_until(lambda: workers._idle == 1)
    assert len(set(names)) == 1


def test_idle_threads_go_and_come_again():
    workers, done = Workers(4, "leaving", idle=0.05), threading.Event()
    workers.submit(done.set)
    assert done.wait(20)
    wait_until(lambda: not running("leaving"))
    again = threading.Event()
    workers.submit(again.set)
    assert again.wait(20)


def test_tasks_that_come_while_threads_leave_are_done():
    workers, done = Workers(2, "hurried", idle=0.001), []
    for number in range(300):
        workers.submit(lambda number=number: done.append(number))
        threading.Event().wait(0.001)
    wait_until(lambda: len(done) == 300)


@pytest.mark.parametrize("exception", [SystemExit, KeyboardInterrupt, ValueError])
def test_a_task_that_raises_costs_no_thread_for_good(exception, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # pytest would report what is raised on purpose
    workers, done = Workers(2, "raising", idle=0.05), threading.Event()

    def task():
        raise exception

    for _ in range(6):
        workers.submit(task)
    workers.submit(done.set)
    assert done.wait(20)
    wait_until(lambda: not running("raising"))


def test_a_done_task_is_not_kept_alive():
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    workers, done = Workers(1, "forgetful", idle=5), threading.Event()
    workers.submit(lambda held=thing: done.set())
    assert done.wait(20)
    del thing
    wait_until(lambda: gone() is None)


def test_in_the_child_of_a_fork_new_threads_are_started():
    workers, done = Workers(1, "forked", idle=0.05), threading.Event()
    workers._lock.acquire()
    workers.threads = [threading.current_thread()]
    workers.after_fork()
    workers.submit(done.set)
    assert done.wait(20)


def test_a_busy_thread_does_not_keep_the_process_from_ending():
    program = (
        "import threading; from credconf.ground.workers import Workers; started = threading.Event();"
        "Workers(1, 'x').submit(lambda: (started.set(), threading.Event().wait(60))); started.wait(20)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 0


@pytest.mark.parametrize("exception", [ZeroDivisionError, TimeoutError])
def test_what_a_thread_raises_reaches_who_waits_for_it(exception):
    def fail():
        raise exception

    with pytest.raises(exception):
        bounded(Workers(1, "raising", idle=0.05), fail, 20)


def test_what_hangs_is_waited_for_no_longer_than_said():
    goes_on, ended = threading.Event(), threading.Event()

    def hang():
        goes_on.wait(20)
        ended.set()

    with pytest.raises(TooLong):
        bounded(Workers(1, "hanging", idle=0.05), hang, 0.05)
    goes_on.set()
    assert ended.wait(20)


def test_a_thread_for_one_call_ends_with_it():
    assert bounded(Workers(1, "once", idle=0.0), lambda: 7, 20) == 7
    wait_until(lambda: not running("once"))
