"""Type checkers take both faces for azure-core's credentials. Checked by mypy and pyright; never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import requests
from azure.core.credentials import AccessToken, AccessTokenInfo

import credconf

if TYPE_CHECKING:
    from azure.core.credentials import SupportsTokenInfo, TokenCredential
    from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential


def wants_token(credential: TokenCredential) -> None: ...


def wants_info(credential: SupportsTokenInfo) -> None: ...


def wants_either(credential: TokenCredential | SupportsTokenInfo) -> None: ...


def wants_async_token(credential: AsyncTokenCredential) -> None: ...


def wants_async_info(credential: AsyncSupportsTokenInfo) -> None: ...


def wants_client(client: credconf.HttpClient) -> None: ...


def plain() -> None:
    secret = credconf.ClientSecretCredential("tenant", "client", "secret", additionally_allowed_tenants=["*"])
    certificate = credconf.CertificateCredential("tenant", "client", "client.pem", password="password")
    for credential in (secret, certificate, credconf.from_config(), credconf.build({"tenant_id": "tenant"})):
        wants_token(credential)
        wants_info(credential)
        wants_either(credential)
    assert_type(secret.get_token("scope", claims=None, tenant_id=None, enable_cae=True), AccessToken)
    assert_type(secret.get_token_info("scope", options={"claims": "{}", "enable_cae": True}), AccessTokenInfo)
    assert_type(secret.verify("scope", timeout=3), AccessTokenInfo)
    with secret as inside:
        assert_type(inside, credconf.ClientSecretCredential)
    with certificate.on_behalf_of("token of a user") as acting:
        assert_type(acting, credconf.Credential)
        wants_either(acting)
    with credconf.from_config(name="billing", allow={"command"}, tenant_id="tenant") as configured:
        assert_type(configured, credconf.Credential)


async def coroutine() -> None:
    secret = credconf.aio.ClientSecretCredential("tenant", "client", "secret", retry_total=0)
    certificate = credconf.aio.CertificateCredential("tenant", "client", certificate_data=b"", password=b"")
    for credential in (secret, certificate, credconf.aio.from_config(), credconf.aio.build({"tenant_id": "tenant"})):
        wants_async_token(credential)
        wants_async_info(credential)
    assert_type(await secret.get_token("scope"), AccessToken)
    assert_type(await secret.get_token_info("scope", options={"tenant_id": "tenant"}), AccessTokenInfo)
    assert_type(await secret.verify("scope"), AccessTokenInfo)
    async with secret as inside:
        assert_type(inside, credconf.aio.ClientSecretCredential)
    async with certificate.on_behalf_of("token of a user") as acting:
        assert_type(acting, credconf.aio.Credential)
        wants_async_token(acting)
        wants_async_info(acting)


def clients() -> None:
    wants_client(requests.Session())
    credconf.build({"tenant_id": "tenant"}, http_client=requests.Session())
    credconf.from_config(http_client=requests.Session())
    credconf.ClientSecretCredential("tenant", "client", "secret", http_client=requests.Session())
