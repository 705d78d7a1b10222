"""Where the text of the file is: in something that encrypts, or plainly where that is allowed."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from credconf.stores.encrypted_storage import NoEncryption, Persistence, encrypted, plain
from credconf.stores.private_file import private_directory
from credconf.stores.store import Unavailable

CANARY = "canary~of-a.token_42"


class NotFound(OSError):
    pass


class DecryptionError(Exception):
    pass


class Keyring:
    """What msal-extensions makes of a keyring."""

    is_encrypted = True

    def __init__(self, fault=None):
        self.fault = fault
        self.text = None

    def load(self):
        self._fail()
        if self.text is None:
            raise NotFound
        return self.text

    def save(self, text):
        self._fail()
        self.text = text

    def _fail(self):
        if isinstance(self.fault, threading.Event):
            self.fault.wait(10)
        elif self.fault is not None:
            raise self.fault


def keyring(fault=None):
    return Persistence("path", Keyring(fault), NotFound, in_file=False)


def test_a_keyring_holds_the_text():
    kept = keyring()
    assert kept.load() is None
    kept.save("text")
    assert kept.load() == "text"


def test_what_can_not_be_understood_in_a_keyring_is_replaced():
    kept = keyring()
    kept.save("foreign")
    assert kept.set_aside("empty") is None
    assert kept.load() == "empty"


@pytest.mark.parametrize("fault", [OSError(5, f"said {CANARY}"), RuntimeError(CANARY)], ids=["system", "other"])
def test_a_keyring_that_fails_is_unavailable_and_its_error_shows_no_text(fault):
    kept = keyring(fault)
    for operation in (kept.load, lambda: kept.save(CANARY)):
        with pytest.raises(Unavailable) as caught:
            operation()
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        if isinstance(fault, RuntimeError):
            assert CANARY not in str(caught.value)
            assert "RuntimeError" in str(caught.value)


@pytest.mark.parametrize("fault", [UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), DecryptionError(CANARY)])
def test_what_another_machine_has_encrypted_is_no_text_of_ours(fault):
    with pytest.raises(ValueError) as caught:
        keyring(fault).load()
    assert CANARY not in str(caught.value)


def test_a_keyring_that_waits_for_a_person_delays_no_caller():
    hung = threading.Event()
    kept = keyring(hung)
    with pytest.raises(Unavailable, match="does not answer"):
        kept.load()
    hung.set()
    assert kept.load() is None


def test_a_keyring_is_left_alone_in_the_child_of_a_fork():
    kept = keyring()
    kept.after_fork()
    with pytest.raises(Unavailable, match="fork"):
        kept.load()


def test_a_plain_file_is_used_in_the_child_of_a_fork(tmp_path):
    kept = plain(str(tmp_path / "file"))
    kept.save("text")
    kept.after_fork()
    assert kept.load() == "text"
    assert not kept.encrypted


def test_what_a_killed_writer_left_behind_is_no_obstacle(tmp_path):
    path = tmp_path / "file"
    (tmp_path / "file.new").write_text("half of a te")
    (tmp_path / "file.new").chmod(0o644)
    kept = plain(str(path))
    kept.save("text")
    assert kept.load() == "text"
    assert sorted(tmp_path.iterdir()) == [path]
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_another_process_reads_is_replaced_a_moment_later(tmp_path, monkeypatch):
    """Windows refuses to replace a file that is open."""
    replace, refusals = os.replace, iter(range(3))

    def refuse(*paths):
        if next(refusals, None) is not None:
            raise PermissionError(13, "it is open")
        replace(*paths)

    monkeypatch.setattr(os, "replace", refuse)
    kept = plain(str(tmp_path / "file"))
    kept.save("text")
    assert kept.load() == "text"


def test_a_file_that_can_not_be_replaced_is_unavailable_and_stays(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "it is open")

    kept = plain(str(tmp_path / "file"))
    kept.save("text")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(Unavailable, match="can't be written: it is open"):
        kept.save(CANARY)
    assert kept.load() == "text"


def test_parts_are_files_of_their_own(tmp_path):
    whole = plain(str(tmp_path / "whole"))
    one, other = whole.part("one"), whole.part("other")
    one.save("first")
    other.save("second")
    assert (one.load(), other.load(), whole.load()) == ("first", "second", None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_a_keyring_has_one_item_for_all_parts():
    whole = keyring()
    whole.part("one").save("text")
    assert whole.part("other").load() == whole.load() == "text"


def test_a_machine_without_encryption_is_reported(tmp_path):
    if sys.platform != "linux":
        pytest.skip("other systems encrypt by themselves")
    try:
        import gi  # noqa: F401
    except ImportError:
        with pytest.raises(NoEncryption, match="PyGObject"):
            encrypted(str(tmp_path / "file"), "name")
        assert list(tmp_path.iterdir()) == []
    else:
        pytest.skip("PyGObject is installed")


@pytest.mark.skipif(sys.platform == "win32", reason="owners are POSIX's")
def test_a_directory_of_another_user_is_not_used(tmp_path, monkeypatch):
    theirs = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: theirs)
    with pytest.raises(Unavailable, match="another user"):
        private_directory(str(tmp_path))
