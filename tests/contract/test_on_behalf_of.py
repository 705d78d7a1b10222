"""A credential on behalf of a user, of every kind that has a proof, through both faces."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

import credconf
from credconf.sharing import forget_shared_engines
from tests.contract.faces import ASYNC, SCOPE, SYNC, Driven, wait_until
from tests.promises.test_clocks_and_processes import forks, in_child

GRAPH = "https://graph.microsoft.com"
READ, MAIL = f"{GRAPH}/User.Read", f"{GRAPH}/Mail.Read"
CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'
HOUR = 3600


def named(token):
    """The claims of a token, whose signature the fake made."""
    return jwt.decode(token.token, options={"verify_signature": False})


@pytest.fixture
def user(case):
    """Gives the token that a user's client sends to the API."""
    return lambda upn="ada@contoso.com", **options: case.entra.user_token(
        upn, client_id=case.registration.client_id, **options
    )


def test_the_token_names_the_user_and_the_scopes(case, user):
    token = case.build().on_behalf_of(user("grace@contoso.com")).get_token(MAIL, READ)
    claims = named(token)
    assert (claims["aud"], claims["upn"], claims["scp"]) == (GRAPH, "grace@contoso.com", "Mail.Read User.Read")
    assert claims["oid"] == named_user("grace@contoso.com", user)["oid"]
    assert claims["appid"] == case.registration.client_id


def named_user(upn, user):
    return jwt.decode(user(upn), options={"verify_signature": False})


def test_the_request_is_the_grant_with_the_applications_own_proof(case, user):
    sent = user()
    case.build().on_behalf_of(sent).get_token(f"{GRAPH}/.default")
    (request,) = case.entra.requests
    assert request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert request.form["requested_token_use"] == "on_behalf_of"
    assert request.form["assertion"] == sent
    assert request.proof == case.kind.removeprefix("client_")
    assert "offline_access" not in request.scopes  # credconf keeps no refresh token, so it asks for none


def test_a_cached_token_is_found_by_everyone_with_the_same_users_token(case, user):
    credential, sent = case.build(), user()
    token = credential.on_behalf_of(sent).get_token(READ, MAIL)
    again = credential.on_behalf_of(sent)
    assert again.get_token(MAIL, READ) is token
    assert again.get_token_info(READ, MAIL).token == token.token
    assert case.entra.count() == 1


def test_no_user_gets_the_token_of_another_or_of_the_application(case, user):
    credential = case.build()
    own = credential.get_token(SCOPE)
    users = {upn: credential.on_behalf_of(user(upn)) for upn in ("ada@contoso.com", "grace@contoso.com")}
    tokens = {upn: each.get_token(SCOPE) for upn, each in users.items()}
    assert {upn: named(token)["upn"] for upn, token in tokens.items()} == {upn: upn for upn in users}
    assert credential.get_token(SCOPE) is own
    assert named(own)["idtyp"] == "app"
    assert case.entra.count() == 3


def test_tenants_and_cae_are_kept_apart_for_a_user_too(case, user):
    credential = case.build(additionally_allowed_tenants=["*"]).on_behalf_of(user())
    calls = ({}, {"tenant_id": "fabrikam.onmicrosoft.com"}, {"enable_cae": True})
    tokens = [credential.get_token(READ, **options).token for options in calls]
    assert len(set(tokens)) == 3
    assert [credential.get_token(READ, **options).token for options in calls] == tokens
    assert [request.tenant for request in case.entra.requests][1] == "fabrikam.onmicrosoft.com"


def test_a_tenant_that_the_configuration_does_not_allow_is_refused(case, user):
    with pytest.raises(credconf.AuthenticationError, match="additionally_allowed_tenants"):
        case.build().on_behalf_of(user()).get_token(READ, tenant_id="fabrikam.onmicrosoft.com")


def test_concurrent_callers_share_one_request_for_each_user(case, user):
    credential, gate = case.build(), threading.Event()
    users = [credential.on_behalf_of(user(upn)) for upn in ("ada@contoso.com", "grace@contoso.com")]
    case.entra.hangs(gate)
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(users[number % 2].get_token, READ) for number in range(20)]
        wait_until(lambda: case.entra.concurrent == 2)
        gate.set()
        tokens = {each.result().token for each in asked}
    assert len(tokens) == case.entra.count() == 2


def test_a_rotated_proof_takes_effect_for_users(case, user):
    credential = case.build()
    credential.on_behalf_of(user()).get_token(READ)
    case.rotate()
    assert credential.on_behalf_of(user("grace@contoso.com")).get_token(READ).token


def test_the_least_recently_used_of_the_users_go_first_and_the_applications_own_stays(case, user):
    credential = case.build(token_cache={"max_entries": 2})
    own = credential.get_token(SCOPE)
    first, second, third = (credential.on_behalf_of(user(f"{n}@contoso.com")) for n in range(3))
    token = first.get_token(READ)
    second.get_token(READ)
    assert first.get_token(READ) is token  # so the second is the one that was used longest ago
    third.get_token(READ)
    assert case.entra.count() == 4
    assert first.get_token(READ) is token
    assert credential.get_token(SCOPE) is own
    assert case.entra.count() == 4
    second.get_token(READ)
    assert case.entra.count() == 5


def test_tokens_of_users_that_have_expired_are_dropped(case, user, clock):
    credential = case.timed(clock)
    for number in range(3):
        credential.on_behalf_of(user(f"{number}@contoso.com")).get_token(READ)
    kept = credential.credential._engine._user_cache.tokens
    assert len(kept) == 3
    clock.advance(2 * HOUR)
    credential.on_behalf_of(user("grace@contoso.com", lifetime=3 * HOUR)).get_token(READ)
    assert len(kept) == 1


def test_a_users_token_is_in_no_shared_cache(case, user, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    cache = {"kind": "file", "name": "shared", "allow_unencrypted_storage": True}
    sent = user()
    first = case.build(token_cache=cache)
    own = first.get_token(SCOPE)
    first.on_behalf_of(sent).get_token(SCOPE)
    first.close()
    forget_shared_engines()
    second = case.build(token_cache=cache)
    assert second.get_token(SCOPE).token == own.token  # the application's own is shared
    assert case.entra.count() == 2
    assert second.on_behalf_of(sent).get_token(SCOPE).token
    assert case.entra.count() == 3


def test_a_token_serves_until_its_end_after_the_users_has_expired(case, user, clock):
    credential = case.timed(clock).on_behalf_of(user(issued_at=clock(), lifetime=600))
    token = credential.get_token(READ)
    clock.advance(to=token.expires_on - 10)  # it is due, and no request is made that could only be refused
    assert credential.get_token(READ) is token
    assert case.entra.count() == 1
    clock.advance(20)
    with pytest.raises(credconf.AuthenticationError, match=r"the user's token expired at .* UTC") as caught:
        credential.get_token(READ)
    assert "401" in str(caught.value)
    assert caught.value.error_code == "expired-assertion"
    assert not isinstance(caught.value, credconf.CredentialUnavailableError)
    assert case.entra.count() == 1


def test_a_token_that_is_due_is_refreshed_behind_the_caller(case, user, clock):
    credential = case.timed(clock).on_behalf_of(user(issued_at=clock(), lifetime=2 * HOUR))
    token = credential.get_token(READ)
    clock.advance(to=token.expires_on - 60)
    assert credential.get_token(READ) is token
    wait_until(lambda: credential.get_token(READ) is not token)
    assert case.entra.count() == 2


def test_a_refresh_that_is_refused_does_not_hurt_while_the_token_is_valid(case, user, clock, caplog):
    credential = case.timed(clock).on_behalf_of(user(issued_at=clock(), lifetime=2 * HOUR))
    token = credential.get_token(READ)
    case.entra.refuses(50173)
    clock.advance(to=token.expires_on - 60)
    assert credential.get_token(READ) is token
    wait_until(lambda: "could not be refreshed" in caplog.text)
    assert credential.get_token(READ) is token
    clock.advance(to=token.expires_on)
    with pytest.raises(credconf.AuthenticationError, match="AADSTS50173"):
        credential.get_token(READ)


def test_a_refusal_is_remembered_for_one_user_only(case, user):
    credential, refused = case.build(), user()
    case.entra.refuses(50173, times=1)
    for _ in range(3):
        with pytest.raises(credconf.AuthenticationError, match="AADSTS50173"):
            credential.on_behalf_of(refused).get_token(READ)
    assert case.entra.count() == 1
    assert credential.on_behalf_of(user("grace@contoso.com")).get_token(READ).token


def test_retry_after_is_obeyed_for_one_user_only(case, user):
    credential, throttled = case.build(http={**case.fields["http"], "retries": 0}), user()
    case.entra.throttles(30, times=1)
    for _ in range(3):
        with pytest.raises(credconf.AuthenticationError) as caught:
            credential.on_behalf_of(throttled).get_token(READ)
        assert 0 < caught.value.retry_after <= 30
    assert case.entra.count() == 1
    assert credential.on_behalf_of(user("grace@contoso.com")).get_token(READ).token


@pytest.mark.parametrize("code", [50076, 50079, 50074, 50158])
def test_interaction_required_carries_the_claims_for_the_caller(case, user, code):
    case.entra.refuses(code, claims=CLAIMS)
    with pytest.raises(credconf.AuthenticationError) as caught:
        case.build().on_behalf_of(user()).get_token(READ)
    error = caught.value
    assert (error.claims, error.error_code, error.aadsts) == (CLAIMS, "interaction_required", f"AADSTS{code}")
    assert error.failure.claims == CLAIMS
    assert "hand" in str(error)
    assert pickle.loads(pickle.dumps(error)).claims == CLAIMS  # noqa: S301 - our own


def test_a_missing_consent_says_who_can_give_it(case, user):
    case.entra.refuses(65001)
    with pytest.raises(credconf.AuthenticationError, match="the user, must grant") as caught:
        case.build().on_behalf_of(user()).get_token(READ)
    assert caught.value.claims is None


@pytest.mark.parametrize(
    "claims",
    ["not JSON", "[1]", '"text"', "", '{"a": "' + 5000 * "x" + '"}', 7],
    ids=["text", "list", "string", "empty", "long", "number"],
)
def test_claims_that_no_header_should_carry_are_left_out(case, user, claims):
    body = {"error": "interaction_required", "error_description": "AADSTS50076: more", "claims": claims}
    case.entra.answers(400, json.dumps(body))
    with pytest.raises(credconf.AuthenticationError, match="AADSTS50076") as caught:
        case.build().on_behalf_of(user()).get_token(READ)
    assert caught.value.claims is None


def test_claims_of_a_challenge_bypass_the_cache_and_replace_what_it_holds(case, user):
    credential = case.build().on_behalf_of(user())
    old = credential.get_token(READ)
    new = credential.get_token(READ, claims='{"access_token":{"nbf":{"essential":true,"value":"1"}}}')
    assert new.token != old.token
    assert credential.get_token(READ) is new
    assert json.loads(case.entra.requests[1].claims)["access_token"]["nbf"]["value"] == "1"


def test_verify_asks_for_the_user(case, user):
    credential = case.build().on_behalf_of(user("grace@contoso.com"))
    credential.get_token(READ)
    assert named(credential.verify(READ))["upn"] == "grace@contoso.com"
    assert case.entra.count() == 2


WRONG = {
    "for another API": ({"aud": "another"}, 500131),
    "without a scope": ({"scp": None}, 240002),
    "an application's": ({"scp": None, "idtyp": "app"}, 7000114),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_of_the_wrong_sort_is_refused_with_what_to_do(case, user, wrong):
    claims, code = WRONG[wrong]
    with pytest.raises(credconf.AuthenticationError, match=f"AADSTS{code}") as caught:
        case.build().on_behalf_of(user(**claims)).get_token(READ)
    assert "on behalf of a user" in str(caught.value)
    assert len(str(caught.value).splitlines()) >= 3


def test_a_token_that_another_key_signed_is_refused(case, user):
    head, payload, _ = user().split(".")
    with pytest.raises(credconf.AuthenticationError, match="AADSTS50013"):
        case.build().on_behalf_of(f"{head}.{payload}.{'A' * 342}").get_token(READ)


def test_the_proof_is_checked_for_users_too(case, user):
    credential = case.build()
    case.wrong()
    with pytest.raises(credconf.AuthenticationError, match=r"AADSTS(7000215|700027|700213)"):
        credential.on_behalf_of(user()).get_token(READ)


def test_scopes_of_several_apis_are_refused(case, user):
    with pytest.raises(credconf.AuthenticationError, match="AADSTS70011"):
        case.build().on_behalf_of(user()).get_token(READ, SCOPE)


@pytest.mark.parametrize("scope", ["openid", "profile", "offline_access"])
def test_scopes_that_no_api_has_are_a_value_error(case, user, scope):
    with pytest.raises(ValueError, match=f"`{scope}`"):
        case.build().on_behalf_of(user()).get_token(READ, scope)
    assert case.entra.count() == 0


def test_a_call_without_scopes_is_a_value_error(case, user):
    credential = case.build().on_behalf_of(user())
    for method in (credential.get_token, credential.get_token_info):
        with pytest.raises(ValueError, match="at least one scope"):
            method()


def test_closing_the_users_credential_leaves_the_applications_open(case, user):
    credential, sent = case.build(), user()
    acting = credential.on_behalf_of(sent)
    token = acting.get_token(READ)
    acting.close()
    acting.close()
    for method in (acting.get_token, acting.get_token_info, acting.verify):
        with pytest.raises(ValueError, match="closed"):
            method(READ)
    assert credential.on_behalf_of(sent).get_token(READ) is token
    assert credential.get_token(SCOPE).token


def test_after_the_applications_close_the_users_credential_is_closed_too(case, user):
    credential, sent = case.build(), user()
    acting = credential.on_behalf_of(sent)
    acting.get_token(READ)
    credential.close()
    for method in (acting.get_token, acting.get_token_info, acting.verify):
        with pytest.raises(ValueError, match="closed"):
            method(READ)
    for call in (lambda: credential.on_behalf_of(sent), lambda: copy.copy(acting.credential)):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_another_holder_of_the_engine_keeps_only_its_own_users(case, user):
    first, second, sent = case.from_config(), case.from_config(), user()
    acting, other = first.on_behalf_of(sent), second.on_behalf_of(sent)
    token = acting.get_token(READ)
    first.close()
    with pytest.raises(ValueError, match="closed"):
        acting.get_token(READ)
    assert other.get_token(READ) is token


def test_it_is_a_context_manager(case, user):
    credential = case.build()
    acting = credential.on_behalf_of(user()).credential

    async def entered():
        async with acting as inner:
            assert inner is acting
            return await inner.get_token(READ)

    if case.face.is_async:
        assert asyncio.run(entered()).token
    else:
        with acting as inner:
            assert inner is acting
            assert inner.get_token(READ).token
    with pytest.raises(ValueError, match="closed"):
        Driven(acting).get_token(READ)
    assert credential.get_token(SCOPE).token


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_acts_for_the_same_user(case, user, copied):
    acting = case.build().on_behalf_of(user("grace@contoso.com"))
    token = acting.get_token(READ)
    twin = Driven(copied(acting.credential))
    acting.close()
    assert twin.get_token(READ) is token


def test_it_can_not_be_pickled(case, user):
    with pytest.raises(TypeError, match="can't be pickled: it holds the user's token"):
        pickle.dumps(case.build().on_behalf_of(user()).credential)


def test_it_is_described_as_the_application_acting_for_a_user(case, user):
    credential = case.build()
    acting = credential.on_behalf_of(user("grace@contoso.com"))
    assert acting.credential.describe() == credential.credential.describe()
    assert repr(acting.credential).endswith(", on behalf of a user)")
    assert "grace" not in repr(acting.credential)


def test_a_users_credential_acts_for_no_other_user(case, user):
    with pytest.raises(ValueError, match="on behalf of a user: call on_behalf_of"):
        case.build().on_behalf_of(user()).on_behalf_of(user("grace@contoso.com"))


@pytest.mark.parametrize("empty", ["", "  \n"])
def test_an_empty_token_is_a_value_error(case, empty):
    with pytest.raises(ValueError, match="it is empty"):
        case.build().on_behalf_of(empty)


@pytest.mark.parametrize("wrong", ["opaque", "a.b.c", "eyJ.eyJ", "a.b.c.d.e", "e30.e30.e30"])
def test_a_text_that_is_no_jwt_is_a_value_error_without_it(case, wrong):
    with pytest.raises(ValueError, match="JWT") as caught:
        case.build().on_behalf_of(wrong)
    assert wrong not in str(caught.value)


def test_a_whole_header_is_a_value_error_that_says_what_to_pass(case, user):
    sent = user()
    with pytest.raises(ValueError, match="what follows `Bearer `") as caught:
        case.build().on_behalf_of(f"Bearer {sent}")
    assert sent not in str(caught.value)


@pytest.mark.parametrize("wrong", [b"bytes", None, 7], ids=str)
def test_what_is_no_text_is_a_type_error(case, wrong):
    with pytest.raises(TypeError, match=f"not {type(wrong).__name__}"):
        case.build().on_behalf_of(wrong)


@pytest.mark.parametrize("kind", ["managed_identity", "azure_cli"])
def test_a_kind_without_a_proof_says_what_it_takes(face, entra, kind):
    options = {"tenant_id": "contoso.com"} if kind == "azure_cli" else {}
    credential = face.from_config(kind=kind, allow={"azure_cli"}, environ=dict(os.environ), **options)
    with pytest.raises(ValueError, match=rf"`kind: {kind}` can't act on behalf of a user.*client_secret"):
        credential.on_behalf_of(entra.user_token())
    credential.close()


def test_a_class_of_azure_identitys_name_has_it_too(face, entra):
    options = {"authority": entra.authority, "connection_verify": entra.ca_bundle, "disable_instance_discovery": True}
    made = face.make("ClientSecretCredential", entra.tenant_id, entra.client_id, entra.client_secret, **options)
    assert named(made.on_behalf_of(entra.user_token()).get_token(READ))["upn"] == "ada@contoso.com"
    made.close()


def test_both_faces_share_the_users_tokens(case, user):
    sent = user()
    credentials = [face.from_config(**case.fields) for face in (SYNC, ASYNC)]
    tokens = [each.on_behalf_of(sent).get_token(READ) for each in credentials]
    assert tokens[0] is tokens[1]
    for each in credentials:
        each.close()


@forks
def test_the_child_of_a_fork_has_the_users_tokens_and_fetches_new_ones(case, user):
    acting = case.build().on_behalf_of(user())
    token = acting.get_token(READ)
    assert in_child(lambda: acting.get_token(READ) is token and acting.get_token(MAIL).token) == 0
    assert acting.get_token(READ) is token
    assert case.entra.count() == 2


def test_the_log_says_that_a_token_is_a_users_and_not_whose(case, user, caplog):
    caplog.set_level("INFO", "credconf")
    case.build().on_behalf_of(user("grace@contoso.com")).get_token(READ)
    line = f"token on behalf of a user for tenant {case.entra.tenant_id}, {READ}"
    wait_until(lambda: line in caplog.text)  # lines are logged after the request
    assert "grace" not in caplog.text


def test_no_request_is_made_for_a_user_whose_token_has_expired(case, user, clock):
    acting = case.timed(clock).on_behalf_of(user(issued_at=clock() - 2 * HOUR))
    for method in (acting.get_token, acting.verify):
        with pytest.raises(credconf.AuthenticationError, match="check this machine's clock".capitalize()):
            method(READ)
    assert case.entra.count() == 0


def test_ad_fs_has_the_grant_too(case, user):
    acting = case.build(tenant_id="adfs").on_behalf_of(user())
    assert named(acting.get_token(READ))["upn"] == "ada@contoso.com"
    assert case.entra.requests[-1].path == "/adfs/oauth2/token"


def test_a_refused_secret_of_a_list_gives_way_to_the_next(case, user):
    if case.kind != "client_secret":
        pytest.skip("only secrets are listed")
    wrong = case.proof.with_name("wrong")
    wrong.write_text("wrong~secret")
    wrong.chmod(0o600)
    credential = case.build(client_secret=[{"file": str(wrong)}, {"file": str(case.proof)}])
    assert credential.on_behalf_of(user()).get_token(READ).token
    assert [request.status for request in case.entra.requests] == [401, 200]
