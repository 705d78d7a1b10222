"""`kind: managed_identity`, by the protocol of each endpoint, through both faces."""

from __future__ import annotations

import logging
import os
import traceback

import pytest

import credconf
from credconf.entra.deadline_web import DeadlineWeb
from credconf.entra.request import token_request
from credconf.errors import AuthenticationError, CredentialUnavailableError
from credconf.kinds import Invalid, ManagedIdentitySettings, validate
from credconf.references import Reader, identity_endpoints
from tests.config.project import CANARY, TENANT
from tests.contract.faces import ASYNC, SYNC, engine_of, wait_until
from tests.references.endpoints import APP_SERVICE, ARC, IMDS, Endpoint, Time, answer, only, refused

SCOPE = "https://storage.azure.com/.default"
RESOURCE = "https://storage.azure.com"
CLIENT = "11111111-aaaa-1111-1111-111111111111"
OTHER = "22222222-aaaa-2222-2222-222222222222"
RESOURCE_ID = "/subscriptions/1/resourceGroups/G/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Name"
KEY = "arc-key~of_canary-77"
FIELDS = {"kind": "managed_identity"}


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch, tmp_path):
    monkeypatch.setattr(identity_endpoints, "ARC_AGENT", str(tmp_path / "himds"))
    monkeypatch.setattr(identity_endpoints, "ARC_KEYS", str(tmp_path))
    only(monkeypatch, {})


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def made(request):
    """Make a credential of a face over an endpoint."""
    drivens = []

    def make(endpoint, time=None, **fields):
        engine = engine_of({**FIELDS, **fields}, endpoint, **(time or Time()).changes)
        drivens.append(request.param.on(engine))
        return drivens[-1]

    yield make
    for driven in drivens:
        driven.close()


def failure_of(driven, *scopes, **options):
    with pytest.raises(AuthenticationError) as caught:
        driven.get_token(*(scopes or (SCOPE,)), **options)
    return caught.value


def challenged(path):
    return answer(401, {}, WWW_Authenticate=f"Basic realm={path}")


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "one.key"
    path.write_text(KEY + "\n", encoding="ascii")
    return path


# Which endpoint, and how it is asked


@pytest.mark.parametrize(
    ("environ", "url", "version", "headers"),
    [
        (APP_SERVICE, "http://localhost:42/msi/token", "2019-08-01", {"X-IDENTITY-HEADER": "a-header-value-1"}),
        (IMDS, "http://169.254.169.254/metadata/identity/oauth2/token", "2018-02-01", {"Metadata": "true"}),
        (
            {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://10.0.0.1:8080/"},
            "http://10.0.0.1:8080/metadata/identity/oauth2/token",
            "2018-02-01",
            {"Metadata": "true"},
        ),
    ],
    ids=["App Service", "IMDS", "IMDS elsewhere"],
)
def test_the_endpoint_is_found_and_asked_by_its_protocol(made, monkeypatch, environ, url, version, headers):
    only(monkeypatch, environ)
    endpoint = Endpoint()
    assert made(endpoint).get_token(SCOPE).token == "a-token"
    assert endpoint.asked == [(url, {"api-version": version, "resource": RESOURCE}, headers)]


def test_arc_is_asked_twice_and_gets_the_content_of_its_key_file(made, monkeypatch, key):
    only(monkeypatch, ARC)
    endpoint = Endpoint(challenged(key), answer())
    assert made(endpoint).get_token(SCOPE).token == "a-token"
    query = {"api-version": "2020-06-01", "resource": RESOURCE}
    url = ARC["IDENTITY_ENDPOINT"]
    assert endpoint.asked == [
        (url, query, {"Metadata": "true"}),
        (url, query, {"Metadata": "true", "Authorization": f"Basic {KEY}"}),
    ]


def test_arcs_agent_is_found_without_variables(made, tmp_path, key):
    (tmp_path / "himds").touch()
    endpoint = Endpoint(challenged(key), answer())
    made(endpoint).get_token(SCOPE)
    assert endpoint.asked[0][0] == "http://localhost:40342/metadata/identity/oauth2/token"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({**APP_SERVICE, "IDENTITY_SERVER_THUMBPRINT": "ab"}, "Service Fabric"),
        ({"MSI_ENDPOINT": "http://localhost:1", "MSI_SECRET": "s3cr3t-canary"}, "Azure Machine Learning"),
        ({"MSI_ENDPOINT": "http://localhost:1"}, "Cloud Shell"),
        ({**APP_SERVICE, "IDENTITY_ENDPOINT": "localhost:42"}, "IDENTITY_ENDPOINT holds no http:// URL"),
        ({**APP_SERVICE, "IDENTITY_ENDPOINT": "https://localhost:42"}, "IDENTITY_ENDPOINT holds no http:// URL"),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://[a"}, "AZURE_POD_IDENTITY_AUTHORITY_HOST holds no http:// URL"),
    ],
)
def test_what_is_not_supported_is_refused_without_a_request(made, monkeypatch, environ, said):
    only(monkeypatch, environ)
    endpoint = Endpoint()
    error = failure_of(made(endpoint))
    assert said in str(error)
    assert len(str(error).splitlines()) == 2  # what to do
    assert "s3cr3t" not in str(error)
    assert endpoint.asked == []


def test_app_service_wins_over_arc_and_arc_over_cloud_shell(monkeypatch, tmp_path):
    def source(environ):
        return identity_endpoints.endpoint_of(environ)

    assert source({**APP_SERVICE, **ARC, "MSI_ENDPOINT": "http://a"}).source == "app_service"
    assert source({**ARC, "MSI_ENDPOINT": "http://a"}).source == "arc"
    (tmp_path / "himds").touch()
    assert source({"MSI_ENDPOINT": "http://a"}).source == "arc"
    assert source({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://a"}).source == "arc"


@pytest.mark.parametrize(
    ("field", "value", "on_app_service", "elsewhere"),
    [
        ("client_id", CLIENT, "client_id", "client_id"),
        ("object_id", OTHER, "object_id", "object_id"),
        ("resource_id", RESOURCE_ID, "mi_res_id", "msi_res_id"),
    ],
)
def test_an_identity_is_named_as_its_endpoint_names_it(made, monkeypatch, key, field, value, on_app_service, elsewhere):
    for environ, parameter in ((APP_SERVICE, on_app_service), (IMDS, elsewhere), (ARC, elsewhere)):
        only(monkeypatch, environ)
        token = answer(body={**answer_body(), parameter: value.upper()})
        endpoint = Endpoint(*([challenged(key)] if environ is ARC else []), token)
        assert made(endpoint, **{field: value}).get_token(SCOPE).token == "a-token"
        assert endpoint.asked[-1][1] == {
            "api-version": endpoint.asked[-1][1]["api-version"],
            "resource": RESOURCE,
            parameter: value,
        }


def answer_body(**changes):
    return {"access_token": "a-token", "expires_in": "86400", "token_type": "Bearer", **changes}


def test_a_header_that_rotates_is_read_for_each_request(made, monkeypatch):
    only(monkeypatch, APP_SERVICE)
    endpoint, time = Endpoint(), Time()
    credential = made(endpoint, time)
    credential.get_token(SCOPE)
    monkeypatch.setenv("IDENTITY_HEADER", "the-next-value")
    credential.verify(SCOPE)
    assert [headers["X-IDENTITY-HEADER"] for _, _, headers in endpoint.asked] == ["a-header-value-1", "the-next-value"]


# The answer


@pytest.mark.parametrize(
    ("fields", "lifetime"),
    [
        ({"expires_in": "3599"}, 3599),
        ({"expires_in": 3599}, 3599),
        ({"expires_in": None, "expires_on": "1800005000"}, 5000),
        ({"expires_in": "", "expires_on": 1800005000}, 5000),
        ({"expires_in": "100", "expires_on": "1800005000"}, 100),
        ({"expires_in": None, "expires_on": "1799999000"}, 0),
    ],
)
def test_the_expiry_is_a_duration_or_a_moment(made, fields, lifetime):
    time = Time()
    endpoint = Endpoint(answer(body=answer_body(**fields)))
    assert made(endpoint, time).get_token(SCOPE).expires_on == int(time.now) + lifetime


@pytest.mark.parametrize("expires_on", [None, "12/31/2027 1:00:00 AM +00:00", "nan", True])
def test_an_answer_without_an_expiry_is_a_failure(made, expires_on):
    endpoint = Endpoint(answer(body=answer_body(expires_in=None, expires_on=expires_on)))
    with pytest.raises(credconf.AuthenticationError, match="does not contain the token's lifetime") as caught:
        made(endpoint, Time()).get_token(SCOPE)
    assert "a-token" not in str(caught.value)
    assert "Check what answers there" in str(caught.value)


@pytest.mark.parametrize(("fields", "due"), [({}, 43_200), ({"refresh_in": "1000"}, 1000)], ids=["half", "advised"])
def test_a_token_of_a_day_is_refreshed_at_half_its_life_or_when_the_endpoint_says(made, fields, due):
    time, endpoint = Time(), Endpoint(answer(body=answer_body(**fields)))
    credential = made(endpoint, time)
    credential.get_token(SCOPE)
    time.now += due - 1
    credential.get_token(SCOPE)
    assert len(endpoint.asked) == 1
    time.now += 1
    credential.get_token(SCOPE)
    wait_until(lambda: len(endpoint.asked) == 2)


@pytest.mark.parametrize(
    ("environ", "field", "value", "echo"),
    [
        (APP_SERVICE, "client_id", CLIENT, {"client_id": OTHER}),
        (IMDS, "client_id", CLIENT, {"client_id": OTHER}),
        (IMDS, "object_id", OTHER, {"object_id": CLIENT, "client_id": OTHER}),
        (IMDS, "resource_id", RESOURCE_ID, {"msi_res_id": RESOURCE_ID + "2"}),
        (APP_SERVICE, "resource_id", RESOURCE_ID, {"mi_res_id": RESOURCE_ID + "2"}),
    ],
)
def test_the_token_of_another_identity_is_refused(made, monkeypatch, environ, field, value, echo):
    only(monkeypatch, environ)
    error = failure_of(made(Endpoint(answer(body=answer_body(**echo))), **{field: value}))
    assert error.error_code == "another_identity"
    assert "token of another identity" in str(error)
    assert f"{field} {value}" in str(error)
    assert "a-token" not in str(error)


@pytest.mark.parametrize("echo", [{}, {"client_id": ""}, {"object_id": CLIENT}, {"client_id": 5}])
def test_arc_must_say_whose_token_it_is(made, monkeypatch, key, echo):
    only(monkeypatch, ARC)
    error = failure_of(made(Endpoint(challenged(key), answer(body=answer_body(**echo))), client_id=CLIENT))
    assert error.error_code == "another_identity"
    assert "Update the agent" in str(error)


def test_elsewhere_an_answer_need_not_say_whose_token_it_is(made):
    assert made(Endpoint(), client_id=CLIENT).get_token(SCOPE).token == "a-token"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html><body>Sign in</body></html>", "is a page of HTML"),
        ("", "is empty"),
        ("{", "is not JSON"),
        ("[]", "holds no token"),
        ({"access_token": ""}, "holds no token"),
        ({"access_token": 5}, "holds no token"),
        ({"access_token": "a\nb", "expires_in": 5}, "characters that no HTTP header can carry"),
    ],
)
def test_an_answer_without_a_token_is_told_as_what_it_is(made, body, said):
    endpoint = Endpoint(answer(body=body))
    error = failure_of(made(endpoint))
    assert error.error_code == "malformed"
    assert said in str(error)
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307])
@pytest.mark.parametrize("environ", [APP_SERVICE, IMDS, ARC], ids=["app service", "imds", "arc"])
def test_a_redirect_is_an_error_and_is_not_followed(made, monkeypatch, environ, status):
    only(monkeypatch, environ)
    endpoint = Endpoint(answer(status, "", Location="http://thief.example/"))
    error = failure_of(made(endpoint))
    assert f"it redirects (HTTP {status}), which credconf never follows" in str(error)
    assert len(endpoint.asked) == 1


# Refusals, and what is tried again


def test_a_machine_without_the_identity_says_so(made):
    body = {"error": "invalid_request", "error_description": "Identity not found"}
    endpoint = Endpoint(answer(400, body))
    error = failure_of(made(endpoint, client_id=CLIENT))
    assert isinstance(error, CredentialUnavailableError)
    assert error.error_code == "identity_not_found"
    assert error.status_code == 400
    assert str(error) == (
        f"no token for the managed identity with client_id {CLIENT} from the metadata service of Azure (IMDS): it has "
        "no such identity (HTTP 400): Identity not found\n"
        "Assign the identity to this machine or app, and check `client_id`, `object_id` or `resource_id`."
    )
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_error_of_app_service_is_told_as_it_is(made, monkeypatch, status):
    only(monkeypatch, APP_SERVICE)
    endpoint = Endpoint(answer(status, {"statusCode": status, "message": "The parameter foo is odd."}))
    error = failure_of(made(endpoint))
    assert f"App Service's endpoint: it refused (HTTP {status}): The parameter foo is odd." in str(error)
    assert len(endpoint.asked) == 1


def test_a_code_of_entra_is_explained(made):
    text = "AADSTS500011: The resource principal named https://nowhere was not found in the tenant."
    error = failure_of(made(Endpoint(answer(400, {"error": "invalid_resource", "error_description": text}))))
    assert error.aadsts == "AADSTS500011"
    assert len(str(error).splitlines()) == 3


def test_docker_desktop_is_no_azure_machine(made):
    endpoint = Endpoint(answer(403, "connecting to 169.254.169.254:80: A socket operation was attempted to an "
                                    "unreachable network."))  # fmt: skip
    error = failure_of(made(endpoint))
    assert isinstance(error, CredentialUnavailableError)
    assert error.error_code == "unreachable"
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("outage", [*map(answer, (404, 410, 429, 500, 503)), refused("timeout")])
def test_imds_is_asked_again_at_2_6_14_and_30_seconds(made, outage):
    time = Time()
    endpoint = Endpoint(outage, outage, outage, outage, answer())
    made(endpoint, time, http={"total_timeout": 60}).get_token(SCOPE)
    assert time.waited == [2, 4, 8, 16]
    endpoint = Endpoint(outage)
    failure_of(made(endpoint, Time(), http={"total_timeout": 60}))
    assert len(endpoint.asked) == 5


def test_no_wait_passes_the_time_limit(made):
    time = Time()
    endpoint = Endpoint(answer(410))
    error = failure_of(made(endpoint, time, http={"total_timeout": 20}))
    assert time.waited == [2, 4, 8]
    assert "it is being updated (HTTP 410), which takes up to 70 s" in str(error)
    assert "http.total_timeout" in str(error)


def test_retry_after_is_respected(made):
    time = Time()
    made(Endpoint(answer(429, "", Retry_After="5"), answer()), time).get_token(SCOPE)
    assert time.waited == [5]
    endpoint = Endpoint(answer(429, "", Retry_After="45"))
    credential = made(endpoint, Time())
    error = failure_of(credential)
    assert error.retry_after == 45
    assert error.error_code == "throttled"
    assert "The endpoint asked to wait" in str(failure_of(credential))
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("outage", [*map(answer, (400, 403, 405, 409)), refused("refused"), refused("dns")])
def test_nothing_else_is_tried_again(made, outage):
    time = Time()
    endpoint = Endpoint(outage, answer())
    failure_of(made(endpoint, time))
    assert time.waited == []
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("environ", [APP_SERVICE, ARC], ids=["app service", "arc"])
def test_only_imds_is_asked_again_after_404_and_410(made, monkeypatch, environ):
    only(monkeypatch, environ)
    for outage in (answer(404), answer(410)):
        endpoint = Endpoint(outage, answer())
        failure_of(made(endpoint))
        assert len(endpoint.asked) == 1


def test_verify_and_a_configuration_without_retries_ask_once(made):
    for driven in (made(endpoint := Endpoint(answer(503)), Time()), made(endpoint, Time(), http={"retries": 0})):
        before = len(endpoint.asked)
        with pytest.raises(AuthenticationError):
            driven.verify(SCOPE)
        assert len(endpoint.asked) == before + 1
    failure_of(driven)
    assert len(endpoint.asked) == 3


def test_nothing_at_the_address_says_what_to_check(made, monkeypatch):
    assert "Run this on an Azure machine" in str(failure_of(made(Endpoint(refused()))))
    only(monkeypatch, ARC)
    error = failure_of(made(Endpoint(refused())))
    assert "azcmagent show" in str(error)
    assert isinstance(error, CredentialUnavailableError)


# Arc's key file


@pytest.mark.parametrize(
    "challenge",
    ["", "Basic", "Basic realm=", "Bearer realm={key}", 'Digest realm="{key}"', "Basic realm={key}, charset=a"],
)
def test_a_challenge_that_names_no_key_file_is_refused(made, monkeypatch, key, challenge):
    only(monkeypatch, ARC)
    endpoint = Endpoint(answer(401, "", WWW_Authenticate=challenge.format(key=key)), answer())
    assert failure_of(made(endpoint)).error_code == "malformed"
    assert len(endpoint.asked) == 1


def test_a_challenge_may_have_quotes(made, monkeypatch, key):
    only(monkeypatch, ARC)
    endpoint = Endpoint(answer(401, "", WWW_Authenticate=f'basic Realm="{key}"'), answer())
    made(endpoint).get_token(SCOPE)
    assert endpoint.asked[1][2]["Authorization"] == f"Basic {KEY}"


@pytest.mark.parametrize("name", ["one.txt", "../one.key", "inner/one.key", "inner/../../one.key", "one"])
def test_a_key_file_elsewhere_or_of_another_name_is_never_read(made, monkeypatch, tmp_path, name):
    only(monkeypatch, ARC)
    monkeypatch.setattr(identity_endpoints, "ARC_KEYS", str(tmp_path / "tokens"))
    (tmp_path / "tokens" / "inner").mkdir(parents=True)
    for path in ("one.key", "tokens/one.txt", "tokens/one", "tokens/inner/one.key"):
        (tmp_path / path).write_text(KEY, encoding="ascii")
    endpoint = Endpoint(challenged(f"{tmp_path}/tokens/{name}"), answer())
    error = failure_of(made(endpoint))
    assert "no .key file in" in str(error)
    assert KEY not in str(error)
    assert len(endpoint.asked) == 1


def test_a_key_file_may_hold_4096_bytes_and_no_more(made, monkeypatch, key):
    only(monkeypatch, ARC)
    key.write_text("k" * 4096, encoding="ascii")
    made(Endpoint(challenged(key), answer())).get_token(SCOPE)
    key.write_text("k" * 4097, encoding="ascii")
    endpoint = Endpoint(challenged(key), answer())
    assert "is larger than 4 KB" in str(failure_of(made(endpoint)))
    assert len(endpoint.asked) == 1


def _denied(*_: object):
    raise PermissionError(13, "Permission denied")


def test_an_unreadable_key_file_names_the_group_that_may_read_it(made, monkeypatch, tmp_path):
    only(monkeypatch, ARC)
    error = failure_of(made(Endpoint(challenged(tmp_path / "gone.key"))))
    assert "does not exist" in str(error)
    assert "azcmagent show" in str(error)
    path = tmp_path / "one.key"
    path.touch()
    monkeypatch.setattr(os, "open", _denied)
    assert "add the user to the group himds" in str(failure_of(made(Endpoint(challenged(path)))))


def test_an_agent_that_asks_for_no_key_is_not_believed(made, monkeypatch):
    only(monkeypatch, ARC)
    error = failure_of(made(Endpoint(answer())))
    assert "without asking for its key" in str(error)
    assert "a-token" not in str(error)


# Requests of callers


def test_a_token_is_for_one_scope(made):
    endpoint = Endpoint()
    error = failure_of(made(endpoint), SCOPE, "https://vault.azure.net/.default")
    assert "one scope only" in str(error)
    assert endpoint.asked == []


def test_a_resource_may_be_written_without_default(made):
    endpoint = Endpoint()
    made(endpoint).get_token("api://app")
    assert endpoint.asked[0][1]["resource"] == "api://app"


def test_claims_ask_the_endpoint_again_and_are_not_sent(made):
    endpoint = Endpoint(answer(), answer(body=answer_body(access_token="next")))
    credential = made(endpoint)
    credential.get_token(SCOPE)
    assert credential.get_token(SCOPE, claims='{"access_token": {"nbf": {"essential": true}}}').token == "next"
    assert endpoint.asked[0] == endpoint.asked[1]


def test_a_tenant_changes_nothing(made):
    endpoint = Endpoint()
    credential = made(endpoint)
    assert credential.get_token(SCOPE, tenant_id="contoso.onmicrosoft.com").token == "a-token"
    assert endpoint.asked[0][1] == {"api-version": "2018-02-01", "resource": RESOURCE}


# The configuration


def problems(**fields):
    result = validate({**FIELDS, **fields})
    assert isinstance(result, Invalid)
    return [(problem.code, problem.path) for problem in result.problems]


def test_it_needs_nothing_but_its_name():
    settings = validate(FIELDS)
    assert isinstance(settings, ManagedIdentitySettings)
    assert settings.candidates() == ()


@pytest.mark.parametrize("field", ["tenant_id", "authority", "cloud", "region", "client_secret", "oidc_authority"])
def test_it_has_no_settings_of_an_application(field):
    assert problems(**{field: "x"}) == [("unknown-key", field)]


def test_two_ids_are_a_conflict():
    assert problems(client_id="a", object_id="b") == [("conflict", "object_id")]
    assert problems(client_id="a", resource_id="b") == [("conflict", "resource_id")]
    assert problems(object_id="a", resource_id="b") == [("conflict", "resource_id")]


def test_its_tokens_are_not_shared_between_processes():
    assert problems(token_cache={"kind": "file", "name": "a"}) == [("conflict", "token_cache")]


@pytest.mark.parametrize("word", ["msi", "ManagedIdentity", "ManagedIdentityCredential", "managed-identity"])
def test_its_other_names_lead_to_it(word):
    result = validate({"kind": word})
    assert [problem.hint for problem in result.problems if problem.path == "kind"] == [
        "did you mean `managed_identity`?"
    ]


def test_it_is_never_inferred_but_its_own_settings_ask_for_it():
    result = validate({"object_id": "a"})
    assert [(item.code, item.path) for item in result.problems] == [("missing", "kind")]
    assert "`kind: managed_identity`" in result.problems[0].message
    assert next(item.path for item in validate({"client_id": "a"}).problems) == "client_secret"


def test_an_id_in_a_file_is_read_and_not_shown(made, tmp_path):
    path = tmp_path / "id"
    path.write_text(CLIENT + "\n", encoding="ascii")
    body = {"error": "invalid_request", "error_description": f"Identity not found. {CLIENT} is unknown."}
    endpoint = Endpoint(answer(400, body))
    error = failure_of(made(endpoint, client_id={"file": str(path)}))
    assert endpoint.asked[0][1]["client_id"] == CLIENT
    assert CLIENT not in str(error)
    assert "(hidden: read from a file)" in str(error)


def test_an_id_that_can_not_be_read_now_makes_it_unavailable(made, tmp_path):
    path = tmp_path / "id"
    path.write_text(CLIENT, encoding="ascii")
    endpoint = Endpoint()
    credential = made(endpoint, client_id={"file": str(path)})
    path.unlink()
    assert isinstance(failure_of(credential), CredentialUnavailableError)
    assert endpoint.asked == []


def test_it_describes_itself():
    with credconf.build({**FIELDS, "client_id": CLIENT}) as credential:
        described = {key: value for key, value in credential.describe().items() if value is not None}
        assert described == {"kind": "managed_identity", "client_id": CLIENT}
        assert CLIENT in repr(credential)


def test_credentials_share_an_engine_where_they_share_an_endpoint(monkeypatch):
    def engine(environ):
        only(monkeypatch, environ)
        with credconf.from_config(path=False, env_file=False, kind="managed_identity") as credential:
            return credential._engine

    only(monkeypatch, APP_SERVICE)
    with credconf.from_config(path=False, env_file=False, kind="managed_identity") as held:
        assert engine({**APP_SERVICE, "IDENTITY_HEADER": "rotated"}) is held._engine
        assert engine(IMDS) is not held._engine


def test_a_configuration_with_it_is_checked_like_any_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "credconf.yaml").write_text(
        f"credentials:\n  worker: {{kind: managed_identity, client_id: {CLIENT}}}\n", encoding="ascii"
    )
    resolved = credconf.load("credconf.yaml", name="worker", env_file=False)
    assert resolved.settings == ManagedIdentitySettings(client_id=CLIENT)
    assert resolved.warnings == ()


# Secrets


def test_neither_header_nor_key_nor_token_shows_anywhere(made, monkeypatch, key, caplog):
    header = "h3ader~canary-of_app"
    secrets = (header, KEY, "t0ken~canary")
    caplog.set_level(logging.DEBUG)
    body = {"error_description": f"The header {header} is bad. So is Basic {KEY}. Here: access_token=t0ken~canary"}
    for environ, prelude in (({**APP_SERVICE, "IDENTITY_HEADER": header}, []), (ARC, [challenged(key)])):
        only(monkeypatch, environ)
        credential = made(Endpoint(*prelude, answer(403, body)))
        error = failure_of(credential)
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        own = [str(error), repr(error), repr(error.failure), repr(credential.credential), caplog.text]
        held = header if environ is not ARC else KEY
        assert not [text for text in own if held in text or "t0ken" in text]
        assert held not in shown
        assert "sentence removed" in str(error)
        good = answer(body=answer_body(access_token=secrets[2]))
        credential = made(Endpoint(*prelude, good))
        assert credential.get_token(SCOPE).token == secrets[2]
        assert not [text for text in (caplog.text, repr(credential.credential)) if any(one in text for one in secrets)]


@pytest.mark.parametrize(
    ("fields", "who"),
    [
        ({}, "managed identity: token for"),
        ({"client_id": CLIENT}, f"managed identity with client_id {CLIENT}: token for"),
        ({"object_id": OTHER}, f"managed identity with object_id {OTHER}: token for"),
    ],
)
def test_the_log_names_the_identity(made, caplog, fields, who):
    caplog.set_level(logging.INFO, "credconf")
    made(Endpoint(), **fields).get_token(SCOPE)
    # A thread that leads a request logs after its caller has the token.
    wait_until(lambda: f"{who} {SCOPE}: 86400 s to live" in caplog.text)


@pytest.mark.parametrize("name", ["object_id", "resource_id"])
def test_an_ambient_client_id_yields_to_another_id_with_no_error(project, name):
    resolved = project.flat(f"kind: managed_identity\n{name}: a\n", environ={"AZURE_CLIENT_ID": CLIENT})
    assert getattr(resolved.settings, name) == "a"
    assert resolved.settings.client_id is None


def test_ambient_variables_of_an_application_have_no_effect(project):
    ambient = {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_AUTHORITY_HOST": "login.microsoftonline.us",
        "AZURE_CLIENT_SECRET": CANARY,
    }
    resolved = project.flat("kind: managed_identity\n", environ=ambient)
    assert resolved.settings.kind == "managed_identity"
    assert [problem.path for problem in resolved.warnings] == ["client_secret"]


@pytest.mark.parametrize("status", [404, 410, 429, 500, 503])
def test_who_joins_an_attempt_without_retries_makes_its_own(status):
    settings = ManagedIdentitySettings(kind="managed_identity")
    request = token_request("get_token", (SCOPE,), None, None, None, (), cae=False)
    endpoint = Endpoint(answer(status, "{}"))
    reader = Reader({}, web=lambda: DeadlineWeb(endpoint, bounded=False, deadline=9.0, monotonic=float, sleep=float))
    failure = settings.acquire(request, reader, retries=False)
    assert (failure.status_code, failure.unretried) == (status, True)
    assert not settings.acquire(request, reader, retries=True).unretried
