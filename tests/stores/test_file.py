"""The file of tokens, beyond what every store does."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
import time

import pytest

from credconf.problems.failure import Failure
from credconf.stores import file_locks as filelocks
from credconf.stores import file_store as file
from credconf.stores.file_locks import FileLock
from credconf.stores.store import Entry, Stored, Unavailable
from tests.stores.storages import PlainFile

CANARY = "canary~of-a.token_42"


@pytest.fixture
def storage(tmp_path):
    return PlainFile(directory=tmp_path / "below" / "credconf")


def entry(token="token", lifetime=3600.0):
    return Entry(token, "Bearer", lifetime, None, 0.0)


def content(storage):
    return json.loads((storage.directory / "test.json").read_text())


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_file_and_directory_are_their_owners_alone(storage):
    old = os.umask(0)
    try:
        storage.open().put("key", entry())
        held = storage.open().lock("key")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in storage.directory.iterdir()}
    finally:
        os.umask(old)
    held.release()
    assert stat.S_IMODE(storage.directory.stat().st_mode) == 0o700
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_directory_that_others_could_enter_is_closed_to_them(storage):
    storage.directory.mkdir(parents=True)
    storage.directory.chmod(0o755)
    storage.open().put("key", entry())
    assert stat.S_IMODE(storage.directory.stat().st_mode) == 0o700


def test_the_file_of_a_lock_is_there_only_while_it_is_held(storage):
    backend = storage.open()
    lock = backend.lock("key")
    assert len(list(storage.directory.iterdir())) == 1
    lock.release()
    assert list(storage.directory.iterdir()) == []


def test_one_takes_the_place_of_a_holder_that_hangs(storage):
    hung = storage.open().lock("key")
    (path,) = storage.directory.iterdir()
    os.utime(path, (1, 1))
    arrived, taken = threading.Barrier(8), []

    def take():
        backend = storage.open()
        arrived.wait(20)
        taken.append(backend.lock("key"))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    (lock,) = [each for each in taken if each is not None]
    hung.release()
    assert storage.open().lock("key") is None, "who wakes up has released the lock of another"
    lock.release()


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"AccessToken": {}}',
        b'{"format": "credconf-tokens-2", "tokens": {}, "failures": {}}',
        b'{"format": "credconf-tokens-1", "tokens": [], "failures": {}}',
        b'{"format": "credconf-tokens-1", "tokens": {"key": {"at": "soon", "up": 1}}, "failures": {}}',
        b'{"format": "credconf-tokens-1", "tokens": {"key": {"at": 1' + b"0" * 400 + b', "up": 1}}, "failures": {}}',
        b'{"format": "credconf-tokens-1", "tokens": {"key": {"at": NaN, "up": 1}}, "failures": {}}',
        b'{"format": "credconf-tokens-1", "tokens": {}, "failures": {"key": 1}}',
    ],
    ids=[
        *("nothing", "bytes", "half", "a list", "deep", "MSAL's", "a later one"),
        *("no tokens", "no number", "too large a number", "not a number", "no failure"),
    ],
)
def test_what_is_none_of_ours_is_set_aside_with_one_warning(storage, foreign, caplog):
    backend = storage.open()
    (storage.directory / "test.json").write_bytes(foreign)
    with caplog.at_level(logging.WARNING, "credconf"):
        assert backend.get("key") == Stored()
        assert backend.get("key") == Stored()
        backend.put("key", entry())
    assert len(caplog.records) == 1
    assert "test.json.broken" in caplog.text
    assert (storage.directory / "test.json.broken").read_bytes() == foreign
    assert backend.get("key").entry.token == "token"


@pytest.mark.parametrize(
    "odd", [{"token": 5}, {"token_type": None}, {"lifetime": "1"}, {"lifetime": 1e300}, {"token": ""}]
)
def test_an_entry_that_makes_no_sense_is_none(storage, odd):
    backend = storage.open()
    backend.put("key", entry())
    document = content(storage)
    document["tokens"]["key"] |= odd
    (storage.directory / "test.json").write_text(json.dumps(document))
    assert backend.get("key") == Stored()


def test_what_has_expired_is_dropped_when_something_is_written(storage):
    backend = storage.open()
    backend.put("short", entry(lifetime=60))
    backend.put_failure("failed", Failure("message", "error"), 30)
    storage.wait(61)
    backend.put("long", entry())
    assert list(content(storage)["tokens"]) == ["long"]
    assert content(storage)["failures"] == {}


def test_the_oldest_tokens_go_beyond_the_limit(storage):
    storage.limit = 3
    backend = storage.open()
    for number in range(5):
        backend.put(str(number), entry())
    backend.put("2", entry("again"))
    assert list(content(storage)["tokens"]) == ["3", "4", "2"]


def test_the_file_does_not_grow_beyond_its_bound(storage):
    backend = storage.open()
    large = "x" * (file.LARGEST // 10)
    for number in range(15):
        backend.put(str(number), entry(large))
    assert (storage.directory / "test.json").stat().st_size <= file.LARGEST
    assert backend.get("14").entry.token == large
    assert backend.get("0") == Stored()


def failure(length=0):
    return Failure("x" * length, "error")


def test_failures_push_no_token_out(storage):
    backend = storage.open()
    for number in range(3):
        backend.put(str(number), entry("x" * 100_000))
    for number in range(30):
        backend.put_failure(str(number), failure(20_000), 30)
    assert list(content(storage)["tokens"]) == ["0", "1", "2"]
    assert list(content(storage)["failures"])[-1] == "29"
    assert (storage.directory / "test.json").stat().st_size <= file.LARGEST


def test_only_the_latest_failures_are_kept(storage):
    backend = storage.open()
    for number in range(file.MOST_FAILURES):
        backend.put_failure(str(number), failure(), 30)
    backend.put_failure("0", failure(), 30)
    backend.put_failure("new", failure(), 30)
    kept = list(content(storage)["failures"])
    assert len(kept) == file.MOST_FAILURES
    assert kept[0] == "2"
    assert kept[-2:] == ["0", "new"]


@pytest.mark.parametrize("hour", [-3600, 3600, -86400 * 365])
def test_setting_the_clock_makes_no_token_younger(storage, hour):
    storage.open().put("key", entry(lifetime=600))
    storage.clock.advance(hour)
    storage.monotonic.advance(300)
    found = storage.open().get("key").entry
    assert found is None or found.age >= 300


def test_a_restart_of_the_machine_is_survived(storage):
    storage.open().put("key", entry(lifetime=600))
    storage.clock.advance(100)
    storage.monotonic.advance(to=5)
    assert storage.open().get("key").entry.age == pytest.approx(100)


def test_after_a_restart_with_the_clock_set_back_nothing_is_believed(storage):
    storage.open().put("key", entry(lifetime=600))
    storage.clock.advance(-3600)
    storage.monotonic.advance(to=5)
    assert storage.open().get("key") == Stored()


def test_a_file_that_can_not_be_written_is_unavailable(storage):
    storage.directory.parent.mkdir()
    storage.directory.write_text("no directory")
    backend = storage.open()
    for operation in (
        lambda: backend.get("key"),
        lambda: backend.put("key", entry(CANARY)),
        lambda: backend.lock("key"),
    ):
        with pytest.raises(Unavailable) as caught:
            operation()
        assert caught.value.__context__ is None
        assert CANARY not in str(caught.value)
    storage.directory.unlink()
    backend.put("key", entry())
    assert backend.get("key").entry.token == "token"


def test_a_writer_that_hangs_delays_others_briefly(storage):
    backend = storage.open()
    backend.put("key", entry())
    stopped = FileLock.take(str(storage.directory / "test.json.lock"))
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="another process"):
        backend.put("key", entry("new"))
    assert time.monotonic() - begun < 10
    assert backend.get("key").entry.token == "token"
    stopped.release()


def test_of_many_threads_only_the_first_waits_for_a_writer_that_hangs(storage):
    backend = storage.open()
    backend.put("key", entry())
    stopped = FileLock.take(str(storage.directory / "test.json.lock"))
    begun, failed = time.monotonic(), []

    def write(number):
        try:
            backend.put(str(number), entry())
        except Unavailable:
            failed.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(failed) == 30
    assert time.monotonic() - begun < 15
    stopped.release()
    backend.put("key", entry("new"))
    assert backend.get("key").entry.token == "new"


def test_each_of_many_threads_has_its_turn(storage, monkeypatch):
    monkeypatch.setattr(filelocks, "WAIT", 0.05)  # each takes longer than it may wait for another process
    backend = storage.open()
    save = backend._persistence().save

    def slow(text):
        time.sleep(0.1)
        save(text)

    monkeypatch.setattr(backend._kept, "save", slow)
    threads = [threading.Thread(target=backend.put, args=(str(number), entry())) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(content(storage)["tokens"]) == 10
