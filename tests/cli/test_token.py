"""`credconf token` acquires one token, and prints it only with `--raw`."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys

import jwt
import pytest

from tests.cli.running import run
from tests.config.project import CANARY

SCOPE = "https://graph.microsoft.com/.default"
KEY = "a key that is long enough for HS256, which is not checked"


@pytest.fixture
def entra(fake_entra, monkeypatch, project):
    """An Entra whose application has the canary for a secret, and a directory to work in."""
    fake_entra.register(fake_entra.client_id, secrets=[CANARY])
    fake_entra.apply(monkeypatch)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CANARY)
    monkeypatch.setenv("COLUMNS", "200")
    return fake_entra


def apart(*arguments, **variables):
    """The command as a program of its own, with its two streams."""
    command = [sys.executable, "-m", "credconf", "token", *arguments]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, check=False)


def forged(claims):
    return jwt.encode(claims, KEY, algorithm="HS256")


def test_it_shows_who_for_what_until_when_and_the_claims(entra):
    outcome = run("token", SCOPE)
    assert outcome.status == 0
    shown = dict(line.split(maxsplit=1) for line in outcome.said.splitlines() if line)
    assert shown["client"] == f"{entra.client_id} (client_secret)"
    assert (shown["tenant"], shown["authority"], shown["scopes"]) == (entra.tenant_id, entra.authority, SCOPE)
    assert (shown["aud"], shown["appid"]) == ("https://graph.microsoft.com", entra.client_id)
    assert " UTC, for 60 minutes" in shown["valid"]
    assert "the signature is not checked" in outcome.said
    assert (entra.count(), entra.requests[0].scopes) == (1, (SCOPE,))


def test_the_token_is_in_neither_form(entra):
    token = forged({"aud": "api"})
    entra.tokens(access_token=token)
    for form in ("text", "json"):
        outcome = run("token", SCOPE, "--format", form)
        assert outcome.status == 0
        assert not [part for part in token.split(".") if part in outcome.said]


def test_raw_prints_the_token_and_nothing_else(entra):
    done = apart("--raw", SCOPE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\n")
    token = done.stdout.decode().removesuffix("\n")
    assert jwt.decode(token, options={"verify_signature": False})["appid"] == entra.client_id


def test_messages_beside_a_raw_token_go_to_standard_error(entra, project):
    project.write("mine.yaml", f"client_secret: {CANARY}\n")
    entra.strict_scopes = False
    entra.tokens(access_token="opaque")
    done = apart("--raw", "User.Read", "-f", "mine.yaml", AZURE_CLIENT_SECRET="")
    assert done.stdout == f"opaque{os.linesep}".encode()
    assert b"warning[secret-in-file]" in done.stderr
    assert b"RESOURCE/.default" in done.stderr
    assert CANARY.encode() not in done.stderr


@pytest.mark.parametrize("token", ["a\x1b[2Jb", "two words", "ünicode", "é.é.é"])
def test_a_token_that_no_header_can_carry_is_refused(entra, token):
    entra.tokens(access_token=token)
    outcome = run("token", "--raw", SCOPE, canary=token)
    assert (outcome.status, "no HTTP header can carry" in " ".join(outcome.said.split())) == (1, True)


def test_json_holds_every_claim_and_that_the_signature_is_unchecked(entra):
    claims = {"aud": "api", "exp": 2_000_000_000, "roles": ["A", "B"], "deep": {"x": [1, None]}}
    entra.tokens(expires_in=600, access_token=forged(claims))
    shown = run("token", SCOPE, "--format", "json").json
    assert shown["ok"] is True
    assert (shown["claims"], shown["signature_checked"]) == (claims, False)
    assert (shown["client_id"], shown["tenant_id"], shown["name"]) == (entra.client_id, entra.tenant_id, None)
    assert (shown["scopes"], shown["token_type"], shown["problems"], shown["hints"]) == ([SCOPE], "Bearer", [], [])
    assert shown["expires_at"].endswith("Z")


DEEP = base64.urlsafe_b64encode(b'{"a":' + b"[" * 40_000).decode().rstrip("=")
OPAQUE = {
    "no JWT": "an-opaque-token",
    "encrypted": "eyJhbGciOiJSU0EtT0FFUCJ9.e.e.e.e",
    "no base64": "!.!.!",
    "no mapping": f"{forged({}).split('.')[0]}.{base64.urlsafe_b64encode(b'[1]').decode().rstrip('=')}.x",
    "no end": f"{forged({}).split('.')[0]}.{DEEP}.x",
}


@pytest.mark.parametrize("token", OPAQUE.values(), ids=OPAQUE)
def test_an_opaque_token_is_called_so(entra, token):
    entra.tokens(access_token=token)
    assert "The token is opaque" in run("token", SCOPE, canary=token).said
    assert run("token", SCOPE, "--format", "json").json["claims"] is None


def test_odd_claims_are_shown_as_they_are(entra):
    claims = {"exp": 10**30, "iat": "noon", "nbf": None, "aud": ["a", "b"], "roles": [], "ver": {"a": 1}, "tid": 1.5}
    entra.tokens(access_token=forged({**claims, "x": float("nan")}))
    said = run("token", SCOPE).said
    assert [line.split(maxsplit=1)[1] for line in said.splitlines() if line.startswith("  ")][:5] == [
        "a, b",
        "1.5",
        "(none)",
        "noon",
        "null",
    ]
    assert run("token", SCOPE, "--format", "json").json["claims"]["x"] == "NaN"


def test_a_claim_moves_no_cursor(entra):
    entra.tokens(access_token=forged({"aud": "\x1b[2J\x9b1A\r\u202eapi", "roles": ["a\nb"]}))
    said = run("token", SCOPE).said
    assert "<U+001B>[2J<U+009B>1A<U+000D><U+202E>api" in said
    assert "a<U+000A>b" in said
    assert not set(said) & set("\x1b\x9b\r\u202e")


def test_an_encoding_without_a_character_stops_nothing(entra):
    entra.tokens(access_token=forged({"aud": "ünïcode…"}))
    done = apart(SCOPE, PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "ünïcode...".encode("latin-1") in done.stdout


def test_a_refusal_is_explained_and_shows_no_secret(entra, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", f"{CANARY}-wrong")
    outcome = run("token", SCOPE)
    assert outcome.status == 1
    assert outcome.said.startswith("error: no token for client ")
    assert "AADSTS7000215 (invalid_client)\n  The client secret is wrong: use the secret's Value" in outcome.said
    error = run("token", SCOPE, "--format", "json").json["error"]
    assert (error["error"], error["aadsts"], error["status_code"]) == ("invalid_client", ["AADSTS7000215"], 401)
    assert error["fix"].startswith("The client secret is wrong")
    assert error["correlation_id"] in "".join(error["details"])


def test_a_broken_configuration_is_shown_as_check_shows_it(entra, project):
    project.write("credconf.yaml", f"clinet_id: {CANARY}\n")
    outcome = run("token", SCOPE)
    assert outcome.status == 1
    assert "error[unknown-key]: `clinet_id` is not a setting\n  --> credconf.yaml:1:1" in outcome.said
    assert run("token", SCOPE, "--format", "json").codes == ["unknown-key"]
    assert entra.requests == []


@pytest.mark.parametrize(
    ("scope", "hint"),
    [
        ("User.Read", "RESOURCE/.default"),
        ("https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/.default"),
        ("api://my-api", "api://my-api/.default"),
        ("https://[broken", "RESOURCE/.default"),
    ],
)
def test_a_scope_that_no_service_principal_gets_has_a_hint(entra, scope, hint):
    entra.strict_scopes = False
    assert f"hint: a service principal requests all its permissions at once: {hint}\n" in run("token", scope).said
    assert run("token", scope, "--format", "json").json["hints"]


def test_a_scope_that_ends_in_default_has_no_hint(entra):
    assert "hint" not in run("token", SCOPE).said


def test_another_tenant_must_be_allowed(entra, monkeypatch):
    entra.allow_any_tenant()
    entra.register(entra.client_id, tenants="*", secrets=[CANARY])
    outcome = run("token", SCOPE, "--tenant", "contoso.com")
    assert (outcome.status, "additionally_allowed_tenants" in outcome.said) == (1, True)
    monkeypatch.setenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "contoso.com")
    outcome = run("token", SCOPE, "--tenant", "contoso.com", "--format", "json")
    assert (outcome.json["tenant_id"], outcome.json["claims"]["tid"]) == ("contoso.com", "contoso.com")


def test_a_tenant_that_is_none_is_an_error_of_use(entra):
    outcome = run("token", SCOPE, "--tenant", f"../{CANARY}")
    assert (outcome.status, "a tenant is a GUID or a domain name" in outcome.said) == (2, True)


@pytest.mark.parametrize(
    "arguments", [[], ["--raw", "--format", "json", SCOPE], ["--env-file", "x", "--no-env-file", SCOPE]]
)
def test_what_does_not_fit_together_is_an_error_of_use(entra, arguments):
    assert run("token", *arguments).status == 2
    assert entra.requests == []


def test_nothing_is_fetched_in_advance(entra, project):
    project.write("credconf.yaml", "prefetch: [https://storage.azure.com/.default]\n")
    assert run("token", SCOPE).status == 0
    assert [request.scopes for request in entra.requests] == [(SCOPE,)]


def test_options_choose_layers_entry_section_and_dotenv(entra, project):
    who = {"tenant_id": entra.tenant_id, "client_id": entra.client_id}
    project.write("base.yaml", json.dumps({"app": {"credentials": {"a": who, "b": {}}}}))
    host = {"authority": entra.authority, "disable_instance_discovery": True, "client_secret": {"env": "MINE"}}
    project.write(
        "top.yaml", json.dumps({"app": {"credentials": {"a": {**host, "http": {"ca_bundle": entra.ca_bundle}}}}})
    )
    project.write("my.env", f"MINE={CANARY}\n")
    chosen = ["-f", "base.yaml", "-f", "top.yaml", "-n", "a", "--section", "app"]
    shown = run("token", SCOPE, *chosen, "--env-file", "my.env", "--format", "json").json
    assert (shown["ok"], shown["name"], shown["client_id"]) == (True, "a", entra.client_id)
    assert "missing-variable" in run("token", SCOPE, *chosen, "--no-env-file", "--format", "json").codes


def test_a_command_runs_only_where_it_was_allowed(entra, project, monkeypatch):
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    command = [sys.executable, "-c", f"print({CANARY!r})"]
    project.write("credconf.yaml", json.dumps({"client_secret": {"command": command}}))
    assert run("token", SCOPE, "--format", "json").codes == ["not-allowed"]
    assert run("token", SCOPE, "--allow", "command").status == 0
