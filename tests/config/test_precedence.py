"""Precedence, origins, and what a value displaced."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import credconf
from tests.config.project import AUTHORITY, CANARY, CLIENT, COMPLETE, ID, TENANT, VARIABLES, codes, warned
from tests.diagonal import share

SOURCES = ["argument region", "$CREDCONF_REGION", ".env:1 (CREDCONF_REGION)", "prod.yaml:3:22", "base.yaml:4:21"]
SOURCES += ["base.yaml:5:21", "base.yaml:6:21"]


def files(given: set[int]) -> tuple[str, str, str]:
    def region(number: int, name: str) -> str:
        return f"region: {name}" if number in given else "x-no: none"

    base = (
        f"default: a\ncredentials:\n  z: {{}}\n"
        f"  late:    {{{region(4, 'four')}, abstract: true}}\n"
        f"  early:   {{{region(5, 'five')}, abstract: true}}\n"
        f"  parent:  {{{region(6, 'six')}, abstract: true, extends: []}}\n"
    )
    prod = f"credentials:\n  z: {{}}\n  a:       {{{region(3, 'three')}, extends: [parent, early, late],\n"
    prod += f"    tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: {CANARY}}}\n"
    return base, prod, "CREDCONF__A__REGION=two\n" if 2 in given else ""


@settings(max_examples=share(100), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(given=st.sets(st.integers(0, 6)))
def test_the_highest_source_wins_and_knows_the_others_in_order(project, given):
    base, prod, dotenv = files(given)
    project.write("base.yaml", base)
    project.write("prod.yaml", prod)
    project.write(".env", dotenv)
    resolved = project.load(
        ["base.yaml", "prod.yaml"],
        environ={"CREDCONF__A__REGION": "one"} if 1 in given else {},
        **({"region": "zero"} if 0 in given else {}),
    )
    origin = resolved.origins["region"]
    if not given:
        assert (resolved.settings.region, origin, origin.displaced) == (None, credconf.Origin("default"), ())
        return
    names = ["zero", "one", "two", "three", "four", "five", "six"]
    shown = ["argument region", "$CREDCONF__A__REGION", ".env:1 (CREDCONF__A__REGION)"]
    shown += ["prod.yaml:3:21", "base.yaml:4:21", "base.yaml:5:21", "base.yaml:6:21"]
    order = sorted(given)
    assert resolved.settings.region == names[order[0]]
    assert [str(item) for item in (origin, *origin.displaced)] == [shown[number] for number in order]


@settings(max_examples=share(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(given=st.lists(st.sampled_from([None, "cloud", "authority"]), min_size=4, max_size=4))
def test_cloud_and_authority_displace_each_other_across_sources(project, given):
    values = {"cloud": ["china", "usgov", "china", "usgov"], "authority": [f"login{n}.example" for n in range(4)]}
    presets = {"china": "https://login.chinacloudapi.cn", "usgov": "https://login.microsoftonline.us"}
    here = [(name, values[name][number]) if name else None for number, name in enumerate(given)]
    project.write("a.yaml", COMPLETE + (f"{here[3][0]}: {here[3][1]}\n" if here[3] else ""))
    project.write("named.env", f"CREDCONF_{here[2][0].upper()}={here[2][1]}\n" if here[2] else "")
    resolved = project.load(
        "a.yaml",
        env_file="named.env",
        environ={f"CREDCONF_{here[1][0].upper()}": here[1][1]} if here[1] else {},
        **({here[0][0]: here[0][1]} if here[0] else {}),
    )
    winner = next((item for item in here if item), None)
    if winner is None:
        assert resolved.settings.authority == "https://login.microsoftonline.com"
        return
    host = presets.get(winner[1], f"https://{winner[1]}")
    assert resolved.settings.authority == host
    assert resolved.settings.cloud == (winner[1] if winner[0] == "cloud" else None)
    others = [presets.get(item[1], f"https://{item[1]}") for item in here if item][1:]
    assert ("authority-displaced" in warned(resolved)) == any(other != host for other in others)
    assert len(resolved.origins["authority"].displaced) == len(others)


def test_every_setting_has_an_origin(project):
    origins = project.flat(COMPLETE).origins
    assert str(origins["tenant_id"]) == "app.yaml:1:12"
    assert str(origins["authority"]) == "preset of cloud public"
    assert str(origins["http.timeout"]) == "default"
    assert {"kind", "client_secret", "http.proxy", "token_cache.max_entries", "prefetch"} <= origins.keys()


def test_the_preset_of_a_cloud_is_the_origin_of_the_authority(project):
    resolved = project.flat(COMPLETE + "cloud: china\n")
    assert str(resolved.origins["authority"]) == "preset of cloud china"
    assert str(resolved.origins["cloud"]) == "app.yaml:4:8"
    assert resolved.settings.authority == "https://login.chinacloudapi.cn"


def test_both_in_one_source_are_an_error(project):
    text = COMPLETE + "cloud: public\nauthority: login.microsoftonline.us\n"
    error = project.refused_text(text)
    conflict = next(item for item in error.problems if item.code == "conflict")
    assert (conflict.line, conflict.path) == (5, "authority")
    environ = {**VARIABLES, "AZURE_CLOUD": "AzureCloud", "AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}
    assert "conflict" in codes(project.refused(environ=environ))
    assert "conflict" in codes(project.refused(environ=VARIABLES, cloud="public", authority="login.microsoftonline.us"))


def test_displacing_the_same_host_is_no_warning(project):
    resolved = project.flat(COMPLETE + "cloud: usgov\n", authority="https://login.microsoftonline.us/")
    assert "authority-displaced" not in warned(resolved)


LAYERS = {
    "the layer above a file without the secret": (
        {"a": "cloud: usgov\n", "b": "cloud: china\nclient_secret: x\n"},
        {},
        False,
    ),
    "a file of hosts above the file with the secret": (
        {"a": "cloud: usgov\nclient_secret: x\n", "b": "cloud: china\n"},
        {},
        True,
    ),
    "a secret from a third file": (
        {"a": "cloud: usgov\n", "b": "cloud: china\n", "c": "client_secret: x\n"},
        {},
        False,
    ),
    "a secret of the environment": (
        {"a": "cloud: usgov\n", "b": "cloud: china\n"},
        {"AZURE_CLIENT_SECRET": "x"},
        False,
    ),
    "a secret below, replaced": (
        {"a": "cloud: usgov\nclient_secret: x\n", "b": "cloud: china\nclient_secret: y\n"},
        {},
        False,
    ),
    "the same host": (
        {"a": "cloud: usgov\nclient_secret: x\n", "b": "authority: login.microsoftonline.us\n"},
        {},
        False,
    ),
    "two variables": (
        {"a": "client_secret: x\n"},
        {"CREDCONF_CLOUD": "usgov", "AZURE_CLOUD": "AzureChinaCloud"},
        False,
    ),
    "a variable above a file": ({"a": "client_secret: x\ncloud: usgov\n"}, {"AZURE_CLOUD": "AzureChinaCloud"}, True),
}


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_that_has_another_host_is_told_only_if_a_secret_goes_there_by_surprise(project, case):
    texts, environ, is_told = LAYERS[case]
    paths = [str(project.write(f"{name}.yaml", (ID if name == "a" else "") + text)) for name, text in texts.items()]
    assert ("authority-displaced" in warned(project.load(paths, environ=environ))) == is_told


def test_an_entry_has_another_host_than_what_it_extends_without_a_warning(project):
    base = f"base: {{abstract: true, tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: x, cloud: usgov}}"
    resolved = project.flat(f"default: a\ncredentials:\n  {base}\n  a: {{extends: base, cloud: china}}\n")
    assert "authority-displaced" not in warned(resolved)


def test_a_discovered_dotenv_that_has_another_host_than_a_named_file_is_told(project):
    project.write(".env", "AZURE_CLOUD=AzureChinaCloud\n")
    assert "authority-displaced" in warned(project.flat(COMPLETE + "cloud: usgov\n"))


def test_a_generic_server_excludes_tenant_authority_and_cloud(project):
    oidc = f"client_id: x\nclient_secret: {CANARY}\noidc_authority: https://idp.example/oauth\n"
    resolved = project.flat(oidc)
    assert (resolved.settings.authority, resolved.settings.cloud, resolved.settings.tenant_id) == (None, None, None)
    for line in ("tenant_id: x", "cloud: public", "authority: login.microsoftonline.com"):
        error = project.refused_text(f"{oidc}{line}\n")
        assert "conflict" in codes(error)


def test_the_usual_proxy_and_bundle_variables_are_the_lowest_source(project):
    project.write("ca.pem", AUTHORITY)
    environ = {"HTTPS_PROXY": "http://proxy.example:1", "REQUESTS_CA_BUNDLE": "ca.pem", "NO_PROXY": "a.example"}
    resolved = project.flat(COMPLETE, environ=environ)
    assert str(resolved.origins["http.proxy"]) == "$HTTPS_PROXY"
    assert resolved.settings.http.ca_bundle == str(project.path / "ca.pem")
    assert resolved.surroundings.no_proxy == "a.example"
    resolved = project.load("app.yaml", environ=environ, http={"proxy": "http://other.example:1"})
    assert str(resolved.origins["http.proxy"]) == "argument http.proxy"
    assert [str(origin) for origin in resolved.origins["http.proxy"].displaced] == ["$HTTPS_PROXY"]


def test_none_as_an_argument_is_not_given(project):
    assert project.flat(COMPLETE, tenant_id=None, http=None).settings.tenant_id == TENANT


def test_a_misspelt_argument_is_an_error_with_a_suggestion(project):
    error = project.refused(environ=VARIABLES, clinet_id="x")
    problem = next(item for item in error.problems if item.code == "unknown-key")
    assert (problem.hint, str(problem.origin)) == ("did you mean `client_id`?", "argument clinet_id")
    error = project.refused(environ=VARIABLES, http={"tiemout": 1})
    problem = next(item for item in error.problems if item.code == "unknown-key")
    assert problem.path == "http.tiemout"


def test_both_names_of_allowed_tenants_as_arguments_are_an_error(project):
    error = project.refused(environ=VARIABLES, allowed_tenants=["*"], additionally_allowed_tenants=["*"])
    assert codes(error) == ["conflict"]


def test_paths_in_arguments_are_relative_to_the_working_directory_of_the_call(project, monkeypatch):
    project.write("secret", "from the file\n")
    project.write("ca.pem", AUTHORITY)
    project.write("proxy", "http://proxy.example:1\n")
    arguments = {"client_secret": {"file": "secret"}, "http": {"ca_bundle": "ca.pem", "proxy": {"file": "proxy"}}}
    resolved = project.flat(ID, **arguments)
    monkeypatch.chdir("/")
    assert resolved.reader.text(resolved.settings.client_secret) == "from the file"
    assert resolved.settings.http.ca_bundle == str(project.path / "ca.pem")
    assert resolved.settings.http.proxy.file == str(project.path / "proxy")


def test_paths_in_a_file_are_relative_to_it(project, monkeypatch):
    project.write("conf/secrets/entra", "from the file\n")
    project.write("conf/ca.pem", AUTHORITY)
    project.write("conf/app.yaml", f"{ID}client_secret: {{file: secrets/entra}}\nhttp: {{ca_bundle: ca.pem}}\n")
    resolved = project.load("conf/app.yaml")
    monkeypatch.chdir("/")
    assert resolved.reader.text(resolved.settings.client_secret) == "from the file"
    assert resolved.settings.http.ca_bundle == str(project.path / "conf" / "ca.pem")


@pytest.mark.parametrize("debug", ["1", "true"])
def test_the_debugging_of_pydantic_settings_logs_no_secret(project, monkeypatch, caplog, debug):
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", debug)
    project.write("app.yaml", COMPLETE)
    with caplog.at_level(0):
        project.load("app.yaml", environ={"AZURE_CLIENT_SECRET": CANARY}, tenant_id=TENANT)
    assert CANARY not in caplog.text
