"""Tokens in a file: one request for all processes, and no disadvantage if the file fails."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import credconf
from credconf.ground.log import Log
from credconf.stores.encrypted_storage import plain
from credconf.stores.file_store import FileStore
from credconf.stores.store import Entry
from credconf.testing import FakeEntra
from tests.contract.faces import ASYNC, SCOPE, SYNC, Clock, engine_of, wait_until

PLAIN = {"kind": "file", "name": "shared", "allow_unencrypted_storage": True}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.fixture
def entra():
    with FakeEntra() as fake:
        yield fake


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def face(request):
    return request.param


PROGRAM = """
import json, sys
import credconf
with credconf.build(json.loads(sys.argv[1])) as credential:
    print(json.dumps([credential.get_token(sys.argv[2]), sorted({"msal", "requests", "urllib3"} & sys.modules.keys())]))
"""


def started(fields):
    arguments = [sys.executable, "-c", PROGRAM, json.dumps(fields), SCOPE]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def said(process):
    with process:
        return json.loads(process.communicate(timeout=120)[0])


def test_processes_that_start_together_ask_once(entra):
    fields = entra.config(token_cache=PLAIN)
    outcomes = [said(process) for process in [started(fields) for _ in range(6)]]
    assert len({token for (token, *_), _ in outcomes}) == 1
    assert entra.count() == 1


@pytest.mark.parametrize("held", [0.2, 1.0])
def test_when_the_process_that_asks_is_killed_another_takes_its_place(entra, home, held):
    entra.is_slow(60, times=1)
    fields = entra.config(token_cache=PLAIN)
    holder = started(fields)
    wait_until(lambda: entra.count() == 1, 60)
    others = [started(fields) for _ in range(5)]
    time.sleep(held)  # they look less and less often
    with holder:
        holder.kill()
    for lock in (home / "credconf").glob("shared.tokens/*.lock"):
        os.utime(lock, (2e9, 2e9))  # it does not look left: it is free because its holder is gone
    outcomes = [said(process) for process in others]
    assert len({token for (token, *_), _ in outcomes}) == 1
    assert entra.count() == 2
    assert not list((home / "credconf").glob("shared.tokens/*.lock"))


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no process")
def test_when_the_process_that_asks_hangs_another_takes_its_place(entra, home):
    entra.is_slow(60, times=1)
    fields = entra.config(token_cache=PLAIN)
    with started(fields) as holder:
        try:
            wait_until(lambda: entra.count() == 1, 60)
            holder.send_signal(signal.SIGSTOP)
            (lock,) = (home / "credconf").glob("shared.tokens/*.lock")
            os.utime(lock, (1, 1))  # some seconds later
            outcomes = [said(process) for process in [started(fields) for _ in range(3)]]
        finally:
            holder.kill()
    assert len({token for (token, *_), _ in outcomes}) == 1
    assert entra.count() == 2


def test_a_process_that_finds_its_token_imports_neither_msal_nor_requests(entra):
    fields = entra.config(token_cache=PLAIN)
    (first, *_), imported = said(started(fields))
    assert imported == ["msal", "requests", "urllib3"]
    (second, *_), imported = said(started(fields))
    assert second == first
    assert imported == []
    assert entra.count() == 1


def test_a_credential_finds_what_another_one_has_got(face, entra):
    fields = entra.config(token_cache=PLAIN)
    first = SYNC.build(fields).get_token_info(SCOPE)
    found = face.build(fields).get_token_info(SCOPE)
    assert (found.token, found.token_type, found.refresh_on) == (first.token, first.token_type, first.refresh_on)
    assert abs(found.expires_on - first.expires_on) <= 1
    assert entra.count() == 1


def test_a_hit_does_not_look_into_the_file(face, entra, home):
    credential = face.build(entra.config(token_cache=PLAIN))
    token = credential.get_token(SCOPE)
    for path in (home / "credconf" / "shared.tokens").iterdir():
        path.unlink()
    assert credential.get_token(SCOPE) == token
    assert entra.count() == 1


def test_a_token_that_is_due_is_refreshed_once_for_all(entra):
    clock, monotonic = Clock(), Clock(1_000.0)
    entra.tokens(expires_in=3600)
    engines = [engine_of(entra.config(token_cache=PLAIN), clock=clock, monotonic=monotonic) for _ in range(4)]
    faces = [SYNC.on(engine) for engine in engines]
    old = {each.get_token(SCOPE).token for each in faces}
    clock.advance(3400)
    monotonic.advance(3400)
    assert {each.get_token(SCOPE).token for each in faces} == old

    def all_new():
        wait_until(lambda: not any(len(engine._refreshes) for engine in engines))  # no request takes half a minute
        clock.advance(31)  # who found the lock taken looks again after half a minute
        monotonic.advance(31)
        return not {each.get_token(SCOPE).token for each in faces} & old

    wait_until(all_new)
    assert len({each.get_token(SCOPE).token for each in faces}) == 1
    assert entra.count() == 2


def test_tenants_scopes_and_cae_have_tokens_of_their_own(face, entra):
    entra.allow_any_tenant()
    fields = entra.config(token_cache=PLAIN, additionally_allowed_tenants=["*"])
    asked = [(SCOPE, {}), ("https://b/.default", {}), (SCOPE, {"tenant_id": "other"}), (SCOPE, {"enable_cae": True})]
    first = [face.build(fields).get_token(scope, **options).token for scope, options in asked]
    assert len(set(first)) == 4
    assert [face.build(fields).get_token(scope, **options).token for scope, options in asked] == first
    assert entra.count() == 4


def test_verify_asks_entra_whatever_is_there(face, entra):
    fields = entra.config(token_cache=PLAIN)
    face.build(fields).get_token(SCOPE)
    renewed = face.build(fields).verify(SCOPE)
    assert entra.count() == 2
    assert face.build(fields).get_token(SCOPE).token == renewed.token


def test_where_the_file_can_not_be_tokens_are_kept_in_memory(face, entra, home, caplog):
    home.write_text("no directory")
    with caplog.at_level(logging.WARNING, "credconf"):
        credential = face.build(entra.config(token_cache=PLAIN))
        token = credential.get_token(SCOPE)
        assert credential.get_token(SCOPE) == token
        wait_until(lambda: caplog.records)  # the lines of a request are written when its callers have the token
    assert entra.count() == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert token.token not in caplog.text


def test_a_corrupt_file_costs_no_token(face, entra, home, caplog):
    face.build(entra.config(token_cache=PLAIN)).get_token(SCOPE)
    (path,) = (home / "credconf" / "shared.tokens").glob("*.json")
    path.write_bytes(os.urandom(300))
    with caplog.at_level(logging.WARNING, "credconf"):
        token = face.build(entra.config(token_cache=PLAIN)).get_token(SCOPE).token
        assert face.build(entra.config(token_cache=PLAIN)).get_token(SCOPE).token == token
        wait_until(lambda: caplog.records)
    assert entra.count() == 2
    assert f"{path.name}.broken" in caplog.text


WRITER = """
import sys, time
from credconf.ground.log import Log
from credconf.stores.encrypted_storage import plain
from credconf.stores.file_store import FileStore
from credconf.stores.store import Entry
store = FileStore(sys.argv[1], "killed", plain, clock=time.time, monotonic=time.monotonic, log=Log("client"))
for number in range(int(sys.argv[2]), 1_000_000):
    store.put(str(number), Entry("x" * 2_000, "Bearer", 3600.0, None, 0.0))
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_at_any_moment_leaves_all_that_it_has_written(home, caplog):
    last = 0
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", WRITER, home, str(last)], stdout=subprocess.PIPE) as writer:
            for _ in range(40):
                last = int(writer.stdout.readline())
            writer.kill()
            last = max([last, *map(int, writer.stdout.read().split(b"\n")[:-1])])
    clocks = {"clock": time.time, "monotonic": time.monotonic}
    store = FileStore(str(home), "killed", plain, **clocks, log=Log("client"))
    store.put("another", Entry("token", "Bearer", 3600.0, None, 0.0))
    assert all(store.get(str(number)).entry for number in range(last + 1))
    assert not list(home.rglob("*.broken"))
    assert not caplog.records


def _encrypts():
    if sys.platform != "linux":
        return True
    try:
        import gi  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.skipif(_encrypts(), reason="this machine has something to encrypt with")
def test_without_encryption_and_permission_there_is_an_error_and_no_file(face, entra, home):
    for build in (
        lambda: face.build(entra.config(token_cache={"kind": "file"})),
        lambda: face.from_config(**entra.config(token_cache={"kind": "file"})),
        lambda: twin(face, entra, plainly=False),
    ):
        with pytest.raises(credconf.ConfigError) as caught:
            build()
        assert [problem.code for problem in caught.value.problems] == ["no-encryption"]
        assert entra.client_secret not in str(caught.value)
    assert not list(home.rglob("*.json"))


def twin(face, entra, *, plainly, name="msal.cache"):
    return face.make(
        "ClientSecretCredential",
        entra.tenant_id,
        entra.client_id,
        entra.client_secret,
        authority=entra.authority,
        disable_instance_discovery=True,
        connection_verify=entra.ca_bundle,
        cache_persistence_options=SimpleNamespace(name=name, allow_unencrypted_storage=plainly),
    )


def test_the_constructors_take_azure_identitys_options(face, entra, home):
    first = twin(face, entra, plainly=True).get_token(SCOPE).token
    assert twin(face, entra, plainly=True).get_token(SCOPE).token == first
    assert twin(face, entra, plainly=True, name="other").get_token(SCOPE).token != first
    assert entra.count() == 2
    assert {path.name for path in (home / "credconf").iterdir()} == {"msal.cache.tokens", "other.tokens"}


def test_azure_identitys_own_class_has_what_is_asked_for(entra):
    from azure.identity import TokenCachePersistenceOptions

    options = TokenCachePersistenceOptions(allow_unencrypted_storage=True)
    assert (options.name, options.allow_unencrypted_storage) == ("msal.cache", True)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "a" * 200])
def test_a_name_that_would_be_another_path_is_refused(face, entra, name, home):
    with pytest.raises(credconf.ConfigError):
        twin(face, entra, plainly=True, name=name)
    assert not home.exists()


def test_what_is_no_option_of_azure_identitys_is_a_type_error(face, entra):
    with pytest.raises(TypeError, match="cache_persistence_options"):
        face.make("ClientSecretCredential", "tenant", "client", "secret", cache_persistence_options=True)
