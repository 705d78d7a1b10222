"""Promise: a logging handler, an exporter or a signal handler may need the very token that its thread is fetching."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import signal

import pytest
import yaml

import credconf
from tests.contract.faces import ASYNC, SCOPE, SYNC, engine_of, wait_until
from tests.promises.answering import FIELDS, InProcess, close, granted, settled
from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.renderings import renderings

SOON = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=3)


@pytest.fixture(params=[SYNC, ASYNC], ids=["sync", "async"])
def face(request):
    return request.param


class Exporter(logging.Handler):
    """Sends each record somewhere, with a token of its own, as an exporter of logs does."""

    def __init__(self, ask):
        super().__init__(logging.DEBUG)
        self.ask = ask
        self.tokens = []
        self.busy = False

    def emit(self, record):
        if not self.busy:
            self.busy = True
            try:
                self.tokens.append(self.ask().token)
            finally:
                self.busy = False


@pytest.fixture
def exporter():
    handler = Exporter(None)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_logging_handler_gets_the_token_that_its_thread_is_fetching(face, fake_entra, exporter):
    engine = engine_of(fake_entra.config(secret_expires_on=SOON))
    credential = SYNC.on(engine)
    exporter.ask = lambda: credential.get_token(SCOPE)
    assert face.on(engine).get_token(SCOPE).token
    assert settled(engine)
    assert exporter.tokens
    close(engine)


def test_a_handler_with_an_event_loop_gets_it_too(face, fake_entra, exporter):
    # In any program, a handler that waits for a thread which logs to it waits for itself.
    exporter.setLevel(logging.INFO)
    engine = engine_of(fake_entra.config(secret_expires_on=SOON))
    if face.is_async:
        # The thread of a loop that runs has no second one; the request is made by another thread.
        exporter.ask = lambda: SYNC.on(engine).get_token(SCOPE)
        assert asyncio.run(ASYNC.module.Credential(engine).get_token(SCOPE)).token
    else:
        exporter.ask = lambda: ASYNC.on(engine).get_token(SCOPE)
        assert SYNC.on(engine).get_token(SCOPE).token
    assert settled(engine)
    assert exporter.tokens
    close(engine)


def test_a_request_that_asks_for_its_own_token_is_answered(face):
    """The application's own client needs the token in the middle of the request: the flight can't have landed."""
    inner = []

    def answer(_):
        if len(client.asked) == 1:
            inner.append(face.on(engine).get_token(SCOPE).token)
        return granted(f"token-{len(client.asked)}")

    client = InProcess(answer)
    engine = engine_of(FIELDS, client)
    assert face.on(engine).get_token(SCOPE).token
    assert inner
    assert len(client.asked) == 2


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the signal is one of Unix")
def test_a_signal_handler_gets_the_token_that_its_thread_is_fetching():
    inner = []

    def answer(_):
        if not inner:
            signal.raise_signal(signal.SIGALRM)
        return granted("a-token")

    engine = engine_of(FIELDS, InProcess(answer))
    before = signal.signal(signal.SIGALRM, lambda *_: inner.append(1) or inner.append(SYNC.on(engine).get_token(SCOPE)))
    try:
        assert SYNC.on(engine).get_token(SCOPE).token == "a-token"
    finally:
        signal.signal(signal.SIGALRM, before)
    assert inner[1].token == "a-token"


def test_lines_are_logged_when_the_followers_have_the_outcome(face, fake_entra, exporter):
    """A handler that waits for another thread, which needs the token, does not hold that thread back."""
    engine = engine_of(fake_entra.config(secret_expires_on=SOON))
    flights = []
    exporter.setLevel(logging.INFO)
    exporter.ask = lambda: flights.append(dict(engine._requests.flights.flying)) or SYNC.on(engine).get_token(SCOPE)
    assert face.on(engine).get_token(SCOPE).token
    wait_until(lambda: flights)
    assert settled(engine)
    assert flights[0] == {}
    close(engine)


class TimeLimit(Exception):
    """As Celery's SoftTimeLimitExceeded."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the signal is one of Unix")
@pytest.mark.parametrize("error", [TimeLimit, TimeoutError, OSError, ValueError])
@pytest.mark.parametrize("secret", ["text", "file"])
def test_what_a_signal_handler_raises_is_its_threads_own(error, secret, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    raised = []

    def handler(*_):
        raised.append(error("the time is over"))
        raise raised[0]

    def answer(_):
        if not raised:
            signal.raise_signal(signal.SIGALRM)
        return granted("a-token")

    fields = {**FIELDS, "client_secret": SECRET if secret == "text" else {"file": str(tmp_path / "secret")}}
    engine = engine_of(fields, InProcess(answer))
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(error) as caught:
            SYNC.on(engine).get_token(SCOPE)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert caught.value is raised[0]
    CANARY.assert_absent(renderings(caught.value))
    assert SYNC.on(engine).get_token(SCOPE).token == "a-token"


def test_every_line_names_the_client_and_the_entry(fake_entra, tmp_path, caplog):
    caplog.set_level(logging.INFO, "credconf")
    (tmp_path / "secret").write_text(fake_entra.client_secret)
    config = fake_entra.config(client_secret={"file": str(tmp_path / "secret")}, secret_expires_on=str(SOON))
    (tmp_path / "credconf.yaml").write_text(yaml.safe_dump({"credentials": {"billing": config, "reports": config}}))
    options = {"env_file": False, "environ": {}}
    with (
        credconf.from_config(tmp_path / "credconf.yaml", name="billing", **options) as billing,
        credconf.from_config(tmp_path / "credconf.yaml", name="reports", **options) as reports,
    ):
        billing.get_token(SCOPE)
        caplog.clear()
        reports.get_token("https://another.example/.default")
    assert caplog.records
    for record in caplog.records:
        assert record.getMessage().startswith(f"client {fake_entra.client_id} (billing, reports): ")


def test_a_client_id_from_a_file_is_not_named(fake_entra, tmp_path, caplog):
    caplog.set_level(logging.INFO, "credconf")
    (tmp_path / "id").write_text(fake_entra.client_id)
    credential = credconf.build(fake_entra.config(client_id={"file": str(tmp_path / "id")}))
    assert credential.get_token(SCOPE).token
    credential.close()
    assert caplog.records
    assert fake_entra.client_id not in caplog.text
