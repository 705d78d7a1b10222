"""Tokens that are simply there."""

from __future__ import annotations

import asyncio
import time

import pytest
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

from credconf.testing import AsyncStaticCredential, StaticCredential

SCOPE = "https://storage.azure.com/.default"


def test_a_static_credential_is_what_azure_core_asks_for():
    credential = StaticCredential("a-token", expires_on=4_000_000_000)
    assert isinstance(credential, TokenCredential)
    assert isinstance(credential, SupportsTokenInfo)
    assert credential.get_token(SCOPE) == ("a-token", 4_000_000_000)
    info = credential.get_token_info(SCOPE)
    assert (info.token, info.expires_on, info.token_type, info.refresh_on) == ("a-token", 4_000_000_000, "Bearer", None)


def test_the_async_twin_is_the_same_for_coroutines():
    async def use() -> AsyncStaticCredential:
        async with AsyncStaticCredential("a-token", expires_in=60) as credential:
            assert isinstance(credential, AsyncTokenCredential)
            assert isinstance(credential, AsyncSupportsTokenInfo)
            assert (await credential.get_token(SCOPE, tenant_id="t")).token == "a-token"
            assert (await credential.get_token_info(SCOPE)).expires_on >= time.time() + 50
            for method in (credential.get_token, credential.get_token_info):
                with pytest.raises(ValueError, match="at least one scope"):
                    await method()
            return credential

    credential = asyncio.run(use())
    assert credential.closed
    assert credential.calls == [((SCOPE,), {"tenant_id": "t"}), ((SCOPE,), {})]


def test_a_token_without_an_end_never_ends():
    credential = StaticCredential(expires_in=100)
    assert time.time() + 90 < credential.get_token(SCOPE).expires_on <= time.time() + 100


def test_calls_are_recorded_with_their_options():
    credential = StaticCredential()
    credential.get_token("a", "b", claims="{}", tenant_id="t", enable_cae=True, more=1)
    credential.get_token_info("c", options={"enable_cae": True})
    assert credential.calls == [
        (("a", "b"), {"claims": "{}", "tenant_id": "t", "enable_cae": True, "more": 1}),
        (("c",), {"enable_cae": True}),
    ]
    assert credential.calls[0].scopes == ("a", "b")


@pytest.mark.parametrize("method", ["get_token", "get_token_info"])
def test_no_scope_is_an_error_in_azure_identitys_words(method):
    with pytest.raises(ValueError, match=f'"{method}" requires at least one scope'):
        getattr(StaticCredential(), method)()


def test_a_static_credential_does_not_show_its_token_and_notes_its_end():
    with StaticCredential("canary") as credential:
        assert "canary" not in repr(credential)
        assert not credential.closed
    assert credential.closed
