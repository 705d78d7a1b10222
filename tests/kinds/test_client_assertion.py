"""`kind: client_assertion`: only what is a JWT and has not expired is sent, and a refusal says what to do."""

from __future__ import annotations

import base64
import json
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import credconf
from credconf.entra.assertions import Claims
from credconf.kinds.client_assertion import assertion
from credconf.references import NotFound
from credconf.testing import FakeEntra, FakeGitHub, FederatedCredential
from tests.config.project import CLIENT, TENANT, assert_nothing_shows, only, project, warned
from tests.contract.faces import ASYNC, SCOPE, SYNC, Clock, engine_of

__all__ = ["project"]

WORKLOAD = FederatedCredential("https://issuer.example/", "system:serviceaccount:billing:billing")
HOUR = 3600


@pytest.fixture
def entra():
    with FakeEntra() as fake:
        fake.register(fake.client_id, federated=[WORKLOAD])
        yield fake


@pytest.fixture
def token(entra, tmp_path):
    """The file of an assertion."""
    return entra.write_assertion(tmp_path / "token")


def fields(entra, token, **changes):
    return entra.config(client_secret=None, client_assertion={"file": str(token)}, **changes)


def signature(path):
    return path.read_text().strip().rpartition(".")[2]


@pytest.mark.parametrize("face", [SYNC, ASYNC], ids=lambda face: face.name)
def test_the_variables_of_the_webhook_suffice(face, entra, token, project):
    environ = {
        "AZURE_TENANT_ID": entra.tenant_id,
        "AZURE_CLIENT_ID": entra.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": str(token),
        "AZURE_AUTHORITY_HOST": entra.authority,
        "CREDCONF_DISABLE_INSTANCE_DISCOVERY": "true",
        "SSL_CERT_FILE": entra.ca_bundle,
    }
    credential = face.from_config(path=None, environ=environ)
    assert credential.get_token(SCOPE).token
    assert entra.requests[-1].form["client_assertion"] == token.read_text().strip()
    assert entra.count() == 1
    credential.close()


@pytest.mark.parametrize(
    "content",
    ["", "secret", "a.b", "a.b.c", "a.b.c.d", "e30.e30.e30", "-----BEGIN CERTIFICATE-----", "ey\u200b.ey.x", "[].[].x"],
)
def test_what_is_no_jwt_is_no_assertion(content):
    found = assertion(content, "the file", 0.0, renewed=False)
    assert (found.code, found.message) == ("bad-assertion", "the file holds no JWT")


def test_a_file_that_holds_no_jwt_is_not_sent(entra, token):
    credential = credconf.build(fields(entra, token))
    token.write_text("no token")
    with pytest.raises(credconf.CredentialUnavailableError) as caught:
        credential.get_token(SCOPE)
    assert str(token) in str(caught.value)
    assert entra.requests == []
    credential.close()


def test_an_expired_assertion_is_not_sent_and_the_error_says_since_when_and_who_renews_it(entra, token, project):
    entra.write_assertion(token, issued_at=1_700_000_000)
    problem = only(project.refused(False, env_file=False, **fields(entra, token)))
    assert problem.code == "expired-assertion"
    assert f"{token} expired at 2023-11-14 23:13:20 UTC" in problem.message
    assert "kubelet" in problem.hint
    assert "runner" in problem.hint


def test_a_file_is_looked_at_for_each_request_to_entra_and_not_for_a_cache_hit(entra, token):
    credential = credconf.build(fields(entra, token))
    credential.get_token(SCOPE)
    first = signature(token)
    entra.write_assertion(token)
    credential.get_token(SCOPE)
    credential.get_token("https://other/.default")
    sent = [request.form["client_assertion"].rpartition(".")[2] for request in entra.requests]
    assert sent == [first, signature(token)]
    credential.close()


def test_an_assertion_that_has_expired_since_is_read_again_and_then_not_sent(entra, token):
    clock = Clock()
    engine = engine_of(fields(entra, token), clock=clock)
    credential = SYNC.on(engine)
    credential.get_token(SCOPE)
    clock.advance(2 * HOUR)
    with pytest.raises(credconf.CredentialUnavailableError, match="expired at"):
        credential.get_token(SCOPE)
    assert entra.count() == 1
    credential.close()


def test_the_assertion_that_worked_is_not_tried_again_after_its_end(entra, token):
    clock = Clock()
    credential = SYNC.on(engine_of(fields(entra, token), clock=clock))
    credential.get_token(SCOPE)
    clock.advance(2 * HOUR)
    entra.write_assertion(token, subject="other", lifetime=10 * HOUR)
    with pytest.raises(credconf.AuthenticationError, match="AADSTS700213"):  # the refusal of the one that was sent
        credential.get_token(SCOPE)
    assert len({request.form["client_assertion"] for request in entra.requests}) == 2
    assert entra.count() == 2
    credential.close()


@pytest.mark.parametrize(
    ("changes", "code", "creates"),
    [
        ({"subject": "system:serviceaccount:billing:other"}, 700213, True),
        ({"issuer": "https://issuer.example"}, 700211, True),
        ({"audience": "api://other"}, 700212, True),
        ({"subject": "System:serviceaccount:billing:billing"}, 7002138, True),
        ({"lifetime": 26 * HOUR}, 70023, False),
    ],
)
def test_a_refusal_shows_the_claims_and_the_command_that_would_make_it_work(entra, token, changes, code, creates):
    entra.write_assertion(token, **changes)
    credential = credconf.build(fields(entra, token))
    with pytest.raises(credconf.AuthenticationError) as caught:
        credential.get_token(SCOPE)
    said = str(caught.value)
    claims = {"issuer": WORKLOAD.issuer, "subject": WORKLOAD.subject, "audience": WORKLOAD.audience, **changes}
    assert f"AADSTS{code}" in said
    for name in ("issuer", "subject", "audience"):
        assert f"{name}: " in said
        assert claims[name] in said
    assert "UTC" in said
    assert signature(token) not in said
    assert_nothing_shows(caught.value, signature(token))
    commands = [line.strip() for line in said.splitlines() if line.strip().startswith("az ")]
    assert len(commands) == creates
    if creates:
        words = shlex.split(commands[0])
        assert words[:7] == ["az", "ad", "app", "federated-credential", "create", "--id", entra.client_id]
        made = json.loads(words[-1])
        trusted = FederatedCredential(made["issuer"], made["subject"], made["audiences"][0])
        entra.register(entra.client_id, federated=[trusted])
        assert credential.get_token(SCOPE).token
    credential.close()


def test_where_no_federated_credential_is_configured_the_command_adds_one(entra, token):
    entra.register(entra.client_id, secrets=["another"])
    credential = credconf.build(fields(entra, token))
    with pytest.raises(credconf.AuthenticationError, match=r"AADSTS70025") as caught:
        credential.get_token(SCOPE)
    assert "az ad app federated-credential create" in str(caught.value)
    credential.close()


def test_a_variable_and_a_program_give_an_assertion_too(entra, token, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", token.read_text())
    with credconf.build(entra.config(client_secret=None, client_assertion={"env": "MY_TOKEN"})) as credential:
        assert credential.get_token(SCOPE).token
    command = [sys.executable, "-S", "-c", f"print(open({str(token)!r}).read())"]
    configured = entra.config(client_secret=None, client_assertion={"command": command})
    with credconf.from_config(False, env_file=False, allow={"command"}, **configured) as credential:
        assert credential.get_token("https://other/.default").token
    assert entra.count() == 2


def test_fifty_threads_without_a_token_make_one_request(entra, token):
    entra.is_slow(0.05)
    with credconf.build(fields(entra, token)) as credential, ThreadPoolExecutor(50) as pool:
        tokens = {each.token for each in pool.map(lambda _: credential.get_token(SCOPE), range(50))}
    assert len(tokens) == 1
    assert entra.count() == 1


def test_a_literal_assertion_is_refused_because_it_expires(project):
    problem = only(
        project.refused(False, env_file=False, client_assertion="eyJ.eyJ.x", tenant_id=TENANT, client_id=CLIENT)
    )
    assert problem.code == "wrong-type"
    assert "expires" in problem.message


def test_a_shared_cache_in_redis_needs_a_key_because_an_assertion_can_encrypt_nothing(entra, token, project):
    cache = {"kind": "redis", "url": "redis://127.0.0.1:1"}
    problem = only(project.refused(False, env_file=False, **fields(entra, token, token_cache=cache)))
    assert "token_cache.key" in problem.message
    settings = credconf.load(
        False, env_file=False, environ={}, **fields(entra, token, token_cache={**cache, "key": "a" * 32})
    ).settings
    assert settings.token_cache.kind == "redis"


def test_processes_share_tokens_in_a_file_though_an_assertion_encrypts_nothing(entra, token, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    cache = {"kind": "file", "name": "shared", "allow_unencrypted_storage": True}
    tokens = set()
    for _ in range(2):  # `build` makes a new engine each time, as another process would
        with credconf.build(fields(entra, token, token_cache=cache)) as credential:
            tokens.add(credential.get_token(SCOPE).token)
        entra.write_assertion(token)
    assert len(tokens) == 1
    assert entra.count() == 1


def test_a_token_file_that_a_webhook_gives_yields_to_a_secret_with_a_warning(project, token):
    environ = {"AZURE_FEDERATED_TOKEN_FILE": str(token), "AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
    resolved = project.load(environ={**environ, "AZURE_CLIENT_SECRET": "s3cret-of-the-pod"})
    assert resolved.settings.kind == "client_secret"
    assert warned(resolved) == ["unheard-variable"]
    assert "`kind: client_assertion`" in resolved.warnings[0].hint
    project.write("app.yaml", f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: S}}\n")
    resolved = project.load("app.yaml", environ={"AZURE_FEDERATED_TOKEN_FILE": str(token), "S": "s3cret-of-the-pod"})
    assert resolved.settings.kind == "client_secret"


def test_two_explicit_proofs_are_an_error(project, token):
    text = f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: a\nclient_assertion: {{file: {token}}}\n"
    assert [item.code for item in project.refused_text(text).problems if item.severity == "error"] == ["two-proofs"]


def test_a_kind_that_is_given_decides_over_another_ambient_proof(project, token):
    environ = {
        "AZURE_FEDERATED_TOKEN_FILE": str(token),
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_SECRET": "s3cret-of-the-pod",
    }
    for environment in (
        {"CREDCONF_KIND": "client_assertion"},
        {"AZURE_TOKEN_CREDENTIALS": "workloadidentityCREDENTIAL"},
    ):
        resolved = project.load(environ={**environ, **environment})
        assert resolved.settings.kind == "client_assertion"
        assert [item.path for item in resolved.warnings] == ["client_secret"]
    project.write(
        "app.yaml", f"kind: client_secret\ntenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: S}}\n"
    )
    stray = {"AZURE_CLIENT_CERTIFICATE_PATH": "/nowhere.pem", "AZURE_CLIENT_ID": CLIENT, "S": "s3cret-of-the-pod"}
    assert warned(project.load("app.yaml", environ=stray)) == ["unheard-variable"]


@pytest.mark.parametrize("word", ["dev", "prod", "PROD", "DefaultAzureCredential"])
def test_a_word_for_a_chain_is_an_error_that_says_to_choose_one(project, word):
    environ = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "s3cret"}
    problem = only(project.refused(environ={**environ, "AZURE_TOKEN_CREDENTIALS": word}))
    assert problem.code == "unknown-kind"
    assert problem.origin.name == "AZURE_TOKEN_CREDENTIALS"
    assert "choose one of client_secret" in problem.hint


def test_the_word_for_the_environment_means_the_proof_that_is_there(project):
    environ = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "s3cret"}
    resolved = project.load(environ={**environ, "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"})
    assert resolved.settings.kind == "client_secret"


def test_a_named_entry_does_not_read_the_token_file_of_the_webhook(project, token):
    project.write("app.yaml", f"credentials: {{a: {{tenant_id: {TENANT}, client_id: {CLIENT}}}}}\n")
    assert (
        only(project.refused("app.yaml", name="a", environ={"AZURE_FEDERATED_TOKEN_FILE": str(token)})).code
        == "missing"
    )


def test_check_says_nothing_of_assertions_for_a_secret(project):
    project.write("app.yaml", f"tenant_id: {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: S}}\n")
    assert "assertion" not in str(project.load("app.yaml", environ={"S": "s3cret"}).warnings)


def test_an_assertion_is_in_no_repr_of_what_holds_it(entra, token):
    credential = credconf.build(fields(entra, token))
    credential.get_token(SCOPE)
    shown = f"{credential!r} {credential.describe()} {credential._engine!r}"
    assert signature(token) not in shown
    assert credential.describe()["proof"] == f"client_assertion ({token})"
    credential.close()


def test_claims_that_are_too_deep_to_parse_are_no_claims(entra, token):
    deep = base64.urlsafe_b64encode(b"[" * 40_000).decode().rstrip("=")
    token.write_text(f"e30.{deep}.x")
    with pytest.raises(credconf.ConfigError, match="holds no JWT"):
        credconf.build(fields(entra, token))


@pytest.mark.parametrize("body", ['{"value": "no token"}', '{"value": ""}'])
def test_an_assertion_of_a_job_is_not_sent_again_after_its_end(entra, monkeypatch, body):
    clock = Clock()
    with FakeGitHub() as job:
        job.apply(monkeypatch)
        app = entra.register(federated=[job.federation()])
        configured = entra.config(client_id=app.client_id, client_secret=None, client_assertion={"github": {}})
        credential = SYNC.on(engine_of(configured, clock=clock))
        credential.get_token(SCOPE)
        clock.advance(2 * HOUR)
        job.answers(200, body)
        with pytest.raises(credconf.CredentialUnavailableError):
            credential.get_token(SCOPE)
        assert entra.count() == 1
        credential.close()


def test_a_retry_does_not_send_an_assertion_after_its_end(entra, token):
    entra.write_assertion(token, lifetime=3)
    end = time.time() + 3
    entra.is_unavailable(retry_after=2)
    with (
        credconf.build(fields(entra, token, http={"retries": 4})) as credential,
        pytest.raises(credconf.AuthenticationError),
    ):
        credential.get_token(SCOPE)
    assert all(request.at <= end for request in entra.requests)


def test_what_follows_a_token_makes_it_none(entra):
    text = entra.assertion()
    assert not isinstance(assertion(text, "the file", 0.0, renewed=False), NotFound)
    for more in ("\nPASSWORD=x", " ", "=", "\u00e9"):
        assert isinstance(assertion(text + more, "the file", 0.0, renewed=False), NotFound)


def test_the_usual_audience_is_that_of_the_cloud():
    claims = Claims("https://login.microsoftonline.us/t/v2.0", "s", CLIENT, 2e9)
    (command,) = [
        line for line in claims.advice([700213], CLIENT, "https://login.microsoftonline.us") if "az ad" in line
    ]
    assert "api://AzureADTokenExchangeUSGov" in command
    assert "AzureADTokenExchangeUSGov" not in " ".join(
        claims.advice([700213], CLIENT, "https://login.microsoftonline.com")
    )


def test_a_wait_that_a_job_is_asked_for_is_respected(entra, monkeypatch):
    with FakeGitHub() as job:
        job.apply(monkeypatch)
        app = entra.register(federated=[job.federation()])
        configured = entra.config(client_id=app.client_id, client_secret=None, client_assertion={"github": {}})
        job.throttles(retry_after=50)
        with credconf.build({**configured, "http": {**configured["http"], "retries": 0}}) as credential:
            for _ in range(3):
                with pytest.raises(credconf.AuthenticationError) as caught:
                    credential.get_token(SCOPE)
        assert job.count() == 1
        assert caught.value.failure.retry_after
