"""Promise: while a token is requested, no frame on the live stack holds a secret, whatever looks at it, and when.

A log handler that walks `f_back` (such as loguru's intercept handler), a profiler or a signal handler may look at any
moment. So a trace function looks after every instruction of ours and every line of a library, from the moment when
the client is asked until it has answered. It looks at the frame that runs: the others have not changed since then.
"""

from __future__ import annotations

import http.client
import json
import logging
import signal
import sys
import threading
from contextlib import contextmanager
from functools import partial

import pytest
import trustme

import credconf
from credconf.entra.client import EntraClient
from credconf.testing import make_certificate
from tests.contract.faces import SCOPE
from tests.entra.scripted import Scripted
from tests.entra.servers import Proxy, Server, SocksProxy, TLSProxy, answer
from tests.secrecy.canaries import CANARY, SECRET, Canary, key_of
from tests.secrecy.reach import HOME, TESTS, Printed, stack, texts_of_records
from tests.secrecy.test_failures import ECHO, error_of

PASSWORD = Canary(("hun~ter2-of~the_proxy",))
LOGIN = "user:hun%7Eter2-of%7Ethe_proxy"


def printed(thing, source):
    """What printing shows of a variable. Only Python's own containers are opened: others may lock, and be locked."""
    if isinstance(thing, str | bytes):
        yield source, thing if isinstance(thing, str) else thing.decode("latin-1")
    elif type(thing) in {list, tuple, set, frozenset, dict}:
        for inner in [*thing, *(thing.values() if isinstance(thing, dict) else ())]:
            yield from printed(inner, source)
    else:
        yield source, repr(Printed(thing))
        if isinstance(thing, BaseException):
            yield from printed(thing.args, source)


class Watch:
    """Collects what the frames of a thread hold while `EntraClient.token` runs."""

    def __init__(self):
        self.texts = {}
        self.events = 0
        self._active = False

    def __call__(self, frame, event, arg):
        if frame.f_code is EntraClient.token.__code__ and event == "call":
            self._active = True
            caller = frame
            while caller is not None and not caller.f_code.co_filename.startswith(TESTS):
                self._look(caller, event, arg)
                caller = caller.f_back
        if not self._active:
            return None
        frame.f_trace_opcodes = frame.f_code.co_filename.startswith(HOME)
        return self._look

    def _look(self, frame, event, arg):
        self.events += 1
        for name, value in list(frame.f_locals.items()):
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}:{name}"
            for source, text in printed(value, where):
                self.texts.setdefault(text, source)
        if event == "return" and frame.f_code is EntraClient.token.__code__:
            self._active = False
        return self._look if self._active else None

    def assert_absent(self, canary):
        assert self.events > 500
        canary.assert_absent((source, text) for text, source in self.texts.items())


@contextmanager
def watching():
    watch, before = Watch(), sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # on Python 3.12 only what is set before `settrace` counts
    sys.settrace(watch)
    try:
        yield watch
    finally:
        sys.settrace(before)


@pytest.fixture
def certificate(entra, tmp_path):
    made = make_certificate(tmp_path / "client.pem")
    entra.register(entra.client_id, secrets=[SECRET], certificates=[made.pem])
    return {"client_secret": None, "client_certificate": {"file": str(made.path)}}, key_of(
        made.path.read_text().partition("-----BEGIN CERTIFICATE")[0]
    )


def of_token(token):
    return Canary((token.rpartition(".")[2],))


@pytest.fixture
def ca():
    return trustme.CA()


@pytest.fixture
def start():
    """Start a server that is stopped with the test."""
    servers = []

    def started(server):
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def credential(ca, start, tmp_path):
    """A credential that asks a server of the test's own, and that server."""
    made = []

    def build(proxy=None, **fields):
        server = start(Server(ca))
        bundle = tmp_path / "ca.pem"
        ca.cert_pem.write_to_path(str(bundle))
        authority = {"authority": f"https://localhost:{server.port}", "disable_instance_discovery": True}
        http = {"ca_bundle": str(bundle), "retries": 0, "proxy": proxy}
        ids = {"tenant_id": "contoso.com", "client_id": "the-client"}
        made.append(credconf.build({**ids, **authority, "client_secret": SECRET, "http": http, **fields}))
        return made[-1], server

    yield build
    for each in made:
        each.close()


def test_a_secret_and_a_token_are_in_no_frame(entra):
    credential = credconf.build(entra.config(client_secret=SECRET))
    with watching() as watch:
        token = credential.get_token(SCOPE).token
    assert entra.requests[0].form["client_secret"] == SECRET
    watch.assert_absent(CANARY)
    watch.assert_absent(of_token(token))
    credential.close()


def test_a_key_and_its_assertion_are_in_no_frame(entra, certificate):
    fields, key = certificate
    credential = credconf.build(entra.config(**fields))
    with watching() as watch:
        token = credential.get_token(SCOPE).token
    watch.assert_absent(key)
    watch.assert_absent(Canary((entra.requests[0].form["client_assertion"].rpartition(".")[2],)))
    watch.assert_absent(of_token(token))
    credential.close()


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
def test_the_password_of_a_proxy_is_in_no_frame(credential, ca, start, scheme):
    if scheme == "socks5h":
        proxy = start(SocksProxy((b"user", PASSWORD.secrets[0].encode())))
    else:
        proxy = start((Proxy if scheme == "http" else partial(TLSProxy, ca))(password=PASSWORD.secrets[0]))
    made, server = credential(proxy=f"{scheme}://{LOGIN}@localhost:{proxy.port}")
    server.script.append(answer(200, json.dumps({"access_token": "a-token", "expires_in": 3600}).encode()))
    with watching() as watch:
        assert made.get_token(SCOPE).token == "a-token"
    assert proxy.asked
    watch.assert_absent(PASSWORD)
    watch.assert_absent(CANARY)


def cut(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")


@pytest.mark.parametrize(
    "fault", [lambda _: None, cut, b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
)
def test_a_request_without_an_answer_leaves_its_secret_in_no_frame(credential, fault):
    made, server = credential()
    server.script.append(fault)
    with watching() as watch:
        error = error_of(made.get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    assert server.seen
    watch.assert_absent(CANARY)


class Intercept(logging.Handler):
    """What loguru's intercept handler does, and more: it looks at every frame of the live stack."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.texts = []
        self.records = []

    def emit(self, record):
        self.records.append(record)
        self.texts += stack(sys._getframe(1))


@pytest.fixture
def intercept(monkeypatch):
    """At the root, at DEBUG, for every library."""
    handler, root = Intercept(), logging.getLogger()
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)  # as some applications do
    names = ["", *logging.Logger.manager.loggerDict]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


ECHOES = {
    "a malformed header": f"X-Echo client_secret={SECRET}",
    "a header with a space in its name": f"X Echo: {SECRET}",
    "a header": f"X-Echo: {SECRET}",
    "a folded header": f"X-Echo: a\r\n {SECRET}",
    "a line": SECRET,
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [200, 401, 503])
def test_no_record_has_what_a_server_wrote_into_its_head(credential, intercept, capfd, echo, status):
    body = json.dumps({"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"})
    head = f"HTTP/1.1 {status} {ECHO}\r\n{ECHOES[echo]}\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    made, server = credential()
    server.script.append(head.encode())
    if status == 200:
        assert made.get_token(SCOPE).token == "a-token"
    else:
        assert isinstance(error_of(made.get_token, SCOPE), credconf.AuthenticationError)
    assert any(record.name.startswith("msal") for record in intercept.records)
    CANARY.assert_absent(texts_of_records(intercept.records))
    CANARY.assert_absent(intercept.texts)
    CANARY.assert_absent([("output", "".join(capfd.readouterr()))])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the signal is one of Unix")
def test_a_signal_handler_finds_no_secret_while_a_server_thinks(credential):
    """The moment that is hit most often by far: the client waits."""
    found = []

    def think(sock):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        noticed.wait(20)
        sock.sendall(answer(400, b"{}"))

    def look(_, frame):
        found.extend(stack(frame))
        noticed.set()

    noticed = threading.Event()
    made, server = credential()
    server.script.append(think)
    before = signal.signal(signal.SIGUSR1, look)
    try:
        assert isinstance(error_of(made.get_token, SCOPE), credconf.AuthenticationError)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert any("transport.py:_exchange" in source for source, _ in found)
    CANARY.assert_absent(found)


def test_an_applications_client_is_given_the_secret_and_our_frames_do_not_keep_it():
    frames = []

    class Client(Scripted):
        def post(self, url, **arguments):
            frames.append(sys._getframe(1))
            return super().post(url, **arguments)

    client = Client()
    built = credconf.build({"tenant_id": "t.com", "client_id": "c", "client_secret": SECRET}, http_client=client)
    assert built.get_token(SCOPE).token == "a-token"
    assert client.sent[0]["data"]["client_secret"] == SECRET
    CANARY.assert_absent(text for frame in frames for text in stack(frame))
