"""The rules that keep layers safe: no mixed identity, no redirected secret, no silent chain."""

from __future__ import annotations

import pytest

from credconf.config.dotenv import parse_dotenv
from tests.config.project import (
    AUTHORITY,
    CANARY,
    CLIENT,
    COMPLETE,
    ID,
    OTHER_CLIENT,
    TENANT,
    VARIABLES,
    codes,
    only,
    secret_of,
    warned,
)

OTHER_ID = f"tenant_id: {TENANT}\nclient_id: {OTHER_CLIENT}\n"


# ── no mixed identity ──


def test_another_client_id_is_not_paired_with_a_files_secret(project):
    project.write("app.yaml", COMPLETE)
    problem = only(project.refused("app.yaml", environ={"AZURE_CLIENT_ID": OTHER_CLIENT}))
    assert problem.code == "mixed-identity"
    assert str(problem.origin) == "$AZURE_CLIENT_ID"
    assert "app.yaml:3:16" in problem.message
    assert "app.yaml:2:12" in problem.message
    assert CLIENT not in str(problem)


@pytest.mark.parametrize("way", ["argument", "dotenv", "layer", "child"])
def test_every_source_is_held_to_it(project, way):
    arguments = {}
    paths = ["base.yaml"]
    project.write("base.yaml", COMPLETE)
    if way == "argument":
        arguments = {"client_id": OTHER_CLIENT}
    elif way == "dotenv":
        project.write(".env", f"CREDCONF_CLIENT_ID={OTHER_CLIENT}\n")
    elif way == "layer":
        project.write("prod.yaml", f"client_id: {OTHER_CLIENT}\n")
        paths.append("prod.yaml")
    else:
        parent = f"{{tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: {CANARY}}}"
        project.write(
            "base.yaml", f"default: a\ncredentials:\n  p: {parent}\n  a: {{extends: p, client_id: {OTHER_CLIENT}}}\n"
        )
    assert codes(project.refused(paths, **arguments)) == ["mixed-identity"]


def test_a_certificate_is_held_to_it_too(project, tmp_path):
    from tests.certificates import make_certificate

    make_certificate(tmp_path / "client.pem")
    project.write("app.yaml", f"{ID}client_certificate: {{file: client.pem}}\n")
    assert codes(project.refused("app.yaml", environ={"AZURE_CLIENT_ID": OTHER_CLIENT})) == ["mixed-identity"]
    assert project.load("app.yaml", environ={"AZURE_CLIENT_ID": CLIENT}).settings.kind == "client_certificate"


def test_a_secret_from_the_dotenv_is_lower_than_a_client_id_of_the_process(project):
    project.write(".env", f"AZURE_CLIENT_ID={CLIENT}\nAZURE_CLIENT_SECRET={CANARY}\n")
    environ = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": OTHER_CLIENT}
    assert codes(project.refused(environ=environ)) == ["mixed-identity"]


def test_the_hint_knows_a_workload_identity_webhook(project):
    project.write("app.yaml", COMPLETE)
    environ = {"AZURE_CLIENT_ID": OTHER_CLIENT, "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token"}
    problem = only(project.refused("app.yaml", environ=environ))
    assert "AZURE_FEDERATED_TOKEN_FILE" in problem.hint
    assert "webhook" in problem.hint
    problem = only(project.refused("app.yaml", environ={"AZURE_CLIENT_ID": OTHER_CLIENT}))
    assert "AZURE_FEDERATED_TOKEN_FILE" not in problem.hint


def test_the_same_client_id_in_both_is_no_mixture(project):
    environ = {"AZURE_CLIENT_ID": CLIENT.upper()}
    assert secret_of(project.flat(COMPLETE, environ=environ)) == CANARY


def test_a_reference_is_compared_by_what_it_stands_for(project):
    project.write("id", f"{CLIENT}\n")
    environ = {"AZURE_CLIENT_ID": CLIENT, "THE_ID": CLIENT, "OTHER_ID": OTHER_CLIENT}
    for reference in ("{file: id}", "{env: THE_ID}"):
        text = COMPLETE.replace(CLIENT, reference)
        assert secret_of(project.flat(text, environ=environ)) == CANARY
    project.write("app.yaml", COMPLETE.replace(CLIENT, "{env: OTHER_ID}"))
    assert codes(project.refused("app.yaml", environ=environ)) == ["mixed-identity"]


def test_a_secret_alone_from_the_environment_is_the_ordinary_case(project):
    resolved = project.flat(ID, environ={"AZURE_CLIENT_SECRET": CANARY})
    assert secret_of(resolved) == CANARY
    assert resolved.warnings == ()


def test_another_secret_from_the_environment_is_ordinary_too(project):
    resolved = project.flat(COMPLETE.replace(CANARY, "old"), environ={"AZURE_CLIENT_SECRET": CANARY})
    assert secret_of(resolved) == CANARY


def test_another_tenant_is_allowed(project):
    resolved = project.flat(COMPLETE, environ={"AZURE_TENANT_ID": "contoso.example"})
    assert resolved.settings.tenant_id == "contoso.example"
    assert warned(resolved) == ["secret-in-file"]


def test_a_client_id_where_none_stood_is_allowed(project):
    text = f"tenant_id: {TENANT}\nclient_secret: {CANARY}\n"
    assert project.flat(text, environ={"AZURE_CLIENT_ID": OTHER_CLIENT}).settings.client_id == OTHER_CLIENT


def test_replacing_an_identity_whole_is_a_warning(project):
    environ = {"AZURE_CLIENT_ID": OTHER_CLIENT, "AZURE_CLIENT_SECRET": CANARY}
    resolved = project.flat(COMPLETE, environ=environ)
    assert resolved.settings.client_id == OTHER_CLIENT
    assert warned(resolved) == ["identity-replaced"]
    warning = resolved.warnings[0]
    assert "app.yaml:2:12" in warning.message


# ── no redirected secret ──

REDIRECTIONS = {
    "authority": ("authority: login.evil.example\n", ID),
    "another port": ("authority: login.microsoftonline.com:8443\n", ID),
    "oidc_authority": ("oidc_authority: https://evil.example/oauth\n", f"client_id: {CLIENT}\n"),
    "adfs": ("tenant_id: adfs\n", f"client_id: {CLIENT}\n"),
    "ADFS": ("tenant_id: ADFS\n", f"client_id: {CLIENT}\n"),
    "discovery": ("disable_instance_discovery: true\n", ID),
    "discovery, written otherwise": ("disable_instance_discovery: 'Yes'\n", ID),
    "proxy": ("http: {proxy: 'http://evil.example:1'}\n", ID),
    "ca_bundle": ("http: {ca_bundle: ca.pem}\n", ID),
    "authority by reference": ("authority: {env: EVIL}\n", ID),
    "adfs by reference": ("tenant_id: {env: ADFS}\n", f"client_id: {CLIENT}\n"),
    "plain files of tokens": ("token_cache: {kind: file, allow_unencrypted_storage: true}\n", ID),
}
ENVIRON = {"EVIL": "login.evil.example", "ADFS": "adfs"}


@pytest.mark.parametrize("case", REDIRECTIONS)
def test_a_found_file_may_not_redirect_a_secret_of_the_environment(project, case):
    line, identity = REDIRECTIONS[case]
    project.write("ca.pem", AUTHORITY)
    project.write("credconf.yaml", identity + line)
    environ = {**ENVIRON, "AZURE_CLIENT_SECRET": CANARY}
    problem = only(project.refused(environ=environ))
    assert problem.code == "redirected-secret"
    assert (problem.file, problem.line) == ("credconf.yaml", identity.count("\n") + 1)
    assert "$AZURE_CLIENT_SECRET" in problem.message
    assert 'from_config("credconf.yaml")' in problem.hint
    assert "CREDCONF_FILE=credconf.yaml" in problem.hint


@pytest.mark.parametrize("case", REDIRECTIONS)
def test_a_named_file_may(project, case):
    line, identity = REDIRECTIONS[case]
    project.write("ca.pem", AUTHORITY)
    project.write("credconf.yaml", identity + line)
    environ = {**ENVIRON, "AZURE_CLIENT_SECRET": CANARY}
    assert secret_of(project.load("credconf.yaml", environ=environ)) == CANARY
    assert secret_of(project.load(environ={**environ, "CREDCONF_FILE": "credconf.yaml"})) == CANARY


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("oidc_authority: http://evil.example/oauth\n", "bad-value"),
        ("http: {proxy: 'evil://evil.example:1'}\n", "bad-value"),
        ("http: {ca_bundle: {file: ca.pem}}\n", "wrong-type"),
        ("disable_instance_discovery: perhaps\n", "bad-value"),
    ],
)
def test_what_can_t_be_used_redirects_nothing_and_is_an_error_anyhow(project, line, code):
    project.write("credconf.yaml", (f"client_id: {CLIENT}\n" if line.startswith("oidc") else ID) + line)
    assert codes(project.refused(environ={"AZURE_CLIENT_SECRET": CANARY})) == [code]


SECRETS = {
    "the environment": ("", {"AZURE_CLIENT_SECRET": CANARY}, {}),
    "an argument": ("", {}, {"client_secret": CANARY}),
    "a variable that it names": ("client_secret: {env: SOME_SECRET}\n", {"SOME_SECRET": CANARY}, {}),
    "a file elsewhere": ("client_secret: {file: ELSEWHERE}\n", {}, {}),
    "a link to a file elsewhere": ("client_secret: {file: link}\n", {}, {}),
    "one of a list": ("client_secret: [{file: beside}, {file: ELSEWHERE}]\n", {}, {}),
    "a program": ("client_secret: {command: [cat, x]}\n", {}, {"allow": {"command"}}),
    "a variable's file": ("", {"AZURE_CLIENT_SECRET_FILE": "beside"}, {}),
}


@pytest.mark.parametrize("case", SECRETS)
def test_a_secret_from_elsewhere_is_protected(project, tmp_path_factory, case):
    text, environ, arguments = SECRETS[case]
    elsewhere = tmp_path_factory.mktemp("run") / "secret"
    elsewhere.write_text(CANARY)
    (project.path / "link").symlink_to(elsewhere)
    project.write("beside", CANARY)
    text = text.replace("ELSEWHERE", str(elsewhere))
    project.write("credconf.yaml", f"{ID}{text}authority: login.evil.example\n")
    assert codes(project.refused(environ=environ, **arguments)) == ["redirected-secret"]


def test_a_secret_of_a_named_file_is_protected_from_a_found_dotenv(project):
    project.write("app.yaml", COMPLETE)
    project.write(".env", "AZURE_AUTHORITY_HOST=login.evil.example\n")
    problem = only(project.refused("app.yaml"))
    assert (problem.code, problem.file, problem.line) == ("redirected-secret", ".env", 1)
    assert 'env_file=".env"' in problem.hint


@pytest.mark.parametrize(
    "line",
    [
        "AZURE_AUTHORITY_HOST=login.evil.example",
        "CREDCONF_AUTHORITY=login.evil.example",
        "AZURE_TENANT_ID=adfs",
        "CREDCONF_DISABLE_INSTANCE_DISCOVERY=1",
        "CREDCONF_HTTP__PROXY=http://evil.example:1",
        "CREDCONF_HTTP__CA_BUNDLE=ca.pem",
    ],
)
def test_a_found_dotenv_may_not_redirect_a_secret_of_the_environment(project, line):
    project.write("ca.pem", AUTHORITY)
    project.write(
        ".env", f"AZURE_CLIENT_ID={CLIENT}\n{'' if 'TENANT' in line else f'AZURE_TENANT_ID={TENANT}'}\n{line}\n"
    )
    error = project.refused(environ={"AZURE_CLIENT_SECRET": CANARY})
    assert codes(error) == ["redirected-secret"]
    named = project.load(env_file=".env", environ={"AZURE_CLIENT_SECRET": CANARY})
    assert secret_of(named) == CANARY


def test_a_found_dotenv_may_not_name_a_generic_server_either(project):
    project.write(".env", f"AZURE_CLIENT_ID={CLIENT}\nCREDCONF_OIDC_AUTHORITY=https://evil.example/x\n")
    assert codes(project.refused(environ={"AZURE_CLIENT_SECRET": CANARY})) == ["redirected-secret"]


def test_a_certificates_key_and_password_are_protected(project, tmp_path_factory):
    from tests.certificates import make_certificate

    elsewhere = tmp_path_factory.mktemp("run") / "client.pem"
    make_certificate(elsewhere)
    project.write("credconf.yaml", f"{ID}client_certificate: {{file: {elsewhere}}}\nauthority: login.evil.example\n")
    assert codes(project.refused()) == ["redirected-secret"]
    project.write("client.pem", elsewhere.read_bytes())
    project.write("credconf.yaml", f"{ID}client_certificate: {{file: client.pem}}\nauthority: login.evil.example\n")
    assert project.load().settings.kind == "client_certificate"
    assert codes(project.refused(environ={"AZURE_CLIENT_CERTIFICATE_PASSWORD": CANARY})) == ["redirected-secret"]


@pytest.mark.parametrize(
    "secret", [f"client_secret: {CANARY}", "client_secret: {file: beside}", "client_secret: {env: HERE}"]
)
def test_a_found_secret_may_go_where_what_was_found_says(project, secret):
    project.write("beside", CANARY)
    project.write(".env", f"HERE={CANARY}\n")
    project.write("credconf.yaml", f"{ID}{secret}\nauthority: login.private.example\n")
    resolved = project.load()
    assert resolved.settings.authority == "https://login.private.example"
    assert "unknown-authority" in warned(resolved)


def test_a_variable_that_the_process_has_too_is_the_processs(project):
    project.write(".env", "HERE=mine\n")
    project.write("credconf.yaml", f"{ID}client_secret: {{env: HERE}}\nauthority: login.private.example\n")
    assert codes(project.refused(environ={"HERE": CANARY})) == ["redirected-secret"]


def test_a_variable_of_a_named_dotenv_is_protected_from_a_found_file(project):
    project.write("secret.env", f"HERE={CANARY}\n")
    project.write("credconf.yaml", f"{ID}client_secret: {{env: HERE}}\nauthority: login.private.example\n")
    assert codes(project.refused(env_file="secret.env")) == ["redirected-secret"]


@pytest.mark.parametrize(
    "line",
    [
        "authority: login.microsoftonline.us",
        "authority: https://sts.windows.net/",
        "cloud: china",
        "disable_instance_discovery: false",
        "disable_instance_discovery: 'no'",
        "http: {timeout: 5}",
        "region: westus2",
    ],
)
def test_what_does_not_redirect_is_allowed_in_a_found_file(project, line):
    project.write("credconf.yaml", f"{ID}{line}\n")
    assert secret_of(project.load(environ={"AZURE_CLIENT_SECRET": CANARY})) == CANARY


def test_a_redirection_from_the_environment_is_the_environments_business(project):
    project.write("credconf.yaml", f"{ID}authority: login.evil.example\n")
    environ = {"AZURE_CLIENT_SECRET": CANARY, "AZURE_AUTHORITY_HOST": "login.private.example"}
    assert project.load(environ=environ).settings.authority == "https://login.private.example"


def test_the_usual_proxy_variables_are_no_redirection(project):
    project.write("credconf.yaml", ID)
    environ = {"AZURE_CLIENT_SECRET": CANARY, "HTTPS_PROXY": "http://proxy.example:1"}
    assert secret_of(project.load(environ=environ)) == CANARY


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("authority: {env: CHOSEN}", "authority"),
        ("oidc_authority: {env: CHOSEN}", "oidc_authority"),
        ("http: {proxy: {env: CHOSEN}}", "http.proxy"),
        ("token_cache: {url: {env: REDIS}}", "token_cache.url"),
        ("token_cache: {url: 'redis://redis.example', key: {env: CHOSEN}}", "token_cache.key"),
    ],
)
def test_a_found_dotenv_may_not_answer_a_named_files_question_of_where(project, line, path):
    identity = f"client_id: {CLIENT}\n" if path == "oidc_authority" else ID
    project.write("app.yaml", f"{identity}client_secret: {{env: S}}\n{line}\n")
    project.write(".env", _variables("evil.example", path))
    problem = only(project.refused("app.yaml", environ={"S": CANARY}))
    assert (problem.code, problem.path, problem.file) == ("redirected-secret", path, "app.yaml")
    assert 'env_file=".env"' in problem.hint
    assert project.load("app.yaml", env_file=".env", environ={"S": CANARY}).settings
    project.write("process.env", _variables("login.private.example", path))
    process = parse_dotenv((project.path / "process.env").read_text(), "process.env", discovered=False).variables
    assert project.load("app.yaml", environ={"S": CANARY, **process}).settings  # the operator's own word


def _variables(host, path):
    return f"CHOSEN=https://{host}{'/x' if path == 'oidc_authority' else ''}\nREDIS=redis://{host}\n"


def test_nor_that_a_named_file_means_adfs(project):
    project.write("app.yaml", f"client_id: {CLIENT}\nclient_secret: {{env: S}}\ntenant_id: {{env: T}}\n")
    project.write(".env", "T=adfs\n")
    assert codes(project.refused("app.yaml", environ={"S": CANARY})) == ["redirected-secret"]
    project.write(".env", f"T={TENANT}\n")
    assert project.load("app.yaml", environ={"S": CANARY}).settings


def test_one_found_dotenv_may_give_a_named_file_all_that_it_asks_for(project):
    project.write("app.yaml", f"{ID}client_secret: {{env: S}}\nauthority: {{env: HOST}}\n")
    project.write(".env", f"S={CANARY}\nHOST=login.private.example\n")
    assert project.load("app.yaml").settings


ELSEWHERE = {
    "a file": ("client_id: {file: ELSEWHERE}", {}),
    "a variable": ("client_id: {env: DB_PASSWORD}", {"DB_PASSWORD": "hunter2"}),
    "a variable, as the tenant": (f"client_id: {CLIENT}\ntenant_id: {{env: DB_PASSWORD}}", {"DB_PASSWORD": "hunter2"}),
    "a variable, as the region": (f"client_id: {CLIENT}\nregion: {{env: DB_PASSWORD}}", {"DB_PASSWORD": "hunter2"}),
    "a variable's file": ("", {"CREDCONF_CLIENT_ID_FILE": "ELSEWHERE"}),
}


@pytest.mark.parametrize("case", ELSEWHERE)
@pytest.mark.parametrize("line", ["authority: login.evil.example", "http: {ca_bundle: ca.pem}"])
def test_what_an_id_refers_to_is_protected_as_a_secret_is(project, tmp_path_factory, case, line):
    elsewhere = tmp_path_factory.mktemp("run") / "id_rsa"
    elsewhere.write_text("of-somebody")
    project.write("ca.pem", AUTHORITY)
    text, environ = ELSEWHERE[case]
    tenant = "" if "tenant_id" in text else f"tenant_id: {TENANT}\n"
    text = f"client_secret: x\n{tenant}{text}\n".replace("ELSEWHERE", str(elsewhere))
    environ = {name: value.replace("ELSEWHERE", str(elsewhere)) for name, value in environ.items()}
    project.write("credconf.yaml", f"{text}{line}\n")
    assert codes(project.refused(environ=environ)) == ["redirected-secret"]
    assert project.load("credconf.yaml", environ=environ).settings
    project.write("credconf.yaml", text)
    assert project.load(environ=environ).settings


def test_a_found_dotenv_sends_no_file_in_the_place_of_an_id(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("run") / "id_rsa"
    elsewhere.write_text("of-somebody")
    lines = [f"AZURE_TENANT_ID={TENANT}", f"CREDCONF_CLIENT_ID_FILE={elsewhere}", "AZURE_CLIENT_SECRET=x"]
    project.write(".env", "\n".join([*lines, "AZURE_AUTHORITY_HOST=https://evil.example"]))
    assert codes(project.refused()) == ["redirected-secret"]


def test_a_found_proxy_is_not_told_a_host_from_elsewhere(project):
    project.write(
        "credconf.yaml", f"{ID}client_secret: x\nauthority: {{env: DB_PASSWORD}}\nhttp: {{proxy: 'evil.example:1'}}\n"
    )
    assert codes(project.refused(environ={"DB_PASSWORD": "hunter2"})) == ["redirected-secret"]


def test_an_id_that_is_written_in_the_environment_may_go_where_a_found_file_says(project):
    project.write("credconf.yaml", "client_secret: x\nauthority: login.private.example\n")
    assert project.load(environ={"AZURE_CLIENT_ID": CLIENT, "AZURE_TENANT_ID": TENANT}).settings


@pytest.mark.parametrize("authority", ["dev", "login.private.example:8443"])
def test_a_found_region_may_not_choose_a_host_of_a_private_domain(project, authority):
    project.write("credconf.yaml", f"{ID}region: attacker\n")
    environ = {"AZURE_CLIENT_SECRET": CANARY, "AZURE_AUTHORITY_HOST": f"https://{authority}"}
    problem = only(project.refused(environ=environ))
    assert (problem.code, problem.path) == ("redirected-secret", "region")
    assert project.load("credconf.yaml", environ=environ).settings


PASSWORDS = {
    "a proxy's": {"HTTPS_PROXY": f"https://u:{CANARY}@proxy.example"},
    "a proxy's, as a setting": {"CREDCONF_HTTP__PROXY": f"https://u:{CANARY}@proxy.example"},
    "a Redis's": {"CREDCONF_TOKEN_CACHE__URL": f"rediss://:{CANARY}@redis.example"},
    "a key": {"CREDCONF_TOKEN_CACHE__URL": "rediss://redis.example", "CREDCONF_TOKEN_CACHE__KEY": CANARY},
}


@pytest.mark.parametrize("case", PASSWORDS)
def test_found_certificates_may_not_decide_who_gets_a_password(project, case):
    project.write("ca.pem", AUTHORITY)
    project.write("credconf.yaml", f"{ID}client_secret: x\nhttp: {{ca_bundle: ca.pem}}\n")
    assert codes(project.refused(environ=PASSWORDS[case])) == ["redirected-secret"]
    assert project.load("credconf.yaml", environ=PASSWORDS[case]).settings
    assert project.load(environ={"HTTPS_PROXY": "http://proxy.example:1"}).settings  # it has no password


def test_a_found_redis_gets_nothing_that_is_sealed_with_a_key_from_elsewhere(project):
    project.write("credconf.yaml", f"{ID}client_secret: x\ntoken_cache: {{url: 'redis://evil.example'}}\n")
    assert codes(project.refused(environ={"CREDCONF_TOKEN_CACHE__KEY": CANARY})) == ["redirected-secret"]
    assert project.load().settings


def test_a_found_file_may_say_that_tokens_are_encrypted(project):
    project.write("credconf.yaml", f"{ID}token_cache: {{allow_unencrypted_storage: false, kind: memory}}\n")
    assert project.load(environ={"AZURE_CLIENT_SECRET": CANARY}).settings


# What lies beside a found file


@pytest.mark.parametrize("name", ["secret", "secrets/entra"])
def test_a_file_beside_a_found_one_or_in_a_directory_there_is_found(project, name):
    project.write(name, CANARY)
    project.write("credconf.yaml", f"{ID}client_secret: {{file: {name}}}\nauthority: login.private.example\n")
    assert project.load().settings


@pytest.mark.parametrize(
    "name", [".ssh/id_rsa", ".netrc", "projects/other/secret", "projects/.git/token", "../outside"]
)
def test_no_file_that_is_hidden_deeper_or_outside_is(project, monkeypatch, name):
    (project.path / "here").mkdir()
    monkeypatch.chdir(project.path / "here")
    project.write(f"here/{name}", CANARY)
    project.write("here/credconf.yaml", f"{ID}client_secret: {{file: {name}}}\nauthority: login.private.example\n")
    assert codes(project.refused()) == ["redirected-secret"]


@pytest.mark.parametrize("home", [".", "user", "a/user"])
def test_nothing_lies_beside_a_file_in_the_home_directory_or_above_it(project, monkeypatch, home):
    project.write("secret", CANARY)
    (project.path / home).mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("HOME", str(project.path / home))
    monkeypatch.setenv("USERPROFILE", str(project.path / home))
    project.write("credconf.yaml", f"{ID}client_secret: {{file: secret}}\nauthority: login.private.example\n")
    assert codes(project.refused()) == ["redirected-secret"]


VERSION = "..2026_11_29_08_40_55.1234567890"


def volume(path, **files):
    """Mount files as Kubernetes does: each is a link into `..data`, which is a link to the current version."""
    (path / VERSION).mkdir(parents=True)
    (path / "..data").symlink_to(VERSION)
    for name, text in files.items():
        (path / VERSION / name).write_text(text)
        (path / name).symlink_to(f"..data/{name}")


@pytest.mark.parametrize(
    "file", ["secret", "..data/secret", f"{VERSION}/secret", "secrets/secret", "secrets/..data/secret"]
)
@pytest.mark.parametrize("is_mounted", [True, False])
@pytest.mark.parametrize("name", ["credconf.yaml", ".env"])
def test_a_secret_in_a_volume_of_kubernetes_is_beside_the_file_there_or_above(project, name, file, is_mounted):
    text = f"{ID}client_secret: {{file: {file}}}\nauthority: login.private.example\n"
    if name == ".env":
        text = (
            f"AZURE_TENANT_ID={TENANT}\nAZURE_CLIENT_ID={CLIENT}\nAZURE_CLIENT_SECRET_FILE={file}\n"
            "AZURE_AUTHORITY_HOST=login.private.example\n"
        )
    volume(project.path, **{"secret": CANARY, name: text})
    if not is_mounted:
        (project.path / name).unlink()
        project.write(name, text)
    volume(project.path / "secrets", secret=CANARY)
    assert project.load().settings.authority == "https://login.private.example"


HIDDEN = [
    "..2026/secret",
    "..data2/secret",
    "...data/secret",
    ".data/secret",
    "a/..2026_11_29/secret",
    f"a/b/{VERSION}/x",
]


@pytest.mark.parametrize("file", HIDDEN)
def test_a_directory_that_kubernetes_does_not_make_stays_hidden(project, file):
    project.write(file, CANARY)
    project.write("credconf.yaml", f"{ID}client_secret: {{file: {file}}}\nauthority: login.private.example\n")
    assert codes(project.refused()) == ["redirected-secret"]


# Why a value counts as from elsewhere

WHYS = {
    "outside": (
        "client_secret: {file: ELSEWHERE}\n",
        {},
        {},
        "{elsewhere} is outside {here}, the directory of credconf.yaml",
    ),
    "by a link": (
        "client_secret: {file: link}\n",
        {},
        {},
        "{here}/link leads to {elsewhere}, which is outside {here}, the",
    ),
    "hidden": (
        "client_secret: {file: .s/x}\n",
        {},
        {},
        "{here}/.s/x is in the hidden directory .s of {here}, the directory of credconf.yaml",
    ),
    "deep": ("client_secret: {file: a/b/x}\n", {}, {}, "{here}/a/b/x is two or more directories below {here}, the"),
    "second": ("client_secret: [{file: x}, {file: a/b/x}]\n", {}, {}, "{here}/a/b/x is two or more directories below"),
    "variable": ("client_secret: {env: S}\n", {"S": CANARY}, {}, "S comes from the process environment"),
    "environment": ("", {"AZURE_CLIENT_SECRET": CANARY}, {}, "it comes from the process environment"),
    "path": ("", {"AZURE_CLIENT_SECRET_FILE": "x"}, {}, "the reference comes from the process environment"),
    "argument": ("", {}, {"client_secret": CANARY}, "it is an argument of the program"),
    "program": (
        "client_secret: {command: [cat]}\n",
        {},
        {"allow": {"command"}},
        "`command` gets it from outside the file",
    ),
    "tenant": (
        "client_secret: x\ntenant_id: {file: ELSEWHERE}\n",
        {},
        {},
        "{elsewhere} is outside {here}, the directory of credconf.yaml",
    ),
}


@pytest.mark.parametrize("case", WHYS)
def test_the_message_says_why_a_value_is_from_elsewhere(project, tmp_path_factory, case):
    text, environ, arguments, why = WHYS[case]
    elsewhere = tmp_path_factory.mktemp("run").resolve() / "secret"
    elsewhere.write_text(CANARY if case != "tenant" else TENANT)
    (project.path / "link").symlink_to(elsewhere)
    for name in ("x", ".s/x", "a/b/x"):
        project.write(name, CANARY)
    text = text.replace("ELSEWHERE", str(elsewhere))
    identity = f"client_id: {CLIENT}\n" if case == "tenant" else ID
    project.write("credconf.yaml", f"{identity}{text}authority: login.evil.example\n")
    problem = only(project.refused(environ=environ, **arguments))
    assert f"sent: {why.format(elsewhere=elsewhere, here=project.path.resolve())}" in problem.message


def test_the_message_names_the_rule_of_the_home_directory(project, monkeypatch):
    project.write("secret", CANARY)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(project.path))
    project.write("credconf.yaml", f"{ID}client_secret: {{file: secret}}\nauthority: login.private.example\n")
    message = only(project.refused()).message
    assert f"{project.path.resolve()} is the home directory or above it" in message


def test_the_message_says_that_a_file_was_named(project):
    project.write("app.yaml", COMPLETE)
    project.write(".env", "AZURE_AUTHORITY_HOST=login.evil.example\n")
    assert only(project.refused("app.yaml")).message.endswith("it is in app.yaml, a file that was named")


# ── no silent chain ──


def test_an_entry_that_is_not_whole_falls_through_to_nothing(project):
    text = f"default: a\ncredentials:\n  a: {{tenant_id: {TENANT}}}\n  b: {{tenant_id: {TENANT}, client_id: x}}\n"
    error = project.refused_text(text, environ=VARIABLES)
    assert {item.path for item in error.problems if item.code == "missing"} == {
        "credentials.a.client_id",
        "credentials.a.client_secret",
    }
