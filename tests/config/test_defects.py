"""A defect of a value is told for every setting, from every source, with the fix and without the value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

import credconf
from credconf.config.notation import with_notes
from credconf.kinds import KINDS, LEAVES, PROOFS, SETTINGS
from credconf.problems import Problem
from tests.config.project import CANARY, CLIENT, COMPLETE, ID, TENANT, VARIABLES, assert_nothing_shows, warned

DEFECTS = {
    "double quotes": ('"{}"', "has quotes around it"),
    "single quotes": ("'{}'", "has quotes around it"),
    "typographic quotes": ("\u201c{}\u201d", "LEFT DOUBLE QUOTATION MARK (U+201C) at position 1"),
    "backticks": ("`{}`", "has backticks around it"),
    "a trailing line break": ("{}\n", "ends with a line break"),
    "a trailing CR": ("{}\r", "ends with a carriage return"),
    "a trailing CRLF": ("{}\r\n", "the line ends of Windows"),
    "a trailing tab": ("{}\t", "ends with a tab"),
    "a trailing blank": ("{} ", "ends with a blank"),
    "a leading blank": (" {}", "begins with a blank"),
    "a no-break space": ("{}\u00a0", "ends with NO-BREAK SPACE (U+00A0)"),
    "a zero-width space": ("{}\u200b", "ZERO WIDTH SPACE (U+200B)"),
    "a BOM": ("\ufeff{}", "ZERO WIDTH NO-BREAK SPACE (U+FEFF) at position 1"),
    "a variable": ("${{NAME}}", "is a variable that was not expanded"),
    "App Service": (
        "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x/)",
        "App Service did not resolve",
    ),
    "GitHub": ("${{{{ secrets.X }}}}", "workflow that was not evaluated"),
    "a pipeline": ("$(NAME)", "the pipeline did not replace"),
    "a template": ("{{{{ env_var('X') }}}}", "template that was not rendered"),
    "a token": ("#{{NAME}}#", "the deployment did not replace"),
    "cmd": ("%NAME%", "is a variable that was not expanded"),
    "1Password": ("op://vault/item/field", "is the address of a value in a vault"),
    "SOPS": ("ENC[AES256_GCM,data:x]", "is still encrypted by another tool"),
    "a placeholder": ("<your client secret>", "is the placeholder of an example"),
    "a mask": ("***", "is a mask"),
    "a variable's name": ("AZURE_CLIENT_SECRET_2", "has the form of a variable's name"),
    "a line of .env": ("AZURE_CLIENT_SECRET={}", "begins with the name of a variable and `=`"),
    "JSON": ('{{"value":"x"}}', "is a JSON object"),
    "bytes": ("b'{}'", "is written as bytes of Python"),
}
"""How a value is spoilt, where `{}` is the valid one, and what must be said."""


def example_of(setting: str) -> str:
    """A valid text of a setting; the path of a file for one that is always a reference."""
    if SETTINGS[setting].only_by_reference:
        return "secrets/entra"
    examples = [each for each in SETTINGS[setting].setting.examples if not isinstance(each, dict | list)]
    lists = [each[0] for each in SETTINGS[setting].setting.examples if isinstance(each, list)]
    return str([*examples, *lists, "x3q"][0])


def around(setting: str) -> dict[str, Any]:
    """The other settings that a credential with this setting needs, as YAML."""
    fields: dict[str, Any] = {"tenant_id": TENANT, "client_id": CLIENT}
    model = next(model for model in KINDS.values() if setting.partition(".")[0] in model.model_fields)
    if model.proof is None:
        fields = {"kind": model.model_fields["kind"].default}
    elif setting not in PROOFS:
        fields[model.proof] = {"file": "proof"}
    return {name: value for name, value in fields.items() if name != setting}


def told(project, setting: str, **arguments: Any) -> list[Problem]:
    try:
        found = credconf.load(**{"environ": {}, **arguments}).warnings
    except credconf.ConfigError as error:
        found = error.problems
    return [problem for problem in found if (problem.path or "").startswith(setting)]


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("source", ["file", "environment", "named entry"])
def test_a_defect_is_told_for_every_setting(project, defect, source):
    form, phrase = DEFECTS[defect]
    for setting in LEAVES:
        text = form.format(example_of(setting))
        others = around(setting)
        if source == "environment":
            if not SETTINGS[setting].setting.variable:
                continue
            name = f"CREDCONF_{setting.upper().replace('.', '__')}"
            name += "_FILE" if SETTINGS[setting].only_by_reference else ""
            project.write("app.yaml", json.dumps(others))
            problems = told(project, setting, path="app.yaml", environ={name: text})
        else:
            group, _, leaf = setting.rpartition(".")
            value: Any = {"file": text} if SETTINGS[setting].only_by_reference else text
            fields = {**others, **({group: {leaf: value}} if group else {leaf: value})}
            named = {"default": "a", "credentials": {"a": fields}}
            project.write("app.yaml", json.dumps(fields if source == "file" else named))
            problems = told(project, setting if source == "file" else f"credentials.a.{setting}", path="app.yaml")
        said = [f"{problem.message} {problem.hint}" for problem in problems]
        if source == "environment" and SETTINGS[setting].is_list and text.strip() == example_of(setting):
            continue  # white space around the items of a list is dropped
        assert any(phrase in each for each in said), (setting, said)
        # An error says it in its hint, and a warning by itself: never both.
        assert sum(each.count(phrase) for each in said) == 1, (setting, said)


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("reference", ["env", "file", "dotenv"])
def test_a_defect_is_told_for_the_text_of_a_reference(project, defect, reference):
    form, phrase = DEFECTS[defect]
    if reference == "file" and defect in {"a trailing CR", "a BOM"}:
        pytest.skip("a file's BOM and the end of its last line are dropped")
    for setting in [path for path, each in SETTINGS.items() if each.references and not each.only_by_reference]:
        text = form.format(example_of(setting))
        environ: dict[str, str] = {"NAME": text} if reference == "env" else {}
        project.write("text", f"{text}\n".encode())
        project.write("proof", CANARY)
        if reference == "dotenv":
            if any(character in text for character in "\n\r'") or text != text.strip():
                continue  # single quotes could not hold it
            project.write(".env", f"NAME='{text}'\n")
        value = {"file": "text"} if reference == "file" else {"env": "NAME"}
        group, _, leaf = setting.rpartition(".")
        project.write(
            "app.yaml", json.dumps({**around(setting), **({group: {leaf: value}} if group else {leaf: value})})
        )
        said = [f"{each.message} {each.hint}" for each in told(project, setting, path="app.yaml", environ=environ)]
        is_dropped = not SETTINGS[setting].hidden and text.strip() == example_of(setting)
        assert is_dropped or any(phrase in each for each in said), (setting, said)


def test_three_defects_are_three_messages(project):
    environ = {name: f'"{value}"' for name, value in VARIABLES.items()}
    problems = project.refused(environ=environ).problems
    found = {(item.path, item.severity, item.code) for item in problems}
    assert found == {
        ("tenant_id", "error", "bad-value"),
        ("client_id", "warning", "surrounding-quotes"),
        ("client_secret", "warning", "surrounding-quotes"),
    }
    assert all("quotes around it" in f"{item.message}{item.hint}" for item in problems)


def test_a_warning_is_not_withheld_beside_an_error(project):
    error = project.refused_text(f"{COMPLETE}http: {{timeout: fast}}\n")
    assert [(item.code, item.severity) for item in error.problems] == [
        ("secret-in-file", "warning"),
        ("bad-value", "error"),
    ]


def test_a_file_that_is_missing_is_told_beside_another_error(project):
    error = project.refused_text(f"{ID}client_secret: {{file: nowhere}}\nhttp: {{timeout: fast}}\n")
    assert [item.code for item in error.problems] == ["missing-file", "bad-value"]


def test_a_block_of_yaml_is_named_where_its_line_break_is_the_defect(project):
    [problem] = project.refused_text(
        f"tenant_id: |\n  {TENANT}\nclient_id: {CLIENT}\nclient_secret: {{env: A}}\n", environ={"A": "x"}
    ).problems
    assert (problem.code, problem.line) == ("bad-value", 1)
    assert "ends with a line break" in problem.hint
    assert "a block (`|` or `>`) keeps the line break" in problem.hint


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x\u200by3", "ZERO WIDTH SPACE (U+200B) at position 2"),
        ("x\u00ady3", "SOFT HYPHEN (U+00AD) at position 2"),
        ("x\u2060y3", "WORD JOINER (U+2060) at position 2"),
        ("x\u202ey3", "RIGHT-TO-LEFT OVERRIDE (U+202E) at position 2"),
        ("x\ufe0fy3", "VARIATION SELECTOR-16 (U+FE0F) at position 2"),
        ("x\x07y3", "U+0007 at position 2"),
        ("x\u0430y3", "CYRILLIC SMALL LETTER A (U+0430) at position 2"),
        ("x\u2013y3", "EN DASH (U+2013) at position 2"),
        ("x\u00e9y3", "LATIN SMALL LETTER E WITH ACUTE (U+00E9) at position 2"),
        ("x y3 z", "a blank at position 2, and 1 more"),
        ("x\ty3", "a tab at position 2"),
        ("x3\udcff", "a byte that is not UTF-8 (U+DCFF) at position 3"),
    ],
)
def test_a_character_that_no_secret_has_is_named_with_its_position(project, text, name):
    [warning] = project.load(environ={**VARIABLES, "AZURE_CLIENT_SECRET": text}).warnings
    assert warning.code == "odd-character"
    assert name in warning.message
    assert text not in f"{warning}"


def test_a_password_and_a_path_may_hold_blanks_and_other_letters(project):
    certificate = "client_certificate: {file: 'Zertifikate für uns/Schlüssel.pem'}"
    text = f"{ID}{certificate}\nclient_certificate_password: 'zwölf Äpfel'\n"
    found = [item.code for item in project.refused_text(text).problems]
    assert found == ["missing-file", "secret-in-file"]


@pytest.mark.parametrize("written", ['"C:\\certs\\new\\team.pem"', '"C:\\new"', '"\\team.pem"'])
def test_escapes_that_double_quotes_decode_are_told(project, written):
    variables = {**VARIABLES, "AZURE_CLIENT_SECRET": ""}
    project.write(".env", f"AZURE_CLIENT_CERTIFICATE_PATH={written}\n")
    error = project.refused(environ={name: value for name, value in variables.items() if value})
    [problem] = error.problems
    assert problem.code == "missing-file"
    assert "the double quotes of `client_certificate` decode `\\" in problem.hint
    assert "write single quotes, or `/`" in problem.hint
    assert "<U+00" in problem.message  # the path is shown with what it really holds


def test_escapes_that_yaml_decodes_are_told(project):
    [problem] = project.refused_text(f'{ID}client_certificate: {{file: "certs\\new.pem"}}\n').problems
    assert "the double quotes of `client_certificate` decode `\\n` to a line break" in problem.hint


@pytest.mark.parametrize(
    "written", ["'C:\\certs\\new\\team.pem'", "C:\\certs\\new\\team.pem", '"C:/certs/new/team.pem"']
)
def test_a_path_that_keeps_its_backslashes_is_fine(project, written):
    project.write(".env", f"AZURE_CLIENT_CERTIFICATE_PATH={written}\n")
    environ = {name: value for name, value in VARIABLES.items() if name != "AZURE_CLIENT_SECRET"}
    [problem] = project.refused(environ=environ).problems
    assert "decode" not in problem.hint


@pytest.mark.parametrize(
    "line",
    [
        "AZURE_CLIENT_SECRET",
        "export AZURE_CLIENT_SECRET",
        f'$env:AZURE_CLIENT_SECRET="{CANARY}"',
        f"$AZURE_CLIENT_SECRET = '{CANARY}'",
        f"azure_client_secret={CANARY}",
        f"Azure_Client_Secret={CANARY}",
    ],
)
def test_a_line_of_dotenv_that_sets_nothing_is_told(project, line):
    rest = {name: value for name, value in VARIABLES.items() if name != "AZURE_CLIENT_SECRET"}
    project.write(".env", f"A=1\n\n{line}\n")
    warning = next(item for item in project.refused(environ=rest).problems if item.code == "unheard-variable")
    assert (warning.line, warning.hint) == (3, "write AZURE_CLIENT_SECRET=VALUE")
    assert warning.message.startswith("AZURE_CLIENT_SECRET is not set: ")
    # What is set elsewhere needs no line here.
    assert warned(project.load(environ=VARIABLES)) == []


def test_a_variable_of_ours_in_lower_case_is_told_once(project):
    project.write(".env", f"credconf_tenant_id={TENANT}\n")
    assert [item.code for item in project.refused(environ={}).problems].count("unknown-variable") == 1
    assert "unheard-variable" not in [item.code for item in project.refused(environ={}).problems]


def test_a_line_for_another_program_is_none_of_ours(project):
    project.write(".env", "PATH\nexport HOME\n$env:EDITOR='vi'\nnode_env=x\n")
    assert warned(project.load(environ=VARIABLES)) == []


def test_a_line_that_should_set_what_a_reference_names_is_told(project):
    project.write(".env", "billing_secret=x3q\n")
    error = project.refused_text(f"{ID}client_secret: {{env: BILLING_SECRET}}\n")
    assert [item.code for item in error.problems] == ["missing-variable", "unheard-variable"]


def test_a_secret_that_is_the_path_of_a_file_is_told(project):
    project.write("secrets/entra", CANARY)
    resolved = project.flat(f"{ID}client_secret: secrets/entra\n")
    assert [(item.code, item.hint) for item in resolved.warnings if item.code == "path-as-value"] == [
        ("path-as-value", "write `client_secret: {file: PATH}` to read the file")
    ]
    path = str(project.path / "secrets" / "entra")
    [warning] = project.load(environ={**VARIABLES, "AZURE_CLIENT_SECRET": path}).warnings
    assert warning.hint == "set AZURE_CLIENT_SECRET_FILE to the path instead"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("client_secret: {file:secrets/entra}", "client_secret", "after `file:` a space is missing"),
        ("client_secret: {env:BILLING}", "client_secret", "after `env:` a space is missing"),
        ("client_secret: [{file:a}]", "client_secret.0", "after `file:` a space is missing"),
        (f"client_secret: {{file:{CANARY}}}", "client_secret", "after `file:` a space is missing"),
        ("client_secret:{env: A}", "…", "`…` is not a setting"),
        ("client_secret: file: x", "", "this line has a second `: `"),
        ("client_secret:\n  file: a\n  cloud: usgov", "client_secret.cloud", "`cloud` does not belong here"),
        ("client_secret:\n  cloud: usgov\n  file: a", "client_secret.cloud", "`cloud` does not belong here"),
        ("client_secret: {env: A, file: b}", "client_secret", "has `env` and `file`"),
        ("client_secret: {env: A}\ntoken_cache: redis", "token_cache", "`token_cache` must be a mapping of settings"),
    ],
)
def test_a_shape_that_is_not_quite_right_is_pointed_at(project, text, path, message):
    found = [item for item in project.refused_text(f"{ID}{text}\n").problems if item.severity == "error"]
    problem = next(item for item in found if message in item.message)
    assert (problem.path or "").startswith(path)
    assert problem.hint


def test_a_reference_in_one_word_is_text_and_told(project):
    resolved = project.flat(f"{ID}client_secret:\n  file:secrets/entra\n")
    [warning] = [item for item in resolved.warnings if item.code == "not-expanded"]
    assert warning.hint == "write {file: PATH}, with a space after the colon"


def test_an_abstract_entry_is_refused_with_those_that_extend_it(project):
    entries = "  base: {abstract: true}\n  billing: {extends: base}\n  reports: {extends: billing}\n"
    text = f"default: base\ncredentials:\n{entries}"
    assert project.refused_text(text).problems[0].hint == "choose one that extends it: billing, reports"


def test_a_store_that_is_written_as_text_is_shown_as_a_mapping(project):
    error = project.refused_text(f"{ID}client_secret: {{env: A}}\ntoken_cache: redis\n", environ={"A": CANARY})
    assert error.problems[0].hint == "write `token_cache: {kind: redis}`"
    error = project.refused(environ=VARIABLES, token_cache="redis")
    assert error.problems[0].hint == "write `token_cache: {kind: redis}`"


@pytest.mark.parametrize(
    "kind",
    ["DeviceCodeCredential", "interactive", "UsernamePasswordCredential", "azure_developer_cli", "azure_pipelines"],
)
def test_a_kind_that_only_azure_identity_has_is_named_as_such(project, kind):
    [problem] = project.refused_text(f"{ID}kind: {kind}\nclient_secret: {{env: A}}\n", environ={"A": "x3"}).problems
    assert problem.message == "`kind` is a credential of azure-identity that credconf does not have"


def test_a_mounted_secret_that_others_can_read_is_one_warning_that_names_the_mode_of_the_volume(project):
    for name in ("new", "old"):
        project.write(f"mnt/..2026_11_29_08_40_55.1/{name}", CANARY, mode=0o444)
        (project.path / "mnt" / name).symlink_to(f"..data/{name}")
    (project.path / "mnt" / "..data").symlink_to("..2026_11_29_08_40_55.1")
    resolved = project.flat(f"{ID}client_secret: [{{file: mnt/new}}, {{file: mnt/old}}]\n")
    [warning] = resolved.warnings
    assert (warning.code, warning.path) == ("readable-by-others", "client_secret.0")
    assert "defaultMode: 0440" in warning.hint


@pytest.mark.parametrize(
    "make",
    [
        lambda tenant: credconf.build({"tenant_id": tenant, "client_id": CLIENT, "client_secret": CANARY}),
        lambda tenant: credconf.ClientSecretCredential(tenant, CLIENT, CANARY),
        lambda tenant: credconf.aio.ClientSecretCredential(tenant, CLIENT, CANARY),
    ],
)
def test_a_defect_of_what_a_program_passes_is_told(make):
    with pytest.raises(ValueError, match="`tenant_id` has quotes around it") as caught:
        make(f'"{TENANT}"')
    assert_nothing_shows(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: credconf.build({"tenant_id": TENANT, "client_id": CLIENT, "client_secret": f"{CANARY}\n"}),
        lambda: credconf.ClientSecretCredential(TENANT, CLIENT, f"{CANARY}\n"),
        credconf.EnvironmentCredential,
    ],
)
def test_a_defect_that_is_no_error_is_logged(make, caplog, monkeypatch):
    for name, value in {**VARIABLES, "AZURE_CLIENT_SECRET": f"{CANARY}\n"}.items():
        monkeypatch.setenv(name, value)
    with make():
        [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.endswith("`client_secret` ends with a line break (remove it)")
    assert CANARY not in caplog.text


def test_the_error_of_an_application_s_settings_says_why():
    class Application(BaseModel):
        model_config = ConfigDict(hide_input_in_errors=True)
        azure: credconf.Settings

    fields = {"tenant_id": f'"{TENANT}"', "client_id": CLIENT, "client_secret": CANARY}
    with pytest.raises(
        ValidationError, match="it has quotes around it that are part of the value: remove them"
    ) as caught:
        Application(azure=fields)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("form", ["{{{}}}", "({})", "[{}]"])
def test_brackets_around_a_guid_are_told(project, form):
    error = project.refused(environ={**VARIABLES, "AZURE_TENANT_ID": form.format(TENANT)})
    assert "`tenant_id` has brackets around it: remove them" in error.problems[0].hint
    [warning] = project.load(environ={**VARIABLES, "AZURE_CLIENT_ID": form.format(CLIENT)}).warnings
    assert (warning.code, warning.path) == ("surrounding-quotes", "client_id")


def test_null_is_a_value_of_the_prefix(project):
    text = f"{ID}client_secret: {{file: secret}}\nenv_prefix: null\n"
    project.write("secret", CANARY)
    assert warned(project.flat(text)) == []


def test_the_items_of_a_list_in_a_variable_are_looked_at_one_by_one(project):
    tenants = "CREDCONF_ADDITIONALLY_ALLOWED_TENANTS"
    assert warned(project.load(environ={**VARIABLES, tenants: "a.example , b.example; "})) == []
    problems = project.refused(environ={**VARIABLES, tenants: "a.example , 'b.example'"}).problems
    assert [(item.path, item.code) for item in problems] == [("additionally_allowed_tenants.1", "bad-value")]
    assert "has quotes around it" in problems[0].hint


@pytest.mark.parametrize("variable", ["AZURE_CLIENT_SECRET_FILE", "AZURE_CLIENT_CERTIFICATE_PATH"])
def test_a_secret_in_place_of_a_path_is_not_shown(project, variable):
    secret = "c4n4ryABC8Q~x.y-zabcdefghijklmnop"
    environ = {name: value for name, value in VARIABLES.items() if name != "AZURE_CLIENT_SECRET"}
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.load(environ={**environ, variable: secret})
    assert_nothing_shows(caught.value, secret)
    assert "if this is the value itself, give it without `file:` or `_FILE`" in str(caught.value)


def test_a_secret_in_place_of_a_variable_is_not_shown(project):
    secret = "c4n4ryABC8Qxyzabcdefghijk"
    project.write("app.yaml", f"{ID}client_secret: {{env: {secret}}}\n")
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.load("app.yaml", environ={})
    assert secret not in str(caught.value)
    assert "write it without `env:`" in str(caught.value)


def test_the_choice_of_a_file_and_of_an_entry_have_the_same_defects(project):
    project.write("a.yaml", "credentials: {billing: {}}\n")
    [problem] = project.refused(environ={"CREDCONF_FILE": "a.yaml "}).problems
    assert "the path ends with a blank: remove it" in problem.hint
    problem = project.refused("a.yaml", environ={"CREDCONF_NAME": '"billing"'}).problems[0]
    assert problem.hint.startswith(
        "the name has quotes around it that are part of the value: remove them\ndid you mean"
    )


@pytest.mark.parametrize("key", ["http.timeout", "http_timeout", "http__timeout"])
def test_a_setting_of_a_group_in_one_word_is_shown_in_its_group(project, key):
    problem = project.refused_text(f"{COMPLETE}{key}: 5\n").problems[-1]
    assert problem.hint == "write it below `http`: `http: {timeout: …}`"


def test_a_directory_called_dotenv_is_named_as_one(project):
    (project.path / ".env").mkdir()
    problem = project.refused(environ={"AZURE_CLIENT_ID": CLIENT}).problems[0]
    assert f"{project.path / '.env'} (a directory)" in problem.looked_in


def test_a_note_is_told_once_by_the_error_or_by_itself():
    note = Problem("surrounding-quotes", "`a` has quotes", "warning", "a", hint="remove them")
    error = Problem("bad-value", "`a`: no", path="a", hint="write a")
    assert with_notes([error], [note]) == (
        [Problem("bad-value", "`a`: no", path="a", hint="`a` has quotes: remove them\nwrite a")],
        [],
    )
    assert with_notes([], [note]) == ([], [note])


def test_nothing_of_an_odd_secret_is_shown(project):
    error = project.refused(
        environ={**VARIABLES, "AZURE_CLIENT_SECRET": f'"{CANARY}\u200b"', "AZURE_TENANT_ID": f'"{CANARY}"'}
    )
    assert_nothing_shows(error)


@pytest.mark.parametrize(
    ("spoilt", "where"), [(f'"{CANARY}', "begins"), (f"{CANARY}'", "ends"), (f"{CANARY}`", "ends")]
)
def test_a_quote_at_one_end_is_told(project, spoilt, where):
    [problem] = told(project, "client_secret", environ={**VARIABLES, "AZURE_CLIENT_SECRET": spoilt})
    assert (problem.code, problem.hint) == ("surrounding-quotes", "remove it")
    assert f"{where} with a quote that is part of the value" in problem.message
    assert CANARY not in repr(problem)
