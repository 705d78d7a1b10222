"""The constructor's arguments: the same are refused, in the same order, as a `ValueError`."""

from __future__ import annotations

import re

import pytest
from azure.core.exceptions import AzureError

from tests.parity.faces import SCOPE

TENANT, CLIENT, SECRET = "contoso.onmicrosoft.com", "11111111-1111-1111-1111-111111111111", "a-secret"


@pytest.mark.parametrize("nothing", ["", None])
@pytest.mark.parametrize(
    ("position", "word"), [(0, "tenant_id"), (1, "client_id"), (2, "secret")], ids=["tenant", "client", "secret"]
)
def test_each_argument_must_be_given(face, position, word, nothing):
    arguments = [TENANT, CLIENT, SECRET]
    arguments[position] = nothing
    with pytest.raises(ValueError, match=word):
        face.make(*arguments)


def test_the_client_is_checked_first_then_the_secret_then_the_tenant(face):
    for arguments, first in [
        (("", "", ""), "client_id"),
        (("", CLIENT, ""), "secret"),
        (("", CLIENT, SECRET), "tenant"),
    ]:
        with pytest.raises(ValueError) as caught:
            face.make(*arguments)
        mentioned = re.search(r"client_id|secret|tenant", str(caught.value))
        assert mentioned
        assert mentioned[0] == first


@pytest.mark.parametrize("tenant", ["a b", "a/b", "../evil", "a?b", "a_b", "tenänt", "a\nb", "a%2fb", "a#b", "a@b"])
def test_a_tenant_is_made_of_letters_digits_dots_and_hyphens(face, tenant):
    with pytest.raises(ValueError, match="tenant"):
        face.make(tenant, CLIENT, SECRET)


@pytest.mark.parametrize("tenant", [TENANT, "72F988BF-86f1-41af-91ab-2d7cd011db47", "contoso.onmicrosoft.com", "adfs"])
def test_a_guid_a_domain_and_adfs_are_tenants(face, tenant):
    face.make(tenant, CLIENT, SECRET)


@pytest.mark.parametrize("authority", ["http://localhost", "ftp://localhost", "HTTP://login.microsoftonline.com"])
def test_an_authority_without_tls_is_refused(face, authority):
    with pytest.raises(ValueError, match="https"):
        face.make(TENANT, CLIENT, SECRET, authority=authority)


@pytest.mark.parametrize(
    "authority",
    [
        "login.microsoftonline.us",
        "https://login.microsoftonline.us",
        "https://login.microsoftonline.us/",
        "login.microsoftonline.us/",
        " login.microsoftonline.us / ",
        "https://login.microsoftonline.us// ",
    ],
)
def test_an_authority_may_lack_its_scheme_and_end_in_slashes_and_spaces(face, authority):
    if authority.startswith(" ") and not face.is_ours:
        pytest.skip("azure-identity strips the end alone")
    hosts: list[str] = []
    credential = face.make(TENANT, CLIENT, SECRET, authority=authority, **face.deaf(hosts))
    with pytest.raises(AzureError):
        credential.get_token(SCOPE)
    assert hosts[0] == "login.microsoftonline.us"


def test_the_public_cloud_is_the_default(face):
    hosts: list[str] = []
    credential = face.make(TENANT, CLIENT, SECRET, **face.deaf(hosts))
    with pytest.raises(AzureError):
        credential.get_token(SCOPE)
    assert hosts[0] == "login.microsoftonline.com"


@pytest.mark.parametrize("host", ["login.microsoftonline.us", "https://login.microsoftonline.us/"])
def test_the_default_authority_comes_from_the_environment(face, monkeypatch, host):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", host)
    hosts: list[str] = []
    credential = face.make(TENANT, CLIENT, SECRET, **face.deaf(hosts))
    with pytest.raises(AzureError):
        credential.get_token(SCOPE)
    assert hosts[0] == "login.microsoftonline.us"


def test_the_argument_wins_over_the_environment(face, monkeypatch):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "login.chinacloudapi.cn")
    hosts: list[str] = []
    credential = face.make(TENANT, CLIENT, SECRET, authority="login.microsoftonline.us", **face.deaf(hosts))
    with pytest.raises(AzureError):
        credential.get_token(SCOPE)
    assert hosts[0] == "login.microsoftonline.us"


def test_an_authority_without_tls_in_the_environment_is_refused(face, monkeypatch):
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "http://localhost")
    with pytest.raises(ValueError, match="https"):
        face.make(TENANT, CLIENT, SECRET)


def test_the_arguments_may_be_named(face, entra):
    credential = face.make(
        tenant_id=entra.tenant_id, client_id=entra.client_id, client_secret=entra.client_secret, **face.usual(entra)
    )
    assert credential.get_token(SCOPE).token
