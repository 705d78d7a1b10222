"""Common clients get their tokens from the fake as they do from Entra."""

from __future__ import annotations

import asyncio

import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

from credconf.testing import make_certificate

SCOPE = "https://storage.azure.com/.default"


@pytest.fixture
def options(entra):
    return {
        "authority": entra.authority,
        "disable_instance_discovery": True,
        "connection_verify": entra.ca_bundle,
        "retry_total": 0,
    }


def msal_client(entra, session, credential, client_id=None):
    return msal.ConfidentialClientApplication(
        client_id or entra.client_id,
        client_credential=credential,
        authority=f"{entra.authority}/{entra.tenant_id}",
        instance_discovery=False,
        http_client=session,
    )


def test_msal_gets_a_token(entra, session):
    result = msal_client(entra, session, entra.client_secret).acquire_token_for_client([SCOPE])
    assert result["token_type"] == "Bearer"
    assert entra.count("openid-configuration") == 1
    assert entra.count() == 1


def test_msal_reads_a_refusal(entra, session):
    result = msal_client(entra, session, "wrong-secret").acquire_token_for_client([SCOPE])
    assert result["error"] == "invalid_client"
    assert result["error_codes"] == [7000215]


def test_msal_finds_an_adfs_server(entra, session):
    client = msal.ConfidentialClientApplication(
        entra.client_id,
        client_credential=entra.client_secret,
        authority=f"{entra.authority}/adfs",
        instance_discovery=False,
        http_client=session,
    )
    assert "access_token" in client.acquire_token_for_client([SCOPE])


def test_msal_finds_a_generic_oidc_server(entra, session):
    client = msal.ConfidentialClientApplication(
        entra.client_id,
        client_credential=entra.client_secret,
        oidc_authority=f"{entra.authority}/{entra.tenant_id}/v2.0",
        http_client=session,
    )
    assert "access_token" in client.acquire_token_for_client([SCOPE])


def test_azure_identity_gets_a_token_with_a_secret(entra, options):
    with ClientSecretCredential(entra.tenant_id, entra.client_id, entra.client_secret, **options) as credential:
        token = credential.get_token(SCOPE).token
        assert credential.get_token(SCOPE).token == token
    assert entra.count() == 1
    assert entra.requests[-1].proof == "secret"


def test_azure_identity_finds_the_fake_by_its_variables(entra, monkeypatch):
    for name, value in entra.environ().items():
        monkeypatch.setenv(name, value)
    secret = ClientSecretCredential(
        entra.tenant_id, entra.client_id, entra.client_secret, disable_instance_discovery=True, retry_total=0
    )
    with secret as credential:
        assert credential.get_token(SCOPE).token


def test_azure_identity_gets_a_token_asynchronously(entra, monkeypatch, options):
    monkeypatch.setenv("SSL_CERT_FILE", entra.ca_bundle)

    async def use() -> str:
        credential = AsyncClientSecretCredential(entra.tenant_id, entra.client_id, entra.client_secret, **options)
        async with credential:
            return (await credential.get_token(SCOPE)).token

    assert asyncio.run(use())


def test_azure_identity_raises_for_a_wrong_secret(entra, options):
    with (
        ClientSecretCredential(entra.tenant_id, entra.client_id, "wrong-secret", **options) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(SCOPE)


@pytest.mark.parametrize(("name", "password"), [("c.pem", None), ("c.pem", "pw"), ("c.pfx", None), ("c.pfx", "pw")])
@pytest.mark.parametrize("chain", [False, True])
def test_azure_identity_gets_a_token_with_a_certificate(entra, options, tmp_path, name, password, chain):
    made = make_certificate(tmp_path / name, password=password)
    client = entra.register(certificates=[made.pem])
    credential = CertificateCredential(
        entra.tenant_id,
        client.client_id,
        str(made.path),
        password=password,
        send_certificate_chain=chain,
        **options,
    )
    with credential:
        assert credential.get_token(SCOPE).token
    assert (entra.requests[-1].proof, entra.requests[-1].x5c) == ("certificate", chain)


def test_without_its_bundle_the_fake_is_not_trusted(entra):
    with requests.Session() as session, pytest.raises(requests.exceptions.SSLError):
        session.get(entra.authority, timeout=20)
