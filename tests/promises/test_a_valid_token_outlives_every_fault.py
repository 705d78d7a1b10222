"""While a token is valid no fault reaches a caller; once it has expired one clear error, soon, and recovery."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time

import pytest

import credconf
import credconf.entra.client  # what is imported for the first token would count as its time
import credconf.entra.sockets
import credconf.entra.transport
from credconf.engine import Engine
from credconf.ground.records import replace
from tests.certificates import make_certificate
from tests.contract.faces import ASYNC, SCOPE, SYNC, Clock, engine_of, plan
from tests.promises.answering import FIELDS, InProcess, close, granted, settled

CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
TOTAL = 1.0  # seconds: http.total_timeout
MARGIN = 4.0  # a busy machine's

FAULTS = {
    "down": lambda entra: entra.goes_down(),
    "slow": lambda entra: entra.is_slow(60),
    "dripping": lambda entra: entra.drips(0.2),
    "503": lambda entra: entra.is_unavailable(),
    "503 with a long Retry-After": lambda entra: entra.is_unavailable(retry_after=3600, body=""),
    "500 with HTML": lambda entra: entra.answers(500, "<html>Oh, no.</html>", "text/html"),
    "429": lambda entra: entra.throttles(),
    "429 with a long Retry-After": lambda entra: entra.throttles(retry_after=3600),
    "429 with an empty body": lambda entra: entra.throttles(retry_after=120, body=""),
    "malformed": lambda entra: entra.answers(body='{"access_token": "half'),
    "no token": lambda entra: entra.answers(body='{"token_type": "Bearer", "expires_in": 3600}'),
    "a list": lambda entra: entra.answers(body="[]"),
    "empty": lambda entra: entra.answers(),
    "HTML": lambda entra: entra.answers(body="<html>Please log in.</html>", content_type="text/html"),
    "truncated": lambda entra: entra.truncates(),
    "dropped": lambda entra: entra.drops_connections(),
    "redirect": lambda entra: entra.redirects("https://elsewhere.example/"),
    "refused": lambda entra: entra.refuses(7000222),
    "TLS": lambda entra: entra.shows_another_certificate(),
}


class Server:
    """The fake Entra, which can also show an untrusted certificate."""

    def __init__(self, entra, path):
        self._entra, self._path = entra, path
        self._tls = entra._server._tls

    def __getattr__(self, name):
        return getattr(self._entra, name)

    def shows_another_certificate(self):
        untrusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        make_certificate(self._path)
        untrusted.load_cert_chain(self._path)
        self._restart(untrusted)

    def recovers(self):
        if self._entra._server._tls is not self._tls:
            self._restart(self._tls)
        self._entra.recovers()

    def _restart(self, tls):
        self._entra.goes_down()
        self._entra._server._tls = tls
        self._entra.comes_back()


@pytest.fixture
def entra(fake_entra, tmp_path):
    return Server(fake_entra, tmp_path / "untrusted.pem")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=[SYNC, ASYNC], ids=["sync", "async"])
def face(request):
    return request.param


@pytest.fixture
def engine(entra, clock):
    http = {"total_timeout": TOTAL, "timeout": TOTAL, "retries": 10}
    engine = engine_of(entra.config(http=http), clock=clock)
    yield engine
    close(engine)


@pytest.fixture
def credential(face, engine):
    return face.on(engine)


def warnings_in(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_reaches_a_caller_while_his_token_is_valid(fault, entra, clock, engine, credential, caplog):
    old = credential.get_token(SCOPE)
    FAULTS[fault](entra)
    clock.advance(3301)
    for _ in range(5):
        assert credential.get_token(SCOPE) is old
    assert settled(engine)
    assert credential.get_token(SCOPE) is old
    [warning] = warnings_in(caplog)
    assert "a token could not be refreshed; the old one is still used: no token for client " in warning
    entra.recovers()
    clock.advance(to=old.expires_on - 1)
    credential.get_token(SCOPE)
    # A long Retry-After is kept to; else the next request was due by now, behind the caller's back.
    assert settled(engine)
    assert (credential.get_token(SCOPE) is old) == ("long Retry-After" in fault)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_expired_token_means_one_clear_error_soon_and_recovery_at_once(fault, entra, clock, credential, caplog):
    old = credential.get_token(SCOPE)
    FAULTS[fault](entra)
    clock.advance(to=old.expires_on)
    start = time.monotonic()
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(SCOPE)
    assert time.monotonic() - start < TOTAL + MARGIN
    assert str(caught.value).startswith(f"no token for client {entra.client_id} of tenant {entra.tenant_id}")
    assert entra.host in str(caught.value)
    assert caught.value.error_code not in {"", "unexpected", "error"}
    assert caught.value.__cause__ is caught.value.__context__ is None
    entra.recovers()
    before = entra.count()
    assert credential.get_token(SCOPE) not in {None, old}
    assert entra.count() == before + 1
    assert warnings_in(caplog) == []


def test_hundreds_of_coroutines_with_expired_tokens_hear_of_it_in_time_although_the_threads_are_few(entra):
    entra.is_slow(60)
    entra.allow_any_tenant()
    fields = entra.config(http={"total_timeout": TOTAL, "timeout": TOTAL}, additionally_allowed_tenants=["*"])
    credential = credconf.aio.build(fields)

    async def main():
        tenants = (credential.get_token(SCOPE, tenant_id=f"tenant{number}.example") for number in range(400))
        return await asyncio.gather(*tenants, return_exceptions=True)

    start = time.monotonic()
    outcomes = asyncio.run(main())
    assert time.monotonic() - start < TOTAL + MARGIN
    assert {type(outcome) for outcome in outcomes} == {credconf.AuthenticationError}
    asyncio.run(credential.close())


@pytest.mark.parametrize("fault", ["down", "503", "malformed", "429 with a long Retry-After"])
def test_a_caller_that_sent_claims_hears_of_the_failure_and_the_token_stays(fault, entra, engine, credential, caplog):
    old = credential.get_token(SCOPE)
    FAULTS[fault](entra)
    with pytest.raises(credconf.AuthenticationError):
        credential.get_token(SCOPE, claims=CLAIMS)
    assert credential.get_token(SCOPE) is old
    entra.recovers()
    new = credential.get_token(SCOPE, claims=CLAIMS)
    assert new != old
    assert credential.get_token(SCOPE) is new


class Buggy:
    """Settings with a kind whose author made a mistake."""

    def __init__(self, settings):
        self._settings, self.broken = settings, False

    def __getattr__(self, name):
        return getattr(self._settings, name)

    def candidates(self):
        return tuple(replace(candidate, stamp=self._stamp(candidate)) for candidate in self._settings.candidates())

    def _stamp(self, candidate):
        def stamp(reader):
            if self.broken:
                raise ZeroDivisionError
            return candidate.stamp(reader)

        return stamp


def the_kind_is_buggy(client, settings, exception):
    settings.broken = True


def the_client_is_buggy(client, settings, exception):
    def answer(_):
        raise exception

    client.answer = answer


@pytest.mark.parametrize(
    ("breaks", "exception"),
    [
        (the_kind_is_buggy, ZeroDivisionError),
        (the_client_is_buggy, RuntimeError),
        (the_client_is_buggy, RecursionError),
        (the_client_is_buggy, SystemExit),
        (the_client_is_buggy, KeyboardInterrupt),
        (the_client_is_buggy, asyncio.CancelledError),
    ],
)
def test_a_bug_in_a_refresh_never_reaches_a_caller(face, clock, caplog, breaks, exception):
    client = InProcess()
    made = plan(FIELDS, client, clock=clock, monotonic=clock)
    settings = Buggy(made.settings)
    engine = Engine(replace(made, settings=settings))
    old = face.on(engine).get_token(SCOPE)
    breaks(client, settings, exception)
    clock.advance(3301)
    for _ in range(3):
        assert face.on(engine).get_token(SCOPE) is old
        assert settled(engine)
    assert len(client.asked) <= 2
    assert len(warnings_in(caplog)) == 1
    settings.broken, client.answer = False, lambda _: granted("new")
    clock.advance(60)
    assert face.on(engine).get_token(SCOPE) is old
    assert settled(engine)
    assert face.on(engine).get_token(SCOPE).token == "new"
