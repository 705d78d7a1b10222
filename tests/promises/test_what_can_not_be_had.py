"""Promise: without threads or descriptors there is one clear failure, and the next call succeeds once there are some.

Each case runs in a process of its own, which takes them away by the limits of the system (`exhausted`).
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading

import pytest

from credconf.ground.causes import shortage
from credconf.ground.workers import Workers
from credconf.problems.failure import resource_failure
from credconf.testing import make_certificate

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="it counts descriptors in /proc")
FACES = pytest.mark.parametrize("face", ["sync", "async"])
DESCRIPTORS = "this process can open no more files"
THREADS = "no more threads or processes can be started"


def exhausted(case, face, fields):
    """What each step came to, in a process that leaves nothing open, and shows no secret."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.promises.exhausted", case, face],
        input=json.dumps(fields),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found = json.loads(done.stdout)
    assert found.pop("more") == 0, "a descriptor is left open"
    return found


def failed(step, lacking, *, kind="AuthenticationError"):
    """That a step failed as it should: with one of our errors that names what is lacking, and what to do."""
    error = json.loads(step)
    assert error["kinds"][0] == kind
    assert lacking in error["text"]
    assert "aise its limit" in error["text"] or "aise their limit" in error["text"]
    assert "bug" not in error["text"]
    assert "During handling" not in error["all"] + error["text"]


@pytest.fixture
def fields(fake_entra):
    return fake_entra.config(http={"retries": 0})


@pytest.fixture(params=["literal", "file", "certificate"])
def each(request, fake_entra, fields, tmp_path):
    """A configuration of each kind."""
    if request.param == "literal":
        return fields
    if request.param == "file":
        (tmp_path / "secret").write_text(fake_entra.client_secret)
        return {**fields, "client_secret": {"file": str(tmp_path / "secret")}}
    certificate = make_certificate(tmp_path / "app.pem")
    registration = fake_entra.register(certificates=[certificate.pem])
    fields = fake_entra.config(http={"retries": 0}, client_secret=None, client_id=registration.client_id)
    return {**fields, "client_certificate": {"file": str(tmp_path / "app.pem")}}


@pytest.fixture(params=["file", "redis"])
def cached(request, fields, tmp_path, monkeypatch):
    """A configuration with a shared cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if request.param == "file":
        return {**fields, "token_cache": {"kind": "file", "allow_unencrypted_storage": True}}
    return {**fields, "token_cache": {"url": request.getfixturevalue("redis_url"), "timeout": 5}}


@FACES
@pytest.mark.parametrize("case", ["first", "verify"])
def test_the_first_request_fails_with_its_reason_and_the_second_succeeds(case, face, each, fake_entra):
    found = exhausted(f"{case} without descriptors", face, each)
    failed(found["during"], DESCRIPTORS)
    assert fake_entra.client_secret not in json.dumps(found)
    assert found["after"] == "ok"
    assert fake_entra.count() == 1


@FACES
def test_so_does_a_later_one(face, each, fake_entra):
    found = exhausted("later without descriptors", face, each)
    assert found["before"] == found["after"] == "ok"
    is_file = isinstance(each.get("client_secret"), dict)
    failed(found["during"], DESCRIPTORS, kind="CredentialUnavailableError" if is_file else "AuthenticationError")
    assert fake_entra.client_secret not in json.dumps(found)
    assert fake_entra.count() == 2


@FACES
@pytest.mark.parametrize("case", ["first", "later"])
def test_a_name_that_can_not_be_looked_up_for_want_of_a_descriptor_is_none_that_is_wrong(
    case, face, fields, fake_entra
):
    authority = fields["authority"].replace("127.0.0.1", "localhost")
    found = exhausted(f"{case} without descriptors", face, {**fields, "authority": authority})
    failed(found["during"], DESCRIPTORS)
    assert found["after"] == "ok"


@FACES
@pytest.mark.parametrize("case", ["first", "verify"])
def test_without_a_thread_a_coroutine_fails_with_that_reason(case, face, fields, fake_entra):
    found = exhausted(f"{case} without threads", face, fields)
    if face == "async":
        failed(found["during"], THREADS)
    else:
        assert found["during"] == "ok", "a thread that waits for itself needs no other"
    assert found["after"] == "ok"


@FACES
@pytest.mark.parametrize("lacking", ["descriptors", "threads"])
def test_what_can_not_be_fetched_in_advance_is_a_warning(lacking, face, fields):
    found = exhausted(f"prefetch without {lacking}", face, fields)
    assert found["during"] == found["after"] == "ok"
    (line,) = [line for line in found["log"].splitlines() if line.startswith("credconf WARNING")]
    assert "the first caller tries again" in line
    assert (DESCRIPTORS if lacking == "descriptors" else THREADS) in line


@FACES
@pytest.mark.parametrize("lacking", ["descriptors", "threads"])
def test_a_token_that_can_not_be_refreshed_serves_on_and_is_refreshed_later(lacking, face, fields):
    found = exhausted(f"refresh without {lacking}", face, fields)
    assert found["during"] == found["again"] == found["after"] == "ok"
    assert "credconf WARNING" in found["log"]


@FACES
@pytest.mark.parametrize("lacking", ["descriptors", "threads"])
def test_a_credential_can_be_closed(lacking, face, fields):
    found = exhausted(f"close without {lacking}", face, fields)
    assert found["before"] == found["during"] == "ok"


@FACES
@pytest.mark.parametrize("case", ["first", "later", "verify", "close"])
@pytest.mark.parametrize("lacking", ["descriptors", "threads"])
def test_a_shared_cache_adds_no_failure_of_its_own(case, lacking, face, cached, fake_entra):
    found = exhausted(f"{case} without {lacking}", face, cached)
    if case != "close" and (lacking == "descriptors" or (face == "async" and case != "later")):
        failed(found["during"], DESCRIPTORS if lacking == "descriptors" else THREADS)
    else:
        assert found["during"] == "ok"
    assert found.get("after", "ok") == "ok"
    assert "bug" not in found["log"]
    assert fake_entra.client_secret not in json.dumps(found)


@FACES
def test_a_token_of_a_shared_cache_that_can_not_be_handed_out_is_the_same_failure(face, cached, fake_entra):
    assert exhausted("close without descriptors", "sync", cached)["before"] == "ok"
    found = exhausted("first without descriptors", face, cached)
    failed(found["during"], DESCRIPTORS)
    assert found["after"] == "ok"


@FACES
def test_where_not_even_the_errors_can_be_imported_the_error_of_the_system_says_so(face, fields):
    found = exhausted("unimportable without descriptors", face, fields)
    failed(found["during"], DESCRIPTORS, kind="OSError")
    assert found["after"] == "ok"


@pytest.mark.parametrize(
    ("lacking", "face"), [("descriptors", "sync"), ("descriptors", "async"), ("processes", "sync")]
)
def test_a_program_that_can_not_be_started_says_what_is_lacking(lacking, face, fields, fake_entra):
    other, argv = dict(fields), ["/bin/echo", fake_entra.client_secret]
    found = exhausted(
        f"command without {lacking}", face, {**fields, "client_secret": {"command": argv}, "other": other}
    )
    lack = DESCRIPTORS if lacking == "descriptors" else THREADS
    failed(found["during"], f"the command echo could not be started: {lack}", kind="CredentialUnavailableError")
    assert "install it" not in found["during"]
    assert found["after"] == "ok"


@pytest.mark.parametrize("each", ["certificate"], indirect=True)  # it imports most
def test_what_was_imported_by_half_can_be_imported_again(each):
    found = exhausted("half imported without descriptors", "sync", each)
    found.pop("log")
    assert len(found) > 5
    assert {name: steps["after"] for name, steps in found.items() if steps["after"] != "ok"} == {}
    lacked = [steps["during"] for steps in found.values() if steps["during"] != "ok"]
    assert len(lacked) > 5
    for step in lacked:
        failed(step, DESCRIPTORS)


# The parts


@pytest.mark.parametrize(
    ("exc", "lacking"),
    [
        (OSError(errno.EMFILE, "x"), DESCRIPTORS),
        (OSError(errno.ENFILE, "x"), "this machine can open no more files"),
        (BlockingIOError(errno.EAGAIN, "x"), THREADS),
        (OSError(errno.ENOMEM, "x"), "no memory is left"),
        (MemoryError(), "no memory is left"),
        (RuntimeError("can't start new thread"), THREADS),
        (ImportError(f"libx.so: cannot open shared object file: {os.strerror(errno.EMFILE)}"), DESCRIPTORS),
        (OSError(errno.ENOENT, "x"), None),
        (OSError("x"), None),
        (RuntimeError("x"), None),
        (ImportError("No module named x"), None),
        (ValueError("can't start new thread"), None),
    ],
)
def test_what_is_lacking_is_told_from_other_reasons(exc, lacking):
    lack, failure = shortage(exc), resource_failure(exc)
    if lacking is None:
        assert lack is failure is None
    else:
        assert lack.what == lacking
        assert failure.error == "resources"
        assert failure.message == f"there is no token: {lacking}\n{lack.advice}"
        assert not failure.unavailable


def test_a_thread_that_meets_an_error_takes_the_tasks_that_wait(monkeypatch):
    """To end it would leave them without one, where no other can be started."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # pytest would report what is raised on purpose
    workers, begun, done = Workers(1, "only", idle=0.05), threading.Event(), threading.Event()

    def fail():
        begun.wait(20)
        raise KeyboardInterrupt

    workers.submit(fail)
    workers.submit(done.set)
    monkeypatch.setattr(threading.Thread, "start", unstartable)
    begun.set()
    assert done.wait(20)


def unstartable(_):
    raise RuntimeError("can't start new thread")
