"""gunicorn's gevent workers, which patch the standard library after the fork."""

from __future__ import annotations

import http.client
import importlib.util
import socket

import pytest

from tests.promises.answering import Threads
from tests.secrecy.canaries import CANARY

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")
    for name in ("gevent", "gunicorn")
]
CONNECTIONS = 10
"""Requests that one worker accepts at once: twice as many need both workers."""


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["loaded by each worker", "loaded before the fork"])
def test_each_worker_makes_one_request_for_all_its_greenlets(children, commands, fake_entra, listening, options):
    commands.hold()
    with children.gunicorn(listening, "--worker-connections", str(CONNECTIONS), *options) as gunicorn:
        requests = asked(listening)
        commands.arrived(2)
        commands.release()
        answers = requests.joined()
        output = ended(gunicorn)
    assert {status for status, _ in answers} == {200}, output
    assert len({body.split()[0] for _, body in answers}) == 2
    assert len({body for _, body in answers}) == 2
    assert fake_entra.count() == 2


@pytest.mark.xfail(
    raises=AssertionError,
    strict=True,
    reason="gevent cannot patch ssl once it was imported; azure-identity fails there, too",
)
def test_a_token_fetched_before_the_fork_breaks_no_worker(children, commands, fake_entra, listening):
    with children.gunicorn(listening, "--worker-connections", str(CONNECTIONS), "--preload", warm=True) as gunicorn:
        answers = asked(listening).joined()
        output = ended(gunicorn)
    assert {status for status, _ in answers} == {200}, output
    assert fake_entra.count() == 1 + len({body.split()[0] for _, body in answers})


def asked(listening):
    address = listening.getsockname()
    return Threads(*[lambda: answer_of(address)] * (2 * CONNECTIONS))


def ended(gunicorn):
    gunicorn.terminate()
    output = gunicorn.communicate(timeout=60)[0]
    CANARY.assert_absent([("output", output)])
    return output


def answer_of(address):
    connection = http.client.HTTPConnection(*address, timeout=60)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
