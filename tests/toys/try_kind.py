"""Everything that a kind goes through, with `kind.py` as `credconf/kinds/client_passphrase.py`."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
from pathlib import Path

import pydantic

import credconf
import credconf.aio
from credconf.assembly import blueprint_of
from credconf.kinds import ALIASES, validate
from credconf.kinds import FIELDS as FIELDS_OF_ALL
from credconf.kinds.client_passphrase import derived
from credconf.references import Reader
from credconf.stores.sealing import Keyring
from credconf.testing import FakeEntra
from credconf.tokens.blueprint import opening_of
from credconf.tokens.requester import Requester
from tests.toys.trying import (
    CANARY,
    IDS,
    SCOPE,
    WHO,
    checked,
    codes,
    copied,
    fact,
    hint_of,
    is_valid,
    load,
    refused,
    refused_text,
    run,
    run_json,
    schema,
    setting_of,
    tell,
    told,
    write,
)

write("secrets/passphrase", CANARY)
write("secrets/other", f"another {CANARY}")
MINE = {**IDS, "passphrase_salt": "pepper"}
OWN = "client_passphrase: {file: secrets/passphrase}\npassphrase_salt: pepper\npassphrase_rounds: 7\n"
write("app.yaml", WHO + OWN)
ENVIRON = {"AZURE_TENANT_ID": IDS["tenant_id"], "AZURE_CLIENT_ID": IDS["client_id"], "CREDCONF_PASSPHRASE_SALT": "a"}


@fact
def load_infers_the_kind():
    settings = load("app.yaml").settings
    held = settings.client_passphrase.file
    return [settings.kind, held == str(Path("secrets/passphrase").absolute()), settings.passphrase_rounds]


@fact
def the_kind_is_named():
    named = load(kind="client_passphrase", client_passphrase=CANARY, **MINE)
    return [named.settings.kind, refused(kind="client_passphrase", **IDS)]


@fact
def origins():
    found = load("app.yaml").origins
    return [
        str(found["passphrase_salt"]),
        found["passphrase_rounds"].line,
        load(client_passphrase=CANARY, **MINE).origins["passphrase_rounds"].place,
    ]


@fact
def faults():
    return {
        "two proofs": refused(client_passphrase=CANARY, client_secret=CANARY, **MINE),
        "a setting of another kind": refused(client_passphrase=CANARY, send_certificate_chain=True, **MINE),
        "its setting at another kind": refused(client_secret=CANARY, passphrase_rounds=3, **IDS),
        "out of range": refused(client_passphrase=CANARY, passphrase_rounds=0, **MINE),
        "no number": refused_text(WHO + OWN.replace("7", "many")),
        "a bad reference": refused(client_passphrase={"fil": "x"}, **MINE),
        "an absent file": [item[:2] for item in refused(client_passphrase={"file": "absent"}, **MINE)],
    }


@fact
def a_setting_of_an_applications_model():
    class Application(pydantic.BaseModel):
        entra: credconf.Settings

    kind = Application(entra={**MINE, "client_passphrase": CANARY}).entra.kind
    return [kind, "ClientPassphraseSettings" in Application.model_json_schema()["$defs"]]


@fact
def check():
    return {
        "good": checked(WHO + OWN),
        "a range": checked(WHO + OWN.replace("7", "0")),
        "a secret": checked(WHO + f"client_passphrase: {CANARY}\n"),
        "another kind's": checked(WHO + OWN + "send_certificate_chain: true\n"),
        "options alone": checked(WHO + "passphrase_rounds: 7\n"),
        "resolved": run_json("check", "app.yaml", "--resolve", "--no-env-file")[0],
    }


@fact
def a_values_defects():
    readable = load(client_passphrase={"file": write("readable", CANARY, 0o644)}, **MINE)
    return {
        "cut": codes(checked(WHO + "client_passphrase: ab #cd\n")),
        "not expanded": codes(checked(WHO + "client_passphrase: ${NAME}\n")),
        "readable by others": told(readable.warnings),
    }


@fact
def show():
    status, said = run_json("show", "-f", "app.yaml", "--no-env-file")
    names = ("value", "hidden")
    rows = {
        path: [setting_of(said, path)[name] for name in names]
        for path in ("client_passphrase", "passphrase_salt", "passphrase_rounds")
    }
    return [status, said["kind"], rows, list(setting_of(said, "client_passphrase")["references"][0])]


@fact
def show_what_is_wrong():
    write("wrong.yaml", WHO + OWN.replace("7", "0"))
    status, said = run_json("show", "-f", "wrong.yaml", "--no-env-file")
    return [status, setting_of(said, "passphrase_rounds")["problems"], setting_of(said, "passphrase_salt")["value"]]


@fact
def the_schema_accepts():
    written = {**IDS, "client_passphrase": {"file": "x"}, "passphrase_salt": "a", "passphrase_rounds": 7}
    return [
        is_valid(written),
        is_valid({**written, "kind": "client_passphrase"}),
        is_valid({"credentials": {"billing": written}}),
    ]


@fact
def the_schema_refuses():
    written = {**MINE, "client_passphrase": {"file": "x"}}
    return [
        is_valid({**written, "passphrase_rounds": 0}),
        is_valid({**written, "send_certificate_chain": True}),
        is_valid({**IDS, "client_secret": "x", "passphrase_salt": "a"}),
        is_valid({**written, "client_pasphrase": "x"}),
        is_valid({**written, "kind": "client_passphras"}),
    ]


@fact
def hover_text():
    return schema()["definitions"]["client_passphrase"]["markdownDescription"]


@fact
def the_kind_for_editors():
    kind = schema()["definitions"]["kind"]
    return kind["markdownEnumDescriptions"][kind["enum"].index("client_passphrase")]


@fact
def the_reference_page():
    from tools.reference.settings import page

    section = page().partition("### `passphrase_rounds`")[2].partition("\n### ")[0]
    return [text in section for text in ("whole number", "`client_passphrase`", "CREDCONF_PASSPHRASE_ROUNDS")]


@fact
def variables():
    flat = load(environ={**ENVIRON, "CREDCONF_CLIENT_PASSPHRASE": CANARY, "CREDCONF_PASSPHRASE_ROUNDS": "5"})
    file = load(environ={**ENVIRON, "CREDCONF_CLIENT_PASSPHRASE_FILE": "secrets/passphrase"})
    write(
        "named.yaml", f"credentials:\n  billing:\n    {WHO.replace(chr(10), chr(10) + '    ')}kind: client_passphrase\n"
    )
    entry = {"CREDCONF__BILLING__CLIENT_PASSPHRASE": CANARY, "CREDCONF__BILLING__PASSPHRASE_SALT": "a"}
    named = load("named.yaml", name="billing", environ=entry).settings
    return [
        flat.settings.passphrase_rounds,
        str(flat.origins["client_passphrase"]),
        list(file.settings.client_passphrase.model_dump()),
        named.passphrase_salt,
    ]


@fact
def hints():
    return {
        "an argument": refused(client_passphrase=CANARY, passphrase_rouns=3, **MINE)[0][2],
        "a key": hint_of(WHO + "client_pasphrase: {env: X}\n"),
        "another word": hint_of(WHO + "mnemonic: {env: X}\n"),
        "a file": hint_of(WHO + "client_passphrase_file: x\n"),
        "a kind": hint_of(WHO + "kind: client_pasphrase\n"),
        "another word for the kind": hint_of(WHO + "kind: diceware\n"),
        "a variable": refused(environ={**ENVIRON, "CREDCONF_CLIENT_PASPHRASE": CANARY})[0][2],
    }


@fact
def redirection():
    write("found/credconf.yaml", WHO + "passphrase_salt: a\nauthority: evil.example.com\n")
    here = os.getcwd()
    os.chdir("found")
    try:
        return [item[:2] for item in refused(None, environ={"CREDCONF_CLIENT_PASSPHRASE": CANARY})]
    finally:
        os.chdir(here)


@fact
def its_arguments_have_types():
    return {*FIELDS_OF_ALL, *ALIASES} == set(credconf.Overrides.__annotations__)


@fact
def mixed_identity():
    environ = {"AZURE_CLIENT_ID": "22222222-2222-2222-2222-222222222222"}
    return [item[:2] for item in refused("app.yaml", environ=environ)]


def keyring(**changes):
    plan = blueprint_of(
        validate({**MINE, "client_passphrase": {"file": "secrets/passphrase"}, **changes}), Reader({}), None
    )
    return Keyring(None, opening_of(plan, Requester(plan)))


@fact
def sealing():
    mine, again, other = keyring(), keyring(), keyring(client_passphrase={"file": "secrets/other"})
    sealed = mine.now().writing.close({"token": "x"}, "name")
    return [each.now().writing.open(sealed, "name") for each in (again, other)]


@fact
def pickling():
    settings = load("app.yaml").settings
    same = copied(settings) == settings
    try:
        pickle.dumps(load(client_passphrase=CANARY, **MINE).settings)
    except TypeError as error:
        return [same, str(error)]
    raise AssertionError("a secret is pickled")


@fact
def its_repr_shows_no_secret():
    return [
        CANARY in repr(load(client_passphrase=CANARY, **MINE)),
        CANARY in str(load(client_passphrase=CANARY, **MINE).settings),
    ]


with FakeEntra() as entra:
    entra.registration.add_secret(derived(CANARY, "pepper", 7))
    FIELDS = entra.config(
        client_secret=None,
        client_passphrase={"file": str(Path("secrets/passphrase").absolute())},
        passphrase_salt="pepper",
        passphrase_rounds=7,
    )
    write("entra.yaml", json.dumps(FIELDS))

    @fact
    def a_token():
        with credconf.from_config("entra.yaml", env_file=False) as credential:
            first = credential.get_token(SCOPE).token
            sent = entra.requests[-1].form["client_secret"] == derived(CANARY, "pepper", 7)
            named = credential.describe()["proof"].startswith("client_passphrase (")
            return [first == credential.get_token(SCOPE).token, entra.count(), sent, named]

    @fact
    def a_token_for_a_coroutine():
        async def ask():
            async with credconf.aio.from_config("entra.yaml", env_file=False) as credential:
                return (await credential.get_token(SCOPE)).token

        return asyncio.run(ask()).count(".")

    @fact
    def a_token_by_arguments():
        with credconf.from_config(False, env_file=False, environ={}, **FIELDS) as credential:
            return credential.get_token(SCOPE).token.count(".")

    @fact
    def a_token_after_pickling():
        with credconf.build(FIELDS) as credential:
            twin = copied(credential)
            return twin.get_token(SCOPE).token.count(".")

    @fact
    def a_new_passphrase():
        with credconf.build({**FIELDS, "http": {**FIELDS["http"], "retries": 0}}) as credential:
            credential.get_token(SCOPE)
            entra.registration.add_secret(derived(f"new {CANARY}", "pepper", 7))
            write("secrets/passphrase", f"new {CANARY}")
            credential.get_token(SCOPE, claims='{"access_token": {"nbf": {"essential": true}}}')
            sent = entra.requests[-1].form["client_secret"] == derived(f"new {CANARY}", "pepper", 7)
            write("secrets/passphrase", CANARY)
            return sent

    @fact
    def doctor():
        status, said = run_json("doctor", SCOPE, "-f", "entra.yaml", "--no-env-file")
        results = {step["step"]: step["result"] for step in said["steps"]}
        return [status, results, said["steps"][0]["details"][0].partition(": ")[0], said["steps"][1]["summary"]]

    @fact
    def token():
        return run("token", SCOPE, "-f", "entra.yaml", "--no-env-file")[0]

    @fact
    def a_refusal():
        with credconf.build({**FIELDS, "client_passphrase": f"wrong {CANARY}"}) as credential:
            try:
                credential.get_token(SCOPE)
            except credconf.AuthenticationError as error:
                secret = derived(f"wrong {CANARY}", "pepper", 7)
                return [error.error_code, CANARY in str(error), secret in str(error)]
        raise AssertionError("it is accepted")


tell()
