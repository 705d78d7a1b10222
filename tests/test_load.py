"""`load`, `build` and `from_config` as a whole: everything at once, nothing in silence, nothing of the network."""

from __future__ import annotations

import os
import typing
from pathlib import Path

import pytest

import credconf
import credconf.aio
from credconf.kinds import ALIASES, FIELDS
from tests.config.project import (
    CANARY,
    CLIENT,
    COMPLETE,
    ID,
    TENANT,
    VARIABLES,
    Project,
    assert_nothing_shows,
    codes,
    only,
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


class Nobody:
    """An HTTP client that must not be used."""

    closed = 0

    def get(self, *arguments, **options):
        raise AssertionError

    post = get

    def close(self):
        self.closed += 1


def test_every_problem_is_told_at_once_in_the_order_of_the_files(project):
    project.write("base.yaml", "credentials:\n  a:\n    tenant_id: '/'\n    clinet_id: x\n")
    project.write(
        "prod.yaml", "default: a\ncredentials:\n  a:\n    regoin: x\n    cloud: nowhere\n    http: {retries: x}\n"
    )
    project.write(".env", "CREDCONF__A__REGION=/\nCREDCONF__A__REGOIN=x\n")
    error = project.refused(
        ["base.yaml", "prod.yaml"], environ={"CREDCONF__A__CLIENT_ID": " ", "CREDCONF_TENNANT_ID": "x"}, prefetch="x"
    )
    told = [(item.code, str(item.origin)) for item in error.problems]
    assert told[:8] + sorted(told[8:10]) + told[10:] == [  # variables have no order
        ("bad-value", "base.yaml:3:16"),
        ("unknown-key", "base.yaml:4:5"),
        ("missing", "prod.yaml:3:3"),
        ("unknown-key", "prod.yaml:4:5"),
        ("bad-value", "prod.yaml:5:12"),
        ("bad-value", "prod.yaml:6:21"),
        ("bad-value", ".env:1 (CREDCONF__A__REGION)"),
        ("unknown-variable", ".env:2 (CREDCONF__A__REGOIN)"),
        ("empty", "$CREDCONF__A__CLIENT_ID"),
        ("unknown-variable", "$CREDCONF_TENNANT_ID"),
        ("wrong-type", "argument prefetch"),
    ]


def test_a_file_that_is_not_there_keeps_its_place_in_the_order(project):
    project.write("prod.yaml", "clinet_id: x\n")
    assert codes(project.refused(["base.yaml", "prod.yaml"]))[0] == "missing-file"
    assert codes(project.refused(["prod.yaml", "base.yaml"], tenant_id=TENANT))[-1] != "unknown-key"


def test_each_problem_of_a_file_is_told_once(project):
    error = project.refused_text(COMPLETE + "clinet_id: x\ncloud: nowhere\nhttp: {retries: many}\n")
    errors = [(item.path, item.line) for item in error.problems if item.severity == "error"]
    assert len(errors) == len(set(errors)) == 3


BAD_FILES = {
    "missing": "missing-file",
    "a directory": "not-a-file",
    "a FIFO": "not-a-file",
    "too large": "file-too-large",
}


@pytest.mark.parametrize("case", BAD_FILES)
@pytest.mark.parametrize("way", ["argument", "variable", "found"])
def test_a_file_that_can_not_be_read_is_an_error_with_its_name(project, case, way):
    path = project.path / "credconf.yaml"
    if case == "a directory":
        path.mkdir()
    elif case == "a FIFO":
        os.mkfifo(path)
    elif case == "too large":
        project.write("credconf.yaml", "x" * (1024 * 1024 + 1))
    elif way == "found":
        pytest.skip("a file that is not there is not found")
    arguments = {"argument": ("credconf.yaml",), "variable": (), "found": ()}[way]
    environ = {"CREDCONF_FILE": "credconf.yaml"} if way == "variable" else {}
    problem = only(project.refused(*arguments, environ={**VARIABLES, **environ}))
    assert (problem.code, problem.file) == (BAD_FILES[case], "credconf.yaml")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(project):
    project.write("app.yaml", COMPLETE, mode=0)
    assert only(project.refused("app.yaml")).code == "unreadable-file"


@pytest.mark.parametrize("path", ["app.yaml", Path("app.yaml"), ["app.yaml"], [Path("app.yaml")], ("app.yaml",)])
def test_a_path_is_text_or_a_path_or_several(project, path):
    project.write("app.yaml", COMPLETE)
    assert project.load(path).settings.client_id == CLIENT


def test_the_process_environment_is_the_default(project, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("AZURE_", "CREDCONF_"))]:
        monkeypatch.delenv(name)
    for name, text in VARIABLES.items():
        monkeypatch.setenv(name, text)
    assert credconf.load().settings.client_id == CLIENT
    assert set(codes(project.refused(environ={}))) == {"missing"}


def test_a_missing_setting_says_how_to_give_it(project):
    error = project.refused(environ={"AZURE_CLIENT_ID": CLIENT})
    problem = next(item for item in error.problems if item.path == "tenant_id")
    assert problem.hint == "set AZURE_TENANT_ID"
    absent = (f"{project.path / name} (no such file)" for name in (".env", "credconf.yaml"))
    assert problem.looked_in == ("arguments", "environment", *absent)
    problem = only(project.refused_text(ID))
    assert problem.hint == "add `client_secret: {file: PATH}`, or set AZURE_CLIENT_SECRET or AZURE_CLIENT_SECRET_FILE"
    assert (problem.file, problem.line, problem.column) == ("app.yaml", 1, 1)


def test_nothing_at_all_is_one_problem(project):
    [problem] = project.refused().problems
    assert (problem.code, problem.path) == ("missing", None)
    assert problem.message.startswith("nothing is configured: ")
    ways = "`credconf init` writes a configuration; or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
    assert problem.hint == ways
    # What is nearly given is still named, and a proxy of the machine is no setting of a credential.
    environ = {"AZURE_SECRET": CANARY, "HTTPS_PROXY": "http://proxy.example:1"}
    [problem] = project.refused(environ=environ).problems
    assert problem.hint == f"{ways}\nAZURE_SECRET is set; did you mean AZURE_CLIENT_SECRET?"


def test_nothing_at_all_names_no_file_where_none_is_read(project):
    [problem] = project.refused(False, environ={}).problems
    assert problem.hint == "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"


def test_resolved_has_the_promised_parts(project):
    resolved = project.flat(COMPLETE)
    assert resolved.name is None
    assert isinstance(resolved.settings, credconf.ClientSecretSettings)
    assert all(isinstance(origin, credconf.Origin) for origin in resolved.origins.values())
    assert all(isinstance(warning, credconf.Problem) for warning in resolved.warnings)
    with pytest.raises(AttributeError):
        resolved.name = "other"


def test_a_credential_is_built_from_what_was_loaded_and_from_a_mapping(project):
    resolved = project.flat(COMPLETE)
    mapping = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": CANARY}
    for configuration in (resolved, resolved.settings, mapping):
        client = Nobody()
        with credconf.build(configuration, http_client=client) as credential:
            described = credential.describe()
            assert (described["tenant_id"], described["client_id"]) == (TENANT, CLIENT)
            assert CANARY not in repr(described) + repr(credential) + str(credential)
        assert client.closed == 1


def test_build_reads_no_file_and_no_variable_of_configuration(project, monkeypatch):
    project.write("credconf.yaml", COMPLETE + "region: westus2\n")
    project.write(".env", "CREDCONF_REGION=eastus\n")
    monkeypatch.setenv("CREDCONF_REGION", "northeurope")
    monkeypatch.setenv("AZURE_CLIENT_ID", "other")
    with credconf.build({"tenant_id": TENANT, "client_id": CLIENT, "client_secret": CANARY}) as credential:
        assert credential.describe()["client_id"] == CLIENT
        assert "northeurope" not in repr(credential.describe())


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "REQUESTS_CA_BUNDLE"])
def test_a_blank_variable_of_the_machine_is_none(monkeypatch, name):
    monkeypatch.setenv(name, " ")
    credconf.build({"tenant_id": TENANT, "client_id": CLIENT, "client_secret": CANARY}).close()


def test_from_config_takes_the_arguments_of_load(project):
    project.write("app.yaml", f"app: {{creds: {{default: a, credentials: {{a: {{tenant_id: {TENANT}}}}}}}}}\n")
    client = Nobody()
    arguments = {"name": "a", "section": "app.creds", "env_file": False, "environ": {}, "allow": set()}
    with credconf.from_config(
        "app.yaml", **arguments, http_client=client, client_id=CLIENT, client_secret=CANARY
    ) as credential:
        assert credential.describe()["client_id"] == CLIENT
        assert credential.describe()["name"] == "a"


def test_warnings_are_logged_by_from_config_without_a_value(project, caplog):
    project.write("app.yaml", COMPLETE)
    with caplog.at_level("WARNING", logger="credconf"):
        credconf.from_config("app.yaml", environ={}, http_client=Nobody()).close()
    assert "a secret is written in the file" in caplog.text
    assert CANARY not in caplog.text
    assert {record.name for record in caplog.records} == {"credconf"}


def test_both_faces_refuse_alike(project):
    project.write("app.yaml", COMPLETE + "clinet_id: x\n")
    for call in (credconf.from_config, credconf.aio.from_config, credconf.load):
        with pytest.raises(credconf.ConfigError) as caught:
            call("app.yaml", environ={})
        assert_nothing_shows(caught.value)
        assert only(caught.value).code == "unknown-key"
    for call in (credconf.build, credconf.aio.build):
        with pytest.raises(credconf.ConfigError) as caught:
            call({"client_secret": CANARY, "clinet_id": CANARY})
        assert_nothing_shows(caught.value)


def test_the_overrides_are_the_fields_of_the_models_and_their_aliases():
    assert set(credconf.Overrides.__annotations__) == {*FIELDS, *ALIASES}
    assert credconf.Overrides.__total__ is False
    assert typing.is_typeddict(credconf.Overrides)


@pytest.mark.parametrize("function", [credconf.load, credconf.from_config, credconf.aio.from_config])
def test_an_unknown_permission_is_refused_without_showing_an_argument(function):
    arguments = {"environ": {"AZURE_CLIENT_SECRET": CANARY}, "client_secret": CANARY}
    with pytest.raises(ValueError, match="allow knows only 'azure_cli' and 'command', not 'network'") as caught:
        function(path=False, allow={"network"}, **arguments)
    assert_nothing_shows(caught.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": True}, "path= is a path, a list of paths or False, not bool"),
        ({"path": 5}, "path= is a path, a list of paths or False, not int"),
        ({"path": ["app.yaml", None]}, "path= is a list of paths, one of which is None"),
        ({"section": ["a"]}, "section= is text, not list"),
        ({"name": 5}, "name= is text, not int"),
        ({"env_file": None}, "env_file= is a path, True or False, not None"),
        ({"environ": [CANARY]}, "environ= is a mapping of variables to texts, not list"),
        ({"environ": {"A": 5}}, "environ= has a variable whose value is not text but int"),
        ({"environ": {b"A": CANARY}}, "environ= has a name that is not text but bytes"),
    ],
)
def test_an_argument_of_a_wrong_type_says_so(project, arguments, said):
    for call in (credconf.load, credconf.from_config, credconf.aio.from_config):
        with pytest.raises(TypeError) as caught:
            call(**{"environ": {}, **arguments}, client_secret=CANARY)
        assert str(caught.value) == said
        assert_nothing_shows(caught.value)


@pytest.mark.parametrize("path", ["", [""]])
def test_an_empty_path_is_a_file_that_is_missing_and_says_so(project, path):
    problem = only(project.refused(path))
    assert (problem.code, problem.hint) == ("missing-file", "the path is empty: name a file, or remove it")
    assert only(project.refused(env_file="", environ=VARIABLES)).code == "missing-file"


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("file", "did you mean `path`?"),
        ("config", "did you mean `path`?"),
        ("profile", "did you mean `name`?"),
        ("dotenv", "did you mean `env_file`?"),
        ("enviorn", "did you mean `environ`?"),
        ("sectoin", "did you mean `section`?"),
        ("env_flie", "did you mean `env_file`?"),
        ("something_else", "remove it"),
    ],
)
def test_a_misspelt_keyword_suggests_one_of_from_config_and_speaks_of_no_file(project, keyword, hint):
    problem = only(project.refused(environ=VARIABLES, **{keyword: CANARY}))
    assert (problem.code, problem.hint) == ("unknown-key", hint)


def test_build_takes_one_credential_not_a_file(project):
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.build({"credentials": {"one": {"client_secret": CANARY}}})
    assert_nothing_shows(caught.value)
    assert only(caught.value).message == "build() takes the settings of one credential, not the `credentials` of a file"


@pytest.mark.parametrize("name", ["timeout", "total_timeout", "retries"])
def test_a_boolean_is_no_number_in_an_argument_as_in_a_file(project, name):
    problem = only(project.refused(environ=VARIABLES, http={name: True}))
    assert (problem.code, problem.message) == ("bad-value", f"`http.{name}`: this must be a number, not a boolean")


def test_a_null_displaces_no_host_and_its_message_says_that_it_unsets_nothing(project):
    project.write("base.yaml", f"{COMPLETE}cloud: usgov\n")
    project.write("p3.yaml", "cloud: null\nhttp: {timeout: ~}\n")
    problems = [item for item in project.refused(["base.yaml", "p3.yaml"]).problems if item.code != "secret-in-file"]
    assert [(item.code, item.path) for item in problems] == [("bad-value", "cloud"), ("bad-value", "http.timeout")]
    assert all("null does not unset a setting" in item.hint for item in problems)
