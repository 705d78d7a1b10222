"""`credconf check` judges files, and with `--resolve` what an application would make of them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

import credconf
from tests.cli.running import run
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, VARIABLES

KEYS = ["severity", "code", "message", "path", "file", "line", "column", "hint"]


def test_good_files_are_counted(project):
    project.write("a.yaml", ID)
    project.write("b.yaml", "client_secret: {env: NOT_SET_ANYWHERE}")
    assert run("check", "a.yaml").said == "ok: 1 file\n"
    assert run("check", "a.yaml", "b.yaml", "a.yaml").said == "ok: 2 files\n"
    assert run("check", "a.yaml").status == 0


def test_problems_are_shown_with_their_places_and_counted(project):
    project.write("a.yaml", f"{COMPLETE}clinet_id: x\n")
    project.write("b.yaml", "cloud: moon\n")
    outcome = run("check", "a.yaml", "b.yaml")
    assert outcome.status == 1
    assert "error[unknown-key]: `clinet_id` is not a setting\n  --> a.yaml:4:1\n" in outcome.said
    assert "  --> b.yaml:1:8\n" in outcome.said
    assert outcome.said.endswith("\n\n2 errors and 1 warning in 2 files\n")


def test_json_has_the_promised_shape(project):
    project.write("a.yaml", "default: a\ncredentials:\n  a:\n    clinet_id: x\n")
    outcome = run("check", "--format", "json", "a.yaml")
    assert list(outcome.json) == ["ok", "problems"]
    assert outcome.json["ok"] is False
    [problem] = outcome.json["problems"]
    assert list(problem) == KEYS
    assert (problem["path"], problem["file"], problem["line"]) == ("credentials.a.clinet_id", "a.yaml", 4)
    project.write("good.yaml", ID)
    assert run("check", "--format", "json", "good.yaml").json == {"ok": True, "problems": []}


def test_github_gets_annotations_and_nothing_else(project):
    project.write("a.yaml", "cloud: moon\nclient_id: my-app\nauthority: {env: A}\n")
    lines = run("check", "--format", "github", "a.yaml").said.splitlines()
    assert [line.partition(",title")[0] for line in lines] == [
        "::error file=a.yaml,line=1,col=8",
        "::error file=a.yaml,line=3,col=12",
    ]
    project.write("good.yaml", ID)
    assert run("check", "--format", "github", "good.yaml").said == ""


def test_warnings_alone_are_ok_unless_they_are_errors(project):
    project.write("a.yaml", COMPLETE)
    assert run("check", "a.yaml").status == 0
    assert run("check", "a.yaml").said.endswith("\n\nok: 1 file, 1 warning\n")
    strict = run("check", "--strict", "a.yaml", "--format", "json")
    assert strict.status == 1
    assert [(problem["severity"], problem["code"]) for problem in strict.json["problems"]] == [
        ("error", "secret-in-file")
    ]
    assert run("check", "a.yaml", "--format", "json").json["ok"] is True


# Which files


def test_without_a_file_it_is_what_from_config_would_read(project, monkeypatch):
    project.write("credconf.yaml", "cloud: moon")
    assert run("check", "--format", "json").json["problems"][0]["file"] == "credconf.yaml"
    project.write("one.yaml", "credentials: {a: {region: West Europe}}")
    project.write("two.yaml", "credentials: {a: {region: westeurope}}  # the later one wins")
    monkeypatch.setenv("CREDCONF_FILE", f"one.yaml{os.pathsep}two.yaml")
    assert run("check").said == "ok: 2 files\n"


def test_a_missing_file_of_a_variable_is_reported(project, monkeypatch):
    monkeypatch.setenv("CREDCONF_FILE", "gone.yaml")
    [problem] = run("check", "--format", "json").json["problems"]
    assert (problem["code"], problem["file"], problem["hint"]) == (
        "missing-file",
        "gone.yaml",
        f"CREDCONF_FILE names it\nrelative to the working directory, it is {project.path / 'gone.yaml'}",
    )


def test_without_any_file_the_call_is_wrong(project):
    outcome = run("check")
    assert outcome.status == 2
    said = " ".join(outcome.said.split())
    assert f"there is no credconf.yaml in {project.path}, " in said
    assert "name a FILE, or use --resolve" in said


def test_a_missing_file_is_a_problem_and_the_others_are_validated(project):
    project.write("a.yaml", "cloud: moon")
    outcome = run("check", "gone.yaml", "a.yaml", "--format", "json")
    assert outcome.status == 1
    assert outcome.codes == ["missing-file", "bad-value"]


def test_files_are_validated_alone_or_as_layers(project):
    project.write("base.yaml", "credentials: {base: {region: West Europe}}")
    project.write("prod.yaml", "credentials: {base: {region: westeurope}, a: {extends: base}}")
    project.write("more.yaml", "default: a")
    alone = run("check", "base.yaml", "prod.yaml", "more.yaml", "--format", "json")
    assert alone.codes == ["bad-value", "unknown-name"]
    for arguments in (("--layers", "base.yaml", "prod.yaml", "more.yaml"), ("-f", "base.yaml", "-f", "prod.yaml")):
        assert run("check", *arguments).status == 0
    assert "--layers" in run("check", "base.yaml", "prod.yaml", "more.yaml").said
    assert run("check", "--layers", "prod.yaml", "base.yaml", "--format", "json").codes == ["bad-value"]


def test_standard_input_is_a_file(project):
    outcome = run("check", "-", "--format", "json", stdin=f"{COMPLETE}clinet_id: x\n")
    assert [(item["code"], item["file"], item["line"]) for item in outcome.json["problems"]] == [
        ("secret-in-file", "<stdin>", 3),
        ("unknown-key", "<stdin>", 4),
    ]
    assert run("check", "-", stdin=ID).said == "ok: 1 file\n"
    assert run("check", "-", "--format", "json", stdin=b"\xff").codes == ["not-utf8"]
    assert run("check", "-", "--format", "json", stdin=b"#" * (1024 * 1024 + 1)).codes == ["file-too-large"]
    project.write("a.yaml", ID)
    assert run("check", "-", "a.yaml", stdin="cloud: moon").status == 1


def test_a_section_of_an_applications_own_file(project):
    project.write("app.yaml", "logging: {level: x}\nazure: {storage: {cloud: moon}}\n")
    outcome = run("check", "--section", "azure.storage", "app.yaml", "--format", "json")
    assert [(item["code"], item["path"]) for item in outcome.json["problems"]] == [("bad-value", "azure.storage.cloud")]
    assert run("check", "--section", "nope", "app.yaml", "--format", "json").codes == ["missing-section"]


@pytest.mark.parametrize(
    ("text", "arguments", "hint"),
    [
        ("a: {}", ("--section", "x"), "check the name of the section, or name another file"),
        ("", (), "write the settings, or leave the file out"),
        ("credentials: {a: {}}", ("--resolve",), "choose one: name= or -n, CREDCONF_NAME, or `default:` in the file; "),
        (
            f"{ID}client_secret: {{command: [x]}}",
            ("--resolve",),
            'pass allow={"command"} to from_config(), or --allow command',
        ),
    ],
)
def test_a_hint_is_right_for_programs_and_for_the_command_line(project, text, arguments, hint):
    project.write("a.yaml", text)
    problems = run("check", *arguments, "a.yaml", "--format", "json").json["problems"]
    assert any(problem["hint"].startswith(hint) for problem in problems if problem["hint"])


def test_a_hint_about_a_file_that_was_only_found_names_the_options(project, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", CANARY)
    project.write("credconf.yaml", f"{ID}http: {{proxy: 'http://p:1'}}")
    project.write(".env", "CREDCONF_HTTP__CA_BUNDLE=ca.pem\n")
    hints = [problem["hint"] for problem in run("check", "--resolve", "--format", "json").json["problems"]]
    assert 'name the file: from_config("credconf.yaml"), -f credconf.yaml, or CREDCONF_FILE=credconf.yaml' in hints
    assert 'name the file: from_config(env_file=".env"), or --env-file .env' in hints
    hint = run("check", "gone.yaml", "--format", "json").json["problems"][0]["hint"]
    assert hint.startswith("check the path, or leave the file out\n")


# Where it runs


def test_it_needs_nothing_of_the_environment(project, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", "not a tenant/")
    monkeypatch.setenv("CREDCONF_TENNANT_ID", "misspelt")
    project.write(".env", "broken line\n")
    project.write("a.yaml", ID)
    assert run("check", "a.yaml").said == "ok: 1 file\n"


def test_resolve_adds_what_the_start_would_need(project, monkeypatch):
    project.write("a.yaml", "default: a\ncredentials:\n  a: {cloud: usgov}\n  b: {cloud: moon}\n")
    outcome = run("check", "--resolve", "a.yaml", "--format", "json")
    assert outcome.status == 1
    assert sorted(outcome.codes) == ["bad-value", *["missing"] * 6]
    variables = {"TENANT_ID": TENANT, "CLIENT_ID": CLIENT, "CLIENT_SECRET": CANARY}
    for name, value in variables.items():
        monkeypatch.setenv(f"CREDCONF__A__{name}", value)
    assert run("check", "--resolve", "-n", "a", "a.yaml", "--format", "json").codes == ["bad-value"]
    monkeypatch.setenv("CREDCONF__A__TENANT_ID", f"{CANARY}/")
    problems = run("check", "--resolve", "-n", "a", "a.yaml", "--format", "json").json["problems"]
    assert {problem.get("origin") for problem in problems} == {None, "$CREDCONF__A__TENANT_ID"}


def test_resolve_takes_files_as_layers_and_all_that_chooses_a_configuration(project, monkeypatch):
    project.write("one.yaml", f"credentials: {{a: {{tenant_id: {TENANT}}}, b: {{}}}}")
    project.write("two.yaml", f"credentials: {{a: {{client_id: {CLIENT}, client_secret: {{env: A_SECRET}}}}}}")
    project.write("secrets.env", f"A_SECRET={CANARY}\n")
    for files in (("one.yaml", "two.yaml"), ("-f", "one.yaml", "-f", "two.yaml")):
        outcome = run("check", "--resolve", *files, "-n", "a", "--env-file", "secrets.env")
        assert outcome.said == "ok: 2 files (entry a)\n"
        assert run("check", "--resolve", *files, "-n", "a", "--no-env-file").status == 1
    monkeypatch.setenv("CREDCONF_NAME", "b")
    assert "`b`" in run("check", "--resolve", "one.yaml", "two.yaml").said


def test_resolve_reports_each_problem_once(project):
    project.write("a.yaml", f"{COMPLETE}clinet_id: x\ncloud: moon\n")
    outcome = run("check", "--resolve", "a.yaml", "--format", "json")
    assert len(outcome.codes) == len(set(outcome.codes)) == len(run("check", "a.yaml", "--format", "json").codes)


def test_resolve_needs_no_file_if_the_environment_is_complete(project, monkeypatch):
    for name, value in (("TENANT_ID", TENANT), ("CLIENT_ID", CLIENT), ("CLIENT_SECRET", CANARY)):
        monkeypatch.setenv(f"AZURE_{name}", value)
    assert run("check", "--resolve").said == "ok: no configuration file\n"


def test_resolve_reports_that_there_is_no_file(project):
    assert run("check", "--resolve").said.endswith("\n\n1 error, no configuration file\n")


def test_resolve_runs_no_program(project):
    project.write(
        "a.yaml", f'{ID}client_secret: {{command: [{json.dumps(sys.executable)}, -c, \'open("ran", "w")\']}}\n'
    )
    assert run("check", "--resolve", "--allow", "command", "a.yaml").status == 0
    assert not (project.path / "ran").exists()
    assert run("check", "--resolve", "a.yaml").status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("a.yaml", "-f", "a.yaml"),
        ("a.yaml", "-n", "a"),
        ("a.yaml", "--env-file", "b"),
        ("a.yaml", "--no-env-file"),
        ("a.yaml", "--allow", "command"),
        ("--layers", "-", "a.yaml"),
        ("--resolve", "-"),
        ("--format", "xml", "a.yaml"),
        ("--client-secret", CANARY.replace("c4n4ry", "x"), "a.yaml"),
    ],
)
def test_a_wrong_call_has_its_own_exit_status(project, arguments):
    project.write("a.yaml", ID)
    outcome = run("check", *arguments)
    assert outcome.status == 2
    assert outcome.said.startswith("Usage: ")


def test_it_imports_neither_pydantic_settings_nor_what_a_token_needs(project):
    project.write("a.yaml", COMPLETE)
    program = (
        "import sys, credconf.cli\n"
        "try: credconf.cli.main(['check', 'a.yaml'])\n"
        "except SystemExit as exit: assert not exit.code\n"
        "print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.splitlines()[-1].split())
    assert "pydantic" in loaded
    assert not loaded & {"pydantic_settings", "msal", "requests", "azure.core", "asyncio"}


def test_with_resolve_too_the_problems_are_in_the_order_of_the_file(project):
    project.write(
        "a.yaml",
        f"""\
        default: b
        credentials:
          a: {{cloud: moon}}
          b: {{tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: {{env: NOT_SET_ANYWHERE}}}}
          c: {{cloud: moon}}
        """,
    )
    problems = run("check", "--resolve", "--format", "json", "a.yaml").json["problems"]
    assert [problem["line"] for problem in problems if problem["code"] != "missing"] == [3, 4, 5]
    lines = [problem["line"] for problem in problems]
    assert lines == sorted(lines)


def test_what_an_unreadable_layer_may_hold_is_not_reported(project):
    project.write("base.yaml", "credentials: [\n")
    project.write("prod.yaml", "default: b\ncredentials: {a: {extends: base}}\n")
    for options in (["--layers"], ["--resolve"]):
        problems = run("check", *options, "--format", "json", "base.yaml", "prod.yaml").json["problems"]
        assert [problem["code"] for problem in problems] == ["bad-yaml"]


def test_a_missing_setting_is_reported_once(project):
    project.write("a.yaml", f"kind: client_certificate\n{ID}client_secret: {{env: HOME}}\n")
    problems = run("check", "--resolve", "--format", "json", "a.yaml").json["problems"]
    assert [problem["code"] for problem in problems] == ["missing", "unknown-key"]


# Every entry

ENTRIES = f"""\
default: a
credentials:
  base: {{abstract: true, tenant_id: {TENANT}, client_id: {CLIENT}, token_cache: {{max_entries: 5}}}}
  a: {{extends: base, client_secret: {{env: A_SECRET}}}}
  b: {{extends: base, client_secret: {{env: B_SECRET}}}}
  c: {{extends: base}}
"""


@pytest.fixture
def entries(project, monkeypatch):
    project.write("credconf.yaml", ENTRIES)
    monkeypatch.setenv("A_SECRET", CANARY)
    return monkeypatch


def test_resolve_judges_every_entry_that_is_not_abstract_and_says_which(entries):
    outcome = run("check", "--resolve", "--format", "json")
    assert [(item["code"], item["path"]) for item in outcome.json["problems"]] == [
        ("missing-variable", "credentials.b.client_secret"),
        ("missing", "credentials.c.client_secret"),
    ]
    assert outcome.json["entries"] == ["a", "b", "c"]
    assert run("check", "--resolve").said.endswith("\n2 errors in 1 file (entries a, b, c)\n")


def test_with_names_resolve_judges_these_alone(entries):
    assert run("check", "--resolve", "-n", "a").said == "ok: 1 file (entry a)\n"
    assert run("check", "--resolve", "-n", "a", "-n", "b", "-n", "a", "--format", "json").codes == ["missing-variable"]
    entries.setenv("B_SECRET", CANARY)
    assert run("check", "--resolve", "-n", "b", "-n", "a").said == "ok: 1 file (entries b, a)\n"
    assert run("check", "--resolve", "-n", "a", "-n", "d", "--format", "json").codes == ["unknown-name"]
    assert run("check", "--resolve", "-n", "base", "--format", "json").codes == ["abstract"]


def test_what_a_start_without_a_name_would_raise_is_told_too(project, entries):
    entries.setenv("CREDCONF_NAME", "d")
    assert "unknown-name" in run("check", "--resolve", "--format", "json").codes
    entries.delenv("CREDCONF_NAME")
    project.write("credconf.yaml", ENTRIES.replace("default: a", "x-a: b"))
    assert run("check", "--resolve", "--format", "json").codes == ["no-name", "missing-variable", "missing"]


def test_a_problem_that_entries_share_is_told_once(project, entries):
    entries.setenv("CREDCONF_REGION", "westus2")
    entries.setenv("B_SECRET", CANARY)
    project.write("credconf.yaml", ENTRIES.replace("max_entries: 5", "url: {env: REDIS_URL}").replace("  c:", "  x-c:"))
    assert run("check", "--resolve", "--format", "json").codes.count("missing-variable") == 1
    assert run("check", "--resolve", "--format", "json").codes.count("unheard-variable") == 1


# What the start would raise


@pytest.mark.skipif(importlib.util.find_spec("gi") is not None, reason="this machine may encrypt tokens")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have an encryption")
class TestATokenCacheWithoutEncryption:
    @pytest.fixture(autouse=True)
    def complete(self, project, monkeypatch):
        for name, value in VARIABLES.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "caches"))

    def problem(self, *arguments):
        outcome = run("check", "--resolve", "--format", "json", *arguments)
        assert outcome.status == 1
        [problem] = [item for item in outcome.json["problems"] if item["severity"] == "error"]
        assert problem["code"] == "no-encryption"
        return problem

    def test_of_a_variable_names_the_variable(self, project, monkeypatch):
        monkeypatch.setenv("CREDCONF_TOKEN_CACHE__KIND", "file")
        problem = self.problem()
        assert problem["origin"] == "$CREDCONF_TOKEN_CACHE__KIND"
        name = "CREDCONF_TOKEN_CACHE__ALLOW_UNENCRYPTED_STORAGE"
        assert problem["hint"].endswith(f"allow a plain file: {name}=true")
        monkeypatch.setenv(name, "true")
        assert run("check", "--resolve").status == 0
        assert not (project.path / "caches").exists()

    def test_of_a_named_file_names_yaml(self, project):
        project.write("a.yaml", "token_cache: {name: billing}\n")
        problem = self.problem("a.yaml")
        assert (problem["file"], problem["line"]) == ("a.yaml", 1)
        assert problem["hint"].endswith("`token_cache: {allow_unencrypted_storage: true}`")
        project.write("a.yaml", "token_cache: {name: billing, allow_unencrypted_storage: true}\n")
        assert run("check", "--resolve", "a.yaml").status == 0

    def test_of_a_found_file_names_what_such_a_file_cannot_be_forbidden(self, project, monkeypatch):
        project.write("credconf.yaml", "token_cache: {kind: file}\n")
        assert self.problem()["hint"].endswith("CREDCONF_TOKEN_CACHE__ALLOW_UNENCRYPTED_STORAGE=true")

    def test_of_an_argument_names_the_argument(self, project):
        with pytest.raises(credconf.ConfigError) as caught:
            credconf.from_config(token_cache={"kind": "file"})
        [problem] = caught.value.problems
        assert str(problem.origin) == "argument token_cache.kind"
        assert problem.hint.endswith('token_cache={"allow_unencrypted_storage": True}')
