"""Processes that share a Redis Cluster, or the primary that Sentinels name, while a server takes over from another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import credconf
from tests.integration.certificates import Certificates
from tests.integration.fleet import Fleet
from tests.redis_server import NO_SERVER, RedisServer, executable
from tests.redis_topologies import Cluster, Watched, ask, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from credconf.testing import FakeEntra

SCOPE = "https://vault.azure.net/.default"
ALONE = "tokens are kept in memory only"
SIZE = 4
ROUNDS = 30
PATIENT = {"timeout": 15}
"""A failover takes two or three seconds here, and more on a busy machine."""

pytestmark = pytest.mark.skipif(executable() is None, reason=NO_SERVER)


@pytest.fixture(scope="module")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(running_cluster: Cluster) -> Cluster:
    """One that holds nothing, and that the test leaves whole."""
    for server in running_cluster.servers:
        if server.process is None:
            server.start()
    until(running_cluster.is_whole)
    for name in running_cluster.stored():
        ask(running_cluster.primary_of(name), "DEL", name)
    return running_cluster


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path) as watched:
        yield watched


@pytest.fixture
def config_of(entra: FakeEntra) -> Callable[..., dict[str, Any]]:
    entra.allow_any_tenant()

    def config(url: str, http: dict[str, Any] | None = None, **cache: Any) -> dict[str, Any]:
        more = {} if http is None else {"http": http}
        return entra.config(additionally_allowed_tenants=["*"], token_cache={"url": url, **PATIENT, **cache}, **more)

    return config


def _under_load(config: dict[str, Any], entra: FakeEntra, failover: Callable[[], None]) -> None:
    """Have processes ask for one new token after another while a server takes over; nobody fails."""
    entra.is_slow(0.05)
    started = threading.Event()

    def fail_over() -> None:
        started.wait(60)
        failover()

    failing = threading.Thread(target=fail_over)
    failing.start()
    tenants = [f"tenant-{number}.example" for number in range(ROUNDS)]
    with Fleet(config, SIZE) as fleet:
        for number, tenant in enumerate(tenants):
            if number == ROUNDS // 3:
                started.set()
            answers = fleet.ask(tenant)
            assert all(answer["token"] for answer in answers)
        logs = fleet.end()
    failing.join(60)
    requests = Counter(request.tenant for request in entra.requests)
    assert set(requests) == set(tenants)
    assert requests.total() <= ROUNDS + 1, requests
    assert logs == [""] * SIZE


# A Cluster


def test_processes_share_a_cluster_whose_tokens_are_on_all_of_its_nodes(
    cluster: Cluster, config_of: Any, entra: FakeEntra
) -> None:
    tenants = [f"tenant-{number}.example" for number in range(20)]
    with Fleet(config_of(cluster.url, cluster=True), SIZE) as fleet:
        tokens = [{answer["token"] for answer in fleet.ask(tenant)} for tenant in tenants]
        assert fleet.end() == [""] * SIZE
    assert [len(each) for each in tokens] == [1] * len(tenants)
    assert entra.count() == len(tenants)
    names = cluster.stored("*:token")
    assert len(names) == len(tenants)
    assert len({cluster.primary_of(name).port for name in names}) == 3


def test_a_planned_failover_of_a_cluster_under_load(cluster: Cluster, config_of: Any, entra: FakeEntra) -> None:
    primary = cluster.primary_of(b"any")
    replica = cluster.replica_of(primary)

    def failover() -> None:
        ask(replica, "CLUSTER", "FAILOVER")
        until(lambda: cluster.primary_of(b"any") is replica)

    _under_load(config_of(cluster.url, cluster=True), entra, failover)
    assert cluster.primary_of(b"any") is replica


@pytest.mark.parametrize("which", range(2))
def test_a_primary_of_a_cluster_that_is_killed_under_load(
    which: int, cluster: Cluster, config_of: Any, entra: FakeEntra
) -> None:
    primary = cluster.servers[which]  # the URL names it
    _under_load(config_of(cluster.url, cluster=True), entra, primary.kill)
    assert primary.process is None


def test_secrets_that_change_share_a_cluster(cluster: Cluster, config_of: Any, entra: FakeEntra) -> None:
    """Names under different secrets are on different nodes."""
    config = config_of(cluster.url, cluster=True)
    with credconf.build(config) as credential:
        token = credential.get_token(SCOPE).token
    for number in range(8):
        with credconf.build({**config, "client_secret": [f"new-{number}", config["client_secret"]]}) as credential:
            assert credential.get_token(SCOPE).token == token
    assert entra.count() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_shares_no_connection_to_a_cluster(cluster: Cluster, config_of: Any, entra: FakeEntra) -> None:
    with credconf.build(config_of(cluster.url, cluster=True)) as credential:
        tenants = [f"tenant-{number}.example" for number in range(6)]
        tokens = [credential.get_token(SCOPE, tenant_id=tenant).token for tenant in tenants]
        client = credential._engine._coordinator._breaker.store._client  # type: ignore[union-attr]
        before = _client_ids(client)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.write(writing, json.dumps(_client_ids(client)).encode())
            os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
        inside = json.loads(os.read(reading, 1000))
        os.close(reading)
        assert len(before) == len(inside) == 3
        assert not set(map(tuple, inside)) & set(before)
        assert _client_ids(client) == before
        assert [credential.get_token(SCOPE, tenant_id=tenant).token for tenant in tenants] == tokens


def _client_ids(client: Any) -> list[tuple[int, int]]:
    """The port of each primary, and the number of our connection there."""
    found: list[tuple[int, int]] = client.call(
        lambda redis: [
            (int(node.port), redis.execute_command("CLIENT ID", target_nodes=node)) for node in redis.get_primaries()
        ]
    )
    return sorted(found)


RULES = "~credconf:* +time +getrange +set +del +get +pexpire +eval +cluster|slots"
"""What a user of a Cluster needs; the documentation says the same."""


def test_a_user_of_a_cluster_needs_few_permissions(
    cluster: Cluster, config_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    for server in cluster.servers:
        ask(server, "ACL", "SETUSER", "app", "reset", "on", ">canary", *RULES.split())
    config = config_of(cluster.url.replace("//", "//app:canary@"), cluster=True)
    with credconf.build(config) as one, credconf.build({**config, "client_secret": [config["client_secret"]]}) as other:
        assert one.get_token(SCOPE).token == other.get_token(SCOPE).token
    assert entra.count() == 1
    for server in cluster.servers:
        ask(server, "ACL", "SETUSER", "app", "-cluster")
    with credconf.build({**config, "prefetch": []}) as refused:
        assert refused.get_token(SCOPE, tenant_id="other.example").token
    assert ["its user lacks a permission" in text for text in _alone(caplog)] == [True]
    assert "canary" not in caplog.text


def test_a_setting_that_does_not_match_is_told(
    cluster: Cluster, tmp_path: Path, config_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with credconf.build(config_of(cluster.url.partition(",")[0])) as credential:
        for number in range(9):  # a third of the tokens are on this node
            assert credential.get_token(SCOPE, tenant_id=f"tenant-{number}.example").token
    assert ["it is a cluster: set `token_cache.cluster` to true" in text for text in _alone(caplog)] == [True]
    caplog.clear()
    with (
        RedisServer(tmp_path) as one,
        credconf.build(config_of(one.url, cluster=True, timeout=0.5)) as credential,
    ):
        assert credential.get_token(SCOPE).token
    assert ["it is no cluster: remove `token_cache.cluster`" in text for text in _alone(caplog)] == [True]


def _alone(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if ALONE in record.getMessage()]


def test_the_nodes_of_a_cluster_are_checked_by_the_name_of_its_url(
    tmp_path: Path, config_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    """A managed Cluster announces addresses, and its certificate holds its name alone."""
    program = executable()
    ldd = shutil.which("ldd") or "true"
    assert program is not None
    if b"libssl" not in subprocess.run([ldd, program], capture_output=True, check=False).stdout:
        pytest.skip("this redis-server was built without TLS")
    own = Certificates.made_in(tmp_path, "localhost")
    bundle = tmp_path / "both.pem"
    with open(entra.ca_bundle, encoding="ascii") as theirs:
        bundle.write_text(own.authority.read_text(encoding="ascii") + theirs.read(), encoding="ascii")
    files = (str(own.certificate), str(own.key))
    with Cluster(tmp_path, "--tls-ca-cert-file", str(own.authority), tls=files) as cluster:
        for host, is_trusted in [("localhost", True), ("127.0.0.1", False)]:
            caplog.clear()
            url = f"rediss://{cluster.hosts(host)}"
            config = config_of(url, cluster=True, http={"ca_bundle": str(bundle)}, timeout=5)
            with credconf.build(config) as credential:
                for number in range(6):
                    assert credential.get_token(SCOPE, tenant_id=f"{host}-{number}.example").token
            assert len(cluster.stored("*:token")) == 6
            assert ["its certificate is not trusted" in text for text in _alone(caplog)] == [True] * (not is_trusted)


# Sentinels


def test_a_primary_that_sentinels_watch_is_killed_under_load(
    watched: Watched, config_of: Any, entra: FakeEntra
) -> None:
    _under_load(config_of(watched.url, sentinel=watched.name), entra, watched.primary.kill)
    assert len(ask(watched.replica, "KEYS", "*:token")) > ROUNDS // 3


def test_sentinels_may_ask_for_a_password_and_one_may_be_gone(
    tmp_path: Path, config_of: Any, entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    password = tmp_path / "password"
    password.write_text("canary-of-sentinels")
    with Watched(tmp_path, password="canary", sentinel_password="canary-of-sentinels") as watched:
        url = watched.url.replace("//", "//:canary@")
        watched.sentinels[0].kill()
        config = config_of(url, sentinel=watched.name, sentinel_password={"file": str(password)})
        with credconf.build(config) as one, credconf.build({**config, "prefetch": []}) as other:
            assert one.get_token(SCOPE).token == other.get_token(SCOPE).token
        assert entra.count() == 1
        assert _alone(caplog) == []
        for wrong, reason in (
            (
                {"sentinel_password": "canary-wrong"},
                "a Sentinel refused the password: check `token_cache.sentinel_password`",
            ),
            ({"sentinel_password": None}, "a Sentinel refused the password: check `token_cache.sentinel_password`"),
            ({"sentinel": "other"}, "no Sentinel that answers knows a primary of this name"),
        ):
            caplog.clear()
            changed = {**config["token_cache"], "timeout": 0.5, **wrong}
            with credconf.build({**config, "token_cache": changed}) as credential:
                assert credential.get_token(SCOPE).token
            assert [reason in text for text in _alone(caplog)] == [True]
            assert "canary" not in caplog.text
