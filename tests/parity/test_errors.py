"""What Entra refuses is a `ClientAuthenticationError`."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.parity.faces import OTHER_TENANT, SCOPE


def test_a_wrong_secret_is_refused_with_entras_text(face, entra):
    credential = face.secret(entra, client_secret="wrong-secret-value")
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as caught:
        credential.get_token(SCOPE)
    assert "wrong-secret-value" not in str(caught.value)


def test_an_unknown_client_is_refused_with_entras_text(face, entra):
    usual = face.usual(entra)
    credential = face.make(entra.tenant_id, "22222222-2222-2222-2222-222222222222", "a-secret", **usual)
    with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
        credential.get_token(SCOPE)


def test_an_unknown_tenant_is_refused(face, entra):
    with pytest.raises(ClientAuthenticationError):
        face.secret(entra, tenant_id=OTHER_TENANT).get_token(SCOPE)


@pytest.mark.parametrize("code", [7000222, 53003, 70011])
def test_every_refusal_carries_its_code(face, entra, code):
    entra.refuses(code)
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{code}"):
        face.secret(entra).get_token(SCOPE)


def test_a_throttled_request_is_an_authentication_error(face, entra):
    entra.throttles()
    with pytest.raises(ClientAuthenticationError):
        face.secret(entra).get_token(SCOPE)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_fails_is_an_authentication_error(face, entra, status):
    entra.answers(status, b'{"error": "server_error", "error_description": "AADSTS90033: later."}')
    with pytest.raises(ClientAuthenticationError):
        face.secret(entra).get_token(SCOPE)


def test_a_refusal_is_not_kept(face, entra):
    credential = face.secret(entra, client_secret="new-secret")
    with pytest.raises(ClientAuthenticationError):
        credential.get_token(SCOPE)
    entra.registration.add_secret("new-secret")
    assert credential.get_token(SCOPE).token


def test_the_server_may_fail_once_where_retries_are_wanted(face, entra):
    entra.is_unavailable(times=1)
    assert face.secret(entra, retry_total=2).get_token(SCOPE).token
    assert entra.count() == 2
