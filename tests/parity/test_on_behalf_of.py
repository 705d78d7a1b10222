"""`OnBehalfOfCredential`: what it does, `on_behalf_of()` does, too."""

from __future__ import annotations

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.parity.faces import OTHER_TENANT, Driven

GRAPH = "https://graph.microsoft.com"
READ, MAIL = f"{GRAPH}/User.Read", f"{GRAPH}/Mail.Read"


@pytest.fixture
def act(face, entra):
    """Makes a credential on behalf of a user: with theirs in one step, with ours in two."""

    def act(sent, **options):
        if not face.is_ours:
            given = {"client_secret": entra.client_secret, "user_assertion": sent, **face.usual(entra), **options}
            return face.make(entra.tenant_id, entra.client_id, kind="OnBehalfOfCredential", **given)
        return Driven(face.secret(entra, **options).credential.on_behalf_of(sent), face)

    return act


def claims_of(token):
    return jwt.decode(token.token, options={"verify_signature": False})


def tokens_of(entra):
    return [request for request in entra.requests if request.kind == "token"]


@pytest.mark.parametrize("scopes", [(READ,), (READ, MAIL), (f"{GRAPH}/.default",)], ids=len)
def test_a_token_for_the_user(act, entra, scopes):
    token = act(entra.user_token("grace@contoso.com")).get_token(*scopes)
    assert (claims_of(token)["upn"], claims_of(token)["aud"]) == ("grace@contoso.com", GRAPH)
    (request,) = tokens_of(entra)
    assert request.form["requested_token_use"] == "on_behalf_of"
    assert {*scopes} <= {*request.scopes}


def test_the_second_call_is_from_memory(act, entra):
    credential = act(entra.user_token())
    token = credential.get_token(READ)
    assert credential.get_token(READ).token == token.token
    assert credential.get_token_info(READ).token == token.token
    assert len(tokens_of(entra)) == 1


def test_another_tenant_if_it_is_allowed(act, entra):
    entra.allow_any_tenant()
    entra.registration.allow_any_tenant()
    credential = act(entra.user_token(), additionally_allowed_tenants=["*"])
    credential.get_token(READ, tenant_id=OTHER_TENANT)
    assert tokens_of(entra)[-1].tenant == OTHER_TENANT


def test_another_tenant_that_is_not_allowed_is_an_error(act, entra):
    with pytest.raises(ClientAuthenticationError, match="additionally_allowed_tenants"):
        act(entra.user_token()).get_token(READ, tenant_id=OTHER_TENANT)


def test_cae_announces_the_capability(act, entra):
    act(entra.user_token()).get_token(READ, enable_cae=True)
    assert "CP1" in tokens_of(entra)[-1].claims


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"scp": None}], ids=["another API's", "an ID token"])
def test_a_users_token_of_the_wrong_sort_is_an_authentication_error(act, entra, claims):
    with pytest.raises(ClientAuthenticationError, match=r"AADSTS(500131|240002)"):
        act(entra.user_token(**claims)).get_token(READ)


def test_no_scope_is_a_value_error(act, entra):
    with pytest.raises(ValueError, match="requires at least one scope"):
        act(entra.user_token()).get_token()


def test_claims_for_the_caller_are_an_attribute_with_ours_only(act, entra, face):
    claims = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'
    entra.refuses(50076, claims=claims)
    with pytest.raises(ClientAuthenticationError, match="AADSTS50076") as caught:
        act(entra.user_token()).get_token(READ)
    assert getattr(caught.value, "claims", None) == (claims if face.is_ours else None)


@pytest.mark.parametrize("wrong", ["", None], ids=["empty", "none"])
def test_no_users_token_is_an_error(act, wrong, face):
    with pytest.raises((TypeError, ValueError)):
        act(wrong)


def test_a_text_that_is_no_token_is_an_error(act, face):
    with pytest.raises((ValueError, ClientAuthenticationError)):
        act("no token").get_token(READ)
