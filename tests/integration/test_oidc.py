"""Tokens from OAuth servers that are not Entra and were not written here."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import yaml

import credconf
import credconf.aio
from tests.integration.oauth import CLIENT_ID, CLIENT_SECRET, SCOPE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.certificates import Certificates
    from tests.integration.oauth import OAuthServer

LIFETIME = 600  # seconds; what both servers are set to
WRONG = "certainly-not-the-secret"


@pytest.fixture
def config(oauth_server: OAuthServer, certificates: Certificates) -> dict[str, object]:
    return {
        "oidc_authority": oauth_server.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "http": {"ca_bundle": str(certificates.authority)},
    }


def written(config: dict[str, object], directory: Path, **changes: str) -> Path:
    path = directory / "named.yaml"
    path.write_text(yaml.safe_dump({**config, **changes}), encoding="utf-8")
    return path


def test_the_server_issues_a_token(config: dict[str, object], tmp_path: Path) -> None:
    with credconf.from_config(written(config, tmp_path)) as credential:
        token = credential.get_token(SCOPE)
        assert token.token
        assert 0 < token.expires_on - time.time() <= LIFETIME + 1
        assert credential.get_token(SCOPE) == token


def test_the_server_issues_a_token_to_coroutines(config: dict[str, object], tmp_path: Path) -> None:
    async def ask() -> list[str]:
        async with credconf.aio.from_config(written(config, tmp_path)) as credential:
            return [(await credential.get_token(SCOPE)).token for _ in range(2)]

    first, second = asyncio.run(ask())
    assert first
    assert first == second


def test_a_wrong_secret_is_refused_in_words(config: dict[str, object], tmp_path: Path) -> None:
    path = written(config, tmp_path, client_secret=WRONG)
    with credconf.from_config(path) as credential, pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(SCOPE)
    assert "invalid_client" in str(caught.value)
    assert CLIENT_ID in str(caught.value)
    assert WRONG not in str(caught.value)
