"""Microsoft's own storage SDK, with our credential, against Microsoft's own emulator of Azure Storage."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient

import credconf
import credconf.aio
from tests.integration.azurite import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credconf.testing import FakeEntra
    from tests.integration.azurite import Azurite
    from tests.integration.certificates import Certificates

CONTENT = b"a file in, a token out"
WRONG = "certainly-not-the-secret"


@pytest.fixture(params=["YAML", "environment"])
def path(
    request: pytest.FixtureRequest, entra: FakeEntra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path | None:
    """The file that configures the identity, or None where the environment alone does."""
    if request.param == "environment":
        entra.apply(monkeypatch)
        return None
    return written(entra, tmp_path)


def written(entra: FakeEntra, directory: Path, **changes: str) -> Path:
    path = directory / "named.yaml"
    path.write_text(yaml.safe_dump({**entra.config(), **changes}), encoding="utf-8")
    return path


@pytest.fixture
def client(azurite: Azurite, certificates: Certificates) -> Callable[[credconf.Credential], BlobServiceClient]:
    def make(credential: credconf.Credential) -> BlobServiceClient:
        ca_bundle = str(certificates.authority)
        return BlobServiceClient(azurite.account_url, credential=credential, connection_verify=ca_bundle, retry_total=0)

    return make


@pytest.fixture
def async_client(
    azurite: Azurite, certificates: Certificates
) -> Callable[[credconf.aio.Credential], AsyncBlobServiceClient]:
    def make(credential: credconf.aio.Credential) -> AsyncBlobServiceClient:
        ca_bundle = str(certificates.authority)
        return AsyncBlobServiceClient(
            azurite.account_url, credential=credential, connection_verify=ca_bundle, retry_total=0
        )

    return make


def test_a_blob_makes_the_round_trip(
    path: Path | None, client: Callable[[credconf.Credential], BlobServiceClient], container: str
) -> None:
    with credconf.from_config(path) as credential, client(credential) as service:
        blob = service.create_container(container).upload_blob("greeting", CONTENT)
        assert blob.download_blob().readall() == CONTENT


def test_a_blob_makes_the_round_trip_from_coroutines(
    path: Path | None, async_client: Callable[[credconf.aio.Credential], AsyncBlobServiceClient], container: str
) -> None:
    async def round_trip() -> bytes:
        async with credconf.aio.from_config(path) as credential, async_client(credential) as service:
            created = await service.create_container(container)
            blob = await created.upload_blob("greeting", CONTENT)
            content: bytes = await (await blob.download_blob()).readall()
            return content

    assert asyncio.run(round_trip()) == CONTENT


def test_both_faces_live_on_one_token(path: Path | None) -> None:
    async def ask() -> str:
        async with credconf.aio.from_config(path) as credential:
            return (await credential.get_token(SCOPE)).token

    with credconf.from_config(path) as credential:
        assert asyncio.run(ask()) == credential.get_token(SCOPE).token


def test_a_wrong_secret_is_a_clear_authentication_error(
    entra: FakeEntra,
    tmp_path: Path,
    client: Callable[[credconf.Credential], BlobServiceClient],
    container: str,
) -> None:
    path = written(entra, tmp_path, client_secret=WRONG)
    with (
        credconf.from_config(path) as credential,
        client(credential) as service,
        pytest.raises(ClientAuthenticationError) as caught,
    ):
        service.create_container(container)
    assert_clear(caught.value, entra)


def test_a_wrong_secret_is_a_clear_authentication_error_in_coroutines(
    entra: FakeEntra,
    tmp_path: Path,
    async_client: Callable[[credconf.aio.Credential], AsyncBlobServiceClient],
    container: str,
) -> None:
    path = written(entra, tmp_path, client_secret=WRONG)

    async def create() -> None:
        async with credconf.aio.from_config(path) as credential, async_client(credential) as service:
            await service.create_container(container)

    with pytest.raises(ClientAuthenticationError) as caught:
        asyncio.run(create())
    assert_clear(caught.value, entra)


def assert_clear(error: ClientAuthenticationError, entra: FakeEntra) -> None:
    """It is ours, it says which identity was refused and why, and it keeps the secret to itself."""
    assert isinstance(error, credconf.AuthenticationError)
    text = str(error)
    assert "AADSTS7000215" in text
    assert entra.client_id in text
    assert WRONG not in text


READS = """
import pickle, sys
import adlfs
import credconf.aio

path, host, blob = sys.argv[1:]
credential = credconf.aio.from_config(path)
system = adlfs.AzureBlobFileSystem("devstoreaccount1", account_host=host, credential=credential)
received = pickle.loads(pickle.dumps(system))
sys.stdout.buffer.write(received.cat(blob))
"""


def test_fsspec_pickles_the_credential_and_the_file_system_reads_with_it(
    azurite: Azurite,
    entra: FakeEntra,
    certificates: Certificates,
    client: Callable[[credconf.Credential], BlobServiceClient],
    container: str,
    tmp_path: Path,
) -> None:
    pytest.importorskip("adlfs")
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(entra.client_secret, encoding="utf-8")
    path = tmp_path / "named.yaml"
    path.write_text(yaml.safe_dump({**entra.config(), "client_secret": {"file": str(secret)}}), encoding="utf-8")
    with credconf.from_config(path) as credential, client(credential) as service:
        service.create_container(container).upload_blob("greeting", CONTENT)
    host = azurite.account_url.removeprefix("https://")
    done = subprocess.run(
        [sys.executable, "-c", READS, str(path), host, f"{container}/greeting"],
        env={**os.environ, "SSL_CERT_FILE": str(certificates.authority)},  # aiohttp reads it when it is imported
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == CONTENT, done.stderr.decode()[-2_000:]
