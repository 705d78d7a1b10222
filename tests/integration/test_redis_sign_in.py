"""A credential signs in with its own token to the Redis in which it shares its other tokens."""

from __future__ import annotations

import base64
import json
import logging
import shutil
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest

import credconf
from credconf.stores.redis_sign_in import SCOPE as REDIS
from tests.cli.running import run
from tests.integration.certificates import Certificates
from tests.redis_server import NO_SERVER, RedisServer, executable
from tests.redis_topologies import Cluster, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credconf.testing import FakeEntra

SCOPE = "https://vault.azure.net/.default"
RULES = "~credconf:* +time +getrange +set +del +get +pexpire +eval"
ALONE = "tokens are kept in memory only"


def _speaks_tls() -> bool:
    program, ldd = executable(), shutil.which("ldd") or "true"
    return program is not None and (
        b"libssl" in subprocess.run([ldd, program], capture_output=True, check=False).stdout
    )


pytestmark = [
    pytest.mark.skipif(executable() is None, reason=NO_SERVER),
    pytest.mark.skipif(not _speaks_tls(), reason="this redis-server was built without TLS"),
]


def _token(object_id: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"oid": object_id}).encode()).decode().rstrip("=")
    return f"e30.{body}.canary-signature"


def _answer(entra: FakeEntra, token: str) -> None:
    """Have the next token be one that the Redis knows."""
    entra.answers(200, json.dumps({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}), times=1)


@pytest.fixture
def files(tmp_path: Path, entra: FakeEntra) -> Certificates:
    """Of the Redis; its authority and Entra's are in one bundle."""
    own = Certificates.made_in(tmp_path)
    with open(entra.ca_bundle, encoding="ascii") as theirs:
        bundle = own.authority.read_text(encoding="ascii") + theirs.read()
    (tmp_path / "both.pem").write_text(bundle, encoding="ascii")
    return own


@pytest.fixture
def config_of(entra: FakeEntra, tmp_path: Path, files: Certificates) -> Callable[..., dict[str, Any]]:
    def config(url: str, **cache: Any) -> dict[str, Any]:
        whole = {"url": url, "timeout": 5, "entra_sign_in": True, **cache}
        return entra.config(http={"ca_bundle": str(tmp_path / "both.pem")}, token_cache=whole)

    return config


def _rules(user: str, token: str) -> list[str]:
    return [user, "on", f">{token}", *RULES.split()]


def test_processes_share_a_redis_to_which_the_application_itself_signs_in(
    tmp_path: Path, entra: FakeEntra, files: Certificates, config_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "credconf")
    user = str(uuid.uuid4())
    options = ["--user", "default", "on", "nopass", "~*", "+@all"]
    with RedisServer(tmp_path, *options, tls=(str(files.certificate), str(files.key))) as server:
        ask(server, "ACL", "SETUSER", *_rules(user, _token(user)))
        config = config_of(f"rediss://localhost:{server.port}")
        tokens = set()
        for secret in (config["client_secret"], [config["client_secret"]]):
            _answer(entra, _token(user))
            with credconf.build({**config, "client_secret": secret}) as credential:
                tokens.add(credential.get_token(SCOPE).token)
        assert len(tokens) == 1
        assert [scope for request in entra.requests for scope in request.scopes] == [REDIS, SCOPE, REDIS]
        assert len(ask(server, "KEYS", "*:token")) == 1, "the token for the Redis is not in the Redis"
    assert ALONE not in caplog.text
    assert "canary" not in caplog.text


def test_who_gets_no_token_for_the_redis_gets_the_others(
    tmp_path: Path, entra: FakeEntra, config_of: Any, caplog: pytest.LogCaptureFixture, files: Certificates
) -> None:
    refusal = {"error": "invalid_resource", "error_description": "AADSTS500011: no", "error_codes": [500011]}
    entra.answers(400, json.dumps(refusal), times=1)
    with (
        RedisServer(tmp_path, tls=(str(files.certificate), str(files.key))) as server,
        credconf.build(config_of(f"rediss://localhost:{server.port}")) as credential,
    ):
        assert credential.get_token(SCOPE).token
    (said,) = [record.getMessage() for record in caplog.records if ALONE in record.getMessage()]
    assert "Entra gave no token to sign in with: AADSTS500011" in said


def test_doctor_signs_in_to_a_cluster(
    tmp_path: Path, entra: FakeEntra, config_of: Any, files: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = str(uuid.uuid4())
    tls = (str(files.certificate), str(files.key))
    with Cluster(tmp_path, "--tls-ca-cert-file", str(files.authority), tls=tls) as cluster:
        for server in cluster.servers:
            ask(server, "ACL", "SETUSER", *_rules(user, _token(user)), "+cluster|slots")
        _answer(entra, _token(user))
        path = tmp_path / "credconf.yaml"
        path.write_text(json.dumps(config_of(f"rediss://{cluster.hosts('localhost')}", cluster=True)), "utf-8")
        steps = json.loads(run("doctor", "--file", path, "--format", "json").said)["steps"]
        (found,) = [step for step in steps if step["step"] == "token cache"]
        assert (found["result"], found["summary"].rpartition(" can ")[2]) == ("ok", "be read and written")
        assert cluster.stored() == []
