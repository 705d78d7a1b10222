"""Token requests with MSAL, and the parts of MSAL that must not run."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import credconf
from credconf.entra.http import Response
from tests.contract.faces import OTHER_SCOPE, SCOPE
from tests.entra.scripted import Scripted

FIELDS = {"tenant_id": "contoso.com", "client_id": "x", "client_secret": "the-canary-secret"}


def test_a_token_request_is_a_form_and_holds_the_secret_nowhere_else(entra):
    credential = credconf.build(entra.config())
    credential.get_token(SCOPE)
    (request,) = entra.requests
    assert request.form["client_secret"] == entra.client_secret
    assert entra.client_secret not in repr(request.query) + repr(request.headers) + request.path
    assert request.headers["user-agent"].startswith("credconf/")
    credential.close()


def test_a_default_entry_of_netrc_adds_no_header(entra, monkeypatch, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    credential = credconf.build(entra.config())
    credential.get_token(SCOPE)
    assert "authorization" not in entra.requests[0].headers
    credential.close()


def test_msal_replays_no_refusal(entra):
    entra.throttles(retry_after=3600, times=1)
    credential = credconf.build(entra.config(http={"retries": 0}))
    with pytest.raises(credconf.AuthenticationError):
        credential.verify(SCOPE)
    assert credential.verify(SCOPE).token
    credential.close()


def test_connections_are_reused(entra):
    credential = credconf.build(entra.config(additionally_allowed_tenants=["*"]))
    for number in range(5):
        credential.get_token(SCOPE, tenant_id=f"t{number}.com")
    (pools,) = credential._engine._requester._clients._client._http._pools.values()
    (idle,) = pools._idle.values()
    assert len(idle) == 1
    credential.close()


def test_no_object_is_kept_for_each_tenant(entra):
    credential = credconf.build(entra.config(additionally_allowed_tenants=["*"], token_cache={"max_entries": 3}))
    for number in range(12):
        credential.get_token(SCOPE, tenant_id=f"t{number}.com")
    assert len(credential._engine.tokens) == 3
    assert credential._engine._requester._clients._client._discovery._documents == {}
    credential.close()


@pytest.mark.parametrize("module", ["msal", "requests", "cryptography"])
@pytest.mark.parametrize("face", ["credconf", "credconf.aio"])
def test_building_a_credential_imports_neither_msal_nor_requests(module, face):
    program = (
        f"import sys, {face} as c; c.build({FIELDS!r}).describe();"
        f"c.from_config(False, env_file=False, environ={{}}, **{FIELDS!r});"
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        "text",
        object(),
        types.SimpleNamespace(status_code=200),
        types.SimpleNamespace(status_code=200, text="{}"),
        types.SimpleNamespace(status_code="many", text="{}", headers={}),
        types.SimpleNamespace(status_code=None, text=None, headers=None),
        types.SimpleNamespace(status_code=200, text=None, headers={}),
        types.SimpleNamespace(status_code=200, text=b"{}", headers={}),
        types.SimpleNamespace(status_code=200, text="{}", headers=7),
        types.SimpleNamespace(status_code=200, text="{}", headers={1: 2, None: None}),
    ],
)
def test_an_odd_object_instead_of_an_answer_is_an_authentication_error(answer):
    class Odd(Scripted):
        def post(self, url, **arguments):
            return answer

    with pytest.raises(credconf.AuthenticationError) as caught:
        credconf.build(FIELDS, http_client=Odd()).get_token("scope")
    assert "the-canary-secret" not in str(caught.value)


def test_a_status_that_is_text_and_headers_that_are_missing_are_understood():
    class Odd(Scripted):
        def post(self, url, **arguments):
            return types.SimpleNamespace(
                status_code="200", text='{"access_token": "t", "expires_in": 60}', headers=None
            )

    assert credconf.build(FIELDS, http_client=Odd()).get_token("scope").token == "t"


class Half:
    def get(self, url, **_):
        raise AssertionError(url)

    post = get


@pytest.mark.parametrize(
    ("client", "missing"), [(object(), "no get, no post, no close"), (5, "no get"), (Half(), "no close")]
)
def test_a_client_without_the_methods_is_refused_before_a_token_is_asked_for(client, missing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for module in (credconf, credconf.aio):
        for make in (
            lambda module=module: module.build(FIELDS, http_client=client),
            lambda module=module: module.from_config(environ={}, http_client=client, **FIELDS),
            lambda module=module: module.ClientSecretCredential("t", "c", "s", http_client=client),
        ):
            with pytest.raises(TypeError, match=f"get, post and close; .* has {missing}"):
                make()


def test_an_applications_client_gets_the_request_of_msal():
    client = Scripted()
    credconf.build(FIELDS, http_client=client).get_token("scope", claims='{"a": 1}', enable_cae=True)
    (sent,) = client.sent
    assert sent["data"]["grant_type"] == "client_credentials"
    assert sent["data"]["scope"] == "scope"
    assert sent["data"]["client_secret"] == "the-canary-secret"
    assert "xms_cc" in sent["data"]["claims"]
    assert set(sent) == {"params", "data", "headers"}


def test_requests_session_is_a_client(entra):
    import requests

    session = requests.Session()
    session.trust_env = False
    session.verify = entra.ca_bundle
    credential = credconf.build(entra.config(), http_client=session)
    assert credential.get_token(SCOPE).token != credential.get_token(OTHER_SCOPE).token
    credential.close()


@pytest.mark.parametrize("kept", [True, False], ids=["set", "unset"])
def test_the_configured_bundle_overrides_the_variable(entra, monkeypatch, kept, tmp_path):
    if kept:
        other = tmp_path / "other.pem"
        other.write_text("not a certificate")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    credential = credconf.build(entra.config())
    assert credential.get_token(SCOPE).token
    credential.close()


def test_the_bundle_of_the_variable_is_used_if_none_is_configured(entra, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_bundle)
    credential = credconf.build(entra.config(http=None))
    assert credential.get_token(SCOPE).token
    credential.close()


def test_without_its_authority_the_server_is_not_trusted(entra):
    credential = credconf.build(entra.config(http=None))
    with pytest.raises(credconf.AuthenticationError, match="ca_bundle") as caught:
        credential.get_token(SCOPE)
    assert caught.value.error_code == "tls"
    assert entra.requests == []
    credential.close()


def test_a_response_shows_nothing_of_itself():
    assert "canary" not in repr(Response(200, "canary", {"set-cookie": "canary"}))
