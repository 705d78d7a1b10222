"""The variables that a credential reads, their values, and misspelt variables."""

from __future__ import annotations

import pytest

from credconf.config.variables import Scheme, documented, split_list
from credconf.ground.opaque import Hidden
from credconf.kinds import LEAVES
from tests.config.project import (
    CANARY,
    CLIENT,
    COMPLETE,
    OTHER_CLIENT,
    TENANT,
    VARIABLES,
    codes,
    only,
    secret_of,
    warned,
)

NAMED = f"credentials:\n  my-app: {{tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: x}}\n  other: {{}}\n"


def test_the_environment_alone_is_enough(project):
    resolved = project.load(environ=VARIABLES)
    assert resolved.name is None
    assert secret_of(resolved) == CANARY
    assert {str(resolved.origins[name]) for name in ("tenant_id", "client_id", "client_secret")} == {
        "$AZURE_TENANT_ID",
        "$AZURE_CLIENT_ID",
        "$AZURE_CLIENT_SECRET",
    }


@pytest.mark.parametrize(
    "text", ["012345", "1e10", "no", "null", "12:30:45", "1_000", "true", "$", "${HOME}", '{"file": "/etc/passwd"}']
)
def test_text_stays_text(project, text):
    resolved = project.load(environ={**VARIABLES, "AZURE_CLIENT_SECRET": text, "HOME": "/home/somebody"})
    assert secret_of(resolved) == text


def test_every_documented_azure_name_is_read(project):
    project.write("secret", "from a file\n")
    environ = {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_SECRET_FILE": "secret",
        "AZURE_ADDITIONALLY_ALLOWED_TENANTS": "a.example; b.example,c.example;",
        "AZURE_REGIONAL_AUTHORITY_NAME": "westus2",
        "AZURE_AUTHORITY_HOST": "login.microsoftonline.us",
    }
    resolved = project.load(environ=environ)
    settings = resolved.settings
    assert settings.additionally_allowed_tenants == ("a.example", "b.example", "c.example")
    assert (settings.region, settings.authority) == ("westus2", "https://login.microsoftonline.us")
    assert resolved.reader.text(secret_of(resolved)) == "from a file"


def test_the_certificates_azure_names_are_read(project, tmp_path):
    from tests.certificates import make_certificate

    make_certificate(tmp_path / "client.pem", password=CANARY)
    settings = project.load(
        environ={
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_CLIENT_CERTIFICATE_PATH": "client.pem",
            "AZURE_CLIENT_CERTIFICATE_PASSWORD": CANARY,
            "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true",
        }
    ).settings
    assert settings.kind == "client_certificate"
    assert settings.client_certificate.file == str(tmp_path / "client.pem")
    assert settings.send_certificate_chain is True


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("AzureCloud", "public"),
        ("AZURE_PUBLIC_CLOUD", "public"),
        ("AzureUSGovernment", "usgov"),
        ("AZURE_US_GOVERNMENT", "usgov"),
        ("azurechinacloud", "china"),
        ("AZURE_CHINA_CLOUD", "china"),
        ("usgov", "usgov"),
    ],
)
def test_the_clouds_names_of_azure_core_and_the_cli_are_known(project, name, cloud):
    assert project.load(environ={**VARIABLES, "AZURE_CLOUD": name}).settings.cloud == cloud


def test_an_unknown_cloud_is_an_error_that_does_not_show_it(project):
    error = project.refused(environ={**VARIABLES, "AZURE_CLOUD": CANARY})
    assert str(only(error).origin) == "$AZURE_CLOUD"


def test_no_other_azure_name_is_read(project):
    resolved = project.load(
        environ={**VARIABLES, "AZURE_REGION": "westus2", "AZURE_HTTP__RETRIES": "7", "AZURE_PREFETCH": "x"}
    )
    assert (resolved.settings.region, resolved.settings.http.retries, resolved.settings.prefetch) == (None, 3, ())
    assert resolved.warnings == ()


def test_ours_wins_over_the_azure_name(project):
    resolved = project.load(environ={**VARIABLES, "CREDCONF_CLIENT_ID": OTHER_CLIENT})
    assert resolved.settings.client_id == OTHER_CLIENT
    assert str(resolved.origins["client_id"]) == "$CREDCONF_CLIENT_ID"
    assert [str(origin) for origin in resolved.origins["client_id"].displaced] == ["$AZURE_CLIENT_ID"]


def test_ours_in_the_dotenv_does_not_win_over_the_azure_name_of_the_process(project):
    project.write(".env", f"CREDCONF_TENANT_ID=lower.example\nAZURE_TENANT_ID={TENANT}\n")
    resolved = project.load(environ=VARIABLES)
    assert resolved.settings.tenant_id == TENANT
    assert [str(origin) for origin in resolved.origins["tenant_id"].displaced] == [
        ".env:1 (CREDCONF_TENANT_ID)",
        ".env:2 (AZURE_TENANT_ID)",
    ]


def test_every_field_has_a_variable_of_ours(project):
    environ = {
        "CREDCONF_KIND": "client_secret",
        "CREDCONF_TENANT_ID": TENANT,
        "CREDCONF_CLIENT_ID": CLIENT,
        "CREDCONF_CLIENT_SECRET": CANARY,
        "CREDCONF_CLOUD": "china",
        "CREDCONF_ALLOWED_TENANTS": "*",
        "CREDCONF_DISABLE_INSTANCE_DISCOVERY": "yes",
        "CREDCONF_REGION": "chinaeast2",
        "CREDCONF_PREFETCH": "https://a/.default;https://b/.default",
        "CREDCONF_HTTP__TIMEOUT": "1.5",
        "CREDCONF_HTTP__TOTAL_TIMEOUT": "9",
        "CREDCONF_HTTP__RETRIES": "0",
        "CREDCONF_HTTP__PROXY": "http://proxy.example:8080",
        "CREDCONF_TOKEN_CACHE__MAX_ENTRIES": "10",
    }
    settings = project.load(environ=environ).settings
    assert (settings.cloud, settings.additionally_allowed_tenants) == ("china", ("*",))
    assert settings.disable_instance_discovery is True
    assert settings.prefetch == ("https://a/.default", "https://b/.default")
    assert (settings.http.timeout, settings.http.total_timeout, settings.http.retries) == (1.5, 9, 0)
    assert settings.http.proxy.get_secret_value() == "http://proxy.example:8080"
    assert settings.token_cache.max_entries == 10


def test_a_named_entry_reads_its_own_variables_alone(project):
    environ = {**VARIABLES, "CREDCONF__MY_APP__REGION": "westus2", "CREDCONF__OTHER__REGION": "eastus"}
    for choice in ({"name": "my-app"}, {"environ": {**environ, "CREDCONF_NAME": "my-app"}}):
        resolved = project.flat(NAMED, **{"environ": environ, **choice})
        assert resolved.settings.region == "westus2"
        assert secret_of(resolved) == "x"
        assert str(resolved.origins["region"]) == "$CREDCONF__MY_APP__REGION"


def test_a_variable_of_the_flat_form_beside_a_named_entry_is_a_warning(project):
    resolved = project.flat(NAMED, name="my-app", environ={"CREDCONF_REGION": "westus2"})
    assert resolved.settings.region is None
    warning = next(item for item in resolved.warnings if item.code == "unheard-variable")
    assert warning.hint == "set CREDCONF__MY_APP__REGION instead"


def test_a_prefix_replaces_the_usual_variables(project):
    environ = {**VARIABLES, "CREDCONF_REGION": "eastus", "REPORTS_REGION": "westus2", "REPORTS_HTTP__RETRIES": "1"}
    resolved = project.flat(COMPLETE.replace(CANARY, "x") + "env_prefix: REPORTS_\n", environ=environ)
    assert (resolved.settings.region, resolved.settings.http.retries) == ("westus2", 1)
    assert secret_of(resolved) == "x"
    resolved = project.load(
        environ={"R_TENANT_ID": TENANT, "R_CLIENT_ID": CLIENT, "R_CLIENT_SECRET": "y"}, env_prefix="R_"
    )
    assert secret_of(resolved) == "y"


def test_a_prefix_of_a_named_entry_replaces_its_variables_and_the_advice_knows(project):
    text = NAMED.replace("client_secret: x", "client_secret: x, env_prefix: REPORTS_")
    environ = {"CREDCONF_REGION": "eastus", "REPORTS_REGION": "westus2", "CREDCONF__MY_APP__REGION": "northeurope"}
    resolved = project.flat(text, name="my-app", environ=environ)
    assert resolved.settings.region == "westus2"
    hints = {item.hint for item in resolved.warnings if item.code == "unheard-variable"}
    assert hints <= {"set REPORTS_REGION instead"}
    assert hints


@pytest.mark.parametrize("null", ["null", "~", ""])
def test_a_prefix_of_null_reads_nothing(project, null):
    environ = {**VARIABLES, "CREDCONF_REGION": "eastus", "REGION": "westus2"}
    resolved = project.flat(COMPLETE.replace(CANARY, "x") + f"env_prefix: {null}\n", environ=environ)
    assert resolved.settings.region is None
    assert secret_of(resolved) == "x"


def test_a_prefix_of_null_as_an_argument_reads_nothing(project):
    error = project.refused(environ=VARIABLES, env_prefix=None)
    assert set(codes(error)) == {"missing"}
    assert "AZURE_" not in str(error)  # nothing is suggested that would not work


@pytest.mark.parametrize("prefix", ["'1X'", "a-b", "a b", "[A]", "'null'x"])
def test_a_prefix_must_be_one(project, prefix):
    error = project.refused_text(COMPLETE + f"env_prefix: {prefix}\n")
    assert {problem.line for problem in error.problems if problem.severity == "error"} == {4}


def test_an_empty_variable_counts_as_unset(project):
    resolved = project.flat(COMPLETE, environ={"AZURE_CLIENT_SECRET": "", "AZURE_TENANT_ID": "", "CREDCONF_REGION": ""})
    assert resolved.origins["client_secret"].file == "app.yaml"


def test_a_variable_of_white_space_is_not_unset(project):
    error = project.refused(environ={**VARIABLES, "AZURE_CLIENT_SECRET": "  "})
    assert (only(error).code, str(only(error).origin)) == ("empty", "$AZURE_CLIENT_SECRET")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_SECRET_FILE"),
        ("CREDCONF_CLIENT_SECRET", "CREDCONF_CLIENT_SECRET_FILE"),
        ("CREDCONF_ALLOWED_TENANTS", "CREDCONF_ADDITIONALLY_ALLOWED_TENANTS"),
        ("CREDCONF_REGION", "CREDCONF_REGION_FILE"),
    ],
)
def test_two_forms_in_one_source_are_an_error(project, one, two):
    error = project.refused(environ={"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, one: CANARY, two: CANARY})
    conflict = next(item for item in error.problems if item.code == "conflict")
    assert one in conflict.message
    assert two in conflict.message


def test_the_two_forms_in_two_sources_displace_each_other(project):
    project.write("secret", CANARY)
    project.write(".env", f"AZURE_CLIENT_SECRET={CANARY}\n")
    environ = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET_FILE": "secret"}
    resolved = project.load(environ=environ)
    assert str(resolved.origins["client_secret"]) == "$AZURE_CLIENT_SECRET_FILE"
    assert [origin.name for origin in resolved.origins["client_secret"].displaced] == ["AZURE_CLIENT_SECRET"]


def test_only_a_name_that_ends_in_file_refers_to_a_file(project):
    environ = {**VARIABLES, "CREDCONF_CLIENT_SECRET__FILE": "/etc/passwd"}
    problem = only(project.refused(environ=environ))
    assert problem.code == "unknown-variable"
    assert problem.hint == "did you mean CREDCONF_CLIENT_SECRET_FILE?"


def test_a_certificate_in_a_variable_is_an_error_that_names_the_right_one(project):
    environ = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "CREDCONF_CLIENT_CERTIFICATE": CANARY}
    problem = next(item for item in project.refused(environ=environ).problems if item.code == "bad-variable")
    assert "CREDCONF_CLIENT_CERTIFICATE_FILE" in problem.hint


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CREDCONF_TENNANT_ID", "CREDCONF_TENANT_ID"),
        ("CREDCONF_CLIENTID", "CREDCONF_CLIENT_ID"),
        ("CREDCONF_HTTP_TIMEOUT", "CREDCONF_HTTP__TIMEOUT"),
        ("credconf_client_id", "CREDCONF_CLIENT_ID"),
        ("CREDCONF_FILES", "CREDCONF_FILE"),
        ("CREDCONF_CLIENT_SECRET_FLIE", "CREDCONF_CLIENT_SECRET_FILE"),
        ("CREDCONF_CLIENT_CERTIFICATE_PATH", "CREDCONF_CLIENT_CERTIFICATE_FILE"),
        ("CREDCONF__CLIENT_SECRET", "CREDCONF_CLIENT_SECRET"),
        ("CREDCONF_CLIENT__SECRET", "CREDCONF_CLIENT_SECRET"),
        ("CREDCONF__HTTP__TIMEOUT", "CREDCONF_HTTP__TIMEOUT"),
        ("CREDCONF_SECRET", "CREDCONF_CLIENT_SECRET"),
        ("CREDCONF_SECRET_FILE", "CREDCONF_CLIENT_SECRET_FILE"),
        ("CREDCONF_PASSWORD_FILE", "CREDCONF_CLIENT_SECRET_FILE"),
        ("CREDCONF_TIMEOUT", "CREDCONF_HTTP__TIMEOUT"),
        ("CREDCONF_PROXY", "CREDCONF_HTTP__PROXY"),
        ("CREDCONF_HTTP__VERIFY", "CREDCONF_HTTP__CA_BUNDLE"),
        ("CREDCONF__FILE", "CREDCONF_FILE"),
    ],
)
def test_a_variable_that_is_nearly_ours_is_an_error_with_a_suggestion(project, name, meant):
    problem = only(project.refused(environ={**VARIABLES, name: CANARY}))
    assert (problem.code, problem.hint) == ("unknown-variable", f"did you mean {meant}?")
    assert str(problem.origin) == f"${name}"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CREDCONF__MY_APP__TENNANT_ID", "CREDCONF__MY_APP__TENANT_ID"),
        ("CREDCONF__MYAPP__TENANT_ID", "CREDCONF__MY_APP__TENANT_ID"),
        ("CREDCONF__MY_APP__HTTP_RETRIES", "CREDCONF__MY_APP__HTTP__RETRIES"),
        ("CREDCONF__MY_APP__SECRET", "CREDCONF__MY_APP__CLIENT_SECRET"),
        ("CREDCONF__MY_APP__CLIENT_CERTIFICATE_PATH", "CREDCONF__MY_APP__CLIENT_CERTIFICATE_FILE"),
        ("CREDCONF__MY_APP_CLIENT_SECRET", "CREDCONF__MY_APP__CLIENT_SECRET"),
        ("CREDCONF_MY_APP__CLIENT_SECRET", "CREDCONF__MY_APP__CLIENT_SECRET"),
        ("CREDCONF_MY_APP_CLIENT_SECRET", "CREDCONF__MY_APP__CLIENT_SECRET"),
        ("CREDCONF_OTHER_SECRET", "CREDCONF__OTHER__CLIENT_SECRET"),
        ("CREDCONF__CLIENT_SECRET", "CREDCONF__MY_APP__CLIENT_SECRET"),
        ("CREDCONF_HTTP_TIMEOUT", "CREDCONF__MY_APP__HTTP__TIMEOUT"),
    ],
)
def test_so_is_one_that_is_nearly_an_entrys(project, name, meant):
    project.write("app.yaml", NAMED)
    problem = only(project.refused("app.yaml", name="my-app", environ={name: CANARY}))
    assert (problem.code, problem.hint) == ("unknown-variable", f"did you mean {meant}?")


@pytest.mark.parametrize(
    ("name", "leaf"),
    [
        ("CREDCONF_HTTP", "CREDCONF_HTTP__TIMEOUT"),
        ("CREDCONF_TOKEN_CACHE", "CREDCONF_TOKEN_CACHE__KIND"),
        ("CREDCONF__MY_APP__TOKEN_CACHE", "CREDCONF__MY_APP__TOKEN_CACHE__KIND"),
    ],
)
def test_a_group_of_settings_has_a_variable_for_each_of_them(project, name, leaf):
    project.write("app.yaml", NAMED)
    chosen = {"path": "app.yaml", "name": "my-app"} if "MY_APP" in name else {"path": False}
    problem = only(project.refused(**chosen, environ={**VARIABLES, name: CANARY}))
    assert problem.code == "unknown-variable"
    assert problem.hint.endswith(f"such as {leaf}")


@pytest.mark.parametrize("prefix", ["CREDCONF_OTHER_", "CREDCONF_MY_APP_"])
def test_what_some_entry_reads_by_its_own_prefix_is_no_misspelling(project, prefix):
    project.write("app.yaml", NAMED.replace("other: {}", f"other: {{env_prefix: {prefix}}}"))
    resolved = project.load("app.yaml", name="my-app", environ={f"{prefix}CLIENT_SECRET": CANARY})
    assert warned(resolved) == ["secret-in-file"]


def test_thousands_of_variables_and_entries_are_judged_without_comparing_each_with_each(project):
    some = "".join(f"  app-{number}: {{client_id: x}}\n" for number in range(2000))
    project.write("app.yaml", NAMED + some)
    noise = {f"CREDCONF__THING{number}__CLIENT_ID": "x" for number in range(3000)}
    misplaced = {f"CREDCONF_APP_{number}_CLIENT_ID": CANARY for number in range(2000)}
    found = project.refused("app.yaml", name="my-app", environ={**noise, **misplaced}).problems
    assert sum(problem.code == "unknown-variable" for problem in found) >= 2000


@pytest.mark.parametrize(
    "name",
    [
        "CREDCONF_PORT",
        "CREDCONF_SERVICE_HOST",
        "CREDCONF_SERVICE_PORT",
        "CREDCONF_PORT_443_TCP",
        "CREDCONF_PORT_443_TCP_PROTO",
        "CREDCONF_PORT_443_TCP_PORT",
        "CREDCONF_PORT_443_TCP_ADDR",
        "CREDCONF_SERVICE_PORT_HTTPS",
    ],
)
def test_what_kubernetes_sets_for_a_service_of_our_name_is_left_alone(project, name):
    assert project.load(environ={**VARIABLES, name: "tcp://10.0.0.1:443"}).warnings == ()


def test_under_azure_a_near_miss_is_only_a_hint_about_what_is_missing(project):
    environ = {"AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": CANARY, "AZURE_TENANTID": CANARY}
    problem = only(project.refused(environ=environ))
    assert (problem.code, problem.path) == ("missing", "tenant_id")
    assert "AZURE_TENANTID is set; did you mean AZURE_TENANT_ID?" in problem.hint
    assert project.load(environ={**VARIABLES, "AZURE_TENANTID": "x"}).warnings == ()


@pytest.mark.parametrize("text", ["a;b", "a,b", "a ; b ,", ";a,,b;"])
def test_lists_split_at_semicolons_and_commas(text):
    assert split_list(text) == ["a", "b"]


def test_the_schemes_name_every_field_once():
    for scheme in (Scheme.of(None, None, prefixed=False), Scheme.of("my-app", None, prefixed=False), Scheme("R_")):
        names = [variable.name for variable in scheme.variables()]
        assert len(names) == len(set(names))
    assert {variable.field for variable in documented().values()} <= set(LEAVES)
    assert list(Scheme(None).variables()) == []


def test_the_suggested_variable_is_the_documented_one():
    flat = Scheme.of(None, None, prefixed=False)
    assert flat.suggestion("client_secret") == "AZURE_CLIENT_SECRET"
    assert flat.suggestion("oidc_authority") == "CREDCONF_OIDC_AUTHORITY"
    assert Scheme.of("my-app", None, prefixed=False).suggestion("tenant_id") == "CREDCONF__MY_APP__TENANT_ID"
    assert flat.suggestion("client_certificate") == "AZURE_CLIENT_CERTIFICATE_PATH"


def test_a_hidden_mapping_shows_nothing():
    hidden = Hidden({"name": CANARY})
    assert (hidden["name"], list(hidden), len(hidden)) == (CANARY, ["name"], 1)
    assert CANARY not in repr(hidden) + str(hidden)


def test_warnings_about_an_environment_are_none_where_all_is_well(project):
    assert warned(project.load(environ=VARIABLES)) == []


@pytest.mark.parametrize("name", ["CREDCONF_ENV_PREFIX", "CREDCONF_EXTENDS", "CREDCONF_CLOUD_FILE"])
def test_a_variable_that_cannot_give_its_setting_says_so(project, name):
    error = project.refused(environ={name: "x"}, path=False)
    assert ("unknown-variable", f"${name}") in [(item.code, str(item.origin)) for item in error.problems]
