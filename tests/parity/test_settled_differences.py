"""Where a migrated program would notice: each test shows both libraries, and what credconf settled on."""

from __future__ import annotations

import copy
import errno
import pickle
import re
import uuid

import pytest
from azure.core.exceptions import ClientAuthenticationError

import credconf
from credconf.errors import MissingFileError
from tests.certificates import make_certificate
from tests.parity.faces import OTHER_TENANT, SCOPE

TENANT, CLIENT, SECRET = "contoso.onmicrosoft.com", "11111111-1111-1111-1111-111111111111", "canary-of-a-secret"
REQUEST_IDS = ("client-request-id", "x-ms-client-request-id")


def hosts_asked(face, **options):
    hosts: list[str] = []
    credential = face.make(TENANT, CLIENT, SECRET, **options, **face.deaf(hosts))
    with pytest.raises(Exception) as caught:
        credential.get_token(SCOPE)
    assert SECRET not in str(caught.value)
    return hosts


def test_an_unknown_authority_is_vouched_for_in_both_styles(theirs_and_ours):
    """azure-identity's asynchronous class sends the secret to any host, and ignores `disable_instance_discovery`."""
    theirs, ours = theirs_and_ours
    first = hosts_asked(theirs, authority="login.example.com")[0]
    assert first == ("login.example.com" if theirs.is_async else "login.microsoftonline.com")
    assert hosts_asked(ours, authority="login.example.com")[0] == "login.microsoftonline.com"
    trusted = hosts_asked(ours, authority="login.example.com", disable_instance_discovery=True)
    assert trusted[0] == "login.example.com"


def test_after_close_a_kept_token_is_not_served_either(theirs_and_ours, entra):
    """azure-identity serves it from memory, and fails with the first one that must be fetched."""
    theirs, ours = (face.secret(entra) for face in theirs_and_ours)
    for credential in (theirs, ours):
        credential.get_token(SCOPE)
        credential.close()
    assert theirs.get_token(SCOPE).token
    for call in (lambda: ours.get_token(SCOPE), lambda: ours.get_token_info(SCOPE), ours.enter):
        with pytest.raises(ValueError, match="the credential is closed: create a new one"):
            call()


def test_a_literal_secret_is_not_pickled_and_the_error_says_how_to_pickle(
    theirs_and_ours, entra, tmp_path, monkeypatch
):
    """azure-identity pickles the secret itself. credconf pickles a reference, which is read again."""
    theirs, ours = theirs_and_ours
    assert SECRET.encode() in pickle.dumps(theirs.make(TENANT, CLIENT, SECRET).credential)
    with pytest.raises(TypeError, match=r"`client_secret`: use from_config\(\) with a reference") as caught:
        pickle.dumps(ours.make(TENANT, CLIENT, SECRET).credential)
    assert SECRET not in str(caught.value)
    (tmp_path / "secret").write_text(entra.client_secret)
    config = entra.config(client_secret={"file": str(tmp_path / "secret")})
    module = credconf.aio if ours.is_async else credconf
    original = module.from_config(False, env_file=False, environ={}, **config)
    pickled = pickle.dumps(original)
    assert entra.client_secret.encode() not in pickled
    revived = pickle.loads(pickled)  # noqa: S301 - our own
    assert ours.run(revived.get_token(SCOPE)).token
    for each in (original, revived):
        ours.run(each.close())


REGIONAL = "westus2.login.microsoft.com"


def test_the_variable_of_msal_for_a_region_counts_in_both_styles(theirs_and_ours, entra, monkeypatch):
    """azure-identity's synchronous class obeys it through MSAL, its asynchronous one does not."""
    theirs, ours = theirs_and_ours
    monkeypatch.setenv("MSAL_FORCE_REGION", "westus2")
    monkeypatch.setenv("REGION_NAME", "westus2")  # MSAL asks the metadata service otherwise
    if theirs.is_async:
        assert theirs.secret(entra).get_token(SCOPE).token
    else:
        with pytest.raises(ClientAuthenticationError, match=r"westus2\.127"):
            theirs.secret(entra).get_token(SCOPE)
    assert hosts_asked(ours) == [REGIONAL]
    monkeypatch.setenv("AZURE_REGIONAL_AUTHORITY_NAME", "eastus")
    assert hosts_asked(ours) == ["eastus.login.microsoft.com"]


def test_the_variable_of_msal_for_a_region_has_an_origin(monkeypatch):
    monkeypatch.setenv("MSAL_FORCE_REGION", "westus2")
    given = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET}
    loaded = credconf.load(False, env_file=False, **given)
    assert loaded.settings.region == "westus2"
    assert str(loaded.origins["region"]) == "$MSAL_FORCE_REGION"
    monkeypatch.setenv("MSAL_FORCE_REGION", "canary of a region")
    for make in (
        lambda: credconf.load(False, env_file=False, **given),
        lambda: credconf.ClientSecretCredential(*given.values()),
    ):
        with pytest.raises(credconf.ConfigError, match="a region is a name such as westus2") as caught:
            make()
        assert "canary" not in str(caught.value)


def test_a_missing_certificate_is_a_file_not_found_error_too(face, entra, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        face.certificate(entra, entra.client_id, str(tmp_path / "none.pem"))
    assert caught.value.errno == errno.ENOENT
    if face.is_ours:
        assert isinstance(caught.value, credconf.ConfigError)
        assert "none.pem does not exist" in str(caught.value)


def test_a_missing_certificate_of_the_environment_is_one_too(face, entra, tmp_path, monkeypatch):
    entra.apply(monkeypatch)
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(tmp_path / "none.pem"))
    with pytest.raises(FileNotFoundError):
        face.make(kind="EnvironmentCredential")


@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - our own
def test_that_error_travels_whole(travel, tmp_path):
    with pytest.raises(MissingFileError) as caught:
        credconf.CertificateCredential(TENANT, CLIENT, str(tmp_path / "none.pem"))
    error = travel(caught.value)
    assert (type(error), str(error), error.errno) == (MissingFileError, str(caught.value), errno.ENOENT)
    assert error.problems == caught.value.problems


def test_a_certificate_that_can_not_be_used_for_another_reason_is_no_missing_file(theirs_and_ours, entra, tmp_path):
    _, ours = theirs_and_ours
    make_certificate(tmp_path / "client.pem", password="right")
    for path in (tmp_path, tmp_path / "client.pem"):
        with pytest.raises(credconf.ConfigError) as caught:
            ours.certificate(entra, entra.client_id, str(path))
        assert not isinstance(caught.value, OSError)


def test_an_answer_without_a_lifetime_is_an_error(theirs_and_ours, entra):
    """azure-identity's synchronous class says "'expires_in'"; its asynchronous one not even that."""
    theirs, ours = theirs_and_ours
    entra.tokens(expires_in=None)
    with pytest.raises(
        credconf.AuthenticationError, match=r"does not contain the token's lifetime \(`expires_in`\)"
    ) as caught:
        ours.secret(entra).get_token(SCOPE)
    assert caught.value.error_code == "malformed"
    assert "Check `authority`" in str(caught.value)
    if theirs.is_async:
        with pytest.raises(ClientAuthenticationError, match="Unexpected response"):
            theirs.secret(entra).get_token(SCOPE)
    else:
        with pytest.raises(ClientAuthenticationError, match="Authentication failed: 'expires_in'"):
            theirs.secret(entra).get_token(SCOPE)


def test_each_request_has_an_id(theirs_and_ours, entra):
    """azure-identity sends one since 1.26."""
    _, ours = theirs_and_ours
    credential = ours.secret(entra)
    credential.get_token(SCOPE)
    credential.get_token(SCOPE, claims='{"access_token": {}}')
    sent = [[request.headers[name] for name in REQUEST_IDS] for request in entra.requests if request.kind == "token"]
    assert len({str(uuid.UUID(each)) for ids in sent for each in ids}) == 2
    assert all(len(set(ids)) == 1 for ids in sent)


def test_discovery_and_token_have_the_same_id(entra):
    """Of `adfs`, whose endpoint is looked up."""
    for make in (credconf.build, credconf.aio.build):
        entra.forget_requests()
        credential = make(entra.config(tenant_id="adfs", http={"retries": 0}))
        if make is credconf.build:
            credential.verify(SCOPE)
            credential.close()
        else:
            import asyncio

            asyncio.run(credential.verify(SCOPE))
            asyncio.run(credential.close())
        assert len(entra.requests) > 1
        assert len({request.headers[name] for request in entra.requests for name in REQUEST_IDS}) == 1


@pytest.mark.parametrize(
    "fault",
    [
        lambda entra: entra.refuses(7000222),
        lambda entra: entra.throttles(body=""),
        lambda entra: entra.is_unavailable(),
        lambda entra: entra.answers(200, "<html>Please sign in</html>", "text/html"),
        lambda entra: entra.answers(200, "{}"),
        lambda entra: entra.tokens(expires_in=None),
    ],
    ids=["refused", "throttled", "unavailable", "html", "no token", "no lifetime"],
)
def test_a_failure_names_the_id_of_the_request(theirs_and_ours, entra, fault):
    """azure-identity's errors have no id where the server's answer has none."""
    _, ours = theirs_and_ours
    fault(entra)
    with pytest.raises(credconf.AuthenticationError) as caught:
        ours.secret(entra).get_token(SCOPE)
    sent = entra.requests[-1].headers["client-request-id"]
    assert caught.value.correlation_id == sent
    assert re.findall(r"^Correlation id: (\S+)$", str(caught.value), re.MULTILINE) == [sent]


def test_a_request_that_reached_nothing_has_no_id(theirs_and_ours, entra):
    _, ours = theirs_and_ours
    entra.goes_down()
    with pytest.raises(credconf.AuthenticationError) as caught:
        ours.secret(entra).get_token(SCOPE)
    assert caught.value.correlation_id is None
    assert "Correlation id" not in str(caught.value)


@pytest.mark.parametrize("written", [str.upper, str.title])
def test_the_configured_tenant_is_the_same_in_any_case(theirs_and_ours, entra, written):
    """Entra compares without case; azure-identity takes `CONTOSO.com` for another tenant than `contoso.com`."""
    theirs, ours = theirs_and_ours
    entra.add_tenant(TENANT)
    entra.allow_any_tenant()
    with pytest.raises(ClientAuthenticationError, match="not configured to acquire tokens for tenant"):
        theirs.secret(entra, tenant_id=TENANT).get_token(SCOPE, tenant_id=written(TENANT))
    entra.forget_requests()
    credential = ours.secret(entra, tenant_id=TENANT)
    assert credential.get_token(SCOPE, tenant_id=written(TENANT)).token == credential.get_token(SCOPE).token
    assert entra.count() == 1


@pytest.mark.parametrize("allowed", [[OTHER_TENANT.upper()], ["*"], OTHER_TENANT.title()])
def test_an_allowed_tenant_is_the_same_in_any_case(theirs_and_ours, entra, allowed):
    _, ours = theirs_and_ours
    entra.allow_any_tenant()
    credential = ours.secret(entra, additionally_allowed_tenants=allowed)
    tokens = {
        credential.get_token_info(SCOPE, options={"tenant_id": each}).token
        for each in (OTHER_TENANT, OTHER_TENANT.upper(), OTHER_TENANT.title())
    }
    assert len(tokens) == 1
    assert entra.count() == 1


def test_a_tenant_that_is_not_allowed_stays_so_in_any_case(theirs_and_ours, entra):
    _, ours = theirs_and_ours
    credential = ours.secret(entra, additionally_allowed_tenants=["contoso.com"])
    with pytest.raises(credconf.AuthenticationError, match=OTHER_TENANT.upper()):
        credential.get_token(SCOPE, tenant_id=OTHER_TENANT.upper())


def test_adfs_in_any_case_has_no_other_tenants(theirs_and_ours, entra):
    _, ours = theirs_and_ours
    credential = ours.secret(entra, tenant_id="ADFS", additionally_allowed_tenants=["*"])
    with pytest.raises(credconf.AuthenticationError):  # the fake knows `adfs` alone
        credential.get_token(SCOPE, tenant_id=OTHER_TENANT)
    assert {request.path.split("/")[1] for request in entra.requests} == {"ADFS"}
