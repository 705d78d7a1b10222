"""Calls of what should be a Redis, and is rude."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

import pytest

from credconf.ground.deferred import importing
from credconf.stores.redis import options_of
from credconf.stores.redis_client import RedisClient
from credconf.stores.store import Busy, Unavailable
from credconf.tokens.blueprint import opening_of
from tests.contract.faces import wait_until
from tests.stores.redis_storage import Secrets, plan_of

TIMEOUT = 0.5


@pytest.fixture
def serving():
    """Start a server that treats each connection in some way, and return its URL."""
    stopped = threading.Event()
    opened = []

    def serve(treat):
        listening = socket.create_server(("127.0.0.1", 0))
        opened.append(listening)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection = listening.accept()[0]
                    opened.append(connection)
                    threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection):
            with contextlib.suppress(OSError):
                treat(connection, stopped)

        threading.Thread(target=accept, daemon=True).start()
        return f"redis://:canary-password@127.0.0.1:{listening.getsockname()[1]}/3"

    yield serve
    stopped.set()
    for each in opened:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def client_to(*arguments, secrets=None, **cache):
    opening = opening_of(plan_of(*arguments, **cache), secrets or Secrets())
    return RedisClient(options_of(opening.settings), opening)


@pytest.fixture
def client_of():
    made = []

    def make(url, timeout=TIMEOUT):
        client = client_to(url, time.time, time.monotonic, timeout=timeout)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


def silent(connection, stopped):
    stopped.wait(60)


def answering(*lines):
    def treat(connection, stopped):
        for line in lines:
            connection.recv(4096)
            connection.sendall(line)
        stopped.wait(60)

    return treat


def forever(line):
    def treat(connection, stopped):
        while connection.recv(4096):
            connection.sendall(line)

    return treat


def closing(connection, stopped):
    connection.close()


def dripping(connection, stopped):
    for _ in range(4):  # password, library, version, database
        connection.recv(4096)
        connection.sendall(b"+OK\r\n")
    connection.recv(4096)
    connection.sendall(b"$100000\r\n")
    while not stopped.wait(TIMEOUT / 4):
        connection.sendall(b"x")


@pytest.mark.parametrize(
    ("treat", "reason"),
    [
        (silent, "it did not answer within 0.5 s"),
        (closing, "there is no connection to it"),
        (answering(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"), "it refused the user"),
        (answering(b"-ERR invalid password\r\n"), "it refused the user"),
        (answering(b"-NOAUTH Authentication required.\r\n"), "it refused the user"),
        (answering(b"-ERR max number of clients reached\r\n"), "there is no connection to it"),
        (answering(b"-ERR canary\r\n"), "it answered with an error"),
        (answering(*[b"+OK\r\n"] * 3, b"-ERR DB index is out of range\r\n"), "it answered with an error"),
        (forever(b"-LOADING Redis is loading the dataset in memory\r\n"), "it is starting"),
        (answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "it does not answer as a Redis does"),
        (forever(b"$-7\r\n"), "it does not answer as a Redis does|there is no connection|it did not answer"),
        (forever(b":abc\r\n"), "it does not answer as a Redis does"),
        (forever(b"\x00\xff\x00\xff" * 50 + b"\r\n"), "it does not answer as a Redis does"),
        (forever(b"*1\r\n+OK\r\n"), "it does not answer as a Redis does|it refused"),
    ],
)
def test_whatever_is_no_redis_is_told_from_one_in_a_bounded_time(serving, client_of, treat, reason):
    client = client_of(serving(treat))
    began = time.monotonic()
    with pytest.raises(Unavailable, match=reason) as caught:
        client.call(lambda redis: redis.time())
    assert time.monotonic() - began < 20 * TIMEOUT
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_answer_that_drips_is_not_waited_for_though_each_byte_comes_in_time(serving, client_of):
    client = client_of(serving(dripping))
    began = time.monotonic()
    with pytest.raises(Unavailable, match="it took more than 2 s"):
        client.call(lambda redis: redis.time())
    assert time.monotonic() - began < 60 * TIMEOUT


def test_a_closed_port_is_unavailable(client_of):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable, match="there is no connection to it"):
        client_of(f"redis://127.0.0.1:{port}").call(lambda redis: redis.time())


def test_a_tls_server_that_speaks_none_is_told(serving, client_of):
    url = serving(forever(b"-ERR plain text\r\n")).replace("redis:", "rediss:")
    with pytest.raises(Unavailable, match="its TLS can't be spoken"):
        client_of(url).call(lambda redis: redis.time())


def test_what_logs_call_it_shows_neither_user_nor_password(client_of, tmp_path):
    assert client_of("rediss://me:canary@cache.example:6380/1").label == "the Redis at cache.example:6380"
    assert client_of("unix:///run/canary.sock").label == "the Redis of token_cache"
    path = tmp_path / "url"
    path.write_text("redis://canary.example")
    assert client_of({"file": str(path)}).label == "the Redis of token_cache"


def test_few_connections_serve_many_threads(redis_url, client_of):
    client = client_of(redis_url, timeout=10)
    threads = [threading.Thread(target=client.call, args=(lambda redis: redis.ping(),)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    mine = client.call(lambda redis: redis.client_list())
    assert len([each for each in mine if each["addr"].startswith("127.0.0.1:")]) <= 16


def test_the_look_up_of_a_name_is_not_waited_for_until_its_end(client_of, monkeypatch):
    found = threading.Event()

    def look_up(*_, **__):
        found.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "canary")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    client = client_of("redis://cache.example", timeout=0.02)
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(Unavailable) as caught:
            client.call(lambda redis: redis.ping())
        assert not isinstance(caught.value, Busy), "calls that hang are no sign of much to do"
    assert time.monotonic() - began < 30
    found.set()
    monkeypatch.undo()
    wait_until(lambda: not client._hung)


def held(client, redis_url, number):
    """Calls that are under way, until they are told to end."""
    entered, goes_on = threading.Semaphore(0), threading.Event()

    def operation(redis):
        redis.ping()
        entered.release()
        goes_on.wait(60)
        return redis.client_id()

    threads = [threading.Thread(target=client.call, args=(operation,)) for _ in range(number)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=60)
    return goes_on, threads


def test_who_finds_all_connections_in_use_is_told_so(redis_url, client_of):
    client = client_of(redis_url, timeout=5)
    goes_on, threads = held(client, redis_url, 16)
    client.timeout = 0.05
    with pytest.raises(Busy):
        client.call(lambda redis: redis.ping())
    goes_on.set()
    for thread in threads:
        thread.join(60)
    assert client.call(lambda redis: redis.ping())


def test_closing_in_the_middle_of_a_call_leaves_no_connection(redis_url, client_of):
    client = client_of(redis_url, timeout=5)
    goes_on, threads = held(client, redis_url, 2)
    client.close()
    goes_on.set()
    for thread in threads:
        thread.join(60)
    assert client.call(lambda redis: redis.ping()), "what closes while it asks has a token to store"
    assert open_connections(client) == 0


def open_connections(client):
    return sum(each._sock is not None for each in client._servers.pool._connections)


def test_closing_does_not_wait_for_the_import(client_of):
    client = client_of("redis://127.0.0.1:1")

    def call():
        with contextlib.suppress(Unavailable):
            client.call(lambda redis: redis.ping())

    with importing:
        calling = threading.Thread(target=call)
        calling.start()
        time.sleep(0.05)
        closing = threading.Thread(target=client.close, daemon=True)
        closing.start()
        closing.join(10)
        assert not closing.is_alive()
    calling.join(10)


def test_connections_that_were_idle_are_made_anew(redis_url, clock):
    client = client_to(redis_url, lambda: clock.wall, lambda: clock.monotonic)
    first = client.call(lambda redis: redis.client_id())
    assert client.call(lambda redis: redis.client_id()) == first
    clock.advance(31)
    assert client.call(lambda redis: redis.client_id()) != first
    client.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_shares_no_connection(redis_url, client_of):
    client = client_of(redis_url, timeout=5)
    before = client.call(lambda redis: redis.client_id())
    client._lock.acquire()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        client.after_fork()
        os.write(write, str(client.call(lambda redis: redis.client_id())).encode())
        os._exit(0)
    client._lock.release()
    os.close(write)
    os.waitpid(child, 0)
    assert int(os.read(read, 100)) != before
    os.close(read)
    assert client.call(lambda redis: redis.client_id()) == before
