from __future__ import annotations

import pytest

from tests.redis_server import NO_SERVER, RedisServer, executable


class Clock:
    """Both clocks of a machine, which only a test moves."""

    def __init__(self):
        self.wall = 1_800_000_000.0
        self.steady = 50_000.0

    def advance(self, seconds):
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    if executable() is None:
        pytest.skip(NO_SERVER)
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server):
    with redis_server.client() as client:
        client.flushall()
    return redis_server.url
