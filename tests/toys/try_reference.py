"""Everything that a reference goes through, with `reference.py` as `credconf/references/ini.py`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import credconf
from credconf.testing import FakeEntra
from tests.toys.trying import (
    CANARY,
    IDS,
    SCOPE,
    TENANT,
    WHO,
    checked,
    copied,
    fact,
    hint_of,
    is_valid,
    load,
    refused,
    run,
    run_json,
    schema,
    setting_of,
    tell,
    told,
    write,
)

write("other.ini", f"[entra]\nsecret = {CANARY}\ntenant = {TENANT}\nclient = {IDS['client_id']}\nempty =\n")
OURS = {"ini": "other.ini#entra.secret"}
write("app.yaml", WHO + "client_secret: {ini: 'other.ini#entra.secret'}\n")
ALLOWED = {"allow": {"ini"}}


@fact
def load_reads_it():
    resolved = load("app.yaml", **ALLOWED)
    written = str(Path("other.ini").absolute()) + "#entra.secret"
    return [resolved.settings.client_secret.ini == written, told(resolved.warnings)]


@fact
def text_that_is_no_secret():
    fields = {"tenant_id": {"ini": "other.ini#entra.tenant"}, "client_id": {"ini": "other.ini#entra.client"}}
    return told(load(**fields, client_secret=CANARY, **ALLOWED).warnings)


@fact
def a_list_of_secrets():
    secrets = [OURS, {"ini": "absent.ini#entra.secret"}]
    return told(load(client_secret=secrets, **IDS, **ALLOWED).warnings)


def broken():
    write("broken.ini", CANARY)
    return refused(client_secret={"ini": "broken.ini#entra.secret"}, **IDS, **ALLOWED)


def wrong_allow():
    try:
        load("app.yaml", allow={"inni"})
    except ValueError as error:
        return str(error)
    raise AssertionError("it is accepted")


@fact
def faults():
    def of(text):
        return refused(client_secret={"ini": text}, **IDS, **ALLOWED)

    return {
        "its shape": of("other.ini"),
        "no text": refused(client_secret={"ini": ["a"]}, **IDS, **ALLOWED),
        "an absent file": [item[0] for item in of("absent.ini#entra.secret")],
        "an absent option": [item[0] for item in of("other.ini#entra.absent")],
        "an empty option": [item[0] for item in of("other.ini#entra.empty")],
        "no INI": [item[0] for item in broken()],
        "not allowed": refused(client_secret=OURS, **IDS),
        "not for a certificate": refused(client_certificate=OURS, **IDS, **ALLOWED),
        "an unknown word": wrong_allow(),
    }


@fact
def the_code_is_explained():
    return run("explain", refused(client_secret=OURS, **IDS)[0][0])[0]


@fact
def check():
    return {
        "good": checked(WHO + "client_secret: {ini: 'other.ini#entra.secret'}\n"),
        "its shape": checked(WHO + "client_secret: {ini: other.ini}\n"),
        "resolved": run_json("check", "app.yaml", "--resolve", "--no-env-file", "--allow", "ini")[0],
        "not allowed": run_json("check", "app.yaml", "--resolve", "--no-env-file")[0],
        "for a shell": checked(WHO + "client_secret: {ini: '~/other.ini#entra.secret'}\n"),
    }


@fact
def readable_by_others():
    write("open.ini", f"[entra]\nsecret = {CANARY}\n", 0o644)
    return told(load(client_secret={"ini": "open.ini#entra.secret"}, **IDS, **ALLOWED).warnings)


@fact
def show():
    status, said = run_json("show", "-f", "app.yaml", "--no-env-file", "--allow", "ini")
    row = setting_of(said, "client_secret")
    return [status, row["value"], row["hidden"], list(row["references"][0])]


@fact
def show_where_it_is_not_allowed():
    status, said = run_json("show", "-f", "app.yaml", "--no-env-file")
    row = setting_of(said, "client_secret")
    return [status, row["problems"], list(row["references"][0])]


@fact
def an_unknown_word_on_the_command_line():
    status, said = run("check", "app.yaml", "--resolve", "--allow", "inni")
    return [status, "allowed values: azure_cli, command, ini" in said]


@fact
def the_schema_accepts():
    return [
        is_valid({**IDS, "client_secret": OURS}),
        is_valid({**IDS, "client_id": OURS, "http": {"proxy": OURS}}),
        is_valid({**IDS, "client_secret": [OURS, {"file": "x"}]}),
    ]


@fact
def the_schema_refuses():
    return [
        is_valid({**IDS, "client_secret": {"ini": "other.ini"}}),
        is_valid({**IDS, "client_secret": {"ini": ["other.ini"]}}),
        is_valid({**IDS, "client_secret": {**OURS, "file": "x"}}),
        is_valid({**IDS, "client_certificate": OURS}),
    ]


@fact
def hover_text():
    own = schema()["definitions"]["after_ini"]
    return [own["markdownDescription"], own["defaultSnippets"]]


@fact
def what_an_editor_says_of_a_bad_value():
    own = json.dumps(schema()["definitions"]["after_ini"])
    return sorted(set(re.findall(r'"patternErrorMessage": "([^"]*)"', own)))


@fact
def the_reference_page():
    from tools.reference.settings import page

    return "`{ini: PATH#SECTION.OPTION}`" in page().partition("### `client_secret`")[2].partition("\n### ")[0]


@fact
def hints():
    return {
        "misspelt": refused(client_secret={"inni": "x"}, **IDS)[0][2],
        "another word": refused(client_secret={"configparser": "x"}, **IDS)[0][2],
        "a suffix": hint_of(WHO + "client_secret_ini: x\n"),
        "in a file": hint_of(WHO + "client_secret: {inni: x}\n"),
    }


def discovered(text, ini="secrets/other.ini", **environ):
    place = f"found-{len(os.listdir())}"
    write(f"{place}/{ini}", f"[entra]\nsecret = {CANARY}\nid = {IDS['client_id']}\n")
    write(f"{place}/credconf.yaml", text)
    here = os.getcwd()
    os.chdir(place)
    try:
        resolved = load(None, environ=environ, **ALLOWED)
    except credconf.ConfigError as error:
        return told(error.problems)
    finally:
        os.chdir(here)
    return told(resolved.warnings)


@fact
def redirection():
    evil = "authority: evil.example.com\n"
    foreign = str(Path("other.ini").absolute())
    own = "client_secret: {ini: 'secrets/other.ini#entra.secret'}\n"
    another = f"client_secret: {{ini: '{foreign}#entra.secret'}}\n"
    client = f"tenant_id: {TENANT}\nclient_id: {{ini: '{foreign}#entra.client'}}\n"
    return {
        "its own": [code for code, _, _ in discovered(WHO + own + evil)],
        "another's": [code for code, _, _ in discovered(WHO + another + evil)],
        "another's text": [code for code, _, _ in discovered(client + own + evil)],
    }


@fact
def pickling():
    settings = load("app.yaml", **ALLOWED).settings
    return copied(settings) == settings


with FakeEntra() as entra:
    entra.registration.add_secret(CANARY)
    FIELDS = entra.config(client_secret={"ini": f"{Path('other.ini').absolute()}#entra.secret"})
    write("entra.yaml", json.dumps(FIELDS))

    @fact
    def a_token():
        with credconf.from_config("entra.yaml", env_file=False, **ALLOWED) as credential:
            credential.get_token(SCOPE)
            return [
                entra.count(),
                entra.requests[-1].form["client_secret"] == CANARY,
                "other.ini" in credential.describe()["proof"],
            ]

    @fact
    def a_change_is_noticed():
        with credconf.from_config("entra.yaml", env_file=False, **ALLOWED) as credential:
            credential.get_token(SCOPE)
            new = entra.registration.rotate_secret()
            write("other.ini", f"[entra]\nsecret = {new}\n")
            credential.get_token("https://storage.azure.com/.default")
            sent = entra.requests[-1].form["client_secret"] == new
            write("other.ini", f"[entra]\nsecret = {CANARY}\n")
            entra.registration.add_secret(CANARY)
            return sent

    @fact
    def a_token_after_pickling():
        with credconf.from_config("entra.yaml", env_file=False, **ALLOWED) as credential:
            return copied(credential).get_token(SCOPE).token.count(".")

    @fact
    def doctor():
        status, said = run_json("doctor", SCOPE, "-f", "entra.yaml", "--no-env-file", "--allow", "ini")
        return [status, said["steps"][0]["details"][0].partition("{")[2].partition(":")[0]]


tell()
