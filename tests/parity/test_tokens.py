"""What is asked for, what comes back, and what is kept."""

from __future__ import annotations

import json
import time

import jwt
import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo

from tests.parity.faces import OTHER_SCOPE, SCOPE

CHALLENGE = {"access_token": {"nbf": {"essential": True, "value": "1604106651"}}}


def audience(token):
    return jwt.decode(token.token, options={"verify_signature": False})["aud"]


def same(token, other):
    # azure-identity's synchronous class computes the end of a kept token anew each time, and comes out a second off.
    return token.token == other.token and abs(token.expires_on - other.expires_on) <= 1


def token_requests(entra):
    return [request for request in entra.requests if request.kind == "token"]


@pytest.mark.parametrize("method", ["get_token", "get_token_info"])
def test_a_call_without_scopes_is_an_error_with_these_words(face, entra, method):
    with pytest.raises(ValueError) as caught:
        getattr(face.secret(entra), method)()
    assert str(caught.value) == f'"{method}" requires at least one scope'
    assert token_requests(entra) == []


def test_get_token_returns_the_token_and_its_end(face, entra):
    before = int(time.time())
    token = face.secret(entra).get_token(SCOPE)
    assert type(token) is AccessToken
    assert type(token.token) is str
    assert type(token.expires_on) is int
    assert before + 3600 <= token.expires_on <= int(time.time()) + 3600
    assert audience(token) == "https://storage.azure.com"


@pytest.mark.parametrize("refresh_in", [None, 1800])
def test_get_token_info_returns_type_and_refresh_time_too(face, entra, refresh_in):
    entra.tokens(expires_in=3600, refresh_in=refresh_in)
    before = int(time.time())
    token = face.secret(entra).get_token_info(SCOPE)
    assert type(token) is AccessTokenInfo
    assert before + 3600 <= token.expires_on <= int(time.time()) + 3600
    assert token.token_type == "Bearer"
    if refresh_in is None:
        assert token.refresh_on is None
    else:
        assert type(token.refresh_on) is int
        assert before + 1800 <= token.refresh_on <= int(time.time()) + 1800


def test_both_methods_share_the_cache(face, entra):
    credential = face.secret(entra)
    assert credential.get_token(SCOPE).token == credential.get_token_info(SCOPE).token
    assert len(token_requests(entra)) == 1


def test_the_token_endpoint_gets_a_client_credentials_form(face, entra):
    face.secret(entra).get_token(SCOPE)
    (request,) = token_requests(entra)
    assert request.form["grant_type"] == "client_credentials"
    assert request.form["client_secret"] == entra.client_secret
    assert request.client_id == entra.client_id
    assert request.scopes == (SCOPE,)
    assert request.claims is None


def test_several_scopes_are_sent_together(face, entra):
    entra.strict_scopes = False
    face.secret(entra).get_token(SCOPE, "https://storage.azure.com/extra")
    (request,) = token_requests(entra)
    assert set(request.scopes) == {SCOPE, "https://storage.azure.com/extra"}


def test_the_order_of_scopes_makes_no_difference_to_the_cache(face, entra):
    entra.strict_scopes = False
    credential = face.secret(entra)
    first = credential.get_token("https://storage.azure.com/a", "https://storage.azure.com/b")
    assert same(credential.get_token("https://storage.azure.com/b", "https://storage.azure.com/a"), first)
    assert len(token_requests(entra)) == 1


def test_a_second_call_makes_no_request(face, entra):
    credential = face.secret(entra)
    assert same(credential.get_token(SCOPE), credential.get_token(SCOPE))
    assert len(token_requests(entra)) == 1


def test_each_scope_has_a_token_of_its_own(face, entra):
    credential = face.secret(entra)
    assert audience(credential.get_token(SCOPE)) == "https://storage.azure.com"
    assert audience(credential.get_token(OTHER_SCOPE)) == "https://vault.azure.net"
    assert audience(credential.get_token(SCOPE)) == "https://storage.azure.com"
    assert len(token_requests(entra)) == 2


def test_two_credentials_share_nothing(face, entra):
    first, second = face.secret(entra).get_token(SCOPE), face.secret(entra).get_token(SCOPE)
    assert first.token != second.token
    assert len(token_requests(entra)) == 2


def test_an_expired_token_is_replaced(face, entra):
    entra.tokens(expires_in=1)
    credential = face.secret(entra)
    first = credential.get_token(SCOPE)
    entra.tokens(expires_in=3600)
    time.sleep(max(0.0, first.expires_on - time.time()) + 0.01)
    second = credential.get_token(SCOPE)
    assert second.token != first.token
    assert same(credential.get_token(SCOPE), second)
    assert len(token_requests(entra)) == 2


def test_claims_bypass_the_cache_and_replace_what_is_in_it(face, entra):
    credential = face.secret(entra)
    first = credential.get_token(SCOPE)
    second = credential.get_token(SCOPE, claims=json.dumps(CHALLENGE))
    assert second.token != first.token
    assert same(credential.get_token(SCOPE), second)
    assert [request.claims is not None for request in token_requests(entra)] == [False, True]


def test_claims_are_sent_as_given(face, entra):
    face.secret(entra).get_token_info(SCOPE, options={"claims": json.dumps(CHALLENGE)})
    (request,) = token_requests(entra)
    assert json.loads(request.claims or "")["access_token"]["nbf"] == CHALLENGE["access_token"]["nbf"]


def test_claims_are_never_answered_from_the_cache(face, entra):
    credential = face.secret(entra)
    for _ in range(3):
        credential.get_token(SCOPE, claims=json.dumps(CHALLENGE))
    assert len(token_requests(entra)) == 3


def test_cae_sends_the_capability(face, entra):
    face.secret(entra).get_token(SCOPE, enable_cae=True)
    (request,) = token_requests(entra)
    assert json.loads(request.claims or "") == {"access_token": {"xms_cc": {"values": ["CP1"]}}}


def test_cae_and_claims_are_sent_together(face, entra):
    face.secret(entra).get_token(SCOPE, enable_cae=True, claims=json.dumps(CHALLENGE))
    (request,) = token_requests(entra)
    sent = json.loads(request.claims or "")["access_token"]
    assert sent == {**CHALLENGE["access_token"], "xms_cc": {"values": ["CP1"]}}


def test_cae_has_a_cache_of_its_own(face, entra):
    credential = face.secret(entra)
    plain = credential.get_token(SCOPE)
    cae = credential.get_token(SCOPE, enable_cae=True)
    assert plain.token != cae.token
    assert same(credential.get_token(SCOPE), plain)
    assert credential.get_token_info(SCOPE, options={"enable_cae": True}).token == cae.token
    assert len(token_requests(entra)) == 2


def test_claims_with_cae_leave_the_other_cache_alone(face, entra):
    credential = face.secret(entra)
    plain = credential.get_token(SCOPE)
    credential.get_token(SCOPE, enable_cae=True, claims=json.dumps(CHALLENGE))
    assert same(credential.get_token(SCOPE), plain)


def test_unknown_keywords_of_a_request_are_ignored(face, entra):
    credential = face.secret(entra)
    token = credential.get_token(SCOPE)
    assert credential.get_token(SCOPE, made_up="x").token == token.token
    assert len(token_requests(entra)) == 1


def test_unknown_options_of_a_request_are_ignored(face, entra):
    credential = face.secret(entra)
    token = credential.get_token(SCOPE)
    assert credential.get_token_info(SCOPE, options={"made_up": "x", "pop": {"a": "b"}}).token == token.token
    assert len(token_requests(entra)) == 1


@pytest.mark.parametrize("options", [None, {}, {"claims": None, "tenant_id": None, "enable_cae": False}])
def test_empty_options_are_none(face, entra, options):
    credential = face.secret(entra)
    token = credential.get_token_info(SCOPE, options=options)
    assert credential.get_token(SCOPE, claims=None, tenant_id=None, enable_cae=False).token == token.token
    assert len(token_requests(entra)) == 1


def test_the_life_of_a_token_may_be_written_as_text(face, entra):
    entra.tokens(expires_in="3600")
    token = face.secret(entra).get_token(SCOPE)
    assert abs(token.expires_on - time.time() - 3600) < 60
