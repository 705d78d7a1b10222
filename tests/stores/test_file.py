"""The files of tokens, beyond what every store does."""

from __future__ import annotations

import itertools
import json
import logging
import os
import stat
import threading
import time
from collections import Counter

import pytest

from credconf.stores import file_locks as filelocks
from credconf.stores import file_store as file
from credconf.stores.encrypted_storage import Persistence
from credconf.stores.file_locks import FileLock
from credconf.stores.store import Entry, Stored, Unavailable, key_of
from tests.stores.storages import PlainFile

CANARY = "canary~of-a.token_42"


@pytest.fixture
def storage(tmp_path):
    return PlainFile(directory=tmp_path / "below" / "credconf")


def entry(token="token", lifetime=3600.0):
    return Entry(token, "Bearer", lifetime, None, 0.0)


def kept(storage):
    """The keys of all tokens."""
    files = storage.tokens.glob("*.json")
    return sorted(key for path in files for key in json.loads(path.read_text())["tokens"])


def neighbours(storage, number):
    """Keys that belong to one file."""
    store = storage.open()
    first = store._part("0").path
    keys = (str(each) for each in itertools.count())
    return list(itertools.islice((key for key in keys if store._part(key).path == first), number))


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_file_and_directory_are_their_owners_alone(storage):
    old = os.umask(0)
    try:
        storage.open().put("key", entry())
        held = storage.open().lock("key")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in storage.tokens.iterdir()}
    finally:
        os.umask(old)
    held.release()
    for directory in (storage.directory, storage.tokens):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_directory_that_others_could_enter_is_closed_to_them(storage):
    storage.tokens.mkdir(parents=True)
    storage.tokens.chmod(0o755)
    storage.open().put("key", entry())
    assert stat.S_IMODE(storage.tokens.stat().st_mode) == 0o700


def test_the_file_of_a_lock_is_there_only_while_it_is_held(storage):
    backend = storage.open()
    lock = backend.lock("key")
    assert len(list(storage.tokens.iterdir())) == 1
    lock.release()
    assert list(storage.tokens.iterdir()) == []


def test_one_takes_the_place_of_a_holder_that_hangs(storage):
    hung = storage.open().lock("key")
    (path,) = storage.tokens.iterdir()
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
    path = storage.file("key")
    path.write_bytes(foreign)
    with caplog.at_level(logging.WARNING, "credconf"):
        assert backend.get("key") == Stored()
        assert backend.get("key") == Stored()
        backend.put("key", entry())
    assert len(caplog.records) == 1
    assert f"{path.name}.broken" in caplog.text
    assert path.with_name(f"{path.name}.broken").read_bytes() == foreign
    assert backend.get("key").entry.token == "token"


@pytest.mark.parametrize(
    "odd", [{"token": 5}, {"token_type": None}, {"lifetime": "1"}, {"lifetime": 1e300}, {"token": ""}]
)
def test_an_entry_that_makes_no_sense_is_none(storage, odd):
    backend = storage.open()
    backend.put("key", entry())
    document = json.loads(storage.file("key").read_text())
    document["tokens"]["key"] |= odd
    storage.file("key").write_text(json.dumps(document))
    assert backend.get("key") == Stored()


def test_a_file_does_not_grow_beyond_its_bound(storage):
    backend = storage.open()
    large = "x" * (file.LARGEST_FILE // 4)
    keys = neighbours(storage, 6)
    for key in keys:
        backend.put(key, entry(large))
    (path,) = storage.tokens.glob("*.json")
    assert path.stat().st_size <= file.LARGEST_FILE
    assert backend.get(keys[-1]).entry.token == large
    assert backend.get(keys[0]) == Stored()


def test_thousands_of_tokens_find_room_and_each_is_written_alone(storage):
    """What a token costs does not depend on how many others there are."""
    backend = storage.open()
    token = "x" * 1_900
    for number in range(3_000):
        backend.put(str(number), entry(token))
    largest = max(path.stat().st_size for path in storage.tokens.glob("*.json"))
    assert largest < 15 * len(token)
    another = storage.open()
    assert all(another.get(str(number)).entry for number in range(3_000))


def test_ten_thousand_tokens_fit_however_they_spread():
    """A file that is full loses its oldest tokens: the fullest one must have room for all of its own."""
    keys = [
        key_of("https://login.microsoftonline.com", str(number), "client", ("a",), cae=False)
        for number in range(10_000)
    ]
    fullest = max(Counter(file.number_of(key) for key in keys).values())
    assert fullest * 2_300 < file.LARGEST_FILE


def test_files_that_are_not_written_any_more_are_removed(storage):
    backend = storage.open()
    backend.put("old", entry())
    backend.put("new", entry())
    age(storage.file("old"), file.UNUSED + 60)
    age(storage.file("new"), file.UNUSED - 60)
    storage.open().put("another", entry())
    assert kept(storage) == ["another", "new"]


def test_a_process_looks_for_unused_files_again_after_an_hour(storage):
    backend = storage.open()
    backend.put("old", entry())
    age(storage.file("old"), file.UNUSED + 60)
    backend.put("new", entry())
    assert kept(storage) == ["new", "old"]
    storage.wait(3601)
    backend.put("another", entry())
    assert "old" not in kept(storage)


def test_what_killed_processes_have_left_is_removed(storage):
    storage.open().put("key", entry())
    left = [storage.tokens / f"{'0' * 32}.lock", storage.tokens / "3ff.json.new"]
    for path in left:
        path.touch()
        age(path, filelocks.LEASE + 60)
    held = storage.open().lock("other")
    others = {path.name for path in storage.tokens.iterdir()} - {path.name for path in left}
    storage.open().put("key", entry())
    assert {path.name for path in storage.tokens.iterdir()} == others
    held.release()


def test_what_is_none_of_credconfs_is_left_alone(storage):
    storage.open().put("key", entry())
    theirs = [storage.tokens / name for name in ("notes.txt", "3ff.json.broken", "abcd.json", "key.lock", "fff.new")]
    theirs.append(storage.directory / "another.json")
    for path in theirs:
        path.touch()
        age(path, file.UNUSED * 10)
    storage.open().put("key", entry())
    assert all(path.exists() for path in theirs)


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
    stopped = FileLock.take(str(storage.tokens / "lock"))
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="another process"):
        backend.put("key", entry("new"))
    assert time.monotonic() - begun < 10
    assert backend.get("key").entry.token == "token"
    stopped.release()


def test_of_many_threads_only_the_first_waits_for_a_writer_that_hangs(storage):
    backend = storage.open()
    backend.put("key", entry())
    stopped = FileLock.take(str(storage.tokens / "lock"))
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
    save = Persistence.save

    def slow(part, text):
        time.sleep(0.1)
        save(part, text)

    monkeypatch.setattr(Persistence, "save", slow)
    threads = [threading.Thread(target=backend.put, args=(str(number), entry())) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(kept(storage)) == 10
