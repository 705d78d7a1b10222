"""Promise (SECURITY.md): a shared cache costs one request to Entra at most, and never gives a bad token.

That goes for the file and its locks, whatever has their names, and for a Redis that answers anything.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest

import credconf
from credconf.problems.failure import Failure
from credconf.stores.file_locks import FileLock
from credconf.stores.store import Entry, Stored, Unavailable, read_failure, written_failure
from tests.contract.faces import SCOPE
from tests.entra.scripted import TOKEN, Scripted
from tests.stores.storages import PlainFile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and owners are those of POSIX")

CANARY = "canary~of-another.file_42"
FIELDS = {
    "tenant_id": "contoso.example",
    "client_id": "11111111-1111-1111-1111-111111111111",
    "client_secret": "made~up.secret",
}


class Cache:
    """The directory of the file, and the processes that use it."""

    def __init__(self, home):
        self.home = home
        self.directory = home / "credconf" / "tokens.tokens"
        self.other = home / "precious"
        self.other.write_text(CANARY)
        self.entra = Scripted()

    def token(self):
        """What a process gets that looks into the cache."""
        cache = {"kind": "file", "name": "tokens", "allow_unencrypted_storage": True}
        with credconf.build({**FIELDS, "token_cache": cache}, http_client=self.entra) as credential:
            return credential.get_token(SCOPE).token


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = Cache(tmp_path)
    assert made.token() == TOKEN["access_token"]
    assert made.token() == TOKEN["access_token"]
    assert len(made.entra.posted) == 1, "the second process finds what the first one has left"
    (made.path,) = made.directory.glob("*.json")
    return made


def a_pipe(cache, path):
    os.mkfifo(path)


def a_device(cache, path):
    path.symlink_to("/dev/zero")


def a_link(cache, path):
    path.symlink_to(cache.other)


def a_broken_link(cache, path):
    path.symlink_to(cache.home / "nowhere")


def a_directory(cache, path):
    path.mkdir()
    (path / "file").write_text(CANARY)


def a_socket(cache, path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def another_name_of_a_file(cache, path):
    os.link(cache.other, path)


def a_huge_file(cache, path):
    with open(path, "wb") as file:
        file.truncate(10 * 1024**3)


def a_file_of_another_user(cache, path):
    path.write_bytes(cache.good)
    os.chown(path, 54321, 54321)


def a_file_that_all_can_write(cache, path):
    path.write_bytes(cache.good)
    path.chmod(0o666)


THINGS = [a_pipe, a_device, a_link, a_broken_link, a_directory, a_socket, another_name_of_a_file, a_huge_file]
OWNED = [
    pytest.param(
        a_file_of_another_user, marks=pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root")
    ),
    a_file_that_all_can_write,
]


def replaced(cache, path, thing):
    cache.good = cache.path.read_bytes()
    path.unlink(missing_ok=True)
    thing(cache, path)


def name_of(thing):
    return getattr(thing, "__name__", None)


@pytest.mark.parametrize("thing", [*THINGS, *OWNED], ids=name_of)
def test_what_has_the_name_of_the_file_is_set_aside_for_one_request(cache, thing, caplog):
    replaced(cache, cache.path, thing)
    with caplog.at_level(logging.WARNING, "credconf"):
        assert [cache.token(), cache.token()] == [TOKEN["access_token"]] * 2
    assert len(cache.entra.posted) == 2, "one for all that follow"
    assert len(caplog.records) == 1
    assert "bug" not in caplog.text
    assert f"{cache.path.name}.broken" in caplog.text
    assert cache.other.read_text() == CANARY
    assert cache.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("thing", THINGS[:-1], ids=name_of)
@pytest.mark.parametrize("name", ["lock", "{}.new"])
def test_what_has_the_name_of_a_part_costs_each_process_a_request_at_most(cache, name, thing, caplog):
    replaced(cache, cache.directory / name.format(cache.path.name), thing)
    cache.path.unlink()
    with caplog.at_level(logging.WARNING, "credconf"):
        assert [cache.token(), cache.token()] == [TOKEN["access_token"]] * 2
    assert len(cache.entra.posted) <= 3
    assert len(caplog.records) <= 2
    assert "bug" not in caplog.text
    assert CANARY not in caplog.text
    assert cache.other.read_text() == CANARY


def a_link_to_a_directory(cache, path):
    others = cache.home / "others"
    others.mkdir(mode=0o755)
    path.symlink_to(others)


@pytest.mark.parametrize("thing", [a_pipe, a_link, a_broken_link, a_link_to_a_directory, a_huge_file], ids=name_of)
def test_what_has_the_name_of_the_directory_costs_each_process_a_request(cache, thing, caplog):
    shutil.rmtree(cache.directory)
    thing(cache, cache.directory)
    with caplog.at_level(logging.WARNING, "credconf"):
        assert [cache.token(), cache.token()] == [TOKEN["access_token"]] * 2
    assert len(cache.entra.posted) == 3
    assert len(caplog.records) == 2
    assert "something else has its name" in caplog.text
    assert cache.other.read_text() == CANARY
    assert not (cache.home / "others").exists() or (cache.home / "others").stat().st_mode & 0o777 == 0o755
    assert not list(cache.home.glob("others/*"))


@pytest.mark.parametrize("thing", [thing for thing in THINGS if thing is not a_huge_file], ids=name_of)
def test_what_has_the_name_of_a_lock_is_not_written_to(tmp_path, thing):
    cache = Cache(tmp_path)
    path = tmp_path / "key.lock"
    thing(cache, path)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(3):
        with pytest.raises(Unavailable, match="something else has its name; remove that") as caught:
            FileLock.take(str(path))
        assert caught.value.__context__ is None
    assert cache.other.read_text() == CANARY
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


def test_neither_can_be_set_aside_where_that_has_a_name_already(cache, caplog):
    a_directory(cache, cache.path.with_name(f"{cache.path.name}.broken"))
    replaced(cache, cache.path, a_directory)
    with caplog.at_level(logging.WARNING, "credconf"):
        assert [cache.token(), cache.token()] == [TOKEN["access_token"]] * 2
    assert len(cache.entra.posted) == 3
    assert "bug" not in caplog.text
    assert "can't be set aside" in caplog.text


def test_a_huge_file_is_not_read(cache):
    replaced(cache, cache.path, a_huge_file)
    program = (
        "import resource, sys; sys.path.insert(0, '.')\n"
        "from tests.secrecy.test_hostile_caches import Cache; from pathlib import Path\n"
        "size = 700 * 1024 * 1024 + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size, -1)); resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "print(Cache(Path(sys.argv[1])).token())"
    )
    run = [sys.executable, "-c", program, str(cache.home)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, TOKEN["access_token"]), done.stderr


# What the file says


def document(cache):
    return json.loads(cache.path.read_text())


DEEP = "[" * 400 + "]" * 400
ENTRIES = {
    "a line break in the token": {"token": "a\r\nX-Evil: 1"},
    "an escape in the token": {"token": "a\x1b[31m"},
    "a NUL in the token": {"token": "a\0b"},
    "a token beyond ASCII": {"token": "töken"},
    "half of a character": {"token": "a\ud800"},
    "a type with a line break": {"token_type": "Bearer\n"},
    "no life": {"lifetime": 0},
    "a negative life": {"lifetime": -1},
    "a life that is no number": {"lifetime": float("nan")},
    "a life without end": {"lifetime": float("inf")},
    "a life of ages": {"lifetime": 1e300},
    "a life of a huge number": {"lifetime": 10**400},
    "a true life": {"lifetime": True},
    "a refresh before it began": {"refresh_in": -1},
    "a refresh that is no number": {"refresh_in": float("nan")},
    "a beginning that is no number": {"at": float("nan")},
    "a beginning without end": {"at": float("inf"), "up": float("inf")},
    "a beginning that is yet to come": {"at": 1e11, "up": 1e11},
    "a beginning at the end of time": {"at": 10**400},
    "something deep": {"more": json.loads(DEEP)},
}


@pytest.mark.parametrize("odd", ENTRIES)
def test_a_token_that_can_not_be_one_is_asked_for_anew(cache, odd, caplog):
    changed = document(cache)
    (entry,) = changed["tokens"].values()
    entry |= ENTRIES[odd]
    cache.path.write_text(json.dumps(changed))
    with caplog.at_level(logging.WARNING, "credconf"):
        assert [cache.token(), cache.token()] == [TOKEN["access_token"]] * 2
    assert len(cache.entra.posted) == 2
    assert "bug" not in caplog.text
    assert json.loads(cache.path.read_text())["tokens"]


FAILURE = Failure("no token", "invalid_request", (7000222,), "id", "id", "now", 429, 30.0)
FAILURES = {
    "an escape": {"message": "a\x1b]0;title\x07"},
    "a line of a log": {"error": "a\r\nb"},
    "a long text": {"message": "a" * 20_001},
    "a pause that is no number": {"retry_after": float("nan")},
    "a pause without end": {"retry_after": float("inf")},
    "a pause of ages": {"retry_after": 1e300},
    "a pause of a huge number": {"retry_after": 10**400},
    "a negative pause": {"retry_after": -30},
    "a negative status": {"status_code": -1},
    "a huge code": {"codes": [10**30]},
    "many codes": {"codes": [1] * 101},
    "a code that is none": {"codes": [[1]]},
}


def test_a_failure_is_read_as_it_was_written():
    several = Failure("no token\nTry again.", "invalid_request", (7000222, 50_000_000))
    for failure in (FAILURE, several):
        assert read_failure(json.loads(json.dumps(written_failure(failure)))) == failure


@pytest.mark.parametrize("odd", FAILURES)
def test_a_failure_that_can_not_be_one_is_none(odd):
    assert read_failure({**written_failure(FAILURE), **FAILURES[odd]}) is None


@pytest.mark.parametrize("odd", [*FAILURES, "something deep"])
def test_nor_does_it_hurt_in_the_file(tmp_path, odd):
    storage = PlainFile(directory=tmp_path / "credconf")
    backend = storage.open()
    backend.put_failure("other", FAILURE, 30)
    changed = json.loads(storage.file("other").read_text())
    changed["failures"]["other"]["failure"] |= FAILURES.get(odd, {"more": json.loads(DEEP)})
    storage.file("other").write_text(json.dumps(changed))
    assert backend.get("other") == Stored()
    backend.put("other", Entry("token", "Bearer", 3600.0, None, 0.0))
    assert backend.get("other").entry.token == "token"


def test_a_token_that_is_larger_than_the_file_may_be_is_not_kept(tmp_path):
    storage = PlainFile(directory=tmp_path / "credconf")
    backend = storage.open()
    backend.put("key", Entry("t" * 900_000, "Bearer", 3600.0, None, 0.0))
    assert storage.file("key").stat().st_size < 1_000
    assert backend.get("key") == Stored()


# What a Redis says


class Answering:
    """A server that answers each request of redis-py in its own way."""

    def __init__(self, answer):
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.sent = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                while received := connection.recv(65_536):
                    if b"CLIENT" in received or b"HELLO" in received:
                        connection.sendall(b"+OK\r\n" * received.count(b"CLIENT"))
                        continue
                    for part in self._answer(received):
                        connection.sendall(part)
                        self.sent += len(part)
            except OSError:
                pass

    def close(self):
        self._server.close()


def _endless(first):
    def answer(_):
        yield first
        for _ in range(2_000):
            yield b"x" * 1_000_000

    return answer


def _always(text):
    return lambda _: [text]


ANSWERS = {
    "a text of ten gigabytes": _endless(b"$10000000000\r\n"),
    "a line without end": _endless(b"+"),
    "an error without end": _endless(b"-"),
    "a list of texts without end": _endless(b"*10000000\r\n$10000000000\r\n"),
    "lists in lists": _always(b"*1\r\n" * 100_000),
    "numbers": _always(b":1\r\n" * 40),
    "a huge number": _always(b":" + b"9" * 100_000 + b"\r\n"),
    "texts": _always(b"$1\r\nx\r\n" * 40),
    "lists": _always(b"*2\r\n:1\r\n:1\r\n" * 40),
    "nothing of the kind": _always(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "an error": _always(b"-ERR canary~of-another.file_42\r\n" * 40),
    "no time": _always(b"*2\r\n$1\r\nx\r\n$1\r\ny\r\n" + b"$-1\r\n" * 40),
    "a time of many digits": _always(b"*2\r\n$4000\r\n" + b"9" * 4_000 + b"\r\n$1\r\n0\r\n" + b"$-1\r\n" * 40),
    "a half": _always(b"*2\r\n$3\r\nab"),
}


SERVERS = {"one": {}, "a cluster": {"cluster": True}, "sentinels": {"sentinel": "mymaster"}}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("servers", SERVERS)
def test_a_redis_that_answers_anything_costs_a_request_and_no_memory(servers, case, caplog):
    server, entra = Answering(ANSWERS[case]), Scripted()
    cache = {"url": f"redis://127.0.0.1:{server.port}", "timeout": 0.5, **SERVERS[servers]}
    fields = {**FIELDS, "token_cache": cache}
    with caplog.at_level(logging.WARNING, "credconf"), credconf.build(fields, http_client=entra) as credential:
        assert credential.get_token(SCOPE).token == TOKEN["access_token"]
    server.close()
    assert len(entra.posted) == 1
    assert len(caplog.records) <= 1
    assert "bug" not in caplog.text
    assert CANARY not in caplog.text
    assert server.sent < 100_000_000, "it is cut off: what the system has on its way may be more than is read"
