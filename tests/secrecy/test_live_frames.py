"""Promise: while a token is requested, no frame on the live stack holds a secret, whatever looks at it, and when.

A log handler that walks `f_back` (such as loguru's intercept handler), a profiler or a signal handler may look at any
moment. So a trace function looks after every instruction of ours and every line of a library, from the moment when the
client is asked until it has answered. It looks at the frame that runs: the others have not changed since they called it.
"""

from __future__ import annotations

import json
import logging
import sys
import types
from contextlib import contextmanager

import pytest

import credconf
from credconf.entra.client import EntraClient
from credconf.testing import make_certificate
from tests.contract.faces import SCOPE
from tests.entra.servers import Proxy, Server, read_head
from tests.secrecy.canaries import CANARY, SECRET, Canary, key_of
from tests.secrecy.reach import HOME, TESTS, Printed, stack, texts_of_records
from tests.secrecy.test_failures import ECHO, error_of

PASSWORD = "hun%7Eter2-of~the_proxy"
PASSWORDS = Canary(("hun~ter2-of~the_proxy",))


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
