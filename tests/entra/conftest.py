from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from credconf.entra.http import TransportOptions
from credconf.entra.transport import Transport
from credconf.testing import FakeEntra
from tests.entra.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        fake.allow_any_tenant()
        yield fake


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(scope="session")
def ca():
    return trustme.CA()


@pytest.fixture(scope="session")
def bundle(ca, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def start() -> Iterator:
    """Start a server that stops at the end of the test."""
    servers = []

    def started(server):
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.stop()


@pytest.fixture
def server(ca, start):
    return start(Server(ca))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def transport(bundle):
    """Make a transport that is closed at the end of the test."""
    made = []

    def make(clock=None, **options):
        clocks = {"monotonic": clock, "wall": clock, "sleep": clock.sleep} if clock else {"sleep": lambda _: None}
        options = {"verify": bundle, **options}
        made.append(Transport(TransportOptions(**options), random=lambda: 1.0, **clocks))
        return made[-1]

    yield make
    for each in made:
        each.close()
