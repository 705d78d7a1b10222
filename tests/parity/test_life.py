"""Contexts, closing, and what azure-core takes a credential for."""

from __future__ import annotations

from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

from tests.parity.faces import SCOPE


def test_a_block_gives_the_credential_itself(face, entra):
    credential = face.secret(entra)
    assert credential.enter() is credential.credential
    assert credential.get_token(SCOPE).token
    credential.leave()


def test_close_may_be_called_twice(face, entra):
    credential = face.secret(entra)
    credential.get_token(SCOPE)
    credential.close()
    credential.close()


def test_an_unused_credential_can_be_closed(face, entra):
    face.secret(entra).close()
    assert entra.requests == []


def test_making_a_credential_asks_nobody(face, entra):
    face.secret(entra)
    assert entra.requests == []


def test_azure_core_recognises_it(face, entra):
    credential = face.secret(entra).credential
    assert isinstance(credential, AsyncTokenCredential if face.is_async else TokenCredential)
    assert isinstance(credential, AsyncSupportsTokenInfo if face.is_async else SupportsTokenInfo)


def test_its_repr_shows_no_secret(face, entra):
    assert entra.client_secret not in repr(face.secret(entra).credential)
