"""A key that another tool uses gets a hint that names the setting here."""

from __future__ import annotations

import pytest

from credconf.kinds import FIELDS, KINDS, NESTED
from credconf.kinds.hints import _NOT_SETTINGS, _SETTING_CALLED
from credconf.problems import folded
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, only

CASE = "? settings are written in lower case, with `_`"


def hint_of(project, key: str) -> str | None:
    project.write("app.yaml", f"{COMPLETE}{key}: {CANARY}\n")
    return only(project.refused("app.yaml")).hint


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("clinet_id", "did you mean `client_id`?"),
        ("tenantId", f"did you mean `tenant_id`{CASE}"),
        ("tenant-id", f"did you mean `tenant_id`{CASE}"),
        ("TENANT_ID", f"did you mean `tenant_id`{CASE}"),
        ("clientSecret", f"did you mean `client_secret`{CASE}"),
        ("sendCertificateChain", f"did you mean `send_certificate_chain`{CASE}"),
        ("tenant", "did you mean `tenant_id`?"),
        ("secret", "did you mean `client_secret`?"),
        ("password", "did you mean `client_secret`?"),
        ("appId", "did you mean `client_id`?"),
        ("application-id", "did you mean `client_id`?"),
        ("authority_host", "did you mean `authority`?"),
        ("environment", "did you mean `cloud`?"),
        ("certificate_path", "did you mean `client_certificate`?"),
        ("issuer", "did you mean `oidc_authority`?"),
        ("type", "did you mean `kind`?"),
        ("AZURE_CLIENT_ID", "that is the name of a variable; write `client_id` here"),
        ("AZURE_AUTHORITY_HOST", "that is the name of a variable; write `authority` here"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "that is the name of a variable; write `client_certificate` here"),
        ("AZURE_REGIONAL_AUTHORITY_NAME", "that is the name of a variable; write `region` here"),
        ("CREDCONF_CLOUD", "that is the name of a variable; write `cloud` here"),
        ("ARM_TENANT_ID", "that is the name of a variable; write `tenant_id` here"),
        ("client_secret_file", "write `client_secret: {file: PATH}`"),
        ("client_secret_env", "write `client_secret: {env: NAME}`"),
        ("tenant_id_file", "write `tenant_id: {file: PATH}`"),
        ("timeout", "write it below `http`: `http: {timeout: …}`"),
        ("retry_total", "write it below `http`: `http: {retries: …}`"),
        ("connection_verify", "write it below `http`: `http: {ca_bundle: …}`"),
        ("max_entries", "write it below `token_cache`: `token_cache: {max_entries: …}`"),
        ("scopes", "a scope is an argument of get_token(); `prefetch` fetches tokens early"),
        ("username", "remove it: an application signs in here, not a user"),
        (
            "subscriptionId",
            "remove it: a subscription is an argument of an Azure client; `kind: azure_cli` takes `subscription`",
        ),
        ("validate_authority", "write `disable_instance_discovery`, which means the opposite"),
        ("extends", "it belongs in an entry of `credentials`"),
        ("credential", "did you mean `credentials`?"),
        ("retry", "write it below `http`: `http: {retries: …}`"),
        ("\u0441lient_id", "did you mean `client_id`?; it holds a letter that is not ASCII"),
        ("client\u200b_id", "did you mean `client_id`?; it holds a letter that is not ASCII"),
        ("größe", "remove it; keys that begin with `x-` are yours"),
        ("zzz", "remove it; keys that begin with `x-` are yours"),
        ("k" * 5_000, "remove it; keys that begin with `x-` are yours"),
    ],
)
def test_a_key_of_another_habit_gets_its_hint(project, key, hint):
    problem_hint = hint_of(project, key if len(key) < 1_000 else f"? {key}\n")
    assert problem_hint == hint


def test_a_group_has_habits_of_its_own(project):
    problem = only(project.refused_text(f"{COMPLETE}http: {{connection_timeout: 3}}\n"))
    assert problem.hint == "did you mean `timeout`?"


def test_an_argument_of_a_group_gets_its_hint(project):
    problem = only(
        project.refused(tenant_id=TENANT, client_id=CLIENT, client_secret=CANARY, http={"connection_timeout": 3})
    )
    assert (problem.path, problem.hint) == ("http.connection_timeout", "did you mean `timeout`?")


def test_a_setting_of_the_entry_in_a_group_is_told_where_it_belongs(project):
    problem = only(project.refused_text(f"{COMPLETE}http:\n  retries: 3\n  region: {CANARY}\n"))
    assert problem.hint == "it is a setting of the entry: begin it in the column of `http`"
    problem = only(project.refused_text(f"{COMPLETE}http: {{retries: 3, region: {CANARY}}}\n"))
    assert problem.hint == "it is a setting of the entry: write it beside `http`"


def test_a_reference_that_is_not_indented_is_told_where_it_belongs(project):
    error = project.refused_text(f"{ID}client_secret:\nenv: {CANARY}\n")
    assert [(item.code, item.hint) for item in error.problems if item.code == "unknown-key"] == [
        ("unknown-key", "indent it below `client_secret`")
    ]
    for text in (f"env: {CANARY}\n{COMPLETE}", f"{COMPLETE}env: {CANARY}\n", f"{COMPLETE}cloud:\nenv: {CANARY}\n"):
        [problem] = [item for item in project.refused_text(text).problems if item.code == "unknown-key"]
        assert "indent" not in problem.hint


def test_an_entry_knows_what_it_may_extend(project):
    text = f"default: a\ncredentials:\n  b: {{}}\n  a: {{inherits: b, {ID.replace(chr(10), ', ')}client_secret: x}}\n"
    assert only(project.refused_text(text)).hint == "did you mean `extends`?"


def test_a_keyword_argument_has_the_same_hints(project):
    problem = only(project.refused(tenant_id=TENANT, client_id=CLIENT, client_secret=CANARY, appId=CANARY))
    assert problem.hint == "did you mean `client_id`?"


def test_every_word_leads_to_a_setting_and_none_is_one():
    leaves = {leaf for inner in NESTED.values() for leaf in inner}
    assert set(_SETTING_CALLED.values()) <= {*FIELDS, *leaves, "extends", "abstract"}
    taken = {folded(name) for name in (*FIELDS, *leaves, "allowed_tenants")}
    assert not taken & (_SETTING_CALLED.keys() | _NOT_SETTINGS.keys())
    assert all(word == folded(word) for word in (*_SETTING_CALLED, *_NOT_SETTINGS))


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("{flie: x}", "did you mean {file: PATH}?"),
        ("{path: x}", "did you mean {file: PATH}?"),
        ("{enviroment: X}", "did you mean {env: NAME}?"),
        ("{environment: X}", "did you mean {env: NAME}?"),
        ("{var: X}", "did you mean {env: NAME}?"),
        ("{cmd: [x]}", "did you mean {command: [PROGRAM, ARGUMENT]}?"),
        ("{vault: x}", "write the text itself, or {env: NAME} or {file: PATH} or {command: [PROGRAM, ARGUMENT]}"),
        ("{env: $NAME}", "write {env: NAME}"),
        ("{env: [A]}", "write {env: NAME}"),
        ("{command: x y}", "write {command: [PROGRAM, ARGUMENT]}"),
        (
            "{env: A, file: b}",
            "keep one of them; an application's own settings class merges the keys from all of its sources",
        ),
    ],
)
def test_a_misspelt_reference_gets_its_hint(project, written, hint):
    problem = only(project.refused_text(f"{ID}client_secret: {written}\n"))
    assert (problem.code, problem.hint) == ("bad-reference", hint)


def test_a_reference_of_the_wrong_sort_says_so(project):
    problem = only(project.refused_text(f"tenant_id: {{command: [x]}}\nclient_id: {CLIENT}\nclient_secret: x\n"))
    assert problem.message == "`tenant_id`: a reference by `command` can't be used here"
    assert problem.hint == "write {env: NAME} or {file: PATH}"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("AzureUSGovernment", "did you mean `usgov`?"),
        ("AzureChinaCloud", "did you mean `china`?"),
        ("us-gov", "did you mean `usgov`?"),
        ("pubilc", "did you mean `public`?"),
        (CANARY, None),
        ("[usgov]", None),
    ],
)
def test_a_misspelt_cloud_gets_its_hint(project, written, hint):
    problem = only(project.refused_text(f"{COMPLETE}cloud: {written}\n"))
    assert problem.message == "`cloud`: write one of `public`, `usgov` or `china`"
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("clientSecret", "did you mean `client_secret`?"),
        ("secret", "did you mean `client_secret`?"),
        ("certificate", "did you mean `client_certificate`?"),
        ("managed identity", "did you mean `managed_identity`?"),
        ("user", f"choose one of {', '.join(KINDS)}"),
    ],
)
def test_a_misspelt_kind_gets_its_hint(project, written, hint):
    problem = only(project.refused_text(f"{COMPLETE}kind: {written}\n"))
    assert (problem.code, problem.hint) == ("unknown-kind", hint)


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ("clouds:\n  prod: {auth: {username: x}}\n", "clouds", "clouds.yaml of OpenStack"),
        ("apiVersion: v1\nkind: Config\nclusters: []\nusers: []\n", "apiVersion", "a kubeconfig"),
        (
            f"kind: Secret\napiVersion: v1\nmetadata: {{name: x}}\nstringData: {{a: {CANARY}}}\n",
            "apiVersion",
            "a manifest of Kubernetes",
        ),
        ("services:\n  web: {image: x}\nvolumes: {}\n", "services", "a file of Docker Compose"),
        ("name: CI\non: [push]\njobs: {a: {runs-on: x}}\n", "jobs", "a workflow of GitHub Actions"),
        ("pool: {vmImage: x}\nsteps: []\n", "pool", "a pipeline of Azure Pipelines"),
        ('{"version": 4, "terraform_version": "1.9", "resources": []}', "terraform_version", "a state of Terraform"),
    ],
)
def test_the_file_of_another_tool_is_one_problem_that_names_it(project, text, key, what):
    problem = only(project.refused_text(text))
    assert (problem.code, problem.path) == ("unknown-key", key)
    assert problem.hint == f"this is {what}, not a configuration of credconf: name another file"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (f"{COMPLETE}clouds: usgov\n", "did you mean `cloud`?"),
        ("clouds: usgov\n", "did you mean `cloud`?"),
        (f"{COMPLETE}services: {{a: b}}\n", "remove it; keys that begin with `x-` are yours"),
    ],
)
def test_a_key_that_another_tool_has_too_keeps_its_own_hint(project, text, hint):
    assert hint in {item.hint for item in project.refused_text(text).problems}
