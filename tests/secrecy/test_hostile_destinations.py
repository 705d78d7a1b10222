"""Promise (SECURITY.md): a secret goes to the configured authority, and nowhere else."""

from __future__ import annotations

import itertools
import json
import pickle
import re
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import credconf
from credconf.config.layers import Value
from credconf.config.safety import redirected_secret
from credconf.problems.problem import Origin
from credconf.references import Reader
from tests.config.project import AUTHORITY, CLIENT, TENANT, codes
from tests.contract.faces import SCOPE
from tests.diagonal import share
from tests.entra.scripted import Scripted
from tests.secrecy.canaries import SECRET
from tests.secrecy.test_failures import error_of

EVIL = "login.evil.example"
WAYS = {
    "authority": {"authority": EVIL},
    "OIDC": {"oidc_authority": f"https://{EVIL}/x"},
    "adfs": {"tenant_id": "adfs"},
    "proxy": {"http": {"proxy": f"http://{EVIL}:1"}},
    "ca_bundle": {"http": {"ca_bundle": "ca.pem"}},
    "discovery": {"disable_instance_discovery": True},
    "authority by reference": {"authority": {"file": "evil"}},
    "adfs by reference": {"tenant_id": {"file": "adfs"}},
    "proxy by reference": {"http": {"proxy": {"env": "EVIL"}}},
    "tokens": {"token_cache": {"kind": "file", "allow_unencrypted_storage": True}},
    "Redis": {"token_cache": {"url": f"redis://{EVIL}"}},
    "key of the Redis": {"token_cache": {"url": {"env": "REDIS"}, "key": "known"}},
}
FORMS = ["flat", "entry", "parent", "prefix"]


def configuration(way, form):
    """A found file that redirects, in each of the forms that a file has."""
    fields = {"client_id": CLIENT, **({} if way == "OIDC" else {"tenant_id": TENANT}), **WAYS[way]}
    if form == "flat":
        return fields
    if form == "prefix":
        return {**fields, "env_prefix": "MINE_"}
    if form == "entry":
        return {"default": "a", "credentials": {"a": fields}}
    return {"default": "a", "credentials": {"p": {**fields, "abstract": "true"}, "a": {"extends": ["p"]}}}


VARIABLES = {"flat": "AZURE_CLIENT_SECRET", "prefix": "MINE_CLIENT_SECRET"}


@pytest.mark.parametrize(("way", "form"), list(itertools.product(WAYS, FORMS)))
def test_no_found_file_decides_where_a_secret_of_the_environment_goes(project, way, form):
    project.write("ca.pem", AUTHORITY)
    project.write("evil", EVIL)
    project.write("adfs", "adfs")
    project.write("credconf.yaml", json.dumps(configuration(way, form)))
    name = VARIABLES.get(form, "CREDCONF__A__CLIENT_SECRET")
    environ = {name: SECRET, "EVIL": f"http://{EVIL}:1", "REDIS": "redis://redis.example"}
    error = error_of(credconf.from_config, environ=environ)
    assert isinstance(error, credconf.ConfigError)
    assert set(codes(error)) == {"redirected-secret"}
    # The test is about the rule, not about a file that can't be used: named, the same file may.
    assert credconf.load("credconf.yaml", environ=environ).settings


@pytest.mark.parametrize("way", [way for way in WAYS if "env" not in str(WAYS[way]) and "file" not in str(WAYS[way])])
def test_nor_does_a_found_dotenv(project, way):
    project.write("ca.pem", AUTHORITY)
    fields = {"client_id": CLIENT, **({} if way == "OIDC" else {"tenant_id": TENANT}), **WAYS[way]}
    groups = ("http", "token_cache")
    flat = {
        **{k: v for k, v in fields.items() if k not in groups},
        **{f"{group}__{k}": v for group in groups for k, v in fields.get(group, {}).items()},
    }
    project.write(".env", "".join(f"CREDCONF_{name.upper()}={value}\n" for name, value in flat.items()))
    error = error_of(credconf.from_config, environ={"AZURE_CLIENT_SECRET": SECRET})
    assert codes(error) == ["redirected-secret"]


def test_a_layer_that_was_named_is_no_way_for_one_that_was_found(project):
    project.write("app.yaml", f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: S}}\n")
    project.write(".env", f"CREDCONF_AUTHORITY={EVIL}\n")
    environ = {"S": SECRET, "CREDCONF_FILE": "app.yaml"}
    assert codes(error_of(credconf.from_config, environ=environ)) == ["redirected-secret"]


DEFERRED = {
    "authority": "authority: {env: CHOSEN}",
    "OIDC": "oidc_authority: {env: CHOSEN}",
    "proxy": "http: {proxy: {env: CHOSEN}}",
    "Redis": "token_cache: {url: {env: REDIS}}",
    "key of the Redis": "token_cache: {url: 'redis://redis.example', key: {env: CHOSEN}}",
}


@pytest.mark.parametrize("way", DEFERRED)
def test_a_found_dotenv_answers_no_named_file_where_the_secret_goes(project, way):
    tenant = "" if way == "OIDC" else f"tenant_id: {TENANT}\n"
    project.write("app.yaml", f"{tenant}client_id: {CLIENT}\nclient_secret: {{env: S}}\n{DEFERRED[way]}\n")
    path = "/x" if way == "OIDC" else ""
    project.write(".env", f"CHOSEN=https://{EVIL}{path}\nREDIS=redis://{EVIL}\n")
    assert codes(error_of(credconf.from_config, "app.yaml", environ={"S": SECRET})) == ["redirected-secret"]
    assert credconf.load("app.yaml", env_file=".env", environ={"S": SECRET}).settings


@pytest.mark.parametrize("reference", ["{file: ELSEWHERE}", "{env: DB_PASSWORD}"])
@pytest.mark.parametrize("field", ["client_id", "tenant_id"])
def test_a_found_file_sends_no_file_or_variable_as_an_id(project, tmp_path_factory, field, reference):
    elsewhere = tmp_path_factory.mktemp("home") / "id_rsa"
    elsewhere.write_text("hunter2")
    fields = {"client_id": CLIENT, "tenant_id": TENANT, field: reference.replace("ELSEWHERE", str(elsewhere))}
    lines = [f"{name}: {text}\n" for name, text in fields.items()]
    project.write("credconf.yaml", f"client_secret: x\nauthority: {EVIL}\n{''.join(lines)}")
    error = error_of(credconf.from_config, environ={"DB_PASSWORD": "hunter2"}, http_client=Scripted())
    assert codes(error) == ["redirected-secret"]


def test_a_found_region_is_no_host_of_its_own(project):
    project.write("credconf.yaml", f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nregion: attacker\n")
    environ = {"AZURE_CLIENT_SECRET": SECRET, "AZURE_AUTHORITY_HOST": "https://dev"}
    assert codes(error_of(credconf.from_config, environ=environ)) == ["redirected-secret"]


def test_found_certificates_do_not_decide_who_gets_a_proxys_password(project):
    project.write("ca.pem", AUTHORITY)
    project.write(
        "credconf.yaml", f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: x\nhttp: {{ca_bundle: ca.pem}}\n"
    )
    environ = {"HTTPS_PROXY": f"https://u:{'p' * 12}@proxy.example"}
    assert codes(error_of(credconf.from_config, environ=environ)) == ["redirected-secret"]


@pytest.mark.parametrize("name", [".ssh/id_rsa", "deep/er/secret", "../secret"])
def test_a_found_file_reaches_no_further_than_beside_it(project, monkeypatch, name):
    (project.path / "here").mkdir()
    monkeypatch.chdir(project.path / "here")
    project.write(f"here/{name}", SECRET)
    identity = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\n"
    project.write("here/credconf.yaml", f"{identity}client_secret: {{file: {name}}}\nauthority: {EVIL}\n")
    assert codes(error_of(credconf.from_config)) == ["redirected-secret"]


def test_a_found_file_in_the_home_directory_reaches_nothing(project, monkeypatch):
    monkeypatch.setenv("HOME", str(project.path))
    monkeypatch.setenv("USERPROFILE", str(project.path))
    project.write("secret", SECRET)
    identity = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\n"
    project.write("credconf.yaml", f"{identity}client_secret: {{file: secret}}\nauthority: {EVIL}\n")
    assert codes(error_of(credconf.from_config)) == ["redirected-secret"]


@pytest.mark.parametrize("file", ["/work/credconf.yaml", "/credconf.yaml"])
def test_a_found_file_reaches_nothing_in_the_root_directory(file):
    origin = Origin("file", file=file, discovered=True)
    raws = {"client_secret": {"file": "/secret"}, "authority": EVIL}
    merged = {name: Value(raw, origin, origin) for name, raw in raws.items()}
    assert [item.code for item in redirected_secret(merged, Reader({}), {})] == ["redirected-secret"]


@pytest.fixture
def found_variable(project, monkeypatch):
    """A found file that sends a found variable to a host of its choice; the process sets the variable afterwards."""
    monkeypatch.delenv("S", raising=False)
    identity = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: S}}\n"
    project.write("credconf.yaml", f"{identity}authority: {EVIL}\ndisable_instance_discovery: true\n")
    project.write(".env", "S=found\n")
    return lambda: monkeypatch.setenv("S", SECRET)


def test_a_variable_that_was_found_is_not_taken_from_the_environment_later(found_variable):
    client = Scripted()
    credential = credconf.from_config(http_client=client)
    found_variable()
    assert credential.get_token(SCOPE).token
    assert client.sent[-1]["data"]["client_secret"] == "found"


def test_nor_is_it_by_a_copy_of_the_credential(found_variable):
    packed = pickle.dumps(credconf.from_config())
    found_variable()
    copy = pickle.loads(packed)  # noqa: S301 - our own
    (candidate,) = copy._open().blueprint.settings.candidates()
    assert candidate.read(copy._open().blueprint.reader).credential == "found"


def test_a_copy_asks_a_found_dotenv_for_nothing_that_was_not_judged(project, monkeypatch):
    monkeypatch.setenv("IDP_HOST", "login.microsoftonline.com")
    identity = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: x\n"
    project.write("app.yaml", f"{identity.replace('x', '{env: S}')}authority: {{env: IDP_HOST}}\n")
    monkeypatch.setenv("S", SECRET)
    project.write(".env", f"IDP_HOST={EVIL}\n")
    packed = pickle.dumps(credconf.from_config("app.yaml"))
    monkeypatch.delenv("IDP_HOST")
    assert [item.code for item in error_of(pickle.loads, packed).problems] == ["missing-variable"]


# What a server says

DOCUMENT = "https://idp.example/oauth/.well-known/openid-configuration"
ENDPOINTS = [
    "https://evil.example/token",
    "https://evil.example\\@idp.example/token",
    "https://idp.example\\.evil.example/token",
    "https://idp.example@evil.example/token",
    "https://evil.example@idp.example/token",
    "https://idp.example:444/token",
    "https://idp.example:0443x/token",
    "https://idp.example.evil.example/token",
    "http://idp.example/token",
    "//evil.example/token",
    "https:evil.example/token",
    "https:///evil.example/token",
    "https://idp.example\t.evil.example/token",
    "https://idp.example\n@evil.example/token",
    "https://evil.example#@idp.example/token",
    "https://evil.example?@idp.example/token",
    "https://evil.example%2f@idp.example/token",
    "https://\u2170dp.example/token",
    "https://idp.example\u3002evil.example/token",
    "",
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_oidc_document_sends_the_secret_nowhere_else(face, endpoint):
    client = Scripted({DOCUMENT: {"token_endpoint": endpoint, "issuer": "https://idp.example/oauth"}})
    fields = {"oidc_authority": "https://idp.example/oauth", "client_id": "x", "client_secret": SECRET}
    error = error_of(face.build(fields, http_client=client).get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    assert client.posted == []


@pytest.mark.parametrize("endpoint", ["https://idp.example/token", "https://IDP.example:443/x/token?a=b"])
def test_one_on_its_own_host_is_asked(face, endpoint):
    client = Scripted({DOCUMENT: {"token_endpoint": endpoint, "issuer": "https://idp.example/oauth"}})
    fields = {"oidc_authority": "https://idp.example/oauth", "client_id": "x", "client_secret": SECRET}
    assert face.build(fields, http_client=client).get_token(SCOPE).token
    assert client.posted


@pytest.mark.parametrize("url", ["https://a.example\\@b.example/x", "https://b.example@a.example/x"])
def test_the_transport_connects_to_the_host_that_the_checks_read(url, monkeypatch):
    from credconf.entra.http import TransportFailure, TransportOptions
    from credconf.entra.transport import Transport

    asked = []

    def resolve(host, *_, **__):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(TransportFailure):
        Transport(TransportOptions(retries=0)).get(url)
    assert set(asked) <= {urlsplit(url).hostname}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(site, status):
    site.entra.redirects(f"{site.entra.authority}/elsewhere", status=status)
    driven = site.face.build(site.fields())
    error = error_of(driven.get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    assert [request.kind for request in site.entra.requests] == ["token"]
    driven.close()


CLIENT_OF_ANY_TENANT = {
    "tenant_id": TENANT,
    "client_id": CLIENT,
    "client_secret": SECRET,
    "additionally_allowed_tenants": ["*"],
}


@settings(max_examples=share(200), deadline=None)
@given(st.one_of(st.text(max_size=30), st.text(st.sampled_from("./\\%2ef@?#:a;\r\n "), max_size=12)))
@example(".")
@example("..")
@example("a/b")
@example("a%2fb")
@example("contoso.example")
def test_no_tenant_of_a_request_leaves_its_place_in_the_path(tenant):
    client = Scripted()
    credential = credconf.build(CLIENT_OF_ANY_TENANT, http_client=client)
    if tenant and not (re.fullmatch(r"[A-Za-z0-9.-]{1,256}", tenant) and tenant not in {".", ".."}):
        with pytest.raises(ValueError, match="a tenant is"):
            credential.get_token(SCOPE, tenant_id=tenant)
        assert client.asked == []
    else:
        error_or_token(credential, tenant)
        assert set(client.posted) <= {f"https://login.microsoftonline.com/{tenant.lower() or TENANT}/oauth2/v2.0/token"}


def error_or_token(credential, tenant):
    with suppress(credconf.AuthenticationError):  # MSAL may refuse what is only dots and dashes
        assert credential.get_token(SCOPE, tenant_id=tenant).token
