"""Time that passes for credentials, without waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace

import jwt
import pytest
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, BearerTokenCredentialPolicy
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest

import credconf
from credconf.testing import FakeEntra, FakeImds, StaticCredential, make_certificate
from tests.contract.faces import ASYNC, SCOPE, SYNC, wait_until

FACES = pytest.mark.parametrize("face", [SYNC, ASYNC], ids=["sync", "async"])


@pytest.fixture(params=[SYNC, ASYNC], ids=["sync", "async"])
def credential(request, entra):
    driven = request.param.build(entra.config(http={"retries": 0}))
    yield driven
    driven.close()


def test_a_token_expires(credential, entra):
    first = credential.get_token(SCOPE)
    entra.advance(3000)
    assert credential.get_token(SCOPE) == first
    assert entra.count() == 1
    entra.advance(600)
    second = credential.get_token(SCOPE)
    assert second.token != first.token
    assert credential.get_token(SCOPE) == second
    assert entra.count() == 2


def test_a_token_expires_as_often_as_time_passes(credential, entra):
    texts = set()
    for _ in range(3):
        texts.add(credential.get_token(SCOPE).token)
        entra.advance(3600)
    assert len(texts) == entra.count() == 3


def test_seconds_add_up(credential, entra):
    credential.get_token(SCOPE)
    for _ in range(36):
        entra.advance(100.0)
    credential.get_token(SCOPE)
    assert entra.count() == 2


def test_a_token_that_is_due_is_refreshed_in_the_background(credential, entra):
    entra.tokens(refresh_in=1800)
    first = credential.get_token(SCOPE)
    entra.advance(1799 - 60)
    assert credential.get_token(SCOPE) == first
    assert entra.count() == 1
    entra.advance(600)
    assert credential.get_token(SCOPE) == first
    wait_until(lambda: credential.get_token(SCOPE) != first)
    assert entra.count() == 2


def test_a_refresh_that_failed_is_repeated_when_time_has_passed(credential, entra):
    first = credential.get_token(SCOPE)
    entra.is_unavailable(times=1)
    entra.advance(3400)
    for refreshes in (1, 2):
        assert credential.get_token(SCOPE) == first
        wait_until(lambda: entra.count() == 1 + refreshes)  # noqa: B023 - it is called here
        wait_until(lambda: not credential.credential._engine._refreshes)
        entra.advance(60)
    assert credential.get_token(SCOPE) != first
    assert entra.count() == 3


def test_an_outage_outlasts_a_token(credential, entra):
    first = credential.get_token(SCOPE)
    entra.goes_down()
    entra.advance(3500)
    assert credential.get_token(SCOPE) == first
    entra.advance(100)
    with pytest.raises(credconf.AuthenticationError):
        credential.get_token(SCOPE)
    entra.comes_back()
    assert credential.get_token(SCOPE).token != first.token


def test_a_secret_that_expires_is_noticed_with_the_next_token(credential, entra):
    first = credential.get_token(SCOPE)
    entra.registration.expire_secret(entra.client_secret)
    assert credential.get_token(SCOPE) == first
    entra.advance(3600)
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(SCOPE)
    assert caught.value.aadsts == "AADSTS7000222"


def test_a_pause_after_retry_after_ends(credential, entra):
    entra.throttles(retry_after=30, times=1)
    for passed, remain in ((0, 30), (10, 20), (10, 10)):
        entra.advance(passed)
        with pytest.raises(credconf.AuthenticationError) as caught:
            credential.get_token(SCOPE)
        assert remain - 5 < caught.value.retry_after <= remain
    assert entra.count() == 1
    entra.advance(10)
    assert credential.get_token(SCOPE).token
    assert entra.count() == 2


def test_a_refusal_is_forgotten(credential, entra):
    entra.refuses(700016, times=1)
    for _ in range(2):
        with pytest.raises(credconf.AuthenticationError):
            credential.get_token(SCOPE)
    assert entra.count() == 1
    entra.advance(5)
    assert credential.get_token(SCOPE).token


def test_the_token_of_a_user_expires(credential, entra):
    user = credential.on_behalf_of(entra.user_token(lifetime=86400))
    first = user.get_token(SCOPE)
    entra.advance(3600)
    assert user.get_token(SCOPE).token != first.token
    assert entra.count() == 2


@FACES
def test_a_certificate_still_proves_its_client(face, entra, tmp_path):
    certificate = make_certificate(tmp_path / "app.pem")
    entra.registration.add_certificate(certificate.pem)
    driven = face.build(entra.config(client_secret=None, client_certificate={"file": str(certificate.path)}))
    first = driven.get_token(SCOPE)
    entra.advance(86400)
    assert driven.get_token(SCOPE).token != first.token
    driven.close()


@FACES
def test_a_new_token_is_right_for_the_clock_of_the_machine(face, entra):
    driven = face.build(entra.config())
    entra.advance(3600)
    token = driven.get_token(SCOPE)
    assert token.expires_on - time.time() <= 3600
    assert jwt.decode(token.token, options={"verify_signature": False})["iat"] <= time.time()
    driven.close()


def test_both_faces_of_an_engine_notice(credconf_environment):
    entra = credconf_environment
    with credconf.from_config() as credential:
        first = credential.get_token(SCOPE)
        asynchronous = ASYNC.from_config(environ=None)
        assert asynchronous.get_token(SCOPE) == first
        entra.advance(3600)
        second = asynchronous.get_token(SCOPE)
        assert second.token != first.token
        assert credential.get_token(SCOPE) == second
        assert entra.count() == 2
        asynchronous.close()


def test_time_passes_for_every_fake_of_the_process(entra):
    with FakeEntra() as other, credconf.build(other.config()) as credential:
        first = credential.get_token(SCOPE)
        entra.advance(3600)
        assert credential.get_token(SCOPE).token != first.token
        assert (entra.count(), other.count()) == (0, 2)


def test_a_managed_identity_gets_a_new_token(monkeypatch):
    with FakeImds() as imds:
        imds.apply(monkeypatch)
        with credconf.build({"kind": "managed_identity"}) as credential:
            first = credential.get_token(SCOPE)
            imds.advance(86400)
            assert credential.get_token(SCOPE).token != first.token


def test_a_shared_token_cache_holds_older_tokens(entra, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    fields = entra.config(token_cache={"kind": "file", "allow_unencrypted_storage": True})
    with credconf.build(fields) as credential, credconf.build(fields) as another:
        first = credential.get_token(SCOPE)
        assert another.get_token(SCOPE).token == first.token
        entra.advance(3600)
        second = credential.get_token(SCOPE)
        assert second.token != first.token
        assert another.get_token(SCOPE).token == second.token
    with credconf.build(fields) as later:
        assert later.get_token(SCOPE).token == second.token
        assert entra.count() == 2
        entra.advance(3600)
    with credconf.build(fields) as later:
        assert later.get_token(SCOPE).token not in {first.token, second.token}
    assert entra.count() == 3


def test_a_redis_holds_older_tokens_for_this_process(entra, redis_server):
    fields = entra.config(token_cache={"kind": "redis", "url": redis_server.url})
    with credconf.build(fields) as credential, credconf.build(fields) as another:
        first = credential.get_token(SCOPE)
        assert another.get_token(SCOPE).token == first.token
        entra.advance(3600)
        second = credential.get_token(SCOPE)
        assert second.token != first.token
        assert another.get_token(SCOPE).token == second.token
    assert entra.count() == 2


_OK = SimpleNamespace(status_code=200, headers={})


class _Service(HttpTransport):
    """The service of an SDK client, which notes the tokens that it gets."""

    def __init__(self):
        self.tokens = []

    def send(self, request, **_):
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        return _OK

    def open(self):
        pass

    def close(self):
        pass

    def __exit__(self, *_):
        pass


class _AsyncService(AsyncHttpTransport):
    def __init__(self):
        self.tokens = []

    async def send(self, request, **_):
        self.tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        return _OK

    async def open(self):
        pass

    async def close(self):
        pass

    async def __aexit__(self, *_):
        pass


def test_a_client_of_the_sdk_that_keeps_its_token_gets_another(entra):
    service = _Service()
    with credconf.build(entra.config()) as credential:
        client = Pipeline(service, [BearerTokenCredentialPolicy(credential, SCOPE)])
        for _ in range(3):
            client.run(HttpRequest("GET", "https://account.example/"))
            client.run(HttpRequest("GET", "https://account.example/"))
            entra.advance(3600)
    assert service.tokens[::2] == service.tokens[1::2]
    assert len(set(service.tokens)) == entra.count() == 3


def test_an_async_client_of_the_sdk_gets_another_too(entra):
    service = _AsyncService()

    async def use():
        async with credconf.aio.build(entra.config()) as credential:
            client = AsyncPipeline(service, [AsyncBearerTokenCredentialPolicy(credential, SCOPE)])
            for _ in range(2):
                await client.run(HttpRequest("GET", "https://account.example/"))
                entra.advance(3600)

    asyncio.run(use())
    assert len(set(service.tokens)) == entra.count() == 2


def test_two_event_loops_share_the_new_token(entra):
    credential = credconf.aio.build(entra.config())
    tokens = []
    for _ in range(2):

        async def ask():
            found = await asyncio.gather(*(credential.get_token(SCOPE) for _ in range(50)))
            tokens.append({token.token for token in found})

        loops = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(2)]
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()
        entra.advance(3600)
    assert [len(each) for each in tokens] == [1, 1, 1, 1]
    assert tokens[0] == tokens[1] != tokens[2] == tokens[3]
    assert entra.count() == 2
    asyncio.run(credential.close())


def test_threads_ask_while_time_passes_and_engines_are_made(entra):
    errors = []
    over = threading.Event()

    def ask():
        try:
            while not over.is_set():
                with credconf.build(entra.config()) as credential:
                    credential.get_token(SCOPE)
        except Exception as exc:  # noqa: BLE001 - the test fails with any
            errors.append(exc)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        entra.advance(3600)
    over.set()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_request_under_way_brings_a_new_token(entra):
    entra.before_token = lambda _: entra.advance(3600)
    with credconf.build(entra.config()) as credential:
        assert credential.get_token(SCOPE) == credential.get_token(SCOPE)
    assert entra.count() == 1


def test_the_next_test_starts_with_tokens_that_live_their_whole_life(entra):
    entra.advance(10**9)
    with FakeEntra() as other, credconf.build(other.config()) as credential:
        assert credential.get_token(SCOPE) == credential.get_token(SCOPE)
        assert other.count() == 1


def test_a_static_token_stays_as_it_is(entra):
    credential = StaticCredential("a-token", expires_on=4_000_000_000)
    entra.advance(3600)
    assert credential.get_token(SCOPE) == ("a-token", 4_000_000_000)


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), float("inf"), float("-inf")])
def test_time_passes_forward_only(entra, credential, seconds):
    token = credential.get_token(SCOPE)
    with pytest.raises(ValueError, match="0 or more"):
        entra.advance(seconds)
    entra.advance(0)
    assert credential.get_token(SCOPE) == token


def test_a_fake_that_is_stopped_can_let_time_pass(entra, credential):
    credential.get_token(SCOPE)
    entra.stop()
    entra.advance(3600)
    with pytest.raises(credconf.AuthenticationError):
        credential.get_token(SCOPE)
