"""Cache, flight and refresh of one identity, with clocks of the test's own."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import credconf
from credconf.engine import Engine
from credconf.testing import FakeEntra
from tests.contract.clients import Recorder
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, engine_of, plan, wait_until
from tests.entra.scripted import Scripted

FAULTS = {
    "down": lambda entra: entra.goes_down(),
    "slow": lambda entra: entra.is_slow(30),
    "throttling": lambda entra: entra.throttles(),
    "throttling for an hour": lambda entra: entra.throttles(retry_after=3600),
    "throttling without a word": lambda entra: entra.throttles(body=""),
    "unavailable": lambda entra: entra.is_unavailable(),
    "unavailable for an hour": lambda entra: entra.is_unavailable(retry_after=3600, body=""),
    "empty": lambda entra: entra.answers(200, b""),
    "malformed": lambda entra: entra.answers(200, b'{"access_token": '),
    "html": lambda entra: entra.answers(200, b"<html>", "text/html"),
    "a list": lambda entra: entra.answers(200, b"[1]"),
    "not text": lambda entra: entra.answers(200, b"\xff\xfe\x00"),
    "too large": lambda entra: entra.answers(200, b" " * 3_000_000),
    "truncating": lambda entra: entra.truncates(),
    "dripping": lambda entra: entra.drips(0.5),
    "dropping": lambda entra: entra.drops_connections(),
    "redirecting": lambda entra: entra.redirects("https://127.0.0.1:1/"),
    "redirecting with the body": lambda entra: entra.redirects("https://127.0.0.1:1/", status=307),
    "refusing": lambda entra: entra.refuses(7000222),
    "forbidding": lambda entra: entra.refuses(53003),
}
HTTP = {"total_timeout": 1.5, "timeout": 1, "retries": 2}


@pytest.fixture
def entra():
    with FakeEntra() as fake:
        fake.allow_any_tenant()
        yield fake


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def face(request):
    return request.param


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make(face, entra, clock):
    """A credential by the test's wall clock."""
    made = []

    def make(**changes):
        made.append(face.on(engine_of(entra.config(**{"http": HTTP, **changes}), clock=clock)))
        return made[-1]

    yield make
    for credential in made:
        credential.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_while_a_token_is_valid_no_failure_reaches_a_caller(make, entra, clock, fault, caplog):
    caplog.set_level(logging.WARNING, "credconf")
    credential = make()
    token = credential.get_token(SCOPE)
    clock.advance(3600 - 100)
    FAULTS[fault](entra)
    assert credential.get_token(SCOPE) is token
    wait_until(lambda: "the old one is still used" in caplog.text)
    assert credential.get_token_info(SCOPE).token == token.token
    clock.advance(99)
    assert credential.get_token(SCOPE) is token


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cold_caller_gets_one_clear_error_in_time(make, entra, fault):
    credential = make()
    FAULTS[fault](entra)
    start = time.monotonic()
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(SCOPE)
    assert time.monotonic() - start < 10
    assert type(caught.value) is credconf.AuthenticationError
    text = str(caught.value)
    assert text.startswith(f"no token for client {entra.client_id} of tenant {entra.tenant_id}")
    assert entra.host in text
    assert "Traceback" not in text
    assert "MSAL" not in text
    assert "unexpected" not in caught.value.error_code


@pytest.mark.parametrize("fault", ["dropping", "unavailable", "throttling", "truncating"])
def test_trouble_that_passes_is_not_noticed(make, entra, fault):
    {"dropping": entra.drops_connections, "truncating": entra.truncates}.get(
        fault, {"unavailable": entra.is_unavailable, "throttling": entra.throttles}.get(fault)
    )(times=1)
    assert make().get_token(SCOPE).token
    assert entra.count() == 2


def test_after_a_failed_refresh_the_next_waits_and_waits_longer(make, entra, clock, caplog):
    caplog.set_level(logging.WARNING, "credconf")
    entra.tokens(expires_in=86400, refresh_in=1000)
    credential = make(http={"retries": 0})
    token = credential.get_token(SCOPE)
    entra.refuses(53003)
    entra.forget_requests()
    clock.advance(1000)
    for number, wait in enumerate((30, 60, 120, 240, 480, 600, 600), start=1):
        # The thread of the last refresh may still be ending: one begins with a later call.
        wait_until(lambda n=number: credential.get_token(SCOPE) and caplog.text.count("is still used") == n)
        clock.advance(wait - 1)
        assert credential.get_token(SCOPE) is token
        clock.advance(1)
        assert entra.count() == number
    entra.recovers()
    credential.get_token(SCOPE)
    wait_until(lambda: credential.get_token(SCOPE) is not token)


def test_the_failure_of_one_token_does_not_delay_another(make, entra, clock, caplog):
    caplog.set_level(logging.WARNING, "credconf")
    credential = make(http={"retries": 0}, additionally_allowed_tenants=["*"])
    first, other = credential.get_token(SCOPE), credential.get_token(OTHER_SCOPE)
    clock.advance(3400)
    entra.refuses(53003, times=1)
    assert credential.get_token(SCOPE) is first
    wait_until(lambda: "is still used" in caplog.text)
    assert credential.get_token(OTHER_SCOPE) is other
    wait_until(lambda: credential.get_token(OTHER_SCOPE) is not other)
    assert credential.get_token(SCOPE) is first


def test_a_token_that_is_due_is_refreshed_once_however_many_ask(entra, clock):
    credential = SYNC.on(engine_of(entra.config(), clock=clock))
    token = credential.get_token(SCOPE)
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_):
        arrived.set()
        go_on.wait(20)

    entra.before_token = hold
    clock.advance(3400)
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda _: credential.get_token(SCOPE), range(200))) == {token}
    assert arrived.wait(20)
    assert credential.get_token(SCOPE) is token
    go_on.set()
    wait_until(lambda: credential.get_token(SCOPE) is not token)
    assert entra.count() == 2
    credential.close()


def test_a_server_that_says_refresh_at_once_is_asked_every_thirty_seconds_at_most(make, entra, clock):
    entra.tokens(expires_in=3600, refresh_in=0)
    credential = make()
    token = credential.get_token(SCOPE)
    clock.advance(29)
    for _ in range(10):
        assert credential.get_token(SCOPE) is token
    assert entra.count() == 1
    clock.advance(1)
    credential.get_token(SCOPE)
    wait_until(lambda: credential.get_token(SCOPE) is not token)
    assert entra.count() == 2


def test_a_token_lives_by_the_clock_from_when_it_was_asked_for(make, entra, clock):
    entra.before_token = lambda _: clock.advance(50)
    asked_at = clock.now
    assert make().get_token(SCOPE).expires_on == asked_at + 3600


@pytest.mark.parametrize("jump", [-86400 * 365, -10, 0])
def test_a_wall_clock_that_is_set_back_keeps_no_dead_token_alive(entra, face, jump):
    wall, monotonic = Clock(), Clock(1000.0)
    credential = face.on(engine_of(entra.config(), clock=wall, monotonic=monotonic))
    token = credential.get_token(SCOPE)
    wall.advance(jump)
    monotonic.advance(3601)
    assert credential.get_token(SCOPE).token != token.token
    credential.close()


def test_a_machine_that_slept_does_not_use_a_dead_token(entra, face):
    wall, monotonic = Clock(), Clock(1000.0)
    credential = face.on(engine_of(entra.config(), clock=wall, monotonic=monotonic))
    token = credential.get_token(SCOPE)
    wall.advance(7200)
    assert credential.get_token(SCOPE).token != token.token
    credential.close()


def test_the_store_is_bounded(make, entra):
    credential = make(additionally_allowed_tenants=["*"], token_cache={"max_entries": 2})
    for tenant in ("a.com", "b.com", "c.com"):
        credential.get_token(SCOPE, tenant_id=tenant)
    credential.get_token(SCOPE, tenant_id="c.com")
    assert entra.count() == 3
    credential.get_token(SCOPE, tenant_id="a.com")
    assert entra.count() == 4


def test_a_fetched_token_is_logged_with_what_an_operator_asks_for(make, entra, caplog):
    caplog.set_level(logging.INFO, "credconf")
    credential = make()
    token = credential.get_token(SCOPE)
    wait_until(lambda: caplog.records)  # the line is written after the caller has its token
    (record,) = caplog.records
    assert record.name == "credconf"
    assert record.levelno == logging.INFO
    text = record.getMessage()
    for part in (entra.client_id, entra.tenant_id, SCOPE, "3600 s", " ms"):
        assert part in text
    assert token.token not in text
    for _ in range(5):
        credential.get_token(SCOPE)
    assert len(caplog.records) == 1


def test_verify_does_not_wait_longer_than_it_is_told(make, entra):
    credential = make(http={"total_timeout": 30, "timeout": 30})
    entra.is_slow(20)
    start = time.monotonic()
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.verify(SCOPE, timeout=0.3)
    assert time.monotonic() - start < 10
    assert caught.value.error_code == "timeout"
    entra.goes_down()  # ends the slow request


def test_a_verify_does_not_join_a_request_that_began_before(make, entra):
    credential = make()
    credential.get_token(SCOPE)
    entra.refuses(7000222)
    with pytest.raises(credconf.AuthenticationError, match="AADSTS7000222"):
        credential.verify(SCOPE)


def test_a_scope_in_advance_that_fails_is_a_warning_and_the_first_caller_tries_again(entra, caplog):
    entra.is_unavailable(times=1)
    credential = credconf.build(entra.config(prefetch=[SCOPE], http={"retries": 0}))
    wait_until(lambda: "could not be prefetched" in caplog.text)
    assert credential.get_token(SCOPE).token
    credential.close()


def test_a_caller_joins_the_request_made_in_advance(entra, face):
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_):
        arrived.set()
        go_on.wait(20)

    entra.before_token = hold
    credential = face.build(entra.config(prefetch=[SCOPE]))
    assert arrived.wait(20)
    threading.Timer(0.05, go_on.set).start()
    assert credential.get_token(SCOPE).token
    assert entra.count() == 1
    credential.close()


def test_threads_and_coroutines_share_one_request(entra):
    entra.is_slow(0.1)
    engine = Engine(plan(entra.config()))
    plain, coroutine = credconf.Credential(engine), credconf.aio.Credential(engine)

    async def many():
        return [token.token for token in await asyncio.gather(*(coroutine.get_token(SCOPE) for _ in range(50)))]

    with ThreadPoolExecutor(10) as pool:
        futures = [pool.submit(plain.get_token, SCOPE) for _ in range(10)]
        tokens = set(asyncio.run(many())) | {future.result().token for future in futures}
    assert len(tokens) == 1
    assert entra.count() == 1
    plain.close()
    assert asyncio.run(coroutine.get_token(SCOPE)).token in tokens
    asyncio.run(coroutine.close())


def test_hundreds_of_tenants_at_once_each_get_their_own(entra):
    credential = credconf.aio.build(entra.config(additionally_allowed_tenants=["*"]))

    async def many():
        tenants = [f"tenant{number}.com" for number in range(150)]
        tokens = await asyncio.gather(*(credential.get_token(SCOPE, tenant_id=tenant) for tenant in tenants))
        await credential.close()
        return tokens

    assert len(set(asyncio.run(many()))) == 150
    assert entra.count() == 150
    assert entra.concurrent <= 32


def test_a_bug_on_the_way_is_an_authentication_error_without_its_text(face):
    client = Scripted({"https": LookupError("canary")})
    fields = {"tenant_id": "contoso.com", "client_id": "x", "client_secret": "a-secret"}
    credential = face.build(fields, http_client=client)
    with pytest.raises(credconf.AuthenticationError, match="LookupError") as caught:
        credential.get_token(SCOPE)
    assert "canary" not in str(caught.value)
    credential.close()
    assert client.closed


def test_closing_during_a_request_ends_in_a_token_or_an_authentication_error(entra):
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_):
        arrived.set()
        go_on.wait(20)

    entra.before_token = hold
    credential = credconf.build(entra.config(http={"retries": 0}))
    outcomes = []

    def ask():
        try:
            outcomes.append(credential.get_token(SCOPE).token)
        except credconf.AuthenticationError as exc:
            outcomes.append(exc.error_code)

    thread = threading.Thread(target=ask)
    thread.start()
    assert arrived.wait(20)
    credential.close()
    go_on.set()
    thread.join(20)
    assert len(outcomes) == 1


def test_closing_does_not_wait_for_the_imports_of_the_first_request(entra):
    credential = credconf.build(entra.config())
    outcomes = []

    def ask():
        try:
            outcomes.append(credential.get_token(SCOPE).token)
        except credconf.AuthenticationError as exc:
            outcomes.append(exc.error_code)

    with credconf.ground.deferred.importing:
        asking = threading.Thread(target=ask)
        asking.start()
        wait_until(lambda: credential._engine._requests.flights.flying)
        time.sleep(0.05)  # it is at the imports, or soon will be
        closing = threading.Thread(target=credential.close, daemon=True)
        closing.start()
        closing.join(10)
        assert not closing.is_alive()
    asking.join(20)
    assert outcomes == ["closed"]


def test_engines_are_shared_again_after_the_shared_ones_were_forgotten(entra):
    client = Recorder(entra)
    fields = entra.config()
    first = SYNC.from_config(**fields, http_client=client)
    credconf.sharing.forget_shared_engines()
    second = SYNC.from_config(**fields, http_client=client)
    assert first.credential._engine is not second.credential._engine
    assert SYNC.from_config(**fields, http_client=client).credential._engine is second.credential._engine
    client.close()


def test_a_refresh_that_fails_is_one_request_and_verify_is_too(entra):
    """A token that is still valid leaves time: nothing is repeated within the 30 s of DESIGN."""
    clock = Clock()
    engine = engine_of(entra.config(http={"retries": 3}), clock=clock)
    with credconf.Credential(engine) as credential:
        token = credential.get_token(SCOPE)
        clock.advance(3400)
        entra.forget_requests()
        entra.is_unavailable()
        assert credential.get_token(SCOPE) == token
        wait_until(lambda: entra.count() > 0 and not len(engine._refreshes))
        assert entra.count() == 1
        with pytest.raises(credconf.AuthenticationError):
            credential.verify(SCOPE)
        assert entra.count() == 2
