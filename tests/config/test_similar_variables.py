"""A message about a missing setting names the variables that are nearly set, and only what works if it is obeyed."""

from __future__ import annotations

import pytest

import credconf
from credconf.config.similar_variables import meaning_of, similar_variables
from credconf.config.variables import Scheme, documented
from credconf.kinds import LEAVES, SETTINGS
from tests.certificates import make_certificate
from tests.config.project import CANARY, CLIENT, ID, TENANT, VARIABLES, only

FLAT = Scheme.of(None, None, prefixed=False)
SCHEMES = [FLAT, Scheme.of("my-app", None, prefixed=False), Scheme("REPORTS_")]
TEXTS = [path for path in LEAVES if SETTINGS[path].is_text]


def without(name: str) -> dict[str, str]:
    return {other: text for other, text in VARIABLES.items() if other != name}


def hint_for(project, environ, path="client_secret", *, file=False, **arguments):
    error = project.refused(file, environ=environ, **arguments)
    return next(item.hint for item in error.problems if (item.path or "").endswith(path))


def upper(path: str) -> str:
    return path.upper().replace(".", "__")


def transposed(word: str):
    for index in range(len(word) - 1):
        if word[index] != word[index + 1] and "_" not in word[index : index + 2]:
            yield word[:index] + word[index + 1] + word[index] + word[index + 2 :]


# Derived from the declarations


@pytest.mark.parametrize("scheme", SCHEMES, ids=["flat", "named", "prefixed"])
@pytest.mark.parametrize("path", TEXTS)
def test_the_path_of_a_file_never_becomes_the_value(scheme, path):
    for name in (f"AZURE_{upper(path)}_FILE", f"azure_{upper(path).lower()}_path", f"ARM_{upper(path)}_FLIE"):
        if name in {variable.name for variable in scheme.variables()}:
            continue
        [(_, variable, value)] = similar_variables({path}, scheme, {name: "x"}, ours=False)
        [read] = [each for each in scheme.variables() if each.name == variable]
        assert (read.field, read.form, value) == (path, "file", "")


@pytest.mark.parametrize("scheme", SCHEMES, ids=["flat", "named", "prefixed"])
@pytest.mark.parametrize("path", [path for path in LEAVES if not SETTINGS[path].only_by_reference])
def test_a_value_is_suggested_the_variable_for_the_value(scheme, path):
    if not SETTINGS[path].setting.variable:
        return
    name = f"ARM_{upper(path)}"
    [(_, variable, value)] = similar_variables({path}, scheme, {name: "x"}, ours=False)
    [read] = [each for each in scheme.variables() if each.name == variable]
    assert (read.field, value) == (path, "")
    assert read.form not in {"file", "unusable"}


@pytest.mark.parametrize("name", [name for name in documented() if name.startswith("AZURE_")])
def test_two_letters_that_changed_places_change_neither_setting_nor_form(name):
    meant = meaning_of(name)
    for misspelt in transposed(name.removeprefix("AZURE_")):
        if len(misspelt.split("_")[0]) < 4:
            continue
        found = meaning_of(f"AZURE_{misspelt}")
        assert found == meant, misspelt


@pytest.mark.parametrize("path", [path for path in LEAVES if "." not in path])
def test_every_word_of_another_tool_is_known(path):
    for word in SETTINGS[path].setting.also_called.split():
        meaning = meaning_of(f"AZURE_{word.upper()}")
        assert meaning is not None
        assert meaning.field == path


# What messages say


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("AZURE_CLIENT_SECRET_FLIE", "AZURE_CLIENT_SECRET_FILE"),
        ("AZURE_CLEINT_SECRET_FILE", "AZURE_CLIENT_SECRET_FILE"),
        ("AZURE_CLIENT_SECRET_PATH", "AZURE_CLIENT_SECRET_FILE"),
        ("ARM_CLIENT_SECRET_FILE_PATH", "AZURE_CLIENT_SECRET_FILE"),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE", "CREDCONF_CLIENT_CERTIFICATE_PASSWORD_FILE"),
        ("AZURE_CLIENT_CERTIFICATE_FILE", "AZURE_CLIENT_CERTIFICATE_PATH"),
        ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
        ("AZURE_APP_SECRET", "AZURE_CLIENT_SECRET"),
        ("AZURE_PASSWORD", "AZURE_CLIENT_SECRET"),
        ("ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
        ("AZRUE_CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
        ("CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
        ("clientSecret", "AZURE_CLIENT_SECRET"),
        ("azure_client_secret", "AZURE_CLIENT_SECRET"),
        ("AZURE_FEDERATED_TOKEN_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
        ("ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
    ],
)
def test_a_missing_proof_is_compared_with_the_variables_of_every_kind(project, name, variable):
    environ = {**without("AZURE_CLIENT_SECRET"), name: CANARY}
    assert f"\n{name} is set; did you mean {variable}?" in hint_for(project, environ)
    project.write(".env", f"{name}={CANARY}\n")
    hint = hint_for(project, without("AZURE_CLIENT_SECRET"))
    assert f"\n{name} is set in .env; did you mean {variable}?" in hint


@pytest.mark.parametrize("field", ["tenant_id", "client_id"])
@pytest.mark.parametrize("prefix", ["AZURE_", "ARM_", "", "azure_"])
def test_an_id_in_a_file_or_of_another_tool_is_told(project, field, prefix):
    azure = f"AZURE_{field.upper()}"
    name = f"{prefix}{field.upper()}" if prefix != "azure_" else f"azure_{field}"
    if name != azure:
        assert f"{name} is set; did you mean {azure}?" in hint_for(project, {**without(azure), name: CANARY}, field)
    hint = hint_for(project, {**without(azure), f"{prefix}{field.upper()}_FILE": CANARY}, field)
    assert f"_FILE is set; did you mean CREDCONF_{field.upper()}_FILE?" in hint


@pytest.mark.parametrize(
    "name",
    ["AZURE_CLIENT_SECRET_ID", "AZURE_CLIENT_SECRET_NAME", "AZURE_KEYVAULT_SECRET", "MY_CLIENT_SECRET", "SECRET", "X"],
)
def test_a_name_of_something_else_is_not_suggested(project, name):
    assert f"{name} is set" not in hint_for(project, {**without("AZURE_CLIENT_SECRET"), name: CANARY})


def test_a_users_password_is_no_secret(project):
    environ = {**without("AZURE_CLIENT_SECRET"), "AZURE_USERNAME": "someone", "AZURE_PASSWORD": CANARY}
    assert "AZURE_PASSWORD" not in hint_for(project, environ)


@pytest.mark.parametrize("name", ["AZURE_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE"])
def test_what_is_always_a_file_says_so(project, name):
    hint = hint_for(project, {**without("AZURE_CLIENT_SECRET"), name: CANARY})
    instead = "set AZURE_CLIENT_CERTIFICATE_PATH to the path of its file"
    assert f"{name} is set, but credconf does not read it: {instead}" in hint


@pytest.mark.parametrize(
    "variable",
    [each for each in FLAT.variables() if each.field in {"tenant_id", "client_id", "client_secret"}],
    ids=lambda each: each.name,
)
def test_an_empty_variable_is_told(project, variable):
    name, environ = variable.name, without(f"AZURE_{variable.field.upper()}")
    assert f"\n{name} is set, but empty" in hint_for(project, {**environ, name: ""}, variable.field)
    project.write(".env", f"{name}=\n")
    assert f"\n{name} is set in .env, but empty" in hint_for(project, environ, variable.field)


def test_an_empty_variable_of_an_entry_a_prefix_and_a_reference_is_told(project):
    project.write("a.yaml", f"credentials: {{a: {{tenant_id: {TENANT}, client_id: {CLIENT}}}}}\n")
    hint = hint_for(project, {"CREDCONF__A__CLIENT_SECRET": ""}, file="a.yaml", name="a")
    assert "\nCREDCONF__A__CLIENT_SECRET is set, but empty" in hint
    project.write("a.yaml", f"{ID}env_prefix: R_\n")
    hint = hint_for(project, {"R_CLIENT_SECRET_FILE": ""}, file="a.yaml")
    assert "\nR_CLIENT_SECRET_FILE is set, but empty" in hint
    error = project.refused_text(f"{ID}client_secret: {{env: MY_SECRET}}\n", environ={"MY_SECRET": ""})
    assert only(error).message.endswith("the variable MY_SECRET is set, but empty")


def test_empty_selectors_are_told(project):
    problem = only(project.refused(environ={"CREDCONF_FILE": ""}))
    assert "\nCREDCONF_FILE is set, but empty" in problem.hint
    project.write("a.yaml", "credentials: {a: {}, b: {}}\n")
    problem = only(project.refused("a.yaml", environ={"CREDCONF_NAME": ""}))
    assert (problem.code, "CREDCONF_NAME is set, but empty" in problem.hint) == ("no-name", True)


@pytest.mark.parametrize(
    ("setup", "usual"),
    [
        ({}, "set AZURE_CLIENT_SECRET or AZURE_CLIENT_SECRET_FILE"),
        ({"env_prefix": "R_"}, "set R_CLIENT_SECRET or R_CLIENT_SECRET_FILE"),
    ],
)
def test_a_missing_secret_names_the_variable_of_its_file(project, setup, usual):
    ids = {"tenant_id": TENANT, "client_id": CLIENT}
    assert hint_for(project, {}, **ids, **setup) == usual
    project.write("a.yaml", "credentials: {my-app: {}}\n")
    hint = hint_for(project, {}, file="a.yaml", name="my-app", **ids)
    assert hint.endswith("or set CREDCONF__MY_APP__CLIENT_SECRET or CREDCONF__MY_APP__CLIENT_SECRET_FILE")


def test_what_a_named_entry_does_not_read_is_told_with_what_it_reads(project):
    project.write("a.yaml", f"credentials: {{billing: {{tenant_id: {TENANT}, client_id: {CLIENT}}}}}\n")
    hint = hint_for(project, VARIABLES, file="a.yaml", name="billing")
    own = "CREDCONF__BILLING__CLIENT_SECRET"
    assert f"\nAZURE_CLIENT_SECRET is set, but `billing` does not read it: set {own} instead" in hint
    hint = hint_for(project, {"AZURE_CLIENT_SECRET_FILE": CANARY}, file="a.yaml", name="billing")
    assert f"\nAZURE_CLIENT_SECRET_FILE is set, but `billing` does not read it: set {own}_FILE instead" in hint


@pytest.mark.parametrize("name", ["AZURE_CLIENT_SECRET", "CREDCONF_CLIENT_SECRET"])
def test_with_a_prefix_the_usual_variables_are_told(project, name):
    hint = hint_for(project, {name: CANARY}, env_prefix="R_", tenant_id=TENANT, client_id=CLIENT)
    assert f"\n{name} is set, but `env_prefix: R_` does not read it: set R_CLIENT_SECRET instead" in hint


def test_the_variable_of_another_entry_is_told_with_how_to_choose_that(project):
    text = f"""\
        credentials:
          base: {{abstract: true, tenant_id: {TENANT}, client_id: {CLIENT}}}
          billing: {{extends: base}}
          reports: {{extends: base}}
          other: {{extends: base, env_prefix: OTHER_}}
        """
    project.write("a.yaml", text)

    def hint(name):
        return hint_for(project, {name: CANARY}, file="a.yaml", name="billing")

    own = "CREDCONF__BILLING__CLIENT_SECRET"
    choose = f'choose that with -n reports or name="reports", or set {own}'
    line = f"CREDCONF__REPORTS__CLIENT_SECRET is set, but only the entry `reports` reads it: {choose}"
    assert line in hint("CREDCONF__REPORTS__CLIENT_SECRET").splitlines()
    assert '-n other or name="other", or set ' + own + "_FILE" in hint("OTHER_CLIENT_SECRET_FILE")
    assert "`other` has an `env_prefix`, so that nothing reads it" in hint("CREDCONF__OTHER__CLIENT_SECRET")
    assert f"`base` reads it: set {own}" in hint("CREDCONF__BASE__CLIENT_SECRET")
    assert "no file has an entry `gone`" in hint("CREDCONF__GONE__CLIENT_SECRET")


def test_the_password_of_a_certificate_that_cannot_be_opened_is_looked_for_too(project, tmp_path):
    make_certificate(tmp_path / "client.pem", password=CANARY)
    environ = {**without("AZURE_CLIENT_SECRET"), "AZURE_CLIENT_CERTIFICATE_PATH": "client.pem"}
    name = "AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE"
    hint = hint_for(project, {**environ, name: CANARY}, "client_certificate")
    assert f"{name} is set; did you mean CREDCONF_CLIENT_CERTIFICATE_PASSWORD_FILE?" in hint
    hint = hint_for(project, {**environ, "AZURE_CLIENT_CERTIFICATE_PASSWORD": ""}, "client_certificate")
    assert "AZURE_CLIENT_CERTIFICATE_PASSWORD is set, but empty" in hint


def test_where_nothing_is_missing_no_word_is_said(project):
    noise = {"ARM_CLIENT_SECRET": "x", "AZURE_SECRET": "x", "AZURE_TENANT_ID_FILE": "x", "CLIENT_ID": "x"}
    assert project.load(False, environ={**VARIABLES, **noise}).warnings == ()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CREDCONF_CLIENT_SECRET_PATH", "did you mean CREDCONF_CLIENT_SECRET_FILE?"),
        ("CREDCONF_TENANT_ID_PATH", "did you mean CREDCONF_TENANT_ID_FILE?"),
        ("CREDCONF_CLEINT_SECRET_FLIE", "did you mean CREDCONF_CLIENT_SECRET_FILE?"),
        (
            "CREDCONF_CLIENT_SECRET_ID",
            "unset it: no setting has this name; the nearest one is CREDCONF_CLIENT_SECRET",
        ),
    ],
)
def test_under_our_own_prefix_the_form_counts_too(project, name, hint):
    assert only(project.refused(False, environ={**VARIABLES, name: CANARY})).hint == hint


@pytest.mark.parametrize(
    ("others", "hint"),
    [
        ({"BILLING_SECRET_FILE": "x"}, "BILLING_SECRET_FILE is set: if it holds a path, write {file: PATH} "),
        ({"BILLING_SECRET_ID": "x"}, "set BILLING_SECRET"),
        ({"BILING_SECRET": "x"}, "BILING_SECRET is set; did you mean that?"),
    ],
)
def test_a_reference_to_a_variable_is_not_led_astray(project, others, hint):
    error = project.refused_text(f"{ID}client_secret: {{env: BILLING_SECRET}}\n", environ=others)
    assert only(error).hint.startswith(hint)


@pytest.mark.parametrize("cls", ["EnvironmentCredential", "WorkloadIdentityCredential"])
def test_the_classes_of_azure_identity_tell_of_an_empty_variable(monkeypatch, cls):
    for name in documented():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TENANT_ID", "")
    with pytest.raises(credconf.ConfigError, match="AZURE_TENANT_ID is set, but empty"):
        getattr(credconf, cls)()
