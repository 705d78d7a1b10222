"""Which tenant a token is requested from."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.parity.faces import OTHER_TENANT, SCOPE

METHODS = ["get_token", "get_token_info"]


def ask(credential, method, **options):
    if method == "get_token":
        return credential.get_token(SCOPE, **options)
    return credential.get_token_info(SCOPE, options=options)


def tenants_asked(entra):
    return [request.tenant for request in entra.requests if request.kind == "token"]


@pytest.fixture
def entra(entra):
    entra.allow_any_tenant()
    return entra


@pytest.mark.parametrize("method", METHODS)
def test_without_a_tenant_the_configured_one_is_asked(face, entra, method):
    ask(face.secret(entra, additionally_allowed_tenants=["*"]), method)
    assert tenants_asked(entra) == [entra.tenant_id]


@pytest.mark.parametrize("method", METHODS)
def test_the_configured_tenant_may_always_be_named(face, entra, method):
    ask(face.secret(entra), method, tenant_id=entra.tenant_id)
    assert tenants_asked(entra) == [entra.tenant_id]


@pytest.mark.parametrize("allowed", [["*"], [OTHER_TENANT], ["contoso.com", OTHER_TENANT], ["contoso.com", "*"]])
@pytest.mark.parametrize("method", METHODS)
def test_an_allowed_tenant_is_asked_when_it_is_named(face, entra, allowed, method):
    ask(face.secret(entra, additionally_allowed_tenants=allowed), method, tenant_id=OTHER_TENANT)
    assert tenants_asked(entra) == [OTHER_TENANT]


@pytest.mark.parametrize("allowed", [None, [], ["contoso.com"]])
@pytest.mark.parametrize("method", METHODS)
def test_a_tenant_that_is_not_allowed_is_an_error_that_says_how_to_allow_it(face, entra, allowed, method):
    options = {} if allowed is None else {"additionally_allowed_tenants": allowed}
    credential = face.secret(entra, **options)
    with pytest.raises(ClientAuthenticationError, match="additionally_allowed_tenants") as caught:
        ask(credential, method, tenant_id=OTHER_TENANT)
    assert OTHER_TENANT in str(caught.value)
    assert tenants_asked(entra) == []


@pytest.mark.parametrize("allowed", [[], ["*"], [OTHER_TENANT]])
def test_the_environment_can_forbid_other_tenants_at_any_time(face, entra, monkeypatch, allowed):
    credential = face.secret(entra, additionally_allowed_tenants=allowed)
    monkeypatch.setenv("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "true")
    credential.get_token(SCOPE, tenant_id=OTHER_TENANT)
    assert tenants_asked(entra) == [entra.tenant_id]


def test_an_empty_variable_forbids_nothing(face, entra, monkeypatch):
    monkeypatch.setenv("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "")
    face.secret(entra, additionally_allowed_tenants=["*"]).get_token(SCOPE, tenant_id=OTHER_TENANT)
    assert tenants_asked(entra) == [OTHER_TENANT]


@pytest.mark.parametrize("allowed", [[], ["*"]])
def test_adfs_has_no_other_tenants(face, entra, allowed):
    credential = face.secret(entra, tenant_id="adfs", additionally_allowed_tenants=allowed)
    credential.get_token(SCOPE, tenant_id=OTHER_TENANT)
    assert tenants_asked(entra) == ["adfs"]


def test_each_tenant_has_a_token_of_its_own(face, entra):
    credential = face.secret(entra, additionally_allowed_tenants=["*"])
    tokens = {credential.get_token(SCOPE, tenant_id=tenant).token for tenant in (None, OTHER_TENANT, "contoso.com")}
    assert len(tokens) == 3
    for tenant in (None, OTHER_TENANT, "contoso.com"):
        credential.get_token(SCOPE, tenant_id=tenant)
    assert len(tenants_asked(entra)) == 3
