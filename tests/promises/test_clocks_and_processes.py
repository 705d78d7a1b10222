"""Forks, clocks that are set or stand still, pickles and copies."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys

import pytest

import credconf
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, Driven, engine_of, wait_until
from tests.promises.answering import FIELDS, Gate, InProcess, Threads, granted, settled

FACES = pytest.mark.parametrize("face", [SYNC, ASYNC], ids=["sync", "async"])
FORKS = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
HOUR = 3600


def forks(test):
    for mark in FORKS:
        test = mark(test)
    return test


def in_child(work):
    """The exit status of a child of a fork: 0 if `work` gave something true. One that hangs ends after 20 s."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@forks
@FACES
def test_the_child_has_the_warm_tokens_and_both_fetch_new_ones(face, fake_entra):
    clock = Clock()
    credential = face.on(engine_of(fake_entra.config(), clock=clock))
    old = credential.get_token(SCOPE)

    def both():
        return credential.get_token(SCOPE) is old and credential.get_token(OTHER_SCOPE).token

    assert in_child(both) == 0
    assert fake_entra.count() == 2
    assert both()
    assert fake_entra.count() == 3
    credential.close()


@forks
@FACES
def test_the_child_of_a_cold_credential_fetches_its_own(face, fake_entra):
    credential = face.build(fake_entra.config())
    assert in_child(lambda: credential.get_token(SCOPE).token) == 0
    assert credential.get_token(SCOPE).token
    assert fake_entra.count() == 2
    credential.close()


@forks
@FACES
def test_a_flight_of_another_thread_is_not_the_childs(face, fake_entra):
    credential = face.build(fake_entra.config())
    assert credential.get_token(OTHER_SCOPE).token  # a child can import nothing that another thread was importing
    with Gate(lambda _: fake_entra.count() == 2) as fake_entra.before_token:
        flying = Threads(*[lambda: credential.get_token(SCOPE)] * 5)
        assert fake_entra.before_token.arrived.wait(20)
        assert in_child(lambda: credential.get_token(SCOPE).token) == 0
    assert len(set(flying.joined())) == 1
    assert fake_entra.count() == 3
    assert credential.get_token("https://graph.microsoft.com/.default").token
    credential.close()


@forks
@FACES
def test_a_refresh_in_flight_at_the_fork_is_made_again_by_the_child(face, fake_entra):
    clock = Clock()
    engine = engine_of(fake_entra.config(), clock=clock)
    credential = face.on(engine)
    old = credential.get_token(SCOPE)
    clock.advance(3301)

    def refreshed():
        assert credential.get_token(SCOPE) is old
        clock.advance(31)
        assert credential.get_token(SCOPE) is old
        return settled(engine) and credential.get_token(SCOPE) not in {old, None}

    with Gate(lambda _: fake_entra.count() == 2) as fake_entra.before_token:
        assert credential.get_token(SCOPE) is old
        assert fake_entra.before_token.arrived.wait(20)
        assert in_child(refreshed) == 0
    assert settled(engine)
    assert credential.get_token(SCOPE) is not old
    assert fake_entra.count() == 3
    credential.close()


@forks
def test_a_child_of_a_child_works_too(fake_entra):
    credential = ASYNC.build(fake_entra.config())
    credential.get_token(SCOPE)
    assert in_child(lambda: in_child(lambda: credential.get_token(OTHER_SCOPE).token) == 0) == 0
    credential.close()


@forks
def test_a_pool_of_forked_processes_works(fake_entra):
    credential = SYNC.from_config(**fake_entra.config()).credential
    credential.get_token(SCOPE)
    scopes = [f"https://{number}.example/.default" for number in range(12)]
    with multiprocessing.get_context("fork").Pool(4, inherited.append, (credential,)) as pool:
        tokens = pool.map(token_of_the_inherited, [SCOPE, *scopes], chunksize=1)
    assert len(set(tokens)) == 13
    assert tokens[0] == credential.get_token(SCOPE).token
    assert credential.get_token(OTHER_SCOPE).token
    assert fake_entra.count() == 14
    credential.close()


inherited = []


def token_of_the_inherited(scope):
    return inherited[0].get_token(scope).token


@forks
def test_a_fork_while_another_thread_imports_leaves_the_child_free():
    program = f"""
import faulthandler, os, sys, threading, time
from tests.contract.faces import SYNC, engine_of
from tests.promises.answering import FIELDS, InProcess
credential = SYNC.on(engine_of(FIELDS, InProcess())).credential
thread = threading.Thread(target=credential.get_token, args=("{SCOPE}",))
thread.start()
while "msal" not in sys.modules:
    time.sleep(0.0002)
child = os.fork()
if child == 0:
    faulthandler.dump_traceback_later(10, exit=True)
    credential.get_token("{SCOPE}")
    os._exit(0)
thread.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    # From 3.12 on Python warns of every fork beside threads, which is what is tried here.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    child = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)
    assert (child.returncode, child.stderr) == (0, "")


class Clocks:
    """A wall clock and a monotonic one, an engine that lives by them, and a server whose tokens live for an hour."""

    def __init__(self):
        self.wall, self.monotonic = Clock(), Clock(5000.0)
        self.client = InProcess()
        self.engine = engine_of(FIELDS, self.client, clock=self.wall, monotonic=self.monotonic)

    def passes(self, seconds):
        self.wall.advance(seconds)
        self.monotonic.advance(seconds)

    def token(self, face, scope=SCOPE, **options):
        token = face.on(self.engine).get_token(scope, **options).token
        assert settled(self.engine)
        return token


@pytest.fixture
def clocks():
    return Clocks()


# Another tenant's tokens take another way than the usual hit.
WAYS = pytest.mark.parametrize("options", [{}, {"tenant_id": "other.example"}, {"enable_cae": True}])


@FACES
@WAYS
def test_a_clock_that_is_set_back_keeps_no_token_alive(face, clocks, options):
    assert clocks.token(face, **options) == "token-1"
    clocks.wall.advance(-10 * HOUR)
    assert clocks.token(face, **options) == "token-1"  # it is valid still
    clocks.passes(HOUR)
    assert clocks.token(face, **options) == "token-2"
    clocks.passes(3301)
    assert clocks.token(face, **options) == "token-2"
    assert clocks.token(face, **options) == "token-3"  # refreshed in time, by the clock that was not set


@FACES
@WAYS
def test_a_clock_that_is_set_forward_costs_one_request(face, clocks, options):
    clocks.token(face, **options)
    clocks.wall.advance(10 * HOUR)
    assert [clocks.token(face, **options) for _ in range(3)] == ["token-2"] * 3
    clocks.wall.advance(-10 * HOUR)
    assert clocks.token(face, **options) == "token-2"
    clocks.passes(HOUR)
    assert clocks.token(face, **options) == "token-3"


@FACES
@WAYS
def test_after_a_sleep_in_which_the_monotonic_clock_stood_no_expired_token_is_returned(face, clocks, options):
    clocks.token(face, **options)
    clocks.wall.advance(HOUR)
    assert clocks.token(face, **options) == "token-2"
    clocks.wall.advance(HOUR - 200)  # due, not expired
    assert clocks.token(face, **options) == "token-2"
    assert clocks.token(face, **options) == "token-3"


@FACES
@pytest.mark.parametrize("which", ["wall", "monotonic"])
def test_a_token_that_expires_soon_after_a_refresh_has_failed_is_not_returned(face, clocks, which):
    clocks.token(face)
    clocks.passes(3590)
    clocks.client.answer = lambda _: granted("", 0)
    assert clocks.token(face) == "token-1"
    getattr(clocks, which).advance(11)
    with pytest.raises(credconf.AuthenticationError):
        clocks.token(face)


@FACES
def test_a_pickle_is_small_holds_no_secret_and_no_token_and_shares_the_engine(face, fake_entra, tmp_path):
    path = tmp_path / "secret"
    path.write_text(fake_entra.client_secret)
    path.chmod(0o600)
    credential = face.from_config(**fake_entra.config(client_secret={"file": str(path)}))
    token = credential.get_token(SCOPE).token
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        pickled = pickle.dumps(credential.credential, protocol)
        for hidden in (fake_entra.client_secret, token):
            assert hidden.encode() not in pickled
            assert hidden.encode("utf-16-le") not in pickled
    twins = [Driven(pickle.loads(pickled)) for _ in range(3)]  # noqa: S301 - our own
    assert {type(twin.credential) for twin in twins} == {type(credential.credential)}
    assert len({twin.get_token(OTHER_SCOPE).token for twin in twins}) == 1
    assert fake_entra.count() == 2
    for each in (credential, *twins):
        each.close()


@FACES
def test_a_literal_secret_can_not_be_pickled_and_the_error_does_not_show_it(face, fake_entra):
    credential = face.build(fake_entra.config())
    with pytest.raises(TypeError, match="reference") as caught:
        pickle.dumps(credential.credential)
    assert fake_entra.client_secret not in repr(caught.value)
    credential.close()


@FACES
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_joins_the_flights_of_the_original(face, fake_entra, copied):
    credential = face.build(fake_entra.config())
    twin = Driven(copied(credential.credential))
    with Gate() as fake_entra.before_token:
        threads = Threads(lambda: credential.get_token(SCOPE).token, lambda: twin.get_token(SCOPE).token)
        assert fake_entra.before_token.arrived.wait(20)
        wait_until(lambda: face.is_async or threads.waiting() == 1)
        credential.close()  # the copy goes on
    assert len(set(threads.joined())) == 1
    assert fake_entra.count() == 1
    assert twin.get_token(OTHER_SCOPE).token
    twin.close()
