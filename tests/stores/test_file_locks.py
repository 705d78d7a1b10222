"""Locks between the processes of one machine."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time

import pytest

from credconf.stores import file_locks as filelocks
from credconf.stores.file_locks import LEASE, FileLock, exclusive, is_left
from credconf.stores.store import Unavailable
from tests.contract.faces import wait_until

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "lock")


def descriptors():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


HOLDER = """
import sys, time
from credconf.stores.file_locks import FileLock
lock = FileLock.take(sys.argv[1])
print(lock is not None, flush=True)
time.sleep(60)
"""


def test_a_holder_that_is_killed_has_lost_the_lock(path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"True\n"
        assert FileLock.take(path) is None
        holder.kill()
        holder.wait()
    wait_until(lambda: FileLock.take(path) is not None)


@forks
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_child_of_a_fork_neither_has_nor_ends_the_parents_lock(path):
    lock = FileLock.take(path)
    child = os.fork()
    if not child:
        lock.after_fork()
        lock.release()
        os._exit(0 if FileLock.take(path) is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert FileLock.take(path) is None
    lock.release()
    assert FileLock.take(path) is not None


def test_a_lock_that_is_released_is_free_even_if_a_child_has_its_file_open(path):
    lock = FileLock.take(path)
    copy = os.dup(lock._file._descriptor)
    lock.release()
    assert FileLock.take(path) is not None
    os.close(copy)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EIO], ids=errno.errorcode.get)
def test_a_file_system_without_locks_is_unavailable_at_once(path, monkeypatch, number):
    def refuse(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filelocks, "_acquire", refuse)
    before = descriptors()
    for attempt in (FileLock.take, lambda path: exclusive(path).__enter__()):
        with pytest.raises(Unavailable, match=os.strerror(number)) as caught:
            attempt(path)
        assert caught.value.__context__ is None
    assert descriptors() == before


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES, errno.EDEADLK], ids=errno.errorcode.get)
def test_what_a_system_says_of_a_lock_that_is_taken_is_no_fault(path, monkeypatch, number):
    def refuse(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filelocks, "_acquire", refuse)
    before = descriptors()
    assert FileLock.take(path) is None
    assert descriptors() == before


def test_who_waits_for_a_lock_file_that_is_removed_locks_the_one_that_is_there(path, monkeypatch):
    entered, left, waits = threading.Event(), threading.Event(), threading.Event()
    attempt = filelocks._File.lock

    def lock(file):
        locked = attempt(file)
        if not locked:
            waits.set()
        return locked

    def wait():
        with exclusive(path):
            entered.set()
            left.wait(20)

    with exclusive(path):
        waiting = threading.Thread(target=wait)
        monkeypatch.setattr(filelocks._File, "lock", lock)
        waiting.start()
        assert waits.wait(20)  # it has opened the file that is removed now
        os.unlink(path)
        with exclusive(path):
            pass
    assert entered.wait(20)
    with pytest.raises(Unavailable, match="another process"), exclusive(path):
        raise AssertionError
    left.set()
    waiting.join(20)


def test_a_lock_whose_file_is_another_ones_by_now_leaves_that_alone(path):
    first = FileLock.take(path)
    os.unlink(path)
    second = FileLock.take(path)
    first.release()
    assert FileLock.take(path) is None
    second.release()


def test_a_renewal_by_another_thread_never_meets_a_descriptor_that_is_closed(path, monkeypatch):
    lock = FileLock.take(path)
    look, looks, released = os.fstat, threading.Event(), threading.Event()
    met = []

    def fstat(descriptor):
        if threading.current_thread() is renewal:
            looks.set()
            released.wait(0.5)  # of the release it sees nothing before it is done
            met.append(released.is_set())
        return look(descriptor)

    def release():
        looks.wait(20)
        lock.release()
        released.set()

    renewal = threading.Thread(target=lambda: met.append(lock.renew()))
    ending = threading.Thread(target=release)
    monkeypatch.setattr(os, "fstat", fstat)
    for thread in (renewal, ending):
        thread.start()
    for thread in (renewal, ending):
        thread.join(20)
    assert met == [False, True], "the lock was released while it was renewed"
    assert not os.path.exists(path)
    assert not lock.renew()


CHILD_OF_A_WRITER = """
import os, sys, threading, time
from credconf.stores.file_locks import LEASE, FileLock, exclusive, is_left
held = threading.Event()
def hold():
    lock = FileLock.take(sys.argv[1])
    with exclusive(sys.argv[2]):
        held.set()
        time.sleep(60)
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if not child:
    time.sleep(60)
print(child, flush=True)
time.sleep(60)
"""


@forks
def test_what_is_locked_while_another_thread_forks_does_not_stay_with_the_child(tmp_path):
    paths = [str(tmp_path / "one"), str(tmp_path / "two")]
    command = [sys.executable, "-W", "ignore", "-c", CHILD_OF_A_WRITER, *paths]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        try:
            wait_until(lambda: FileLock.take(paths[0]) is not None)
            with exclusive(paths[1]):
                pass
        finally:
            os.kill(child, 9)


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_lock_shows_for_how_long_its_holder_has_hung(path):
    lock = FileLock.take(path)
    assert not is_left(path)
    age(path, LEASE + 1)
    assert is_left(path)
    assert lock.renew()
    assert not is_left(path)
    lock.release()
    assert not is_left(path)


def test_who_has_hung_hears_that_another_has_taken_its_place(path):
    hung = FileLock.take(path)
    os.unlink(path)
    taken = FileLock.take(path)
    assert not hung.renew()
    assert taken.renew()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
def test_a_disk_on_which_nothing_can_be_stored_gives_no_lock_for_which_others_would_wait(path, monkeypatch):
    write, full = os.write, os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(os, "write", lambda _, data: write(full, data))
    with pytest.raises(Unavailable, match="No space left"):
        FileLock.take(path)
    assert not os.path.exists(path)
    os.close(full)
