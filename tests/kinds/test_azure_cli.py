"""`kind: azure_cli`: what `az` is called with, what its answers become, and who allows it."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import credconf
from credconf.assembly import blueprint_of
from credconf.engine import Engine
from credconf.errors import AuthenticationError, CredentialUnavailableError
from credconf.ground.records import replace
from credconf.kinds import AzureCliSettings, Invalid, validate
from credconf.references import Reader
from credconf.testing import FakeAzureCli
from tests.config.project import assert_nothing_shows, only, warned
from tests.contract.faces import ASYNC, OTHER_SCOPE, SCOPE, SYNC, Clock, wait_until

RESOURCE = "https://storage.azure.com"
CALL = ("account", "get-access-token", "--output", "json", "--resource", RESOURCE)
TENANT = "contoso.onmicrosoft.com"
OTHER_TENANT = "fabrikam.onmicrosoft.com"
ALLOW = {"azure_cli"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="FakeAzureCli is a shell script")


@pytest.fixture
def az(monkeypatch):
    with FakeAzureCli() as az:
        az.apply(monkeypatch)
        yield az


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def face(request):
    return request.param


def engine_of(clock=None, environ=None, seconds=None, **fields):
    """An engine of the kind, which the program allows."""
    http = {} if seconds is None else {"http": {"total_timeout": seconds}}
    settings = validate({"kind": "azure_cli", **http, **fields})
    assert not isinstance(settings, Invalid), settings
    plan = blueprint_of(settings, Reader(os.environ if environ is None else environ, allow=frozenset(ALLOW)), None)
    assert not isinstance(plan, list), plan
    return Engine(replace(plan, random=lambda: 0.0, **({} if clock is None else {"clock": clock})))


@pytest.fixture
def made(face):
    """Make a credential of a face, which is closed with the test."""
    drivens = []

    def make(**fields):
        drivens.append(face.on(engine_of(**fields)))
        return drivens[-1]

    yield make
    for driven in drivens:
        driven.close()


def failure_of(driven, *scopes, kind=CredentialUnavailableError, **options):
    with pytest.raises(AuthenticationError) as caught:
        driven.get_token(*(scopes or (SCOPE,)), **options)
    assert type(caught.value) is kind
    return caught.value


# The call


def test_az_is_called_as_documented(made, az):
    made().get_token(SCOPE)
    (call,) = az.calls
    assert call.arguments == CALL
    assert (call.cwd, call.stdin_closed) == (os.path.realpath("/bin"), True)
    assert call.environ["AZURE_CORE_NO_COLOR"] == "true"


@pytest.mark.parametrize(
    ("fields", "requested", "more"),
    [
        ({"tenant_id": TENANT}, None, ("--tenant", TENANT)),
        ({"tenant_id": TENANT}, TENANT, ("--tenant", TENANT)),
        ({"tenant_id": TENANT, "allowed_tenants": ["*"]}, OTHER_TENANT, ("--tenant", OTHER_TENANT)),
        ({"tenant_id": TENANT, "allowed_tenants": [OTHER_TENANT]}, OTHER_TENANT, ("--tenant", OTHER_TENANT)),
        ({}, OTHER_TENANT, ("--tenant", OTHER_TENANT)),
        ({"subscription": "A name. With_all-of 0"}, None, ("--subscription", "A name. With_all-of 0")),
        ({"subscription": "a"}, OTHER_TENANT, ("--tenant", OTHER_TENANT)),
    ],
)
def test_the_tenant_and_the_subscription_are_passed_on(made, az, fields, requested, more):
    az.answers('{"accessToken": "a", "expires_on": 4102444800}')
    made(**fields).get_token(SCOPE, tenant_id=requested)
    (call,) = az.calls
    assert call.arguments == CALL + more


def test_a_tenant_that_is_not_allowed_starts_nothing(made, az):
    error = failure_of(made(tenant_id=TENANT), kind=AuthenticationError, tenant_id=OTHER_TENANT)
    assert "additionally_allowed_tenants" in str(error)
    assert az.count() == 0


def test_references_give_the_tenant_and_the_subscription(made, az, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TENANT", TENANT)
    made(tenant_id={"env": "MY_TENANT"}).get_token(SCOPE)
    (tmp_path / "subscription").write_text(f"{az.subscription_id}\n")
    made(subscription={"file": str(tmp_path / "subscription")}).get_token(SCOPE)
    assert [call.arguments[6:] for call in az.calls] == [("--tenant", TENANT), ("--subscription", az.subscription_id)]


def test_a_file_that_holds_no_subscription_is_told_without_its_content(made, az, tmp_path):
    path = tmp_path / "subscription"
    path.write_text("good")
    driven = made(subscription={"file": str(path)})
    path.write_text("c4n4ry; rm -rf")
    error = failure_of(driven)
    assert "`subscription` can't be read now" in str(error)
    assert_nothing_shows(error, "c4n4ry")
    assert az.count() == 0


@pytest.mark.parametrize("scope", ["https://a/.default; ls", "$(ls)", "a b", "é", "a\n"])
def test_a_scope_can_not_hold_what_a_shell_reads(made, az, scope):
    error = failure_of(made(), scope, kind=AuthenticationError)
    assert error.failure.error == "invalid_scope"
    assert az.count() == 0


def test_two_scopes_are_two_requests(made, az):
    assert "exactly one scope" in str(failure_of(made(), SCOPE, OTHER_SCOPE, kind=AuthenticationError))
    assert az.count() == 0


@pytest.mark.parametrize("value", ["a;b", "a|b", "a&b", "`a`", "$(a)", "a'b", 'a"b', "é", "a\nb", "%PATH%", "a" * 257])
@pytest.mark.parametrize("name", ["subscription", "tenant_id"])
def test_no_setting_can_hold_what_a_shell_reads(name, value):
    found = validate({"kind": "azure_cli", name: value})
    assert isinstance(found, Invalid)
    assert [(problem.code, problem.path) for problem in found.problems] == [("bad-value", name)]
    assert value not in str(found)


def test_a_tenant_beside_a_subscription_is_refused(az):
    found = validate({"kind": "azure_cli", "tenant_id": TENANT, "subscription": "a"})
    assert isinstance(found, Invalid)
    assert [(problem.code, problem.path) for problem in found.problems] == [("conflict", "subscription")]


def test_only_an_absolute_directory_of_path_counts(made, az, monkeypatch, tmp_path):
    monkeypatch.chdir(az.folder)
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", "bin", str(tmp_path)]))
    assert "not in PATH" in str(failure_of(made()))
    assert az.count() == 0


# The answer


@pytest.mark.parametrize("epoch", [True, False])
def test_the_expiry_is_read_as_an_epoch_or_as_local_time(made, az, monkeypatch, epoch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        az.tokens(expires_in=5000, epoch=epoch)
        before = time.time()
        token = made().get_token_info(SCOPE)
        assert before + 4990 < token.expires_on <= time.time() + 5000
        assert token.token_type == "Bearer"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("expiry", [{"expires_on": "1800003600"}, {"expires_on": 1800003600.5}])
def test_an_epoch_may_be_text_or_a_fraction(made, az, expiry):
    az.answers(json.dumps({"accessToken": "a", **expiry}))
    assert made(clock=Clock(1_800_000_000.0)).get_token(SCOPE) == ("a", 1_800_003_600)


def test_a_local_time_that_comes_twice_is_the_first_one(made, az, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        az.answers(json.dumps({"accessToken": "a", "expiresOn": "2027-10-31 02:30:00.000000"}))
        assert made(clock=Clock(1_824_941_000.0)).get_token(SCOPE).expires_on == 1_824_942_600
    finally:
        monkeypatch.undo()
        time.tzset()


GARBAGE = [
    "",
    "[]",
    "null",
    "<html>c4n4ry</html>",
    '{"accessToken": "c4n4ry"}',
    '{"accessToken": "c4n4ry", "expires_on": true}',
    '{"accessToken": "c4n4ry", "expires_on": "soon"}',
    '{"accessToken": "c4n4ry", "expiresOn": "tomorrow"}',
    '{"accessToken": "c4n4ry", "expiresOn": "0001-01-01 00:00:00"}',
    '{"accessToken": "", "expires_on": 4102444800, "other": "c4n4ry"}',
    '{"accessToken": ["c4n4ry"], "expires_on": 4102444800}',
    '{"accessToken": "c4n4ry\\r\\nX: y", "expires_on": 4102444800}',
    '{"accessToken": "c4n4ry", "expires_on": 4102444800',
    'WARNING: c4n4ry\n{"accessToken": "c4n4ry", "expires_on": 4102444800}',
]


@pytest.mark.parametrize("printed", GARBAGE)
def test_an_answer_without_a_token_is_told_and_not_quoted(made, az, printed):
    az.answers(printed)
    error = failure_of(made(), kind=AuthenticationError)
    assert error.failure.error == "malformed"
    assert_nothing_shows(error, "c4n4ry")


def test_more_than_a_token_is_not_read(made, az):
    az.answers("c4n4ry" * 100_000)
    error = failure_of(made(), kind=AuthenticationError)
    assert "128 KB" in str(error)
    assert_nothing_shows(error, "c4n4ry")


# Failures


def test_a_machine_without_az_is_told(made, az, monkeypatch, tmp_path):
    az.is_missing(times=1)
    driven = made()
    assert "not in PATH" in str(failure_of(driven))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "https://aka.ms/azure-cli" in str(failure_of(driven))
    monkeypatch.delenv("PATH")
    assert "not in PATH" in str(failure_of(driven))


def test_a_program_that_does_not_start_is_told(made, tmp_path, monkeypatch):
    (tmp_path / "az").write_text("#!/nowhere/at-all\n")
    (tmp_path / "az").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "`az` could not be started" in str(failure_of(made()))


@pytest.mark.parametrize(
    ("fields", "command"), [({}, "Run az login."), ({"tenant_id": TENANT}, f"az login --tenant {TENANT}.")]
)
def test_without_a_user_the_command_that_signs_in_is_told(made, az, fields, command):
    az.is_signed_out()
    error = failure_of(made(**fields))
    assert str(error).splitlines()[1].endswith(command)
    assert error.failure.error == "signed_out"


@pytest.mark.parametrize("chosen", [True, False])
def test_a_missing_subscription_is_told(made, az, chosen):
    if not chosen:
        az.misses_subscription()
    error = failure_of(made(subscription="another one") if chosen else made())
    assert "az account set" in str(error)
    assert error.failure.error == "no_subscription"


def test_a_refusal_of_entra_is_passed_on(made, az):
    az.refuses(50076)
    error = failure_of(made(), kind=AuthenticationError)
    assert "AADSTS50076" in str(error)
    assert error.failure.codes == (50076,)
    assert "az login" in str(error)


def test_any_other_error_is_passed_on_without_a_token(made, az):
    tokens = '{"accessToken": "c4n4ry", "refresh_token":"c4n4ry"} eyJhbGciOiJSUzI1NiJ9.c4n4ry'
    text = f"ERROR: It failed. It held: {tokens}. Ask us.\x1b[31m"
    az.answers(stderr=text + "\n" + "x" * 5000, exit_code=1)
    error = failure_of(made(), kind=AuthenticationError)
    assert "It failed" in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 1500
    assert_nothing_shows(error, "c4n4ry")


def test_a_silent_failure_has_its_status(made, az):
    az.answers(exit_code=3)
    assert "`az` ended with status 3" in str(failure_of(made(), kind=AuthenticationError))


def test_a_tenant_of_a_file_is_in_no_message(made, az, tmp_path):
    (tmp_path / "tenant").write_text("c4n4ry.example")
    az.answers(stderr="ERROR: no tenant c4n4ry.example here, run az logout", exit_code=1, times=1)
    driven = made(tenant_id={"file": str(tmp_path / "tenant")})
    assert_nothing_shows(failure_of(driven, kind=AuthenticationError), "c4n4ry")
    az.is_signed_out()
    assert_nothing_shows(failure_of(driven), "c4n4ry")


def test_a_slow_az_is_ended(made, az):
    az.is_slow(60)
    error = failure_of(made(seconds=0.3))
    assert "did not end within 0.3 s" in str(error)
    assert error.failure.error == "timeout"


def test_a_claims_challenge_names_the_command_that_satisfies_it(made, az):
    driven = made()
    driven.get_token(SCOPE)
    claims = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
    error = failure_of(driven, claims=claims, tenant_id=TENANT)
    encoded = base64.b64encode(claims.encode()).decode()
    assert f"az login --claims-challenge {encoded} --tenant {TENANT} --scope {SCOPE} " in str(error)
    assert "2.76" in str(error)
    assert az.count() == 1


# The engine


def test_a_token_is_cached(made, az):
    driven = made()
    assert len({driven.get_token(SCOPE).token for _ in range(3)}) == 1
    assert az.count() == 1
    driven.get_token(OTHER_SCOPE)
    driven.get_token(SCOPE, tenant_id=TENANT)
    assert az.count() == 3


def test_a_due_token_is_refreshed_behind_the_caller(made, az):
    clock = Clock(time.time())
    driven = made(clock=clock)
    first = driven.get_token(SCOPE).token
    clock.advance(3400)
    assert driven.get_token(SCOPE).token == first
    wait_until(lambda: driven.get_token(SCOPE).token != first)
    assert az.count() == 2


def test_a_valid_token_survives_a_sign_out(made, az):
    clock = Clock(time.time())
    driven = made(clock=clock)
    first = driven.get_token(SCOPE).token
    az.is_signed_out()
    clock.advance(3500)
    assert driven.get_token(SCOPE).token == first
    wait_until(lambda: az.count() == 2)
    assert driven.get_token(SCOPE).token == first


def test_fifty_threads_start_one_az(az):
    credential = SYNC.on(engine_of())
    start = threading.Barrier(50)

    def ask(_):
        start.wait()
        return credential.get_token(SCOPE).token

    with ThreadPoolExecutor(50) as pool:
        tokens = set(pool.map(ask, range(50)))
    credential.close()
    assert (len(tokens), az.count()) == (1, 1)


def test_fifty_coroutines_start_one_az(az):
    async def ask():
        async with credconf.aio.Credential(engine_of()) as credential:
            return {token.token for token in await asyncio.gather(*(credential.get_token(SCOPE) for _ in range(50)))}

    assert (len(asyncio.run(ask())), az.count()) == (1, 1)


def test_the_token_is_shown_nowhere(made, az, caplog):
    caplog.set_level(logging.DEBUG)
    driven = made()
    token = driven.get_token(SCOPE).token
    wait_until(lambda: "azure_cli" in caplog.text)  # the line about the token may follow the token
    shown = f"{driven.credential!r} {driven.credential.describe()} {caplog.text}"
    assert token not in shown
    az.answers(stderr=f"ERROR: {token} is not what you want", exit_code=1)
    error = failure_of(driven, OTHER_SCOPE, kind=AuthenticationError)
    assert_nothing_shows(error, token)
    assert_nothing_shows(error, token[-40:])


# Permission


@pytest.mark.parametrize("allow", [(), {"command"}])
def test_it_needs_the_programs_permission(az, project, allow):
    project.write("app.yaml", "kind: azure_cli\n")
    for call in (credconf.load, credconf.from_config):
        with pytest.raises(credconf.ConfigError) as caught:
            call("app.yaml", allow=allow)
        problem = only(caught.value)
        assert (problem.code, problem.path, problem.line) == ("not-allowed", "kind", 1)
        assert problem.hint == 'pass allow={"azure_cli"} to from_config(), or --allow azure_cli'
    assert az.count() == 0


def test_build_allows_nothing_by_itself(face, az):
    for settings in ({"kind": "azure_cli"}, AzureCliSettings()):
        with pytest.raises(credconf.ConfigError) as caught:
            face.build(settings)
        assert only(caught.value).code == "not-allowed"
    resolved = credconf.load(False, env_file=False, allow=ALLOW, kind="azure_cli")
    driven = face.build(resolved)
    assert driven.get_token(SCOPE).token
    driven.close()


def test_an_allowed_file_names_it(face, az, project):
    project.write("app.yaml", f"kind: azure_cli\nsubscription: {az.subscription_id}\n")
    driven = face.from_config(path="app.yaml", allow=ALLOW, environ=os.environ)
    assert driven.get_token(SCOPE).token
    driven.close()


def test_a_file_alone_may_be_checked(project):
    from click.testing import CliRunner

    from credconf.cli import main

    project.write("app.yaml", "kind: azure_cli\n")
    assert CliRunner().invoke(main, ["check", "app.yaml"]).exit_code == 0
    refused = CliRunner().invoke(main, ["check", "app.yaml", "--resolve"])
    assert "not-allowed" in refused.output
    assert CliRunner().invoke(main, ["check", "app.yaml", "--resolve", "--allow", "azure_cli"]).exit_code == 0


def test_it_is_never_inferred(project):
    error = project.refused_text(f"tenant_id: {TENANT}\n", allow=ALLOW)
    assert "missing" in [problem.code for problem in error.problems]
    found = project.refused_text("subscription: a\n", allow=ALLOW)
    assert (only(found).code, only(found).path) == ("missing", "kind")


def test_an_ambient_client_id_has_no_effect(project):
    resolved = project.flat("kind: azure_cli\n", allow=ALLOW, environ={"AZURE_CLIENT_ID": "a"})
    assert isinstance(resolved.settings, AzureCliSettings)
    assert warned(resolved) == []  # it is there for other programs


def test_its_tokens_stay_in_memory(project):
    error = project.refused_text("kind: azure_cli\ntoken_cache: {kind: file, name: a}\n", allow=ALLOW)
    assert "conflict" in [problem.code for problem in error.problems]


def test_two_users_of_one_program_share_nothing(az, monkeypatch):
    made = []
    for user in ("alice", "bob"):
        monkeypatch.setenv("AZURE_CONFIG_DIR", f"/home/{user}")
        made.append(credconf.from_config(path=False, env_file=False, kind="azure_cli", allow=ALLOW))
        made[-1].get_token(SCOPE)
    assert made[0].get_token(SCOPE).token != made[1].get_token(SCOPE).token
    for credential in made:
        credential.close()
