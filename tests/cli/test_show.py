"""`credconf show` prints what `load()` resolves, its origins and the searched places, and no secret."""

from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

import credconf
from credconf.config.variables import Scheme
from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, OTHER_CLIENT, TENANT
from tests.diagonal import share
from tests.docs.pages import DOCS, Page

BASE = "credentials:\n  base: {abstract: true, tenant_id: contoso.onmicrosoft.com, cloud: usgov}\n"
PROD = (
    "default: billing\ncredentials:\n  billing:\n    extends: base\n"
    f"    client_id: {CLIENT}\n    client_secret: {{env: A_SECRET}}\n"
)


@pytest.fixture
def layers(project, monkeypatch):
    project.write("base.yaml", BASE)
    project.write("prod.yaml", PROD)
    monkeypatch.setenv("A_SECRET", CANARY)
    return ("-f", "base.yaml", "-f", "prod.yaml")


def shown(*arguments):
    outcome = run("show", "--format", "json", *arguments)
    assert outcome.status == 0, outcome.said
    return {setting["path"]: setting for setting in outcome.json["settings"]}


def test_the_text_is_aligned_and_fits_80_columns(layers, monkeypatch):
    monkeypatch.setenv("CREDCONF__BILLING__TENANT_ID", TENANT)
    outcome = run("show", *layers)
    assert outcome.status == 0
    assert outcome.said.startswith(
        "billing, kind client_secret\n"
        f"  tenant_id                     {TENANT}\n"
        "                                from $CREDCONF__BILLING__TENANT_ID\n"
        "                                over base.yaml:2:37, entry base\n"
    )
    assert (
        "  client_secret                 (hidden)\n"
        "                                read from {env: A_SECRET}\n"
        "                                from prod.yaml:6:20\n"
    ) in outcome.said
    assert (
        "looked in\n"
        "  environment                   reads CREDCONF__BILLING__<FIELD>\n"
        "  .env                          does not exist\n"
        "  base.yaml                     exists\n"
        "  prod.yaml                     exists\n"
    ) in outcome.said
    assert max(map(len, outcome.said.splitlines())) <= 80


def test_the_page_about_precedence_shows_what_it_prints(project, monkeypatch):
    page = Page(DOCS / "explanation/precedence.md")
    page.lay_out(project.path)
    session = next(block.text for block in page.blocks("text") if "$ credconf show" in block.text)
    first, second, command, shown = session.split("\n", 3)
    for export in (first, second):
        assert export.startswith("$ export ")
        monkeypatch.setenv(*export.split()[2].split("="))
    outcome = run(*command.split()[2:])
    assert (outcome.status, shown.count("\n") > 10) == (0, True)
    assert outcome.said.startswith(shown)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "reads CREDCONF_<FIELD>, and the AZURE_ variables\n"),
        ("env_prefix: REPORTS_\n", "reads REPORTS_<FIELD>\n"),
        ("env_prefix: null\n", "reads no variable\n"),
    ],
)
def test_it_says_which_variables_the_credential_reads(project, text, words):
    project.write("app.yaml", f"{COMPLETE}{text}")
    assert words in run("show", "-f", "app.yaml").said


def test_the_identity_is_shown_unless_it_comes_from_a_file(project, monkeypatch):
    monkeypatch.setenv("MY_TENANT", TENANT)
    project.write("id", f"{CANARY}\n")
    project.write("proxy", f"http://svc:{CANARY}@hidden.example:1\n")
    project.write(
        "app.yaml",
        "tenant_id: {env: MY_TENANT}\nclient_id: {file: id}\nclient_secret: {file: id}\nhttp: {proxy: {file: proxy}}\n",
    )
    settings = shown("-f", "app.yaml")
    assert (settings["tenant_id"]["value"], settings["tenant_id"]["references"]) == (TENANT, [{"env": "MY_TENANT"}])
    for path, file in (("client_id", "id"), ("client_secret", "id"), ("http.proxy", "proxy")):
        assert (settings[path]["value"], settings[path]["hidden"]) == (None, True)
        assert settings[path]["references"] == [{"file": str(project.path / file)}]
    assert settings["authority"]["value"] == "https://login.microsoftonline.com"
    assert settings["authority"]["origin"]["place"] == "preset"
    assert settings["region"] == {**settings["region"], "value": None, "hidden": False}


def test_a_proxy_is_shown_without_its_password(project):
    project.write("app.yaml", f"{COMPLETE}http: {{proxy: 'http://{CANARY}:{CANARY}@proxy.example:8080'}}\n")
    assert shown("-f", "app.yaml")["http.proxy"]["value"] == "proxy.example:8080"
    assert "proxy.example:8080" in run("show", "-f", "app.yaml").said


def test_the_length_of_a_secret_is_hidden(project):
    said = []
    for secret in ("a", CANARY * 3):
        project.write("app.yaml", f"{ID}client_secret: {secret}\n")
        said.append(run("show", "-f", "app.yaml").said)
    assert said[0] == said[1]


def test_no_program_is_run_and_its_arguments_are_not_shown(project):
    program = [sys.executable, "-c", f"open('ran', 'w').write('{CANARY}')"]
    project.write("app.yaml", f"{ID}client_secret: [{json.dumps({'command': program})}, {{command: [op, {CANARY}]}}]\n")
    settings = shown("-f", "app.yaml", "--allow", "command")
    assert settings["client_secret"]["references"][1] == {"command": "op"}
    assert "{command: op}" in run("show", "-f", "app.yaml", "--allow", "command").said
    assert not (project.path / "ran").exists()


def test_a_broken_configuration_still_shows_the_places_and_its_problems_as_check_does(project):
    project.write("app.yaml", f"{COMPLETE}clinet_id: x\n")
    project.write(".env", "broken line here\n")
    outcome = run("show", "-f", "app.yaml", "-f", "gone.yaml")
    assert outcome.status == 1
    assert "  app.yaml                      exists\n  gone.yaml                     does not exist\n" in outcome.said
    assert "  .env                          exists\n" in outcome.said
    assert "error[unknown-key]: `clinet_id` is not a setting\n  --> app.yaml:4:1\n" in outcome.said
    described = run("show", "-f", "app.yaml", "-f", "gone.yaml", "--format", "json")
    assert described.status == 1
    assert described.json["ok"] is False
    known = {setting["path"]: setting["value"] for setting in described.json["settings"]}
    assert (known["tenant_id"], known["client_id"], known["client_secret"]) == (TENANT, CLIENT, None)
    assert {place["name"]: place["exists"] for place in described.json["places"]} == {
        "arguments": True,
        "environment": True,
        ".env": True,
        "app.yaml": True,
        "gone.yaml": False,
    }
    assert "unknown-key" in described.codes


def test_what_can_not_be_read_is_marked_among_all_the_others(layers, monkeypatch):
    monkeypatch.delenv("A_SECRET")
    outcome = run("show", *layers)
    assert outcome.status == 1
    assert outcome.said.startswith("billing, kind client_secret: it can't be used, see below\n  tenant_id ")
    assert (
        "  client_secret                 (problem: missing-variable)\n"
        "                                read from {env: A_SECRET}\n"
        "                                from prod.yaml:6:20\n"
    ) in outcome.said
    assert "defaults\n" in outcome.said
    described = run("show", *layers, "--format", "json").json
    assert (described["ok"], described["name"], described["kind"]) == (False, "billing", "client_secret")
    settings = {setting["path"]: setting for setting in described["settings"]}
    assert settings["client_secret"]["problems"] == ["missing-variable"]
    assert settings["authority"]["value"] == "https://login.microsoftonline.us"
    assert settings["client_id"] == {**settings["client_id"], "value": CLIENT, "problems": []}


def test_a_value_that_a_problem_is_about_is_not_shown_and_the_others_are(project, monkeypatch):
    monkeypatch.setenv("MY_TENANT", TENANT)
    text = f"tenant_id: {{env: MY_TENANT}}\nclient_id: {{env: GONE}}\ncloud: {CANARY}\nhttp: {{timeout: {CANARY}}}\n"
    project.write("app.yaml", f"{text}region: westus2\nhttps_proxy: {CANARY}\n")
    outcome = run("show", "-f", "app.yaml", "--format", "json")
    settings = {setting["path"]: setting for setting in outcome.json["settings"]}
    assert {path: (item["value"], item["hidden"], item["problems"]) for path, item in settings.items()} == {
        "tenant_id": (TENANT, False, []),
        "client_id": (None, True, ["missing-variable"]),
        "cloud": (None, True, ["bad-value"]),
        "region": ("westus2", False, []),
        "http.timeout": (None, True, ["bad-value"]),
        "client_secret": (None, False, ["missing"]),
    }
    assert settings["client_id"]["references"] == [{"env": "GONE"}]
    assert outcome.json["kind"] is None
    said = run("show", "-f", "app.yaml").said
    assert "  client_secret                 (problem: missing)\n\nlooked in\n" in said
    assert "defaults" not in said


def test_without_a_chosen_entry_there_are_no_settings(project):
    project.write("app.yaml", "credentials: {one: {}, two: {}}\n")
    outcome = run("show", "-f", "app.yaml", "--format", "json")
    assert (outcome.status, outcome.json["settings"], outcome.codes) == (1, [], ["no-name"])


def test_places_say_who_named_them_and_what_is_switched_off(project, monkeypatch):
    project.write("credconf.yaml", COMPLETE)
    project.write("other.yaml", COMPLETE)
    project.write(".env", "")
    assert "  credconf.yaml                 exists, discovered\n" in run("show").said
    assert "  .env                          exists, switched off\n" in run("show", "--no-env-file").said
    monkeypatch.setenv("CREDCONF_FILE", "other.yaml")
    assert "  other.yaml                    exists, named by CREDCONF_FILE\n" in run("show").said
    assert "  more.env                      does not exist\n" in run("show", "--env-file", "more.env").said


def test_warnings_are_shown_and_are_no_failure(project):
    project.write("app.yaml", COMPLETE)
    outcome = run("show", "-f", "app.yaml")
    assert outcome.status == 0
    assert "warning[secret-in-file]" in outcome.said
    assert run("show", "-f", "app.yaml", "--format", "json").codes == ["secret-in-file"]


def test_a_name_for_a_terminal_to_obey_is_escaped(project):
    project.write("a\x1b[31m.yaml", COMPLETE)
    assert "\x1b" not in run("show", "-f", "a\x1b[31m.yaml").said


# Beside load()

TEXTS = {
    "tenant_id": [TENANT, "contoso.onmicrosoft.com"],
    "client_id": [CLIENT, OTHER_CLIENT],
    "client_secret": [CANARY],
    "cloud": ["public", "usgov"],
    "region": ["westus2"],
    "disable_instance_discovery": ["true", "no"],
    "additionally_allowed_tenants": ["*", "a;b"],
    "http.timeout": ["5", "2.5"],
    "http.retries": ["7"],
    "http.proxy": ["proxy.example:8080", f"http://u:{CANARY}@proxy.example"],
    "prefetch": ["https://storage.azure.com/.default"],
}
LISTS = {"additionally_allowed_tenants", "prefetch"}
VARIABLES = {
    variable.name: variable.field
    for variable in Scheme.of("app", None, prefixed=False).variables()
    if variable.form in {"literal", "list"} and variable.field in TEXTS
}


def sources(names):
    return st.dictionaries(st.sampled_from(sorted(names)), st.integers(0, 1), max_size=5)


def entry(chosen):
    found = {}
    for path, number in chosen.items():
        text = TEXTS[path][number % len(TEXTS[path])]
        group, _, leaf = path.rpartition(".")
        (found.setdefault(group, {}) if group else found)[leaf] = [text] if path in LISTS else text
    return found


def variables(chosen):
    return {name: TEXTS[VARIABLES[name]][number % len(TEXTS[VARIABLES[name]])] for name, number in chosen.items()}


@settings(max_examples=share(100), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(base=sources(TEXTS), app=sources(TEXTS), environ=sources(VARIABLES), dotenv=sources(VARIABLES))
def test_it_shows_what_load_resolves(project, base, app, environ, dotenv):
    whole = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": CANARY}
    named = {"base": {**whole, **entry(base)}, "app": {**entry(app), "extends": "base"}}
    project.write("app.yaml", json.dumps({"credentials": named}).encode())
    project.write(".env", "".join(f"{name}={text}\n" for name, text in variables(dotenv).items()))
    with pytest.MonkeyPatch.context() as patch:
        for name, text in variables(environ).items():
            patch.setenv(name, text)
        outcome = run("show", "-f", "app.yaml", "-n", "app", "--format", "json")
        text = run("show", "-f", "app.yaml", "-n", "app").said
        resolved, problems = loaded()
    assert outcome.json["problems"] == credconf.problems.as_dicts(problems)
    assert outcome.status == (0 if resolved else 1)
    described = {setting["path"]: setting for setting in outcome.json["settings"]}
    if resolved is None:
        assert any(setting["problems"] for setting in described.values())
        return
    assert list(described) == list(resolved.origins)
    for path, origin in resolved.origins.items():
        agrees(described[path], resolved.settings, origin)
        assert re.search(rf"^  {re.escape(path)}(?: |$)", text, re.MULTILINE) or path == "kind"


def loaded():
    try:
        resolved = credconf.load("app.yaml", name="app")
    except credconf.ConfigError as error:
        return None, error.problems
    return resolved, resolved.warnings


def agrees(setting, settings, origin):
    value = settings
    for step in setting["path"].split("."):
        value = getattr(value, step)
    if setting["path"] == "http.proxy":
        assert setting["value"] == (
            value and "proxy.example:" + ("8080" if "8080" in str(value.get_secret_value()) else "80")
        )
    elif isinstance(value, SecretStr | BaseModel):
        assert (setting["value"], setting["hidden"]) == (None, True)
    else:
        assert setting["value"] == (list(value) if isinstance(value, tuple) else value)
        assert setting["hidden"] is False
    for described, whole in zip([setting["origin"], *setting["displaced"]], [origin, *origin.displaced], strict=True):
        assert described == {name: getattr(whole, name) for name in described}
        assert {"place", "name", "file", "line", "column", "entry"} <= described.keys()
