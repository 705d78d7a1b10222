"""Sign-in to an Azure Redis with a token of the credential itself."""

from __future__ import annotations

import base64
import json

import pytest
import redis

from credconf.ground.records import replace
from credconf.problems.failure import Failure
from credconf.stores.redis import options_of
from credconf.stores.redis_client import RedisClient
from credconf.stores.redis_sign_in import SCOPE, SignIn
from credconf.stores.store import Entry, Unavailable
from credconf.tokens.blueprint import opening_of
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
