"""Several processes and one real Redis: one request for each token, whatever becomes of process or server."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from credconf.stores.redis_store import LEASE
from tests.integration.fleet import Fleet, Worker
from tests.redis_server import NO_SERVER, RedisServer, executable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from credconf.testing import FakeEntra

SIZE = 8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    if executable() is None:
        pytest.skip(NO_SERVER)
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def config(entra: FakeEntra, server: RedisServer) -> dict[str, Any]:
    entra.allow_any_tenant()
    # More than a second of patience with a busy machine: what is looked at here is who asks, not how long it takes.
    return entra.config(additionally_allowed_tenants=["*"], token_cache={"url": server.url, "timeout": 5})


def _when(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _tokens(answers: list[dict[str, Any]]) -> set[str]:
    return {answer["token"] for answer in answers}


def test_processes_that_start_together_make_one_request(entra: FakeEntra, config: dict[str, Any]) -> None:
    entra.is_slow(0.5)
    with Fleet(config, SIZE) as fleet:
        answers = fleet.ask()
        assert entra.count() == 1
        assert len(_tokens(answers)) == 1
        assert fleet.end() == [""] * SIZE


def test_they_make_one_for_each_tenant(entra: FakeEntra, config: dict[str, Any]) -> None:
    with Fleet(config, 4) as fleet:
        tenants = [f"tenant-{number}.example" for number in range(5)]
        tokens = [_tokens(fleet.ask(tenant)) for tenant in tenants]
        assert fleet.end() == [""] * 4
    assert [len(each) for each in tokens] == [1] * 5
    assert [request.tenant for request in entra.requests] == tenants
    assert len(set.union(*tokens)) == len(tenants)


def test_a_request_that_takes_longer_than_a_lease_stays_the_only_one(entra: FakeEntra, config: dict[str, Any]) -> None:
    entra.is_slow(LEASE + 1.5)
    with Fleet(config, 4) as fleet:
        answers = fleet.ask()
    assert entra.count() == 1
    assert len(_tokens(answers)) == 1


def test_a_crashed_holder_loses_its_lock_and_one_of_the_others_asks(
    entra: FakeEntra, config: dict[str, Any], server: RedisServer
) -> None:
    entra.is_slow(60, times=1)
    holder = Worker(config)
    holder.hear()
    with Fleet(config, SIZE) as fleet:
        holder.ask()
        _when(lambda: entra.count() == 1)
        for worker in fleet.workers:
            worker.ask()
        holder.kill()
        answers = [worker.hear() for worker in fleet.workers]
    assert entra.count() == 2
    assert len(_tokens(answers)) == 1
    with server.client() as client:
        assert not client.keys("*:lock")


def test_a_refusal_reaches_all_who_waited_with_one_request(entra: FakeEntra, config: dict[str, Any]) -> None:
    entra.is_slow(1.0, times=1)
    entra.answers(400, '{"error": "invalid_scope", "error_description": "AADSTS70011: no", "error_codes": [70011]}')
    with Fleet(config, 4) as fleet:
        for worker in fleet.workers:
            worker.ask()
        for worker in fleet.workers:
            with pytest.raises(AssertionError, match="AADSTS70011"):
                worker.hear()
    assert entra.count() <= 2  # a process may start after all others have ended


def test_a_flushed_redis_costs_one_request(entra: FakeEntra, config: dict[str, Any], server: RedisServer) -> None:
    with Fleet(config, 4) as fleet:
        first = fleet.ask()
        with server.client() as client:
            client.flushall()
        assert _tokens(fleet.ask()) == _tokens(first), "memory stands in front"
        assert entra.count() == 1
    with Fleet(config, 4) as fleet:
        second = fleet.ask()
    assert entra.count() == 2
    assert len(_tokens(second)) == 1


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime (Debian's package) is not on PATH")
@pytest.mark.parametrize("skew", ["+3h", "-3h", "+200d"])
def test_a_process_whose_clock_is_wrong_reads_a_token_as_old_as_it_is(
    entra: FakeEntra, config: dict[str, Any], skew: str
) -> None:
    with Fleet(config, 1) as right:
        right.ask()
    wrong = Worker(config, ["faketime", "-f", skew])
    wrong.hear()
    wrong.ask()
    assert wrong.hear()["left"] == pytest.approx(3600, abs=60)
    assert wrong.end() == ""
    assert entra.count() == 1


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime (Debian's package) is not on PATH")
def test_a_token_that_a_process_with_a_wrong_clock_got_is_as_old_as_it_is(
    entra: FakeEntra, config: dict[str, Any]
) -> None:
    wrong = Worker(config, ["faketime", "-f", "+3h"])
    wrong.hear()
    wrong.ask()
    wrong.hear()
    wrong.end()
    with Fleet(config, 1) as right:
        (answer,) = right.ask()
    assert answer["left"] == pytest.approx(3600, abs=60)
    assert entra.count() == 1


def test_a_restart_under_load_fails_no_call(entra: FakeEntra, config: dict[str, Any], server: RedisServer) -> None:
    config["token_cache"]["timeout"] = 0.5
    over = threading.Event()

    def load(worker: Worker, name: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            worker.ask(f"tenant-{number}-{name % 2}.example")
            assert worker.hear()["token"]

    with Fleet(config, 4) as fleet:
        failures: list[BaseException] = []

        def guarded(worker: Worker, name: int) -> None:
            try:
                load(worker, name)
            except BaseException as exc:  # noqa: BLE001 - told below
                failures.append(exc)

        threads = [threading.Thread(target=guarded, args=(each, name)) for name, each in enumerate(fleet.workers)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(0.7)
            server.kill()
            time.sleep(0.3)
            server.start()
        _when(lambda: _holds_tokens(server))  # they have come back by themselves
        over.set()
        for thread in threads:
            thread.join(60)
        assert failures == []
        logs = fleet.end()
    assert all(log.count("tokens are kept in memory only") <= 3 for log in logs), "logged more than once each time"
    assert any("tokens are kept in memory only" in log for log in logs)
    assert entra.client_secret not in "".join(logs)


def _holds_tokens(server: RedisServer) -> bool:
    with server.client() as client:
        return bool(client.keys("*:token"))
