"""What every kind of credential does, through both faces: tokens."""

from __future__ import annotations

import json

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo, SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError

from tests.contract.clients import Recorder
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, wait_until

CHALLENGE = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1604106651"}}})


def test_the_first_token_costs_one_request_and_the_second_none(case):
    credential = case.build()
    assert case.entra.requests == []
    token = credential.get_token(SCOPE)
    assert credential.get_token(SCOPE) is token
    assert [request.kind for request in case.entra.requests] == ["token"]


def test_on_a_well_known_host_the_first_token_costs_one_request_too(case):
    client = Recorder(case.entra)
    fields = {**case.fields, "authority": None, "disable_instance_discovery": None}
    credential = case.face.build(fields, http_client=client)
    assert credential.get_token(SCOPE).token
    tenant = case.entra.tenant_id
    assert client.asked == [("POST", f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token")]
    credential.close()


def test_tokens_are_azure_cores_own_types(case, clock):
    case.entra.tokens(expires_in=7200, refresh_in=3000)
    credential = case.timed(clock)
    token, info = credential.get_token(SCOPE), credential.get_token_info(SCOPE)
    assert type(token) is AccessToken
    assert type(info) is AccessTokenInfo
    assert token == (info.token, info.expires_on)
    assert (info.expires_on, info.refresh_on, info.token_type) == (clock() + 7200, clock() + 3000, "Bearer")


def test_azure_core_recognises_the_credential_at_run_time(case):
    credential = case.build().credential
    plain, coroutine = (TokenCredential, SupportsTokenInfo), (AsyncTokenCredential, AsyncSupportsTokenInfo)
    for protocol in coroutine if case.face.is_async else plain:
        assert isinstance(credential, protocol)


def test_both_faces_of_one_configuration_share_tokens_and_requests(case):
    case.made += [SYNC.from_config(**case.fields), ASYNC.from_config(**case.fields)]
    first, second = (driven.get_token(SCOPE) for driven in case.made)
    assert first is second
    assert case.entra.count() == 1


def test_a_different_configuration_shares_nothing(case):
    case.from_config().get_token(SCOPE)
    case.from_config(additionally_allowed_tenants=["*"]).get_token(SCOPE)
    assert case.entra.count() == 2


def test_build_shares_nothing(case):
    assert case.build().get_token(SCOPE) != case.build().get_token(SCOPE)


def test_clients_of_the_application_are_not_mixed(case):
    clients = Recorder(case.entra), Recorder(case.entra)
    for client in clients:
        case.from_config(http_client=client).get_token(SCOPE)
    assert [len(client.asked) for client in clients] == [1, 1]


def test_claims_bypass_the_cache_and_replace_what_is_in_it(case):
    credential = case.build()
    first = credential.get_token(SCOPE)
    second = credential.get_token(SCOPE, claims=CHALLENGE)
    assert first.token != second.token
    assert credential.get_token(SCOPE) is second
    assert json.loads(case.entra.requests[-1].claims or "") == json.loads(CHALLENGE)


@pytest.mark.parametrize("claims", ["{nonsense", "[]", "null", "7", '"text"', "{" * 2000])
@pytest.mark.parametrize("enable_cae", [False, True])
def test_claims_that_are_no_json_object_are_an_authentication_error_at_most(case, claims, enable_cae):
    credential = case.build()
    try:
        credential.get_token(SCOPE, claims=claims, enable_cae=enable_cae)
    except ClientAuthenticationError as exc:
        assert exc.error_code in {"invalid_request", "unexpected"}  # noqa: PT017 - some of them are accepted
    assert all(request.kind == "token" for request in case.entra.requests)


def test_claims_that_are_no_json_and_cannot_be_merged_are_named(case):
    credential = case.build()
    with pytest.raises(ClientAuthenticationError, match="claims of the request are not JSON"):
        credential.get_token(SCOPE, claims="{nonsense", enable_cae=True)
    assert case.entra.requests == []


def test_a_failure_with_claims_reaches_the_caller_although_a_token_is_valid(case):
    credential = case.build(http={**case.fields["http"], "retries": 0})
    token = credential.get_token(SCOPE)
    case.entra.refuses(53003)
    with pytest.raises(ClientAuthenticationError, match="AADSTS53003"):
        credential.get_token(SCOPE, claims=CHALLENGE)
    assert credential.get_token(SCOPE) is token


def test_cae_announces_the_capability_and_is_kept_apart(case):
    credential = case.build()
    plain, cae = credential.get_token(SCOPE), credential.get_token(SCOPE, enable_cae=True)
    assert plain != cae
    assert credential.get_token(SCOPE) is plain
    assert credential.get_token_info(SCOPE, options={"enable_cae": True}).token == cae.token
    claims = [request.claims for request in case.entra.requests]
    assert claims[0] is None
    assert json.loads(claims[1] or "") == {"access_token": {"xms_cc": {"values": ["CP1"]}}}
    assert len(claims) == 2


def test_other_tenants_are_asked_where_they_are_allowed(case):
    credential = case.build(additionally_allowed_tenants=["fabrikam.com"])
    tokens = {credential.get_token(SCOPE, tenant_id=tenant).token for tenant in (None, "fabrikam.com")}
    assert len(tokens) == 2
    assert [request.tenant for request in case.entra.requests] == [case.entra.tenant_id, "fabrikam.com"]
    with pytest.raises(ClientAuthenticationError, match="additionally_allowed_tenants") as caught:
        credential.get_token(SCOPE, tenant_id="contoso.com")
    assert caught.value.failure.error == "tenant_not_allowed"


@pytest.mark.parametrize("tenant", ["../evil", "a/b", "a b", ".", "a%2fb", "x" * 257])
def test_a_tenant_that_is_none_is_a_value_error(case, tenant):
    credential = case.build(additionally_allowed_tenants=["*"])
    with pytest.raises(ValueError, match="a tenant is"):
        credential.get_token(SCOPE, tenant_id=tenant)
    with pytest.raises(ValueError, match="a tenant is"):
        credential.get_token_info(SCOPE, options={"tenant_id": tenant})
    assert case.entra.requests == []


@pytest.mark.parametrize("method", ["get_token", "get_token_info", "verify"])
def test_no_scope_is_a_value_error(case, method):
    credential = case.build()
    with pytest.raises(ValueError) as caught:
        getattr(credential, method)()
    assert str(caught.value) == f'"{method}" requires at least one scope'


def test_the_order_and_number_of_scopes_make_no_difference(case):
    case.entra.strict_scopes = False
    credential = case.build()
    token = credential.get_token(SCOPE, OTHER_SCOPE)
    assert credential.get_token(OTHER_SCOPE, SCOPE, SCOPE) is token
    assert case.entra.count() == 1


def test_verify_asks_whatever_is_cached_and_its_token_is_kept(case):
    credential = case.build()
    token = credential.get_token_info(SCOPE)
    verified = credential.verify(SCOPE)
    assert verified.token != token.token
    assert credential.get_token_info(SCOPE) is verified
    assert case.entra.count() == 2


def test_a_failed_verify_evicts_nothing(case):
    credential = case.build(http={**case.fields["http"], "retries": 0})
    token = credential.get_token(SCOPE)
    case.entra.refuses(7000222)
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000222"):
        credential.verify(SCOPE)
    assert credential.get_token(SCOPE) is token


def test_a_due_token_is_returned_at_once_and_replaced_behind_the_caller(case, clock):
    credential = case.timed(clock)
    first = credential.get_token(SCOPE)
    clock.advance(3600 - 200)
    assert credential.get_token(SCOPE) is first
    wait_until(lambda: credential.get_token(SCOPE) is not first)
    assert case.entra.count() == 2


def test_an_expired_token_is_never_returned(case, clock):
    credential = case.timed(clock)
    first = credential.get_token(SCOPE)
    clock.advance(to=first.expires_on)
    assert credential.get_token(SCOPE).token != first.token


def test_a_valid_token_outlives_the_server(case, clock):
    credential = case.timed(clock)
    token = credential.get_token(SCOPE)
    clock.advance(to=token.expires_on - 1)
    case.entra.goes_down()
    assert credential.get_token(SCOPE) is token


def test_a_rotated_proof_takes_effect_without_a_restart(case):
    credential = case.build()
    credential.get_token(SCOPE)
    case.rotate()
    assert credential.get_token(OTHER_SCOPE).token


def test_tokens_survive_the_rotation_of_the_proof(case):
    credential = case.build()
    token = credential.get_token(SCOPE)
    case.rotate()
    assert credential.get_token(SCOPE) is token
    assert case.entra.count() == 1


def test_the_configured_scopes_are_fetched_in_advance(case):
    credential = case.build(prefetch=[SCOPE])
    wait_until(lambda: case.entra.count() == 1)
    credential.get_token(SCOPE)
    assert case.entra.count() == 1
