"""A missing setting is one problem, unless another problem explains it; unused `AZURE_` variables are warnings."""

from __future__ import annotations

import pytest

from tests.certificates import make_certificate
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, VARIABLES, codes, only, warned

ENTRY = f"tenant_id: {TENANT}, client_id: {CLIENT}, client_secret: {CANARY}"


# A file that could not be read


@pytest.mark.parametrize(
    ("base", "code"),
    [
        (f"tenant_id {TENANT}\n", "bad-yaml"),
        (f"TENANT_ID={TENANT}\n", "wrong-type"),
        ("", "empty-file"),
        (b"tenant_id: \xff\n", "not-utf8"),
        (None, "missing-file"),
    ],
)
def test_what_may_stand_in_a_layer_that_could_not_be_read_is_not_missing(project, base, code):
    if base is not None:
        project.write(
            "base.yaml", base if isinstance(base, bytes) else f"{base}x y: z\n" if code == "bad-yaml" else base
        )
    project.write("prod.yaml", f"client_id: {CLIENT}\n")
    assert codes(project.refused(["base.yaml", "prod.yaml"])) == [code]


@pytest.mark.parametrize(
    "prod",
    [
        f"default: a\ncredentials: {{b: {{{ENTRY}}}}}",
        f"credentials: {{a: {{extends: base, {ENTRY}}}}}\ndefault: a",
        f"credentials: {{a: {{{ENTRY}}}}}",
    ],
)
def test_an_entry_may_stand_in_a_layer_that_could_not_be_read(project, prod):
    project.write("base.yaml", "credentials:\n  base: [\n")
    project.write("prod.yaml", prod)
    assert codes(project.refused(["base.yaml", "prod.yaml"])) == ["bad-yaml"]


def test_a_section_may_stand_in_a_layer_that_could_not_be_read(project):
    project.write("base.yaml", "azure: [\n")
    project.write("prod.yaml", "other: x\n")
    assert codes(project.refused(["base.yaml", "prod.yaml"], section="azure")) == ["bad-yaml"]


@pytest.mark.parametrize(
    ("dotenv", "code"), [("AZURE_TENANT_ID 'x\n", "bad-dotenv"), (b"AZURE_TENANT_ID=\xff\n", "not-utf8")]
)
def test_what_may_stand_in_a_broken_dotenv_is_not_missing(project, dotenv, code):
    project.write(".env", dotenv)
    project.write("app.yaml", f"client_id: {CLIENT}\n")
    assert codes(project.refused("app.yaml")) == [code]


def test_a_variable_may_stand_in_a_broken_dotenv(project):
    project.write(".env", "SECRET 'x\n")
    project.write("app.yaml", f"{ID}client_secret: {{env: SECRET}}\n")
    assert codes(project.refused("app.yaml")) == ["bad-dotenv"]


def test_a_dotenv_that_is_not_text_has_no_line_to_show(project):
    project.write(".env", b"A=\xff\n")
    assert only(project.refused()).excerpt is None


def test_what_a_layer_says_wrongly_is_still_told(project):
    project.write("base.yaml", "tenant_id x\ny: z\n")
    project.write("prod.yaml", "cloud: moon\n")
    assert codes(project.refused(["base.yaml", "prod.yaml"])) == ["bad-yaml", "bad-value"]


def test_what_may_stand_in_a_parent_that_is_not_named_is_not_missing(project):
    text = f"default: a\ncredentials: {{a: {{extends: '', client_id: {CLIENT}}}}}\n"
    assert codes(project.refused_text(text)) == ["empty"]


# A choice that failed


def test_nobody_is_told_to_complete_an_abstract_entry(project):
    text = "default: base\ncredentials:\n  base: {abstract: true, cloud: moon}\n"
    assert codes(project.refused_text(text)) == ["abstract", "bad-value"]


def test_a_file_that_only_chooses_has_no_fields_that_are_missing(project):
    assert codes(project.refused_text("default: a\n")) == ["unknown-name"]
    assert codes(project.refused(False, name="a", env_file=False)) == ["unknown-name"]


def test_a_misspelt_default_has_not_chosen_nothing(project):
    problem = only(project.refused_text(f"defualt: a\ncredentials: {{a: {{{ENTRY}}}}}\n"))
    assert (problem.code, problem.hint) == ("unknown-key", "did you mean `default`?")


# What is there, misspelt


@pytest.mark.parametrize(
    "text",
    [
        COMPLETE.replace("client_id", "clinet_id"),
        COMPLETE.replace("tenant_id", "tenantId"),
        COMPLETE.replace("tenant_id", "AZURE_TENANT_ID"),
        COMPLETE.replace("client_secret", "password"),
        COMPLETE.replace("client_secret: ", "client_secret_file: "),
        f"{ID}certificate: a.pem\n",
        f"client_id: {CLIENT}\nclient_secret: {CANARY}\nissuer: https://idp.example.com/oauth\n",
        f"tenant_id: {TENANT}\nclient_secret: {CANARY}\nhttp:\n  client_id: {CLIENT}\n",
        f"{COMPLETE}token_cache: {{kind: redis, urll: rediss://cache.example.com}}\n",
        f"credential: {{a: {{{ENTRY}}}}}\n",
        f"default: a\ncredentials: {{a: {{{ENTRY.replace('client_id', 'clientid')}}}}}\n",
        f"default: a\ncredentials: {{a: {{extends: b, client_secret: x}}, b: {{appId: x, tenant_id: {TENANT}}}}}\n",
    ],
)
def test_what_is_misspelt_is_not_missing_too(project, text):
    assert only(project.refused_text(text)).code == "unknown-key"
    project.write(
        "app.yaml",
        f"x: {{y: {{{text}}}}}"
        if text.startswith("{")
        else f"x:\n  y:\n    {text.replace(chr(10), chr(10) + '    ')}\n",
    )
    assert only(project.refused("app.yaml", section="x.y")).code == "unknown-key"


def test_what_is_missing_beside_the_misspelt_is_told(project):
    assert codes(project.refused_text(f"tenantid: {TENANT}\nclient_id: {CLIENT}\n")) == ["unknown-key", "missing"]


def test_what_another_entry_misspells_is_missing_here(project):
    text = f"default: a\ncredentials: {{a: {{tenant_id: {TENANT}, client_secret: x}}, b: {{clinet_id: x}}}}\n"
    assert codes(project.refused_text(text)) == ["missing", "unknown-key"]


def test_a_misspelt_proof_of_another_kind_does_not_explain_that_the_named_kind_lacks_its_own(project):
    text = f"{ID}kind: client_certificate\nsecret: {CANARY}\n"
    assert sorted(codes(project.refused_text(text))) == ["missing", "unknown-key"]


def test_a_misspelt_argument_is_not_missing_too(project):
    text = f"default: a\ncredentials: {{a: {{tenant_id: {TENANT}, client_secret: x}}}}\n"
    assert codes(project.refused_text(text, clinet_id=CANARY)) == ["unknown-key"]


@pytest.mark.parametrize("name", ["CREDCONF_CLIENT_SECRT", "CREDCONF_CLIENT_SECRT_FILE", "credconf_client_secret"])
def test_a_misspelt_variable_is_not_missing_too(project, name):
    project.write("app.yaml", ID)
    assert codes(project.refused("app.yaml", environ={name: CANARY})) == ["unknown-variable"]


def test_a_misspelt_variable_of_another_entry_explains_nothing(project):
    text = f"default: a\ncredentials: {{a: {{tenant_id: {TENANT}, client_id: x}}, b: {{}}}}\n"
    project.write("app.yaml", text)
    environ = {"CREDCONF__B__CLIENT_SECRT": CANARY}
    assert codes(project.refused("app.yaml", environ=environ)) == ["missing", "unknown-variable"]
    environ = {"CREDCONF__A__CLIENT_SECRT": CANARY}
    assert codes(project.refused("app.yaml", environ=environ)) == ["unknown-variable"]


# A file with nearly the right name


def test_a_file_that_is_nearly_called_as_ours_is_told_of_once(project):
    project.write("credconf.yml", COMPLETE)
    first, *others = project.refused().problems
    assert first.hint.endswith("\ncredconf.yml is here but not read: rename it to credconf.yaml, or name it")
    assert not any("credconf.yml" in problem.hint for problem in others)


def test_where_a_file_was_chosen_no_other_is_told_of(project):
    project.write("credconf.yml", COMPLETE)
    project.write("credconf.yaml", "{}")
    for error in (project.refused(), project.refused(False), project.refused("credconf.yaml")):
        assert "credconf.yml" not in str(error)


# `AZURE_` variables of the machine that belong to another kind

OF_A_CERTIFICATE = {"AZURE_CLIENT_CERTIFICATE_PASSWORD": CANARY, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"}


@pytest.mark.parametrize("name", OF_A_CERTIFICATE)
def test_an_option_of_a_certificate_beside_a_secret_is_a_warning(project, name):
    resolved = project.load(path=False, environ={**VARIABLES, name: OF_A_CERTIFICATE[name]})
    assert resolved.settings.kind == "client_secret"
    (warning,) = resolved.warnings
    assert (warning.code, str(warning.origin)) == ("unheard-variable", f"${name}")
    assert CANARY not in str(warning)


def test_so_it_is_in_the_dotenv_and_beside_the_secret_of_a_file(project):
    project.write(".env", f"AZURE_CLIENT_CERTIFICATE_PASSWORD={CANARY}\n")
    resolved = project.flat(COMPLETE)
    assert warned(resolved) == ["secret-in-file", "unheard-variable"]


def test_under_our_own_name_and_in_a_file_it_is_an_error(project):
    error = project.refused(path=False, environ={**VARIABLES, "CREDCONF_CLIENT_CERTIFICATE_PASSWORD": CANARY})
    assert only(error).code == "unknown-key"
    error = project.refused_text(f"{COMPLETE}client_certificate_password: {CANARY}\n", environ=OF_A_CERTIFICATE)
    assert "unknown-key" in codes(error)


def test_an_option_of_the_certificate_that_is_there_counts(project, tmp_path):
    make_certificate(tmp_path / "client.pem", password=CANARY)
    id_ = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
    resolved = project.load(environ={**id_, **OF_A_CERTIFICATE, "AZURE_CLIENT_CERTIFICATE_PATH": "client.pem"})
    assert (resolved.settings.send_certificate_chain, resolved.warnings) == (True, ())


def test_two_proofs_are_an_error_that_names_the_places_of_both(project):
    error = project.refused(path=False, environ={**VARIABLES, "AZURE_CLIENT_CERTIFICATE_PATH": "client.pem"})
    problem = only(error)
    assert problem.code == "two-proofs"
    assert str(problem.origin) == "$AZURE_CLIENT_SECRET"
    assert "`client_certificate` ($AZURE_CLIENT_CERTIFICATE_PATH)" in problem.message


def test_a_near_miss_in_the_dotenv_is_a_hint_as_in_the_environment(project):
    project.write(".env", f"AZURE_TENANT_ID={TENANT}\nAZURE_CLIENT_ID={CLIENT}\nAZURE_CLIENT_SECRT={CANARY}\n")
    hint = only(project.refused()).hint
    assert "AZURE_CLIENT_SECRT is set in .env; did you mean AZURE_CLIENT_SECRET?" in hint


# Variables of other tools


def test_the_json_for_azure_login_is_not_read_and_the_hint_names_the_variables(project):
    secret = f'{{"clientId": "{CLIENT}", "clientSecret": "{CANARY}", "tenantId": "{TENANT}"}}'
    problem = only(project.refused(False, environ={"AZURE_CREDENTIALS": secret}))
    told = "AZURE_CREDENTIALS is set, but credconf does not read its JSON: set a variable to each value"
    first, *lines = problem.hint.split("\n")
    assert "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET" in first
    assert lines == [told]
    assert CANARY not in str(problem)


@pytest.mark.parametrize("prefix", ["AZURE_AD_", "AZUREAD_", "AzureAd__"])
def test_the_prefixes_of_other_frameworks_are_recognised(project, prefix):
    environ = {f"{prefix}{name}": ID for name in ("CLIENT_ID", "TENANT_ID")}
    problem = only(project.refused(False, environ=environ))
    assert f"{prefix}CLIENT_ID is set; did you mean AZURE_CLIENT_ID?" in problem.hint
    assert f"{prefix}TENANT_ID is set; did you mean AZURE_TENANT_ID?" in problem.hint
