"""A message about something missing says where credconf looked, and what lies near and is not read."""

from __future__ import annotations

import json

import pytest

from credconf.problems import as_github
from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, VARIABLES, only

ENTRY = f"{{tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: {{env: A}}}}"
NAMED = f"credentials: {{billing: {ENTRY}}}\n"


@pytest.fixture
def below(project, monkeypatch):
    """A working directory two levels below the project."""
    directory = project.path / "services" / "api"
    directory.mkdir(parents=True)
    monkeypatch.chdir(directory)
    return directory


@pytest.mark.parametrize(
    "arguments",
    [{}, {"name": "billing"}, {"section": "azure.storage"}, {"environ": {"CREDCONF_NAME": "billing"}}],
    ids=["a setting", "a name", "a section", "a name in a variable"],
)
@pytest.mark.parametrize("file", ["credconf.yaml", "credconf.yml"])
def test_a_file_in_a_parent_is_named_with_the_ways_to_read_it(project, below, arguments, file):
    path = project.write(file, NAMED)
    error = project.refused(**arguments)
    ways = f'CREDCONF_FILE={path}, -f {path}, or from_config("{path}")'
    line = f"{path} is in a parent directory, which is not searched; to read it: {ways}"
    assert [line in (item.hint or "").splitlines() for item in error.problems].count(True) == 1
    looked_in = error.problems[0].looked_in
    assert f"{below / 'credconf.yaml'} (no such file)" in looked_in
    assert str(path) in as_github(error.problems)
    assert str(below) in as_github(error.problems)


def test_the_nearest_parent_counts_and_the_ways_work(project, below, monkeypatch):
    project.write("credconf.yaml", NAMED)
    path = project.write("services/credconf.yaml", COMPLETE)
    hint = project.refused().problems[0].hint
    assert f'from_config("{path}")' in hint
    assert project.load(str(path)).settings
    assert project.load(environ={"CREDCONF_FILE": str(path)}).settings


def test_a_dotenv_in_a_parent_is_named(project, below):
    path = project.write(".env", f"A={CANARY}\nAZURE_CLIENT_SECRET={CANARY}\n")
    line = (
        f"{path} is in a parent directory, which is not searched; "
        f'to read it: --env-file {path}, or from_config(env_file="{path}")'
    )
    secret = {name: text for name, text in VARIABLES.items() if name != "AZURE_CLIENT_SECRET"}
    assert line in only(project.refused(environ=secret)).hint.splitlines()
    below.joinpath("credconf.yaml").write_text(f"{ID}client_secret: {{env: A}}\n")
    problem = only(project.refused())
    assert line in problem.hint.splitlines()
    assert problem.looked_in == ("environment", f"{below / '.env'} (no such file)")
    assert project.load(env_file=str(path)).settings


@pytest.mark.parametrize("arguments", [{"path": False}, {"path": "credconf.yaml"}, {"env_file": False}])
def test_what_is_switched_off_or_named_is_not_looked_for_in_a_parent(project, below, arguments):
    project.write("credconf.yaml" if "path" in arguments else ".env", NAMED)
    below.joinpath("credconf.yaml").write_text("cloud: public\n")
    assert "parent" not in str(project.refused(**arguments))


def test_where_nothing_is_missing_the_parent_is_not_mentioned(project, below):
    project.write("credconf.yaml", NAMED)
    assert project.load(environ=VARIABLES).warnings == ()


@pytest.mark.parametrize("source", ["argument", "variable", "env_file"])
def test_a_relative_path_shows_what_it_leads_to_and_the_same_path_in_a_parent(project, below, source):
    meant = project.write("conf/app.yaml", COMPLETE)
    chosen = {
        "argument": {"path": "conf/app.yaml"},
        "variable": {"environ": {"CREDCONF_FILE": "conf/app.yaml"}},
        "env_file": {"env_file": "conf/app.yaml", "environ": VARIABLES},
    }
    problem = only(project.refused(**chosen[source]))
    assert problem.code == "missing-file"
    assert problem.hint.splitlines()[1:] == [
        f"relative to the working directory, it is {below / 'conf/app.yaml'}",
        f"{meant} is in a parent directory, which is not searched: name that path",
    ]
    absolute = only(project.refused(str(below / "gone.yaml")))
    assert absolute.hint == "check the path, or leave the file out"


@pytest.mark.parametrize("command", [("check", "--resolve"), ("show",)])
def test_json_has_the_places(project, below, monkeypatch, command):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    problems = json.loads(run(*command, "--format", "json").said)["problems"]
    assert problems[0]["looked_in"][2:] == [f"{below / name} (no such file)" for name in (".env", "credconf.yaml")]
