"""Promise (SECURITY.md): during a token request, no frame of an interrupt holds a secret, in any library.

After an interrupt a shared cache is left alone for a while: each call here is the first one of a credential.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

import credconf
from credconf.ground.causes import without_frames
from credconf.references import file
from tests.config.project import CLIENT, TENANT
from tests.contract.faces import OTHER_SCOPE, SCOPE
from tests.entra.scripted import Scripted
from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.renderings import renderings
from tests.secrecy.test_failures import Halt, error_of

ID = {"tenant_id": TENANT, "client_id": CLIENT}
INTERRUPTS = [KeyboardInterrupt, SystemExit, Halt]


@pytest.fixture(params=INTERRUPTS)
def stop(request):
    def raising(*_, **__):
        raise request.param

    raising.kind = request.param
    return raising


@pytest.fixture
def silent_server():
    """It accepts connections, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("what", ["password", "key"])
def test_an_interrupt_of_a_redis_shows_neither_its_password_nor_its_key(silent_server, stop, what, monkeypatch):
    import redis  # an interrupt comes at any moment: here, while redis-py's own frames hold the password

    monkeypatch.setattr(redis.Connection, "read_response", stop)
    password, key = (SECRET_IN_A_URL, "another") if what == "password" else ("another", SECRET)
    cache = {"url": f"redis://user:{password}@127.0.0.1:{silent_server}", "key": key}
    for ask in ("get_token", "verify"):
        credential = credconf.build({**ID, "client_secret": "x", "token_cache": cache}, http_client=Scripted())
        error = error_of(getattr(credential, ask), SCOPE)
        assert isinstance(error, stop.kind)
        CANARY.assert_absent(renderings(error))


SECRET_IN_A_URL = "".join(f"%{byte:02X}" for byte in SECRET.encode())


def test_an_interrupt_while_tokens_are_written_shows_none(tmp_path, stop, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    cache = {"kind": "file", "allow_unencrypted_storage": True}
    client = Scripted({"https": {"access_token": SECRET, "expires_in": 3600, "token_type": "Bearer"}})
    for ask in ("get_token", "verify"):
        credential = credconf.build({**ID, "client_secret": "x", "token_cache": cache}, http_client=client)
        assert credential.get_token(SCOPE).token == SECRET
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", stop)
            error = error_of(getattr(credential, ask), OTHER_SCOPE)
        assert isinstance(error, stop.kind)
        CANARY.assert_absent(renderings(error))


def test_an_interrupt_while_a_secret_is_read_does_not_show_it(tmp_path, stop, monkeypatch):
    (tmp_path / "secret").write_text(SECRET)
    fields = {**ID, "client_secret": {"file": str(tmp_path / "secret")}}
    credential = credconf.build(fields, http_client=Scripted())

    def decode(content):
        return stop() if content else ""

    monkeypatch.setattr(file, "decode", decode)
    error = error_of(credential.get_token, SCOPE)
    assert isinstance(error, stop.kind)
    CANARY.assert_absent(renderings(error))


def test_an_interrupt_has_no_cause_and_no_context_of_ours(stop):
    def work():
        try:
            raise LookupError(SECRET)  # noqa: TRY301 - one is to be in the air
        except LookupError as exc:
            raise stop.kind from exc

    error = error_of(without_frames, work)
    assert isinstance(error, stop.kind)
    assert error.__cause__ is None
    assert error.__context__ is None
    CANARY.assert_absent(renderings(error))


PROGRAM = """
import signal, sys, traceback, credconf
fields = {"tenant_id": "t", "client_id": "c", "client_secret": "x"}
cache = {"url": f"redis://user:{sys.argv[1]}@127.0.0.1:{sys.argv[2]}", "timeout": 20}
del sys.argv[1]
credential = credconf.build({**fields, "token_cache": cache})
del cache
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.5)
try:
    credential.get_token("x/.default")
except KeyboardInterrupt as exc:
    print("".join(traceback.TracebackException.from_exception(exc, capture_locals=True).format()))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the signal is one of Unix")
def test_a_real_interrupt_of_a_redis_that_hangs_shows_nothing(silent_server):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, SECRET_IN_A_URL, str(silent_server)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "KeyboardInterrupt" in done.stdout
    CANARY.assert_absent([("out", done.stdout), ("err", done.stderr)])
    assert SECRET_IN_A_URL[:24] not in done.stdout + done.stderr
