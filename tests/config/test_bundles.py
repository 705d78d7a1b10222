"""A bundle that can't be used is an error of the configuration, with its file, its origin and a command."""

from __future__ import annotations

import base64
import json

import pytest

import credconf
from credconf.testing import FakeEntra
from tests.cli.running import run
from tests.config.project import AUTHORITY, CANARY, CLIENT, COMPLETE, ID, TENANT, assert_nothing_shows, only
from tests.key_shapes import no_certificates

SCOPE = "https://storage.azure.com/.default"
VARIABLES = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "CREDCONF_HTTP__CA_BUNDLE"]
DER = base64.b64decode("".join(AUTHORITY.partition("-----BEGIN CERTIFICATE-----")[2].splitlines()[:-1]))


@pytest.mark.parametrize("source", [*VARIABLES, "file", "argument", ".env", "entry"])
def test_each_source_of_a_bundle_is_told_with_the_command(project, source):
    project.write("ca.cer", DER)
    text = COMPLETE
    if source == "file":
        text += "http: {ca_bundle: ca.cer}\n"
    if source == "entry":
        entry = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": CANARY, "http": {"ca_bundle": "ca.cer"}}
        text = json.dumps({"default": "a", "credentials": {"a": entry}})
    project.write(".env", "CREDCONF_HTTP__CA_BUNDLE=ca.cer\n" if source == ".env" else "")
    environ = {source: "ca.cer"} if source in VARIABLES else {}
    arguments = {"http": {"ca_bundle": "ca.cer"}} if source == "argument" else {"env_file": ".env"}
    problem = only(project.refused_text(text, environ=environ, **arguments))
    path = project.path / "ca.cer"
    assert problem.code == "bad-bundle"
    assert problem.message.endswith(f"`: {path} holds a certificate in DER, not PEM")
    assert str(problem.hint).endswith(f": openssl x509 -inform der < {path} > {project.path / 'ca.pem'}")
    named = {"file": "app.yaml:4", "entry": "app.yaml:1", "argument": "argument http.ca_bundle", ".env": ".env:1"}
    assert named.get(source, f"${source}") in str(problem.origin)


@pytest.mark.parametrize("given", ["connection_verify", *VARIABLES[:3]])
def test_a_class_of_azure_identity_tells_of_its_bundle(project, monkeypatch, given):
    project.write("ca.cer", DER)
    options = {"connection_verify": "ca.cer"} if given == "connection_verify" else {}
    if not options:
        monkeypatch.setenv(given, "ca.cer")
    with pytest.raises(credconf.ConfigError, match="openssl x509 -inform der") as caught:
        credconf.ClientSecretCredential(TENANT, CLIENT, "x", **options)
    assert given == "connection_verify" or f"${given}" in str(caught.value)


def test_check_resolve_is_not_green(project, monkeypatch):
    project.write("ca.pem", AUTHORITY.encode("utf-16"))
    project.write("credconf.yaml", f"{ID}client_secret: {CANARY}\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "ca.pem")
    outcome = run("check", "--resolve", "credconf.yaml")
    assert outcome.status == 1
    assert "error[bad-bundle]" in outcome.said
    assert "iconv -f UTF-16 -t UTF-8 <" in outcome.said


def test_no_message_shows_a_key_that_was_taken_for_a_bundle(project):
    key = no_certificates()["a private key"]
    project.write("ca.pem", key)
    error = project.refused_text(f"{COMPLETE}http: {{ca_bundle: ca.pem}}\n")
    assert "only a private key, and no certificate" in only(error).message
    assert_nothing_shows(error, canary=key.splitlines()[3].decode())


@pytest.mark.parametrize("is_directory", [True, False])
def test_a_bundle_that_breaks_later_is_told_alike_where_a_token_is_asked_for(tmp_path, is_directory):
    with FakeEntra() as entra:
        with open(entra.ca_bundle, "rb") as file:
            good = file.read()
        path = tmp_path / "ca.pem"
        path.write_bytes(good)
        credential = credconf.build(entra.config(http={"ca_bundle": str(path)}))
        path.unlink()
        if is_directory:
            path.mkdir()
        else:
            path.write_bytes(good.replace(b"\n", b"\\n"))
        with pytest.raises(credconf.AuthenticationError) as caught:
            credential.get_token(SCOPE)
        credential.close()
        with pytest.raises(credconf.ConfigError) as refused:
            credconf.build(entra.config(http={"ca_bundle": str(path)}))
    (problem,) = refused.value.problems
    assert str(problem.hint).partition(": ")[2] in str(caught.value)
    assert problem.message.partition(f"{path} ")[2] in str(caught.value)
    assert "Name the certificates to trust" not in str(caught.value)
