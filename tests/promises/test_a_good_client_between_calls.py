"""Promise (DESIGN.md, 5): a server that asks to wait, or refuses, is not asked again by every call."""

from __future__ import annotations

import pytest

import credconf
from credconf.testing import FakeEntra
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, engine_of, wait_until
from tests.promises.answering import InProcess, close, granted, settled
from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.renderings import renderings

CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
BUSY = {
    "429": lambda entra: entra.throttles(retry_after=30),
    "503": lambda entra: entra.is_unavailable(retry_after=30),
    "429 with an empty body": lambda entra: entra.throttles(retry_after=30, body=""),
    "503 with a date": lambda entra: entra.is_unavailable(retry_after="Wed, 01 Jan 2031 00:00:00 GMT"),
}
REFUSALS = {
    "the application is not in the tenant": 700016,
    "the secret is wrong": 7000215,
    "the secret has expired": 7000222,
    "there is no such tenant": 90002,
}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=[SYNC, ASYNC], ids=["sync", "async"])
def face(request):
    return request.param


@pytest.fixture
def engine(fake_entra, clock):
    engine = engine_of(fake_entra.config(), clock=clock, monotonic=clock)
    yield engine
    close(engine)


@pytest.fixture
def credential(face, engine):
    return face.on(engine)


def error_of(credential, *scopes, **options):
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(*(scopes or (SCOPE,)), **options)
    CANARY.assert_absent(renderings(caught.value))
    return caught.value


@pytest.mark.parametrize("fault", BUSY)
def test_twenty_calls_during_retry_after_send_one_request(fault, fake_entra, credential):
    BUSY[fault](fake_entra)
    for _ in range(20):
        error_of(credential)
    assert fake_entra.count() == 1


def test_the_error_says_how_many_seconds_remain(fake_entra, clock, credential):
    fake_entra.throttles(retry_after=30)
    assert error_of(credential).retry_after == 30
    clock.advance(12)
    error = error_of(credential)
    assert error.retry_after == 18
    assert "possible in 18 s" in str(error)
    assert (error.status_code, error.aadsts) == (429, "AADSTS90055")
    clock.advance(18)
    fake_entra.recovers()
    assert credential.get_token(SCOPE).token


def test_the_pause_ends_by_itself(fake_entra, clock, credential):
    fake_entra.throttles(retry_after=30, times=1)
    error_of(credential)
    clock.advance(29.9)
    error_of(credential)
    clock.advance(0.1)
    assert credential.get_token(SCOPE).token
    assert fake_entra.count() == 2


def test_a_pause_is_a_minute_at_most_however_long_the_server_asks_to_wait(fake_entra, clock, credential):
    fake_entra.throttles(retry_after=3600, times=1)
    assert error_of(credential).retry_after == 3600
    clock.advance(59)
    assert error_of(credential).retry_after == 3541
    clock.advance(1)
    assert credential.get_token(SCOPE).token


def test_a_pause_is_for_one_token_and_claims_do_not_circumvent_it(fake_entra, credential):
    fake_entra.throttles(retry_after=30, times=1)
    error_of(credential)
    error_of(credential, claims=CLAIMS)
    assert fake_entra.count() == 1
    assert credential.get_token(OTHER_SCOPE).token


def test_without_retry_after_and_without_an_answer_nothing_is_remembered(fake_entra, clock, face):
    engine = engine_of(fake_entra.config(http={"retries": 0}), clock=clock, monotonic=clock)
    credential = face.on(engine)
    fake_entra.throttles(times=1)
    error_of(credential)
    fake_entra.drops_connections(times=1)
    error_of(credential)
    assert credential.get_token(SCOPE).token
    close(engine)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_remembered_for_five_seconds(refusal, fake_entra, clock, credential):
    fake_entra.refuses(REFUSALS[refusal])
    first = error_of(credential)
    asked = fake_entra.count()
    for _ in range(20):
        error = error_of(credential)
    assert fake_entra.count() == asked
    assert error.aadsts == first.aadsts
    assert str(error).startswith(str(first))
    assert error.retry_after is None, "the same request does not fare better later"
    clock.advance(5)
    error_of(credential)
    assert fake_entra.count() > asked


def test_a_rotated_file_takes_effect_at_once(fake_entra, clock, face, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    fields = fake_entra.config(client_secret={"file": str(tmp_path / "secret")})
    engine = engine_of(fields, clock=clock, monotonic=clock)
    error_of(face.on(engine))
    (tmp_path / "secret").write_text(fake_entra.client_secret)
    assert face.on(engine).get_token(SCOPE).token
    close(engine)


def test_a_rotated_variable_takes_effect_at_once(fake_entra, clock, face, monkeypatch):
    monkeypatch.setenv("ROTATED", SECRET)
    engine = engine_of(fake_entra.config(client_secret={"env": "ROTATED"}), clock=clock, monotonic=clock)
    error_of(face.on(engine))
    monkeypatch.setenv("ROTATED", fake_entra.client_secret)
    assert face.on(engine).get_token(SCOPE).token
    close(engine)


def test_what_a_program_prints_next_takes_effect_at_once(fake_entra, face, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    fields = fake_entra.config(client_secret={"command": ["cat", str(tmp_path / "secret")]})
    credential = face.from_config(allow={"command"}, **fields)
    error_of(credential)
    asked = fake_entra.count()
    error_of(credential)
    assert fake_entra.count() == asked
    (tmp_path / "secret").write_text(fake_entra.client_secret)
    assert credential.get_token(SCOPE).token
    credential.close()


def test_verify_always_asks(fake_entra, credential):
    fake_entra.throttles(retry_after=30)
    error_of(credential)
    for _ in range(3):
        with pytest.raises(credconf.AuthenticationError):
            credential.verify(SCOPE)
    assert fake_entra.count() == 4


def test_a_token_ends_the_pause(fake_entra, credential):
    fake_entra.throttles(retry_after=30, times=1)
    error_of(credential)
    credential.verify(SCOPE)
    assert credential.get_token(SCOPE, claims=CLAIMS).token


def test_a_refused_refresh_pauses_callers_too_once_the_token_has_expired(clock, face):
    client = InProcess()
    engine = engine_of(
        {"tenant_id": "contoso.onmicrosoft.com", "client_id": "c", "client_secret": SECRET},
        client,
        clock=clock,
        monotonic=clock,
    )
    client.answer = lambda _: granted("old", 400)
    old = face.on(engine).get_token(SCOPE)
    client.answer = lambda _: busy(50)
    clock.advance(395)
    assert face.on(engine).get_token(SCOPE) is old
    assert settled(engine)
    clock.advance(6)
    error = error_of(face.on(engine))
    assert error.retry_after == 44
    assert len(client.asked) == 2


def busy(retry_after):
    from credconf.entra.http import Response

    return Response(429, '{"error": "temporarily_unavailable"}', {"retry-after": str(retry_after)})


@pytest.mark.parametrize("change", ["recovers", "rotate_secret", "refuses", "add_tenant"])
def test_a_change_of_the_fake_ends_every_pause(change, fake_entra, credential):
    fake_entra.throttles(retry_after=30, times=1)
    error_of(credential)
    {
        "recovers": fake_entra.recovers,
        "rotate_secret": lambda: fake_entra.registration.rotate_secret(overlap=True),
        "refuses": lambda: fake_entra.refuses(700016, times=1),
        "add_tenant": lambda: fake_entra.add_tenant("another.example"),
    }[change]()
    if change == "refuses":
        assert error_of(credential).aadsts == "AADSTS700016"
    else:
        assert credential.get_token(SCOPE).token
    assert fake_entra.count() == 2


def test_the_pause_of_one_process_is_the_pause_of_all_that_share_its_cache(tmp_path, face, monkeypatch, clock):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with FakeEntra() as entra:
        cache = {"kind": "file", "allow_unencrypted_storage": True}
        engines = [
            engine_of(entra.config(token_cache=cache), clock=clock, monotonic=clock) for _ in range(4)
        ]  # engines share nothing but the file, as processes do
        entra.throttles(retry_after=30)
        for engine in engines:
            clock.advance(1)
            error = error_of(face.on(engine))
        assert entra.count() == 1
        assert error.retry_after == pytest.approx(27, abs=0.1)
        entra.recovers()
        assert face.on(engines[2]).get_token(SCOPE).token
        for engine in engines:
            close(engine)


def test_a_caller_does_not_get_the_failure_of_a_refresh_that_is_not_retried(clock, face):
    """A background refresh hangs on a dead connection, the token expires, and the server is back."""
    from tests.promises.answering import FIELDS, Gate, Threads

    gate = Gate(lambda asked: len(client.asked) == 2)

    def answer(asked):
        gate(asked)
        if len(client.asked) == 2:
            raise ConnectionError(SECRET)
        return granted(f"token-{len(client.asked)}", 400)

    client = InProcess(answer)
    engine = engine_of(FIELDS, client, clock=clock, monotonic=clock)
    with gate:
        old = face.on(engine).get_token(SCOPE)
        clock.advance(395)
        assert face.on(engine).get_token(SCOPE) is old
        assert gate.arrived.wait(20)
        clock.advance(6)
        threads = Threads(*[lambda: face.on(engine).get_token(SCOPE).token] * 8)
        [flight] = engine._requests.flights.flying.values()
        wait_until(lambda: len(flight._waiters) == 8)
    assert threads.joined() == ["token-3"] * 8
    assert len(client.asked) == 3
    assert settled(engine)
