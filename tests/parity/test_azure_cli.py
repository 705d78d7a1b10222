"""`AzureCliCredential` of azure-identity, and `kind: azure_cli`."""

from __future__ import annotations

import base64
import os
import sys
import time

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

import credconf
from credconf.assembly import blueprint_of
from credconf.engine import Engine
from credconf.kinds import validate
from credconf.references import Reader
from credconf.testing import FakeAzureCli
from tests.parity.faces import OTHER_SCOPE, OTHER_TENANT, SCOPE, Driven

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="FakeAzureCli is a shell script")
TENANT = "contoso.onmicrosoft.com"


@pytest.fixture
def az(monkeypatch):
    with FakeAzureCli() as az:
        az.apply(monkeypatch)
        yield az


def made(face, **fields):
    if not face.is_ours:
        return face.make(kind="AzureCliCredential", **fields)
    reader = Reader(os.environ, allow=frozenset({"azure_cli"}))
    plan = blueprint_of(validate({"kind": "azure_cli", **fields}), reader, None)  # type: ignore[arg-type]
    assert not isinstance(plan, list), plan
    module = credconf.aio if face.is_async else credconf
    driven = Driven(module.Credential(Engine(plan)), face)
    face._made.append(driven)
    return driven


def error_of(call, *arguments, **options):
    with pytest.raises(Exception) as caught:
        call(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "requested"),
    [
        ({}, None),
        ({}, OTHER_TENANT),
        ({"tenant_id": TENANT}, None),
        ({"tenant_id": TENANT}, TENANT),
        ({"tenant_id": TENANT, "additionally_allowed_tenants": ["*"]}, OTHER_TENANT),
        ({"additionally_allowed_tenants": ["a"]}, OTHER_TENANT),
    ],
)
def test_the_call_is_the_same(face, az, fields, requested):
    made(face, **fields).get_token(SCOPE, **({"tenant_id": requested} if requested else {}))
    tenant = requested or fields.get("tenant_id")
    (call,) = az.calls
    usual = ("account", "get-access-token", "--output", "json", "--resource", "https://storage.azure.com")
    assert call.arguments == usual + (("--tenant", tenant) if tenant else ())
    assert (call.cwd, call.environ["AZURE_CORE_NO_COLOR"]) == (os.path.realpath("/bin"), "true")


def test_the_subscription_is_passed_on(face, az):
    made(face, subscription=az.subscription_id).get_token(SCOPE)
    assert az.calls[0].arguments[-2:] == ("--subscription", az.subscription_id)


@pytest.mark.parametrize("epoch", [True, False])
def test_the_token_and_its_expiry_are_the_same(face, az, epoch):
    az.tokens(expires_in=5000, epoch=epoch)
    before = time.time()
    token = made(face).get_token_info(SCOPE)
    assert before + 4990 < token.expires_on <= time.time() + 5000
    assert token.token_type == "Bearer"


def test_a_tenant_that_is_not_allowed_is_the_same_error(face, az):
    error = error_of(made(face, tenant_id=TENANT).get_token, SCOPE, tenant_id=OTHER_TENANT)
    assert isinstance(error, ClientAuthenticationError)
    assert "additionally_allowed_tenants" in str(error)
    assert az.count() == 0


@pytest.mark.parametrize(
    ("fault", "unavailable", "said"),
    [
        (lambda az: az.is_missing(), True, ""),
        (lambda az: az.is_signed_out(), True, "az login"),
        (lambda az: az.misses_subscription(), True, "az "),
        (lambda az: az.refuses(50076), False, "AADSTS50076"),
        (lambda az: az.answers("no JSON"), False, "Azure CLI"),
        (lambda az: az.answers(stderr="ERROR: it broke", exit_code=1), False, "it broke"),
    ],
    ids=["missing", "signed out", "subscription", "refused", "garbage", "broken"],
)
def test_a_failure_is_of_the_same_class(face, az, fault, unavailable, said):
    fault(az)
    error = error_of(made(face).get_token, SCOPE)
    assert isinstance(error, ClientAuthenticationError)
    is_unavailable = isinstance(error, CredentialUnavailableError | credconf.CredentialUnavailableError)
    assert (is_unavailable, said in str(error)) == (unavailable, True)


def test_a_claims_challenge_is_answered_with_the_same_command(face, az):
    claims = '{"access_token": {}}'
    error = error_of(made(face).get_token, SCOPE, claims=claims, tenant_id=TENANT)
    assert isinstance(error, CredentialUnavailableError | credconf.CredentialUnavailableError)
    encoded = base64.b64encode(claims.encode()).decode()
    assert f"az login --claims-challenge {encoded} --tenant {TENANT} --scope {SCOPE}" in str(error)
    assert az.count() == 0


@pytest.mark.parametrize("character", [chr(code) for code in range(32, 127)])
def test_a_subscription_may_hold_the_same_characters(theirs_and_ours, character):
    theirs, _ = theirs_and_ours
    try:
        made(theirs, subscription=f"a{character}b")
    except ValueError:
        allowed = False
    else:
        allowed = True
    is_valid = not isinstance(validate({"kind": "azure_cli", "subscription": f"a{character}b"}), credconf.kinds.Invalid)
    assert is_valid == allowed


def test_ours_caches_a_token_and_theirs_starts_az_for_each_call(theirs_and_ours, az):
    theirs, ours = theirs_and_ours
    for face, calls in ((theirs, 3), (ours, 1)):
        az.forget_calls()
        credential = made(face)
        for _ in range(3):
            credential.get_token(SCOPE)
        assert az.count() == calls


def test_ours_drops_the_subscription_for_a_requested_tenant_and_theirs_fails(theirs_and_ours, az):
    """`az` refuses both at once, which Key Vault's challenge leads to; Azure's SDK for .NET does as we do."""
    theirs, ours = theirs_and_ours
    error = error_of(made(theirs, subscription=az.subscription_id).get_token, SCOPE, tenant_id=TENANT)
    assert "only one of subscription and tenant" in str(error)
    assert made(ours, subscription=az.subscription_id).get_token(SCOPE, tenant_id=TENANT).token
    assert az.calls[-1].arguments[-2:] == ("--tenant", TENANT)


def test_two_scopes_are_an_authentication_error_in_ours_and_a_value_error_in_theirs(theirs_and_ours, az):
    theirs, ours = theirs_and_ours
    assert isinstance(error_of(made(theirs).get_token, SCOPE, OTHER_SCOPE), ValueError)
    assert isinstance(error_of(made(ours).get_token, SCOPE, OTHER_SCOPE), ClientAuthenticationError)
    assert az.count() == 0


def test_ours_does_not_quote_what_az_prints(theirs_and_ours, az):
    az.answers('{"accessToken":"canary-of-a-token"}')  # theirs expects a space after the colon
    theirs, ours = theirs_and_ours
    assert "canary-of-a-token" in str(error_of(made(theirs).get_token, SCOPE))
    assert "canary-of-a-token" not in str(error_of(made(ours).get_token, SCOPE))
