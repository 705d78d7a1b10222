"""Promise (SECURITY.md): who can write the configuration, but not the program, runs nothing and is shown no file."""

from __future__ import annotations

import contextlib
import json
import sys

import pytest

import credconf
from credconf.problems import as_dicts
from credconf.references import FileReference
from tests.cli.running import run
from tests.contract.faces import SCOPE, SYNC
from tests.secrecy.canaries import CANARY as SECRETS
from tests.secrecy.canaries import Canary
from tests.secrecy.places import Site
from tests.secrecy.reach import texts_of_records, walk
from tests.secrecy.renderings import renderings
from tests.secrecy.test_failures import error_of
from tests.secrecy.test_surfaces import printed

INSIDE = "s3cr3t-of-Another.file-77"
CANARY = Canary((INSIDE,))
"""What a file holds that the configuration names, and that its writer can't read. A name, so that it passes for one."""
ID = "tenant_id: contoso.example\nclient_id: 11111111-1111-1111-1111-111111111111\n"


@pytest.fixture
def site(tmp_path, monkeypatch, entra):
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path, entra, SYNC, monkeypatch)


# No code runs


@pytest.mark.parametrize(
    "text",
    [
        "client_secret: !!python/object/apply:os.system ['touch ran']",
        "client_secret: !!python/object/new:subprocess.Popen [[touch, ran]]",
        "client_secret: !!python/name:os.system",
        "!!python/object/apply:os.system ['touch ran']",
        "? !!python/object/apply:os.system ['touch ran']\n: x",
        "client_secret: {command: [touch, ran]}",
        "client_secret: [{command: [touch, ran]}, {command: [touch, ran]}]",
        "client_secret: '$(touch ran)'",
        "client_secret: '`touch ran`'",
        "client_secret: !!binary Y29zCnN5c3RlbQooUyd0b3VjaCByYW4nCnRSLg==",
    ],
)
def test_no_file_runs_a_program(site, text):
    (site.path / "credconf.yaml").write_text(f"{ID}{text}\n")
    for call in (credconf.load, credconf.from_config):
        with contextlib.suppress(credconf.ConfigError):
            call()
    for command in (["check", "credconf.yaml"], ["check", "--resolve"], ["show"], ["doctor"], ["token", SCOPE]):
        run(*command)
    assert not (site.path / "ran").exists()


def test_a_program_that_is_allowed_runs_only_for_a_token(site):
    argv = json.dumps([sys.executable, "-c", "open('ran', 'w')"])
    site.yaml(f"client_secret: {{command: {argv}}}")
    credconf.load("app.yaml", allow={"command"})
    credential = credconf.from_config("app.yaml", allow={"command"})
    assert not (site.path / "ran").exists()
    error_of(credential.get_token, SCOPE)
    assert (site.path / "ran").exists()


@pytest.mark.parametrize("line", ["AZURE_CLIENT_SECRET=$(touch ran)", "AZURE_CLIENT_SECRET=${HOME}", "A=`touch ran`"])
def test_a_dotenv_is_not_expanded(site, line):
    (site.path / ".env").write_text(f"AZURE_TENANT_ID=t\nAZURE_CLIENT_ID=c\nAZURE_CLIENT_SECRET=x\n{line}\n")
    settings = credconf.load().settings
    assert settings.client_secret.get_secret_value() in {line.partition("=")[2], "x"}
    assert not (site.path / "ran").exists()


def test_a_pickle_in_the_place_of_a_file_is_a_fault_of_it(site):
    (site.path / "app.yaml").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    (site.path / "secret").write_bytes(b"\x80\x04\x95\x1e\x00\x00\x00cos\nsystem\n(S'touch ran'\ntR.")
    assert isinstance(error_of(credconf.load, "app.yaml"), credconf.ConfigError)
    (site.path / "app.yaml").write_text(f"{ID}client_secret: {{file: secret}}\n")
    assert isinstance(error_of(credconf.load, "app.yaml"), credconf.ConfigError)
    assert not (site.path / "ran").exists()


# No file is shown

FIELDS = ["tenant_id", "client_id", "authority", "oidc_authority", "region", "http.proxy", "client_secret"]


def hostile(site, field, content=INSIDE):
    """A configuration that names a file where it should name an identity."""
    (site.path / "elsewhere").mkdir(exist_ok=True)
    path = site.file("elsewhere/shadow", content)
    fields = site.fields(client_secret="anything")
    reference = {"file": path}
    if field == "oidc_authority":
        fields = {name: value for name, value in fields.items() if name not in {"tenant_id", "authority"}}
    group, _, leaf = field.rpartition(".")
    fields = {**fields, group: {**fields[group], leaf: reference}} if group else {**fields, field: reference}
    site.file("app.yaml", json.dumps(fields))
    return "app.yaml"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "content",
    [
        INSIDE,
        f"{INSIDE}.example",
        f"https://{INSIDE}.example",
        f"https://{INSIDE}.example/x",
        f"root:{INSIDE}:0:0\nx:y\n",
    ],
    ids=["name", "host", "URL", "path", "shadow"],
)
def test_no_file_that_a_configuration_names_is_shown(site, said, field, content):
    path = hostile(site, field, content)
    try:
        loaded = credconf.load(path)
        credential = credconf.from_config(path)
    except credconf.ConfigError as error:
        CANARY.assert_absent(renderings(error))
    else:
        CANARY.assert_absent((name, text) for name, text in printed(loaded) if "client_secret" not in name)
        CANARY.assert_absent(printed(credential))
        for options in ({}, {"enable_cae": True}):
            error = error_of(credential.get_token, SCOPE, **options)
            CANARY.assert_absent(renderings(error))
    # At DEBUG the libraries below name the URL that they ask, which holds the tenant and the host: SECURITY.md says so.
    ours = [record for record in said[0].records if record.name.startswith("credconf")]
    CANARY.assert_absent(texts_of_records(ours))
    CANARY.assert_absent(walk([str(item.message) for item in said[1]], private=True))


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("content", [INSIDE, f"https://{INSIDE}.example/x"], ids=["name", "URL"])
def test_no_command_shows_it_either(site, field, content):
    path = hostile(site, field, content)
    for command in ("show", "doctor", "check", "token"):
        arguments = {"check": ["--resolve", "-f", path], "token": [SCOPE, "-f", path]}.get(command, ["-f", path])
        for form in ("text", "json", "github") if command == "check" else ("text", "json"):
            outcome = run(command, *arguments, "--format", form, canary=INSIDE)
            CANARY.assert_absent([(f"{command} {form}", outcome.said)])


@pytest.mark.parametrize("name", ["CREDCONF_TENANT_ID_FILE", "CREDCONF_AUTHORITY_FILE", "AZURE_CLIENT_SECRET_FILE"])
def test_no_file_that_a_dotenv_names_is_shown(site, said, name):
    path = site.file("shadow", f"root:{INSIDE}")
    site.dotenv(name, path)
    text = site.yaml("client_secret: x") if "SECRET" not in name else site.yaml("")
    try:
        credential = credconf.from_config(text, env_file=".env")
    except credconf.ConfigError as error:
        CANARY.assert_absent(renderings(error))
    else:
        CANARY.assert_absent(printed(credential))
        CANARY.assert_absent(renderings(error_of(credential.get_token, SCOPE)))


def test_another_file_in_the_place_of_the_configuration_shows_none_of_its_values(site):
    site.file("app.yaml", f"root: {INSIDE}\nusers:\n  - {{name: x, password: {INSIDE}}}\n# {INSIDE}\n")
    CANARY.assert_absent(renderings(error_of(credconf.load, "app.yaml")))
    site.file("app.yaml", f"root:{INSIDE}:0\nx:{INSIDE}:1\n")
    CANARY.assert_absent(renderings(error_of(credconf.load, "app.yaml")))
    for form in ("text", "json", "github"):
        CANARY.assert_absent([("check", run("check", "app.yaml", "--format", form, canary=INSIDE).said)])


# What is written moves no cursor, and forges no line of a log

ESCAPES = [
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\r overwritten",
    "a\nerror: forged",
    "\u202egnp.exe",
    "\x9b31m",
    "\0",
]


def control_characters(text):
    return [character for character in text if not (character.isprintable() or character == "\n")]


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_name_in_a_configuration_reaches_a_terminal_as_it_is(site, said, escape):
    written = json.dumps(escape)
    name = json.dumps(f"dir/{escape}")
    for text in (
        f"{ID}client_secret: x\n{written}: 1\n",
        f"{ID}client_secret: {{file: {name}}}\n",
        f"{ID}client_secret: {{env: {written}}}\n",
        f"{ID}client_secret: {{command: [{name}]}}\n",
        f"default: {written}\ncredentials: {{{written}: {{extends: {written}}}}}\n",
        f"tenant_id: t\nclient_id: {written}\nclient_secret: [{{file: {name}}}, x]\nhttp: {{ca_bundle: {name}}}\n",
    ):
        site.file("app.yaml", text)
        for command in (["check", "app.yaml"], ["check", "--resolve", "-f", "app.yaml"], ["show", "-f", "app.yaml"]):
            said_by = run(*command).said
            assert not control_characters(said_by), command
            assert "\nerror: forged" not in said_by
        github = run("check", "app.yaml", "--format", "github").said
        assert not control_characters(github)
        assert all(line.startswith("::") for line in github.splitlines() if line)
        error = error_of(credconf.load, "app.yaml")
        if isinstance(error, credconf.ConfigError):
            assert not control_characters(str(error))
            assert json.loads(json.dumps(as_dicts(error.problems)))


@pytest.mark.parametrize("escape", [escape for escape in ESCAPES if "\0" not in escape])
def test_no_name_forges_a_line_of_a_log_or_of_an_error(site, said, escape):
    path = site.path / f"x{escape}"
    path.write_text("secret")
    path.chmod(0o644)  # others can read it: a warning, which is logged
    fields = {**site.fields(client_secret={"file": str(path)}), "client_id": f"client{escape}"}
    assert not control_characters(FileReference(file=str(path)).label)  # which is in messages that others write
    credential = credconf.from_config(False, env_file=False, environ={}, **fields)
    for happen in (lambda: None, path.unlink):
        happen()
        error = error_of(credential.get_token, SCOPE)
        assert not control_characters(str(error))
        assert not any(line.startswith("error: forged") for line in str(error).splitlines())
    lines = [record.getMessage() for record in said[0].records if record.name == "credconf"]
    assert lines
    assert not [line for line in lines if control_characters(line) or "\nerror: forged" in line]


def test_the_canary_is_found_where_it_is_shown(site):
    """The tests above would find it: a file's content as a literal is shown."""
    fields = site.fields(client_id=INSIDE)
    with pytest.raises(AssertionError):
        CANARY.assert_absent(printed(credconf.build(fields)))
    assert SECRETS.found_in(repr(fields)) is not None
