"""`credconf init` writes a configuration that works with its secret, and never handles the secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import credconf
from credconf.cli.scaffold import ignored, scalar
from credconf.config.reading.document import parse
from credconf.config.reading.nodes import Scalar
from tests.certificates import make_certificate
from tests.cli.running import run, terminal
from tests.config.project import AUTHORITY, CANARY, CLIENT, TENANT, warned

WHO = ("--tenant-id", TENANT, "--client-id", CLIENT)


def written(project, name="credconf.yaml"):
    return (project.path / name).read_text(encoding="utf-8")


def filled(project):
    """Write `.env` from the example, and return the example."""
    text = written(project, ".env.example")
    project.write(".env", text.replace("=''", f"='{CANARY}'"))
    return text


@pytest.fixture
def repository(project):
    (project.path / ".git").mkdir()
    return project


# What it writes


@pytest.mark.parametrize("named", [(), ("--named", "billing-eu")], ids=["flat", "named"])
@pytest.mark.parametrize("source", [None, "env:MY_SECRET", "file:secrets/entra", "file:my secrets/#1: [x]"])
def test_what_it_wrote_works_once_the_secret_is_there(project, named, source):
    outcome = run("init", *WHO, "--cloud", "usgov", *named, *(("--secret-from", source) if source else ()))
    assert outcome.status == 0
    filled(project)
    if source and source.startswith("file:"):
        project.write(source.removeprefix("file:"), f"{CANARY}\n")
    resolved = credconf.load(environ={})
    assert (resolved.settings.tenant_id, resolved.settings.client_id) == (TENANT, CLIENT)
    assert resolved.settings.authority == "https://login.microsoftonline.us"
    assert resolved.name == (named[1] if named else None)
    assert warned(resolved) == []
    assert [proof.credential for _, proof in resolved.settings.proofs(resolved.reader)] == [CANARY]
    assert run("check", "--strict", "credconf.yaml").said == "ok: 1 file\n"


@pytest.mark.parametrize("named", [(), ("--named", "a")], ids=["flat", "named"])
def test_a_certificate_proves_the_application_as_well(project, named):
    assert run("init", *WHO, *named, "--secret-from", "certificate:client.pem").status == 0
    make_certificate(project.path / "client.pem", password=CANARY)
    project.write(".env", filled(project).replace("# CREDCONF", "CREDCONF", 1).replace("=''", f"='{CANARY}'"))
    assert credconf.load(environ={}).settings.kind == "client_certificate"


@pytest.mark.parametrize("named", [(), ("--named", "a")], ids=["flat", "named"])
def test_the_commented_settings_work(project, named):
    run("init", *WHO, *named, "--secret-from", "env:MY_SECRET")
    head, _, rest = written(project).partition("# Optional settings:\n")
    project.write(
        "credconf.yaml", head.rstrip(" ") + re.sub(r"^( *)# ", r"\1", rest, flags=re.MULTILINE).replace("/etc/ssl", ".")
    )
    project.write("certs/ca-certificates.crt", AUTHORITY)
    example = filled(project)
    variables = re.findall(r"^# (CREDCONF_\w+=\d*)", example, re.MULTILINE)
    project.write(".env", f"MY_SECRET={CANARY}\n" + "\n".join(variables).replace("TENANT_ID=", "TENANT_ID=b.test"))
    resolved = credconf.load("credconf.yaml", environ={})
    assert (resolved.settings.tenant_id, resolved.settings.http.timeout) == ("b.test", 5)
    assert (resolved.settings.additionally_allowed_tenants, warned(resolved)) == (("fabrikam.onmicrosoft.com",), [])


def test_an_editor_finds_the_schema_beside_the_file(project):
    run("init", *WHO, "-f", "conf/app.yaml")
    text = written(project, "conf/app.yaml")
    assert text.startswith("# yaml-language-server: $schema=credconf.schema.json\n")
    schema = json.loads(written(project, "conf/credconf.schema.json"))
    assert json.dumps(schema, indent=2, ensure_ascii=False) + "\n" == run("schema").said
    jsonschema.validate(yaml.safe_load(text), schema)
    assert not (project.path / "credconf.schema.json").exists()


def test_the_schema_can_be_left_out(project):
    run("init", *WHO, "--no-schema")
    assert "$schema" not in written(project)
    assert sorted(os.listdir(project.path)) == [".env.example", "credconf.yaml"]


def test_it_lists_the_files_and_the_next_steps(repository, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    said = run("init", *WHO, "-f", "app.yaml").said
    listed = [line.split() for line in said.partition("\n\n")[0].splitlines()]
    files = ["credconf.schema.json", ".env.example", ".gitignore", "app.yaml"]
    assert listed == [["wrote", file] for file in files]
    assert "Next: cp .env.example .env, and write the secret's Value after AZURE_CLIENT_SECRET=" in said
    assert "credconf check app.yaml\n      credconf doctor -f app.yaml\n" in said
    repository.write(".env", "")
    assert "cp .env.example" not in run("init", *WHO, "-f", "app.yaml", "--force").said


def test_no_machine_is_named_in_what_it_wrote(project):
    run("init", *WHO)
    for name in ("credconf.yaml", ".env.example", "credconf.schema.json"):
        assert str(project.path) not in written(project, name)
        assert os.path.dirname(credconf.__file__) not in written(project, name)


# Quotes


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=1))
def test_text_is_text_for_every_reader(text):
    written = f"key: {scalar(text)}\n"
    assert yaml.safe_load(written) == {"key": text}
    value = parse(written, "x").child("key")
    assert (type(value), value.text) == (Scalar, text)


@pytest.mark.parametrize("text", ["null", "No", "1e10.5", "0x10", "12:30", "~", "012345", "2024-01-01", ".inf", "y"])
def test_what_an_editor_could_take_for_something_else_is_quoted(text):
    assert scalar(text) == f'"{text}"'


@pytest.mark.parametrize("text", [TENANT, "contoso.onmicrosoft.com", "/run/secrets/entra", "MY_SECRET"])
def test_unambiguous_text_is_not_quoted(text):
    assert scalar(text) == text


# What is there already


def test_a_file_that_is_there_is_kept(project):
    project.write("credconf.yaml", "mine")
    outcome = run("init", *WHO)
    assert (outcome.status, outcome.said) == (1, "error: credconf.yaml exists; use --force to replace it\n")
    assert os.listdir(project.path) == ["credconf.yaml"]
    assert written(project) == "mine"


def test_force_replaces_it_with_its_mode_and_through_a_link(project):
    project.write("real/app.yaml", "mine", mode=0o640)
    os.symlink("real/app.yaml", project.path / "app.yaml")
    assert "changed  app.yaml" in run("init", *WHO, "-f", "app.yaml", "--force").said
    assert os.readlink(project.path / "app.yaml") == "real/app.yaml"
    assert TENANT in written(project, "real/app.yaml")
    assert os.stat(project.path / "real/app.yaml").st_mode & 0o777 == 0o640


def test_a_schema_that_differs_is_kept_and_one_that_is_the_same_does_not_matter(project):
    project.write("credconf.schema.json", "{}")
    assert "credconf.schema.json exists and differs" in run("init", *WHO).said
    assert os.listdir(project.path) == ["credconf.schema.json"]
    assert run("init", *WHO, "--force").status == 0
    assert "kept     credconf.schema.json" in run("init", *WHO, "-f", "other.yaml").said


def test_an_example_that_is_there_is_added_to_once(project):
    mine = "# mine\r\nOTHER=1\r\n\xff"
    (project.path / ".env.example").write_bytes(mine.encode("latin-1"))
    assert "changed  .env.example" in run("init", *WHO).said
    once = (project.path / ".env.example").read_bytes()
    assert once.startswith(mine.encode("latin-1") + b"\n# The client secret's Value")
    assert b"\nAZURE_CLIENT_SECRET=''\n" in once
    assert "kept     .env.example" in run("init", *WHO, "--force").said
    assert (project.path / ".env.example").read_bytes() == once


def test_an_example_has_nothing_twice(project):
    run("init", *WHO)
    run("init", *WHO, "-f", "b.yaml", "--secret-from", "env:B_SECRET")
    run("init", *WHO, "-f", "c.yaml", "--named", "billing")
    paragraphs = written(project, ".env.example").strip().split("\n\n")
    assert [part.splitlines()[-1].partition("=")[0].strip("# ") for part in paragraphs[1:]] == [
        *("AZURE_CLIENT_SECRET", "CREDCONF_HTTP__TIMEOUT", "B_SECRET"),
        *("BILLING_CLIENT_SECRET", "CREDCONF__BILLING__HTTP__TIMEOUT"),
    ]
    assert "kept     .env.example" in run("init", *WHO, "-f", "d.yaml", "--secret-from", "file:d").said


def test_outside_of_git_nothing_is_ignored(project):
    run("init", *WHO)
    assert not (project.path / ".gitignore").exists()


def test_in_a_repository_dotenv_is_ignored_once(repository):
    run("init", *WHO)
    assert written(repository, ".gitignore") == ".env\n"
    assert "kept     .gitignore" in run("init", *WHO, "--force").said
    repository.write(".gitignore", "build")
    run("init", *WHO, "--force")
    assert written(repository, ".gitignore") == "build\n.env\n"


@pytest.mark.parametrize(("line", "covers"), [(".env", True), (".env*", True), ("/.env", False), ("#.env", False)])
def test_a_gitignore_of_a_parent_counts(repository, monkeypatch, line, covers):
    repository.write(".gitignore", f"{line}\n")
    (repository.path / "sub").mkdir()
    monkeypatch.chdir(repository.path / "sub")
    run("init", *WHO)
    assert (repository.path / "sub" / ".gitignore").exists() != covers


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
@pytest.mark.parametrize("path", ["secrets/entra", "../conf/x", "a [b]*?", "back\\slash", "!important", "end "])
def test_git_ignores_the_file_of_the_secret(project, path):
    subprocess.run(["git", "init", "-q"], check=True)
    run("init", *WHO, "-f", "conf/app.yaml", "--secret-from", f"file:{path}")
    secret = os.path.normpath(os.path.join("conf", path.strip()))
    done = subprocess.run(["git", "check-ignore", "-q", "--no-index", secret], check=False)
    assert done.returncode == 0
    assert subprocess.run(["git", "check-ignore", "-q", "--no-index", "conf/app.yaml"], check=False).returncode == 1


def test_spaces_at_the_end_of_an_ignored_name_are_kept():
    assert ignored("./a  ") == "/a\\ \\ "


@pytest.mark.parametrize("path", ["/run/secrets/entra", "../outside"])
def test_a_secret_that_lies_elsewhere_is_not_ignored(repository, path):
    run("init", *WHO, "--secret-from", f"file:{path}")
    assert written(repository, ".gitignore") == ".env\n"


# What goes wrong


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(project, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    project.write("credconf.yaml", "mine")
    monkeypatch.setattr(os, "fsync", full)
    outcome = run("init", *WHO, "--force", "--no-schema")
    assert (outcome.status, outcome.said) == (1, "error: .env.example can't be written: No space left on device\n")
    assert (written(project), os.listdir(project.path)) == ("mine", ["credconf.yaml"])


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="no directory that is read-only for everyone")
def test_the_error_of_a_read_only_directory_names_the_file(project):
    said = run("init", *WHO, "--no-schema", "-f", "/proc/self/credconf.yaml").said
    assert said.splitlines()[-1].startswith("error: /proc/self/credconf.yaml can't be written: ")


@pytest.mark.parametrize("name", ["", "conf/", ".env", ".gitignore", "conf/.env.example", "credconf.schema.json"])
def test_the_configuration_can_not_be_called_as_another_file(project, name):
    assert run("init", *WHO, "-f", name).status == 2
    assert os.listdir(project.path) == []


def test_a_directory_is_no_file(project):
    (project.path / "conf").mkdir()
    assert run("init", *WHO, "-f", "conf", "--force").said == "error: conf is a directory\n"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--tenant-id", f"{CANARY}/.."),
        ("--tenant-id", ""),
        ("--client-id", CANARY),
        ("--cloud", CANARY),
        ("--named", CANARY),
        ("--secret-from", CANARY),
        ("--secret-from", f"env:{CANARY}"),
        ("--secret-from", f"literal:{CANARY}"),
        ("--secret-from", "file:"),
        ("--secret-from", "file:a\nb"),
    ],
)
def test_an_option_that_can_not_be_used_is_refused_without_being_quoted(project, wrong):
    outcome = run("init", *WHO, *wrong)
    assert outcome.status == 2
    assert f"Error: {wrong[0]}: " in outcome.said
    assert os.listdir(project.path) == []


def test_all_invalid_options_are_reported_at_once(project):
    said = run("init", "--client-id", CANARY, "--cloud", CANARY, "--named", CANARY).said
    for told in ("--client-id: ", "--cloud: ", "--named: ", "without a terminal, --tenant-id must be given"):
        assert told in said
    assert os.listdir(project.path) == []


def test_there_is_no_option_for_a_secret(project):
    outcome = run("init", *WHO, f"--client-secret={CANARY}")
    assert (outcome.status, os.listdir(project.path)) == (2, [])


def test_without_a_terminal_nothing_is_asked(project):
    outcome = run("init", "--client-id", CLIENT)
    assert (outcome.status, "without a terminal, --tenant-id must be given" in outcome.said) == (2, True)
    assert os.listdir(project.path) == []


# On a terminal


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_a_terminal_is_asked_until_each_answer_can_be_used(project):
    answers = ["not a tenant", "contoso.com", "123", CLIENT, "", "env:X Y", "file:secrets/entra"]
    status, said = terminal("init", answers=answers)
    assert status == 0
    assert said.count("Tenant (directory)") == 2
    assert "Cloud (public, usgov, china) [public]" in said
    assert "Place [env:AZURE_CLIENT_SECRET]" in said
    assert yaml.safe_load(written(project)) == {
        "tenant_id": "contoso.com",
        "client_id": CLIENT,
        "client_secret": {"file": "secrets/entra"},
        "cloud": "public",
    }


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_an_existing_file_is_reported_before_any_question(project):
    project.write("credconf.yaml", "mine")
    status, said = terminal("init", answers=[])
    assert (status, "Tenant" in said, "use --force to replace it" in said) == (1, False, True)


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_what_options_say_is_not_asked(project):
    status, said = terminal("init", *WHO, "--cloud", "china", "--named", "a", answers=[""])
    assert (status, "Tenant" in said, "Cloud" in said) == (0, False, False)
    assert "env: A_CLIENT_SECRET" in written(project)
