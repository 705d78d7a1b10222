"""Sign-in to an Azure Redis with a token of the credential itself."""

from __future__ import annotations

import base64
import json
import logging
import threading

import pytest
import redis

from credconf.ground.records import replace
from credconf.problems.failure import Failure
from credconf.stores.redis import options_of
from credconf.stores.redis_client import RedisClient
from credconf.stores.redis_sign_in import SCOPE, SignIn
from credconf.stores.store import Entry, Unavailable
from credconf.tokens.blueprint import opening_of
from tests.contract.faces import wait_until
from tests.promises.answering import Threads
from tests.stores.redis_storage import Secrets, plan_of

OID = "0b1e7a52-0000-4000-8000-000000000001"
CANARY = "canary-signature"


def token(oid=OID, number=0):
    body = base64.urlsafe_b64encode(json.dumps({"oid": oid, "n": number}).encode()).decode().rstrip("=")
    return f"e30.{body}.{CANARY}"


def entry(text, lifetime=3600.0, refresh_in=None):
    return Entry(text, "Bearer", lifetime, refresh_in, 0.0)


@pytest.fixture
def accepting(redis_url):
    """Have a Redis that accepts some tokens of one user."""
    with redis.Redis.from_url(redis_url, protocol=2) as inside:

        def accept(*tokens, user=OID):
            inside.execute_command(
                "ACL", "SETUSER", user, "reset", "on", "~*", "+@all", *(f">{each}" for each in tokens)
            )

        yield accept
        inside.execute_command("ACL", "DELUSER", OID, "somebody")


@pytest.fixture
def client_of(redis_url, clock):
    made = []

    def make(*outcomes, user=""):
        secrets = Secrets()
        secrets.entries = list(outcomes)
        url = redis_url.replace("//", f"//{user}@") if user else redis_url
        opening = opening_of(plan_of(url, lambda: clock.wall, lambda: clock.monotonic), secrets)
        client = RedisClient(replace(options_of(opening.settings), entra_sign_in=True), opening)
        made.append(client)
        return client, secrets

    yield make
    for client in made:
        client.close()


def whoami(client):
    return client.call(lambda redis: redis.acl_whoami())


def test_the_user_is_the_object_id_and_the_password_a_token_for_redis(accepting, client_of):
    accepting(token())
    client, secrets = client_of(entry(token()))
    assert whoami(client) == OID
    assert whoami(client) == OID
    assert secrets.scopes == [SCOPE]


def test_a_user_of_the_url_replaces_the_object_id(accepting, client_of):
    accepting("opaque", user="somebody")
    client, _ = client_of(entry("opaque"), user="somebody")
    assert whoami(client) == "somebody"


def test_connections_are_made_again_with_a_new_token_before_the_old_one_ends(accepting, client_of, clock):
    accepting(token(number=1))
    client, secrets = client_of(entry(token(number=1)), entry(token(number=2)))
    first = client.call(lambda redis: redis.client_id())
    for _ in range(129):  # it is in use, so that no connection is idle
        clock.advance(25)
        assert client.call(lambda redis: redis.client_id()) == first
    accepting(token(number=2))
    clock.advance(100)
    assert client.call(lambda redis: redis.client_id()) != first
    assert len(secrets.scopes) == 2


def test_while_a_token_is_valid_no_failure_of_entra_ends_the_sign_in(accepting, client_of, clock):
    accepting(token())
    client, _ = client_of(entry(token()), Failure("no", "server_error"), Failure("no", "server_error"))
    assert whoami(client) == OID
    clock.advance(3400)
    assert whoami(client) == OID
    clock.advance(300)
    with pytest.raises(Unavailable, match="Entra gave no token to sign in with: server_error"):
        whoami(client)


def test_a_refusal_of_entra_is_told_by_its_code(client_of):
    client, _ = client_of(Failure(f"{CANARY} no", "invalid_client", codes=(7000215,)))
    with pytest.raises(Unavailable, match=r"^Entra gave no token to sign in with: AADSTS7000215$") as caught:
        whoami(client)
    assert caught.value.__context__ is None


def test_the_next_call_after_a_refusal_asks_again(accepting, client_of):
    accepting(token())
    client, _ = client_of(Failure("no", "server_error"), entry(token()))
    with pytest.raises(Unavailable):
        whoami(client)
    assert whoami(client) == OID


@pytest.mark.parametrize("text", ["opaque", "e30.e30.sig", "a.%.c", "e30.W10.sig"])
def test_a_token_without_an_object_id_is_told_and_says_what_to_do(client_of, text):
    client, _ = client_of(entry(text))
    with pytest.raises(Unavailable, match=r"names no object id: write it before the `@` of `token_cache\.url`"):
        whoami(client)


def test_a_token_that_the_redis_refuses_is_told_without_it(accepting, client_of):
    accepting("another")
    client, _ = client_of(entry(token()))
    with pytest.raises(Unavailable, match="it refused the user or the password") as caught:
        whoami(client)
    assert CANARY not in str(caught.value)


def test_neither_the_client_nor_the_sign_in_shows_the_token(accepting, client_of):
    accepting(token())
    client, _ = client_of(entry(token()))
    whoami(client)
    assert CANARY not in repr(vars(client))
    assert CANARY not in repr(client._sign_in)
    assert isinstance(client._sign_in, SignIn)


def refused(code="timeout"):
    return Failure("no answer", code)


def sign_in(clock, *outcomes):
    asked = []

    def request(scope):
        asked.append(scope)
        outcome = outcomes[min(len(asked), len(outcomes)) - 1]
        return outcome() if callable(outcome) else outcome

    return SignIn(request, None, lambda: clock.monotonic), asked


def test_a_renewal_that_fails_is_not_repeated_for_each_connection(clock):
    made, asked = sign_in(clock, entry(token(), lifetime=900.0), refused())
    assert made.get_credentials() == (OID, token())
    clock.monotonic += 700.0
    for _ in range(50):
        assert made.get_credentials() == (OID, token())
    assert len(asked) == 2
    assert not made.is_due
    clock.monotonic += 30.0
    made.get_credentials()
    assert len(asked) == 3


def test_while_one_thread_renews_a_valid_token_the_others_use_it(clock):
    arrived, go_on = threading.Event(), threading.Event()

    def hangs():
        arrived.set()
        assert go_on.wait(20)
        return entry(token(number=1))

    made, asked = sign_in(clock, entry(token(), lifetime=900.0), hangs)
    made.get_credentials()
    clock.monotonic += 700.0
    thread = Threads(made.get_credentials)
    assert arrived.wait(20)
    assert made.get_credentials() == (OID, token())
    go_on.set()
    assert thread.joined() == [(OID, token(number=1))]
    assert len(asked) == 2


class CountingLock:
    """A lock that tells how many threads have come to it."""

    def __init__(self):
        self._lock, self.comers = threading.Lock(), []

    def acquire(self, blocking=True):
        self.comers.append(threading.get_ident())
        return self._lock.acquire(blocking)

    def release(self):
        self._lock.release()


def test_those_who_wait_for_the_first_token_share_its_failure(clock):
    go_on = threading.Event()

    def fails():
        assert go_on.wait(20)
        return refused()

    made, asked = sign_in(clock, fails)
    made._lock = CountingLock()
    threads = Threads(*[made.get_credentials] * 5)
    wait_until(lambda: len(made._lock.comers) == 5)
    go_on.set()
    assert [type(each) for each in threads.joined()] == [redis.AuthenticationError] * 5
    assert len(asked) == 1


def test_a_token_that_the_redis_no_longer_accepts_is_replaced(accepting, client_of, clock):
    accepting(token(number=1))
    client, secrets = client_of(entry(token(number=0)), entry(token(number=1)))
    with pytest.raises(Unavailable, match="it refused the user or the password"):
        whoami(client)
    with pytest.raises(Unavailable):  # it is too new for another one to differ
        whoami(client)
    assert len(secrets.scopes) == 1
    clock.monotonic += 31.0
    with pytest.raises(Unavailable):
        whoami(client)
    assert whoami(client) == OID
    assert len(secrets.scopes) == 2


def test_a_log_handler_that_needs_a_token_does_not_wait_for_the_sign_in(accepting, client_of, caplog):
    accepting(token())
    client, secrets = client_of(entry(token()))
    real, threads = secrets.entry, []

    def logs(scope):
        secrets.log.info("a line")
        return real(scope)

    class Handler(logging.Handler):
        def emit(self, record):
            threads.append(threading.current_thread())

    client._opening = replace(client._opening, token=logs)
    handler = Handler()
    logging.getLogger("credconf").addHandler(handler)
    try:
        with caplog.at_level(logging.INFO, "credconf"):
            assert whoami(client) == OID
    finally:
        logging.getLogger("credconf").removeHandler(handler)
    assert threads == [threading.current_thread()]
