"""Whatever others wrote, no line that a command prints is a command for the runner of a CI job."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress

import jwt
import pytest
import trustme
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credconf.cli import main
from credconf.problems import printable
from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, ID, TENANT
from tests.diagonal import share
from tests.entra.servers import Listener, Server
from tests.problems.runners import PIECES, commands, of_github

SCOPE = "https://graph.microsoft.com/.default"
KEY = "a key that is long enough for HS256, which is not checked"
CI = settings(max_examples=share(8), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
EXAMPLES = ("::stop-commands::x", "words that fill a line " * 4 + "::add-mask::x", "##[group]", "##vso[task.complete]x")


_turns = itertools.cycle(EXAMPLES)


def hostile(test):
    """A test of any text, and of each form of a command: without `--whole` of one form, in turns."""
    for text in itertools.islice(_turns, share(len(EXAMPLES))):
        test = example(text)(test)
    return CI(given(text=TEXTS)(test))


def quiet(*arguments, stdin=None):
    """A call whose output holds no command for a runner, but the annotations that were asked for."""
    outcome = run(*arguments, stdin=stdin)
    found = commands(outcome.said)
    if "github" in arguments:
        found = [line for line in found if of_github(line) not in {"error", "warning"} or "##" in line]
    assert not found
    return outcome


def everywhere(*options):
    """The output of each command for a configuration, in each format."""
    for form in ("text", "json", "github"):
        quiet("check", "--format", form, *options)
        quiet("check", "--format", form, "--resolve", *options)
    for form in ("text", "json"):
        quiet("show", "--format", form, *options)
        quiet("token", SCOPE, "--format", form, *options)
        quiet("doctor", "--timeout", "5", "--format", form, *options)


@pytest.fixture
def nowhere(project, monkeypatch):
    """An application that asks a port that is closed."""
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "127.0.0.1:9")
    monkeypatch.setenv("CREDCONF_HTTP__RETRIES", "0")
    return project


CONFIGURATIONS = {
    "a key": "{id}client_secret: x\n{text}: 1\n",
    "a key of `http`": "{id}client_secret: x\nhttp: {{{text}: 1, timeout: 5}}\n",
    "an entry": "default: {text}\ncredentials: {{{text}: {{extends: {text}}}}}\n",
    "a parent": "default: a\ncredentials: {{a: {{extends: [{text}, b]}}, b: {{abstract: {text}}}}}\n",
    "a client": "tenant_id: t.example\nclient_id: {text}\nclient_secret: x\n",
    "a tenant": f"tenant_id: {{text}}\nclient_id: {CLIENT}\nclient_secret: x\n",
    "an authority": "{id}client_secret: x\nauthority: {text}\n",
    "an OIDC server": f"client_id: {CLIENT}\nclient_secret: x\noidc_authority: {{text}}\n",
    "a kind": "{id}client_secret: x\nkind: {text}\ncloud: {text}\nregion: {text}\n",
    "scopes": "{id}client_secret: x\nprefetch: [{text}]\nadditionally_allowed_tenants: [{text}]\n",
    "a secret's file": "{id}client_secret: [{{file: {text}}}, {{env: {text}}}]\n",
    "a secret's variable": "{id}client_secret: {{env: {text}}}\n",
    "a command": "{id}client_secret: {{command: [{text}, {text}]}}\n",
    "a certificate": "{id}client_certificate: {{file: {text}}}\nclient_certificate_password: {{file: {text}}}\n",
    "a bundle": "{id}client_secret: x\nhttp: {{ca_bundle: {text}, proxy: {text}}}\n",
    "a token cache": "{id}client_secret: x\ntoken_cache: {{kind: redis, url: {text}, key: {{file: {text}}}}}\n",
    "a cache's name": "{id}client_secret: x\ntoken_cache: {{kind: file, name: {text}}}\n",
    "a prefix": "{id}client_secret: x\nenv_prefix: {text}\n",
    "a date": "{id}client_secret: x\nsecret_expires_on: {text}\n",
    "a broken line": "{id}client_secret: x\nhttp: {{a: {text}\n",
}


@pytest.mark.parametrize("place", CONFIGURATIONS)
@hostile
def test_in_a_configuration(nowhere, place, text):
    nowhere.write("app.yaml", CONFIGURATIONS[place].format(id=ID, text=json.dumps(text)))
    everywhere("-f", "app.yaml", "--allow", "command") if place == "a command" else everywhere("-f", "app.yaml")
    quiet("check", "-", stdin=CONFIGURATIONS[place].format(id=ID, text=json.dumps(text)))


@hostile
def test_as_plain_yaml(nowhere, text):
    nowhere.write("app.yaml", f"{ID}{text}: {text}\n")
    everywhere("-f", "app.yaml")


@hostile
def test_in_the_name_of_a_file(nowhere, text):
    name = text[:100]
    with suppress(OSError):
        nowhere.write(name, f"{ID}clinet_id: x\nclient_secret: {{file: {json.dumps(name)}}}\n")
    everywhere("-f", name)
    everywhere("--env-file", name)
    with suppress(OSError):
        nowhere.write(name, "{")
    quiet("check", name, "--format", "github")
    quiet("init", "-f", name, "--tenant-id", TENANT, "--client-id", CLIENT)
    quiet("init", "-f", f"{name}.yaml", "--tenant-id", TENANT, "--client-id", CLIENT, "--secret-from", f"file:{text}")
    quiet("init", "--tenant-id", text, "--client-id", text, "--cloud", text, "--secret-from", text, "--named", text)


@pytest.mark.parametrize(
    "name",
    [
        *("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST", "AZURE_CLIENT_SECRET_FILE", "AZURE_CLOUD"),
        *("AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_REGIONAL_AUTHORITY_NAME", "CREDCONF_NAME", "CREDCONF_FILE"),
        *("CREDCONF_HTTP__PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CREDCONF_PREFETCH"),
    ],
)
@hostile
def test_in_a_variable(nowhere, name, text):
    nowhere.write("app.yaml", f"{ID}client_secret: x\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, text)
        everywhere()
        everywhere("-f", "app.yaml")


@hostile
def test_in_the_name_of_a_variable(nowhere, text):
    nowhere.write("app.yaml", f"default: a\ncredentials: {{a: {{tenant_id: {TENANT}}}}}\n")
    nowhere.write(".env", f"CREDCONF_{text}=x\nCREDCONF__A__{text}=x\nAZURE_{text}\n")
    with pytest.MonkeyPatch.context() as patch:
        for prefix in ("CREDCONF_", "CREDCONF__A__", "AZURE_", ""):
            if prefix + text.replace("=", ""):
                patch.setenv(prefix + text.replace("=", ""), "x")
        everywhere()
        everywhere("-f", "app.yaml")


ARGUMENTS = {
    "an option": lambda text: ["check", f"--{text}"],
    "a command": lambda text: [text],
    "a file": lambda text: ["check", text],
    "an entry": lambda text: ["show", "-n", text],
    "an entry of a file": lambda text: ["show", "-f", "app.yaml", "-n", text],
    "a section": lambda text: ["check", "app.yaml", "--section", text],
    "a format": lambda text: ["check", "--format", text],
    "a permission": lambda text: ["show", "--allow", text],
    "a number": lambda text: ["doctor", "--timeout", text],
    "a code": lambda text: ["explain", text],
    "codes": lambda text: ["explain", "unknown-key", text, text],
    "a scope": lambda text: ["token", text, "-f", "app.yaml"],
    "the doctor's scope": lambda text: ["doctor", text, "-f", "app.yaml"],
    "a tenant": lambda text: ["token", SCOPE, "--tenant", text, "-f", "app.yaml"],
    "a shell": lambda text: ["completion", text],
    "too much": lambda text: ["schema", text],
}


@pytest.mark.parametrize("place", ARGUMENTS)
@hostile
def test_in_an_argument(nowhere, place, text):
    nowhere.write("app.yaml", f"default: a\ncredentials: {{a: {{tenant_id: {TENANT}, client_id: {CLIENT}}}}}\n")
    quiet(*ARGUMENTS[place](text))
    nowhere.write("app.yaml", f"{ID}client_secret: x\n")
    quiet(*ARGUMENTS[place](text))


@pytest.fixture
def entra(fake_entra, monkeypatch, project):
    """An Entra whose application has the canary for a secret."""
    fake_entra.register(fake_entra.client_id, secrets=[CANARY])
    fake_entra.apply(monkeypatch)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CANARY)
    monkeypatch.setenv("CREDCONF_HTTP__RETRIES", "0")
    return fake_entra


def ask():
    """What the commands say that ask the server, in each form."""
    for form in ("text", "json"):
        quiet("token", SCOPE, "--format", form)
        quiet("doctor", "--format", form)
    quiet("token", SCOPE, "--raw")


NAMES = ("error", "error_description", "correlation_id", "trace_id", "timestamp")


@hostile
def test_in_an_error_of_the_server(entra, text):
    for body in (json.dumps({**dict.fromkeys(NAMES, text), "error_codes": [7000215]}), text):
        entra.answers(401, body, on="all")
        ask()
    entra.recovers()


@hostile
def test_in_a_document_of_the_server(entra, text):
    names = ("tenant_region_scope", "tenant_region_sub_scope", "cloud_instance_name")
    document = {"token_endpoint": f"{entra.authority}/{entra.tenant_id}/token", **dict.fromkeys(names, text)}
    entra.answers(200, json.dumps(document), on="discovery")
    ask()
    entra.recovers()


@hostile
def test_in_a_token(entra, text):
    claims = dict.fromkeys(("aud", "iss", "appid", "oid", "exp", "ver"), text) | {"roles": [text, text], text: text}
    entra.tokens(access_token=jwt.encode(claims, KEY, algorithm="HS256"), token_type=text)
    ask()
    entra.tokens(access_token=text)
    ask()
    entra.tokens()


@pytest.mark.parametrize("token", ["::stop-commands::x", "a##vso[task.complete]x", "##[error]"])
def test_a_raw_token_that_is_a_command_is_refused(entra, token):
    entra.tokens(access_token=token)
    outcome = run("token", SCOPE, "--raw", canary=token)
    assert (outcome.status, outcome.said) == (1, "error: the token is a command for the runner of a CI job\n")


class Offering(Listener):
    """A proxy that offers a kind of authentication of any name."""

    def __init__(self, text):
        self._text = text
        super().__init__()

    def serve(self, sock):
        sock.recv(65536)
        sock.sendall(f"HTTP/1.1 407 {self._text}\r\nProxy-Authenticate: {self._text}\r\n\r\n".encode())


@pytest.mark.parametrize("text", EXAMPLES)
def test_in_the_answer_of_a_proxy(entra, monkeypatch, text):
    proxy = Offering(text)
    try:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        ask()
        said = " ".join(run("doctor").said.split())
    finally:
        proxy.stop()
    assert f"it supports: {printable(text)}" in said


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("text", ["::stop-commands::x", "##[group]x", "##vso[task.complete]x"])
def test_in_the_name_of_an_authority(entra, monkeypatch, tmp_path, text, trusted):
    strange = trustme.CA(organization_name=text)
    if trusted:
        strange.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
        monkeypatch.setenv("CREDCONF_HTTP__CA_BUNDLE", str(tmp_path / "trusted.pem"))
    server = Server(strange)
    try:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"localhost:{server.port}")
        ask()
        assert printable(text) in run("doctor").said
    finally:
        server.stop()


@hostile
def test_values_come_back_from_json(project, text):
    project.write("app.yaml", f"{ID}client_secret: x\nprefetch: [{json.dumps(text)}]\n")
    outcome = quiet("show", "--format", "json", "-f", "app.yaml")
    shown = {item["path"]: item["value"] for item in outcome.json["settings"]}
    if outcome.status == 0:
        assert shown["prefetch"] == [text]


def test_the_help_is_no_command():
    for arguments in ([], ["--help"], ["check", "--help"], ["schema"], ["completion", "bash"], ["explain"], ["demo"]):
        assert not commands(CliRunner().invoke(main, arguments).output)
