"""A credential and a real Redis in every bad state: no call fails or waits that would have worked without it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

import credconf
from credconf import aio
from credconf.tokens import store_calls as circuits
from tests.redis_server import NO_SERVER, RedisServer, executable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from credconf.testing import FakeEntra
    from tests.integration.certificates import Certificates

SCOPE = "https://vault.azure.net/.default"
TIMEOUT = 0.3
ALONE = "tokens are kept in memory only"
BACK = "is back"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    if executable() is None:
        pytest.skip(NO_SERVER)
    servers: list[RedisServer] = []

    def start(*options: str, tls: tuple[str, str] | None = None) -> RedisServer:
        directory = tmp_path / f"redis-{len(servers)}"
        directory.mkdir()
        server = RedisServer(directory, *options, tls=tls)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def credential_of(entra: FakeEntra) -> Iterator[Callable[..., credconf.Credential]]:
    """A credential as a process of its own would have one."""
    entra.allow_any_tenant()
    made: list[credconf.Credential] = []

    def make(url: str, timeout: float = TIMEOUT, **changes: Any) -> credconf.Credential:
        cache = {"url": url, "timeout": timeout}
        more = {"additionally_allowed_tenants": ["*"], **changes}
        credential = credconf.build(entra.config(token_cache=cache, **more))
        made.append(credential)
        return credential

    yield make
    for credential in made:
        credential.close()


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again soon; in earnest it may take a minute."""
    monkeypatch.setattr(circuits, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(circuits, "LONGEST_PAUSE", 0.4)
    caplog.set_level(logging.INFO, "credconf")


def _said(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


def _until_back(credential: credconf.Credential, caplog: pytest.LogCaptureFixture) -> None:
    deadline = time.monotonic() + 30
    number = 0
    while not _said(caplog, BACK):
        assert time.monotonic() < deadline
        number += 1
        assert credential.get_token(SCOPE, tenant_id=f"while-{number}.example").token
        time.sleep(0.05)


@pytest.mark.parametrize("state", ["killed", "paused"])
def test_a_redis_that_is_gone_is_told_once_and_comes_back_by_itself(
    state: str, started: Any, credential_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    server = started()
    credential = credential_of(server.url)
    credential.get_token(SCOPE, tenant_id="before.example")
    (server.kill if state == "killed" else server.pause)()
    began = time.monotonic()
    for number in range(20):
        assert credential.get_token(SCOPE, tenant_id=f"tenant-{number}.example").token
    # One wait for it in each pause, not one for each token; the rest is what the machine takes.
    assert time.monotonic() - began < 20 * TIMEOUT
    assert len(_said(caplog, ALONE)) == 1
    (server.start if state == "killed" else server.resume)()
    _until_back(credential, caplog)
    asked = entra.count()
    token = credential.get_token(SCOPE, tenant_id="after.example").token
    assert credential_of(server.url).get_token(SCOPE, tenant_id="after.example").token == token
    assert entra.count() == asked + 1
    assert len(_said(caplog, ALONE)) == len(_said(caplog, BACK)) == 1


def test_what_a_paused_redis_executes_late_makes_no_token_young(
    started: Any, credential_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    entra.tokens(expires_in=4)
    server = started()
    credential = credential_of(server.url)
    credential.get_token(SCOPE, tenant_id="first.example")
    backend = credential._engine._coordinator._breaker.store
    with server.client() as client:
        (name,) = client.keys("*:token")
        value, left = client.get(name), client.pttl(name)
    time.sleep(left / 1000)
    with server.client() as client:
        assert client.get(name) is None
        client.set(name, value, px=left)  # what a command does that was sent before the pause
    other = credential_of(server.url)
    other.get_token(SCOPE, tenant_id="first.example")
    assert entra.count() == 2, "an old token was taken for a new one"
    assert backend.undecryptable == 0


def test_a_redis_that_is_full_is_told_once_and_is_still_read(
    started: Any, credential_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    server = started("--maxmemory-policy", "noeviction")
    first = credential_of(server.url, 5)
    held = first.get_token(SCOPE, tenant_id="held.example").token
    with server.client() as client:
        client.config_set("maxmemory", "100kb")  # less than it has with nothing in it
    for number in range(5):
        assert first.get_token(SCOPE, tenant_id=f"tenant-{number}.example").token
    assert len(_said(caplog, ALONE)) == 1
    assert "it is full" in _said(caplog, ALONE)[0]
    asked = entra.count()
    assert credential_of(server.url, 5).get_token(SCOPE, tenant_id="held.example").token == held
    assert entra.count() == asked
    with server.client() as client:
        client.config_set("maxmemory", "0")
    _until_back(first, caplog)


def test_a_redis_that_evicts_loses_tokens_and_no_call(
    started: Any, credential_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    server = started("--maxmemory-policy", "allkeys-lru")
    with server.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
    one, other = credential_of(server.url, 5), credential_of(server.url, 5)
    tenants = [f"tenant-{number}.example" for number in range(400)]
    for tenant in tenants:
        assert one.get_token(SCOPE, tenant_id=tenant).token
    for tenant in tenants[-5:]:
        assert other.get_token(SCOPE, tenant_id=tenant).token
    with server.client() as client:
        assert client.info("stats")["evicted_keys"] > 0
    assert entra.count() >= len(tenants)
    assert _said(caplog, ALONE) == []


def test_a_replica_is_read_and_told_once(
    started: Any, credential_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    primary = started()
    replica = started("--replicaof", "127.0.0.1", str(primary.port))
    token = credential_of(primary.url, 5).get_token(SCOPE).token
    with replica.client() as client:
        while not client.keys("*:token"):
            time.sleep(0.01)
    reader = credential_of(replica.url, 5)
    assert reader.get_token(SCOPE).token == token
    assert reader.get_token(SCOPE, tenant_id="other.example").token
    assert entra.count() == 2
    assert ["it is a replica, which can't be written" in text for text in _said(caplog, ALONE)] == [True]


RULES = "~credconf:* +time +getrange +set +del +get +pexpire +eval +select"
"""What a user needs; the documentation says the same."""


def test_a_user_needs_few_permissions(
    started: Any, credential_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    server = started("--user", "default", "off", "--user", "app", "on", ">canary", *RULES.split())
    url = server.url.replace("//", "//app:canary@").replace("/0", "/2")
    token = credential_of(url, 5).get_token(SCOPE).token
    assert credential_of(url, 5).get_token(SCOPE).token == token
    assert entra.count() == 1
    assert _said(caplog, ALONE) == []


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("app:wrong-canary", "it refused the user or the password"),
        ("nobody:canary", "it refused the user or the password"),
        ("reader:canary", "its user lacks a permission"),
    ],
)
def test_a_user_who_may_not_is_told_once_and_gets_tokens(
    user: str, reason: str, started: Any, credential_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    users = ["--user", "app", "on", ">canary", *RULES.split(), "--user", "reader", "on", ">canary", "~*", "+time"]
    server = started("--user", "default", "off", *users)
    credential = credential_of(server.url.replace("//", f"//{user}@"), 5)
    for number in range(4):
        assert credential.get_token(SCOPE, tenant_id=f"tenant-{number}.example").token
    assert [reason in text for text in _said(caplog, ALONE)] == [True]
    assert "canary" not in caplog.text


def test_a_database_and_a_socket_can_be_named(started: Any, credential_of: Any, entra: FakeEntra) -> None:
    server = started()
    token = credential_of(server.url.replace("/0", "/5"), 5).get_token(SCOPE).token
    assert credential_of(f"unix://{server.socket}?db=5", 5).get_token(SCOPE).token == token
    assert entra.count() == 1
    assert credential_of(server.url, 5).get_token(SCOPE).token != token


@pytest.fixture
def tls_redis(started: Any, certificates: Certificates) -> RedisServer:
    program = executable()
    assert program is not None
    if (
        b"libssl"
        not in subprocess.run([shutil.which("ldd") or "true", program], capture_output=True, check=False).stdout
    ):
        pytest.skip("this redis-server was built without TLS")
    server: RedisServer = started(tls=(str(certificates.certificate), str(certificates.key)))
    return server


def test_tls_is_trusted_by_the_bundle_of_the_configuration_and_not_without(
    tls_redis: RedisServer,
    certificates: Certificates,
    credential_of: Any,
    entra: FakeEntra,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = tls_redis.url.replace("redis:", "rediss:").replace("127.0.0.1", "localhost")
    assert credential_of(url, 5).get_token(SCOPE).token
    assert ["its certificate is not trusted" in text for text in _said(caplog, ALONE)] == [True]
    with tls_redis.client() as client:
        assert client.keys("*") == []
    caplog.clear()
    bundle = tmp_path / "both.pem"
    own = certificates.authority.read_text(encoding="ascii")
    with open(entra.ca_bundle, encoding="ascii") as theirs:
        bundle.write_text(own + theirs.read(), encoding="ascii")
    token = credential_of(url, 5, http={"ca_bundle": str(bundle)}).get_token(SCOPE).token
    assert credential_of(url, 5, http={"ca_bundle": str(bundle)}).get_token(SCOPE).token == token
    assert _said(caplog, ALONE) == []


def test_a_paused_redis_blocks_no_event_loop(started: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture) -> None:
    server = started()
    config = entra.config(token_cache={"url": server.url, "timeout": 1.0})

    async def asked() -> int:
        turns = 0
        async with aio.build(config) as credential:
            server.pause()
            asking = asyncio.ensure_future(credential.get_token(SCOPE))
            while not asking.done():
                turns += 1
                await asyncio.sleep(0.01)
            assert asking.result().token
        return turns

    assert asyncio.run(asked()) > 20
    assert len(_said(caplog, ALONE)) == 1
