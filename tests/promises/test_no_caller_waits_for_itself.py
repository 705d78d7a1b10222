"""Code that runs in the middle of ours, and needs a token: signal handlers, handlers of the log, and what forks."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from urllib.parse import urlsplit

import pytest

import credconf
import credconf.sharing
from credconf.entra import connections
from credconf.stores.file_locks import Turns
from credconf.stores.store import Busy
from credconf.testing import FakeEntra
from tests.contract.faces import OTHER_SCOPE, SCOPE, SYNC, engine_of
from tests.promises.answering import Threads

# Each is held for a moment by a thread that gets a token. A signal handler may run on that thread just then.
LOCKS = {
    "engine": lambda engine: engine._lock,
    "cache": lambda engine: engine.cache._lock,
    "refreshes": lambda engine: engine._refreshes._lock,
    "workers": lambda engine: engine._requests.workers._lock,
    "clients": lambda engine: engine._requester._clients._lock,
    "pauses": lambda engine: engine._requester.pauses._lock,
    "history": lambda engine: engine._requester._history._lock,
    "shared engines": lambda _: credconf.sharing._lock,
    "circuit breaker": lambda engine: engine._coordinator._breaker._lock,
}


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_a_signal_handler_of_a_thread_that_holds_a_lock_gets_its_token(fake_entra, tmp_path, monkeypatch, lock):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = {"kind": "file", "allow_unencrypted_storage": True}
    engine = engine_of({**fake_entra.config(), "token_cache": cache})
    credential = SYNC.on(engine).credential

    def interrupted():
        with lock(engine):
            return credential.get_token(SCOPE).token

    assert Threads(interrupted).joined() == [credential.get_token(SCOPE).token]
    credential.close()


def test_a_signal_handler_of_a_thread_that_writes_a_file_does_without_it(tmp_path):
    turns = Turns(str(tmp_path / "lock"))
    with turns.mine(), pytest.raises(Busy), turns.mine():
        pass
    with turns.mine():  # and the next turn is taken as usual
        pass


def test_a_handler_of_the_log_may_make_its_credential_at_the_first_line(fake_entra, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(fake_entra.client_secret)
    secret.chmod(0o644)  # which is logged as a warning
    fields = fake_entra.config(client_secret={"file": str(secret)})
    made = []

    class Handler(logging.Handler):
        def emit(self, record):
            if not made:
                made.append(None)
                made.append(credconf.from_config(False, env_file=False, **fields))

    handler, logger = Handler(), logging.getLogger("credconf")
    logger.addHandler(handler)
    try:
        [credential] = Threads(lambda: credconf.from_config(False, env_file=False, **fields)).joined()
    finally:
        logger.removeHandler(handler)
    assert made[1].get_token(SCOPE).token == credential.get_token(SCOPE).token
    made[1].close()
    assert credential.get_token(OTHER_SCOPE).token
    credential.close()


def test_a_credential_that_is_closed_meanwhile_is_not_handed_out(fake_entra):
    # The last credential has released the engine, and the engine is not yet forgotten.
    fields = fake_entra.config()
    first = credconf.from_config(False, env_file=False, **fields)
    engine = first._engine
    with credconf.sharing._lock:
        closing = threading.Thread(target=first.close)
        closing.start()
        while not engine._released:
            pass
        second = credconf.from_config(False, env_file=False, **fields)
    closing.join()
    assert second.get_token(SCOPE).token
    assert credconf.from_config(False, env_file=False, **fields)._engine is second._engine


def test_a_refused_child_of_a_fork_does_not_wait_for_a_thread_of_its_parent(fake_entra):
    engine = engine_of(fake_entra.config(client_secret="wrong"))
    held, go_on = threading.Event(), threading.Event()

    def hold():
        with engine._requester.pauses._lock:
            held.set()
            go_on.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    engine.after_fork()  # as in the child
    credential = SYNC.on(engine).credential
    [outcome] = Threads(lambda: credential.get_token(SCOPE)).joined()
    assert isinstance(outcome, credconf.AuthenticationError)
    go_on.set()
    holder.join()
    credential.close()


def test_connections_that_are_closed_before_their_use_are_freed():
    with FakeEntra() as entra:
        pools = connections.Pools(entra.ca_bundle)
        pools.open_early(urlsplit(entra.authority), 5.0, lambda: 5.0)
        pools.close()
        gone = weakref.ref(pools)
        del pools
        for _ in range(200):  # the thread that connects ends soon
            gc.collect()
            if gone() is None:
                break
            threading.Event().wait(0.05)
        assert gone() is None
