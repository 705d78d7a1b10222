"""Discovery of the token endpoint, and the number of its requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import credconf
from tests.certificates import make_certificate
from tests.contract.clients import Recorder
from tests.contract.faces import OTHER_SCOPE, SCOPE, Clock, engine_of
from tests.entra.scripted import Scripted

HOST = "login.example.test"
DISCOVERY = ("GET", "https://login.microsoftonline.com/common/discovery/instance")
METADATA = "http://169.254.169.254/metadata/instance/compute"


def token_url(tenant, host=HOST):
    return ("POST", f"https://{host}/{tenant}/oauth2/v2.0/token")


@pytest.fixture
def client(entra):
    client = Recorder(entra)
    yield client
    client.close()


@pytest.fixture
def make(entra, client):
    """A credential whose requests all reach the fake, whatever their host."""

    def make(**changes):
        fields = {**entra.config(), "authority": HOST, "disable_instance_discovery": False, **changes}
        return credconf.build({name: value for name, value in fields.items() if value is not None}, http_client=client)

    return make


# An authority that is not well known


def test_an_unknown_authority_costs_two_requests_and_one_for_each_further_tenant(make, entra, client):
    entra.known_hosts.add(HOST)
    credential = make(additionally_allowed_tenants=["*"])
    credential.get_token(SCOPE)
    assert client.asked == [DISCOVERY, token_url(entra.tenant_id)]
    assert client.arguments[0]["params"]["authorization_endpoint"].startswith(f"https://{HOST}/")
    credential.get_token(SCOPE, tenant_id="fabrikam.com")
    credential.get_token(OTHER_SCOPE)
    credential.get_token(SCOPE, tenant_id="contoso.com", enable_cae=True)
    assert client.asked[2:] == [token_url("fabrikam.com"), token_url(entra.tenant_id), token_url("contoso.com")]


def test_many_tenants_at_once_wait_for_one_discovery(make, entra, client):
    entra.known_hosts.add(HOST)
    entra.is_slow(0.1, on="discovery")
    credential = make(additionally_allowed_tenants=["*"])
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: credential.get_token(SCOPE, tenant_id=f"t{number}.com"), range(16)))
    assert client.asked.count(DISCOVERY) == 1
    assert len(client.asked) == 17


def test_an_authority_that_microsoft_does_not_know_gets_no_secret(make, entra, client):
    entra.known_hosts.clear()
    credential = make()
    for count in (1, 2):
        with pytest.raises(credconf.AuthenticationError, match="Microsoft does not know the authority") as caught:
            credential.get_token(SCOPE)
        assert caught.value.error_code == "invalid_instance"
        assert "disable_instance_discovery: true" in str(caught.value)
        assert client.asked == [DISCOVERY] * count


@pytest.mark.parametrize(
    "fault",
    [
        lambda entra: entra.is_unavailable(on="discovery"),
        lambda entra: entra.answers(200, b"", on="discovery"),
        lambda entra: entra.answers(200, b"[]", on="discovery"),
        lambda entra: entra.answers(200, b'{"tenant_discovery_endpoint": null}', on="discovery"),
        lambda entra: entra.answers(200, b"<html>", "text/html", on="discovery"),
        lambda entra: entra.answers(404, b"", on="discovery"),
        lambda entra: entra.redirects("https://example.com/", on="discovery"),
        lambda entra: entra.drops_connections(on="discovery"),
        lambda entra: entra.truncates(on="discovery"),
    ],
)
def test_no_secret_is_sent_while_discovery_fails_and_it_is_repeated(make, entra, client, fault):
    entra.known_hosts.add(HOST)
    fault(entra)
    credential = make()
    with pytest.raises(credconf.AuthenticationError):
        credential.get_token(SCOPE)
    assert {method for method, _ in client.asked} == {"GET"}
    entra.recovers()
    assert credential.get_token(SCOPE).token


def test_without_instance_discovery_an_unknown_authority_costs_one_request(make, entra, client):
    make(disable_instance_discovery=True).get_token(SCOPE)
    assert client.asked == [token_url(entra.tenant_id)]


@pytest.mark.parametrize(
    "host",
    [
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
        "login.microsoftonline.us",
        "contoso.ciamlogin.com",
        "contoso.b2clogin.com",
    ],
)
def test_a_well_known_authority_costs_one_request(make, entra, client, host):
    make(authority=host).get_token(SCOPE)
    assert client.asked == [token_url(entra.tenant_id, host)]


@pytest.mark.parametrize("tenant", ["contoso.onmicrosoft.com", "72f988bf-86f1-41af-91ab-2d7cd011db47"])
def test_every_form_of_a_tenant_costs_one_request(make, client, tenant):
    make(authority="login.microsoftonline.com", tenant_id=tenant).get_token(SCOPE)
    assert client.asked == [token_url(tenant, "login.microsoftonline.com")]


@pytest.mark.parametrize("cloud", ["usgov", "china"])
def test_the_preset_of_a_cloud_is_well_known(make, entra, client, cloud):
    make(authority=None, cloud=cloud).get_token(SCOPE)
    hosts = {"usgov": "login.microsoftonline.us", "china": "login.chinacloudapi.cn"}
    assert client.asked == [token_url(entra.tenant_id, hosts[cloud])]


def test_a_well_known_host_keeps_its_port(make, entra, client):
    make(authority="login.microsoftonline.com:8443").get_token(SCOPE)
    assert client.asked == [token_url(entra.tenant_id, "login.microsoftonline.com:8443")]


# AD FS


def test_the_endpoint_of_adfs_is_requested_once(entra):
    credential = credconf.build(entra.config(tenant_id="adfs"))
    credential.get_token(SCOPE)
    credential.get_token(OTHER_SCOPE)
    paths = [request.path for request in entra.requests]
    assert paths == ["/adfs/.well-known/openid-configuration", "/adfs/oauth2/token", "/adfs/oauth2/token"]
    credential.close()


FOREIGN = [
    "https://evil.example/token",
    "https://login.example.test:8443/token",
    "http://login.example.test/token",
    "https://login.example.test@evil.example/token",
    "https://login.example.test.evil.example/token",
    "https://login.example.test:99999/token",
    "https://[::1/token",
    "//evil.example/token",
    "/relative",
    "",
    7,
    None,
    ["https://login.example.test/token"],
]


@pytest.mark.parametrize("endpoint", FOREIGN)
@pytest.mark.parametrize("how", ["adfs", "oidc"])
def test_a_token_endpoint_on_another_origin_gets_no_secret(entra, how, endpoint):
    client = Scripted({"https://login.example.test": {"token_endpoint": endpoint, "issuer": f"https://{HOST}/x"}})
    place = {"tenant_id": "adfs", "authority": HOST} if how == "adfs" else {"oidc_authority": f"https://{HOST}/x"}
    credential = credconf.build(
        {"client_id": entra.client_id, "client_secret": "a-secret", **place}, http_client=client
    )
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(SCOPE)
    assert client.posted == []
    assert caught.value.error_code in {"foreign_endpoint", "discovery", "malformed"}


# Generic OpenID Connect servers


@pytest.fixture
def oidc(entra, client):
    """A clock, and a credential for the fake as a generic server, whose scopes have other forms."""
    entra.strict_scopes = False
    clock = Clock(1000.0)
    fields = {
        "client_id": entra.client_id,
        "client_secret": entra.client_secret,
        "oidc_authority": f"{entra.authority}/{entra.tenant_id}/v2.0",
    }
    return credconf.Credential(engine_of(fields, client, monotonic=clock, clock=Clock())), clock


def test_the_document_of_an_oidc_server_is_fetched_once(oidc, entra):
    credential, _ = oidc
    for scope in ("one", "two", "three"):
        assert credential.get_token(scope).token
    assert [request.kind for request in entra.requests] == ["openid-configuration", "token", "token", "token"]


def test_the_document_of_an_oidc_server_is_fetched_again_after_an_hour(oidc, entra):
    credential, clock = oidc
    credential.get_token("one")
    clock.advance(3599)
    credential.get_token("two")
    assert entra.count("openid-configuration") == 1
    clock.advance(2)
    credential.get_token("three")
    assert entra.count("openid-configuration") == 2


def test_an_oidc_server_knows_no_other_tenants(oidc, entra):
    credential, _ = oidc
    credential.get_token("one", tenant_id="fabrikam.com")
    assert {request.tenant for request in entra.requests} == {entra.tenant_id}


def test_an_oidc_authority_without_a_path_is_an_error_of_the_configuration():
    with pytest.raises(credconf.ConfigError, match="has a path"):
        credconf.build({"client_id": "x", "client_secret": "y", "oidc_authority": "https://idp.example.com"})


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", "{}", '{"issuer": 1}', '{"token_endpoint": {}}'])
def test_an_invalid_document_is_an_authentication_error(entra, body):
    client = Scripted({"https://idp.example.com": body})
    fields = {"client_id": "x", "client_secret": "y", "oidc_authority": "https://idp.example.com/oauth"}
    with pytest.raises(credconf.AuthenticationError, match=r"idp.example.com"):
        credconf.build(fields, http_client=client).get_token("scope")
    assert client.posted == []


# Regions


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("login.microsoftonline.com", "westus2.login.microsoft.com"),
        ("login.windows.net", "westus2.login.microsoft.com"),
        ("login.microsoftonline.us", "westus2.login.microsoftonline.us"),
        ("login.chinacloudapi.cn", "westus2.login.chinacloudapi.cn"),
        ("login.example.test:8443", "westus2.login.example.test:8443"),
    ],
)
def test_a_region_is_a_host_of_its_own_without_a_metadata_request(make, entra, client, authority, host):
    make(authority=authority, region="westus2", disable_instance_discovery=True).get_token(SCOPE)
    assert client.asked == [token_url(entra.tenant_id, host)]


def test_a_certificate_works_at_a_regional_host(make, entra, client, tmp_path):
    certificate = make_certificate(tmp_path / "client.pem")
    client_id = entra.register(tenants="*", certificates=[certificate.pem]).client_id
    credential = make(
        authority="login.microsoftonline.com",
        region="westus2",
        client_id=client_id,
        client_secret=None,
        client_certificate={"file": str(certificate.path)},
    )
    assert credential.get_token(SCOPE).token


def test_the_region_of_the_machine_comes_from_its_variable(entra, client):
    environ = {"REGION_NAME": "EastUS"}
    fields = {**entra.config(authority=None, disable_instance_discovery=None), "region": "tryautodetect"}
    credential = credconf.from_config(False, env_file=False, environ=environ, http_client=client, **fields)
    credential.get_token(SCOPE)
    assert client.asked == [token_url(entra.tenant_id, "eastus.login.microsoft.com")]


PUBLIC = {"tenant_id": "contoso.com", "client_id": "x", "client_secret": "y", "region": "tryautodetect"}


def test_the_region_of_the_machine_comes_from_the_metadata_service_once():
    client = Scripted({METADATA: {"location": "westeurope"}})
    credential = credconf.build(PUBLIC, http_client=client)
    credential.get_token("one")
    credential.get_token("two")
    assert client.posted == ["https://westeurope.login.microsoft.com/contoso.com/oauth2/v2.0/token"] * 2
    assert len(client.asked) == 3
    assert client.sent[0]["headers"] == {"Metadata": "true"}


@pytest.mark.parametrize(
    "answer",
    [
        OSError(),
        "",
        "<html>",
        "[]",
        {},
        *({"location": location} for location in (None, "", 7, "../evil", "evil.example/x", "a@b")),
    ],
)
def test_without_a_usable_region_the_global_endpoint_is_used(answer):
    client = Scripted({METADATA: answer})
    credential = credconf.build(PUBLIC, http_client=client)
    credential.get_token("one")
    credential.get_token("two")
    assert client.posted == ["https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"] * 2
    assert len(client.asked) == 3


def test_msals_own_variable_for_a_region_is_not_read_by_build(make, entra, client, monkeypatch):
    monkeypatch.setenv("MSAL_FORCE_REGION", "westus2")
    make(authority="login.microsoftonline.com").get_token(SCOPE)
    assert client.asked == [token_url(entra.tenant_id, "login.microsoftonline.com")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(entra, status):
    entra.redirects(f"{entra.authority}/elsewhere", status=status)
    credential = credconf.build(entra.config())
    with pytest.raises(credconf.AuthenticationError, match=rf"redirects \(HTTP {status}\)") as caught:
        credential.get_token(SCOPE)
    assert caught.value.error_code == "redirect"
    assert [request.path for request in entra.requests] == [f"/{entra.tenant_id}/oauth2/v2.0/token"]
    credential.close()
