"""Everything that a token store goes through, with `store.py` as `credconf/stores/directory.py`."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import credconf
from credconf.testing import FakeEntra
from tests.toys.trying import (
    CANARY,
    IDS,
    SCOPE,
    WHO,
    checked,
    copied,
    fact,
    hint_of,
    is_valid,
    load,
    refused,
    run_json,
    schema,
    setting_of,
    tell,
    write,
)

write("secrets/key", f"key {CANARY}")
write("secrets/secret", CANARY)
OWN = """\
client_secret: {file: secrets/secret}
token_cache: {kind: directory, path: tokens, seal_with: {file: secrets/key}}
"""
write("app.yaml", WHO + OWN)
SECRET = {**IDS, "client_secret": {"file": "secrets/secret"}}
ENVIRON = {"AZURE_TENANT_ID": IDS["tenant_id"], "AZURE_CLIENT_ID": IDS["client_id"], "AZURE_CLIENT_SECRET": CANARY}


@fact
def load_reads_it():
    cache = load("app.yaml").settings.token_cache
    inferred = load(**SECRET, token_cache={"path": "tokens"}).settings.token_cache.kind
    is_absolute = cache.path == str(Path("tokens").absolute())
    return [cache.kind, inferred, is_absolute, cache.seal_with.file == str(Path("secrets/key").absolute())]


@fact
def faults():
    def of(**cache):
        return refused(**SECRET, token_cache=cache)

    return {
        "missing": of(kind="directory"),
        "another store's": of(kind="directory", path="x", name="y"),
        "its setting at another store": of(kind="file", allow_unencrypted_storage=True, path="x"),
        "no path": of(kind="directory", path={"file": "x"}),
        "a kind": of(kind="directry", path="x"),
        "an absent key": [item[:2] for item in of(path="x", seal_with={"file": "absent"})],
    }


@fact
def others_are_as_they_were():
    redis = load(**SECRET, token_cache={"url": "rediss://cache.example.com"}).settings.token_cache.kind
    return [load(**SECRET).settings.token_cache.kind, redis]


@fact
def check():
    return {
        "good": checked(WHO + OWN),
        "missing": checked(WHO + "token_cache: {kind: directory}\n"),
        "a key": checked(WHO + f"token_cache: {{path: tokens, seal_with: '{CANARY}'}}\n"),
        "another store's": checked(WHO + "token_cache: {path: tokens, name: x}\n"),
        "resolved": run_json("check", "app.yaml", "--resolve", "--no-env-file")[0],
        "for a shell": checked(WHO + "token_cache: {path: ~/tokens}\n"),
    }


@fact
def show():
    status, said = run_json("show", "-f", "app.yaml", "--no-env-file")
    key = setting_of(said, "token_cache.seal_with")
    return [
        status,
        setting_of(said, "token_cache.path")["value"] == str(Path("tokens").absolute()),
        key["hidden"],
        list(key["references"][0]),
    ]


@fact
def the_schema_accepts():
    cache = {"path": "tokens", "seal_with": {"env": "KEY"}}
    return [
        is_valid({**SECRET, "token_cache": cache}),
        is_valid({**SECRET, "token_cache": {**cache, "kind": "directory"}}),
    ]


@fact
def the_schema_refuses():
    cache = {"path": "tokens"}
    return [
        is_valid({**SECRET, "token_cache": {**cache, "name": "x"}}),
        is_valid({**SECRET, "token_cache": {**cache, "kind": "file"}}),
        is_valid({**SECRET, "token_cache": {**cache, "kind": "directry"}}),
        is_valid({**SECRET, "token_cache": {"pth": "tokens"}}),
    ]


@fact
def hover_text():
    definitions = schema()["definitions"]
    kind = definitions["token_cache.kind"]
    meanings = dict(zip(kind["enum"], kind["markdownEnumDescriptions"], strict=True))
    return [
        meanings["directory"],
        "directory" in kind["markdownDescription"],
        definitions["token_cache.path"]["markdownDescription"],
    ]


@fact
def the_reference_page():
    from tools.reference.settings import page

    kind = page().partition("### `token_cache.kind`")[2].partition("\n### ")[0]
    return ["`directory`" in kind, "## `token_cache.seal_with`" in page()]


@fact
def variables():
    environ = {"CREDCONF_TOKEN_CACHE__PATH": "tokens", "CREDCONF_TOKEN_CACHE__SEAL_WITH_FILE": "secrets/key"}
    cache = load(environ={**ENVIRON, **environ}).settings.token_cache
    return [cache.kind, os.path.isabs(cache.path), list(cache.seal_with.model_dump())]


@fact
def hints():
    return {
        "an argument": refused(**SECRET, token_cache={"pathh": "x"})[0][2],
        "another word": hint_of(WHO + "token_cache: {folder: x}\n"),
        "beside the group": hint_of(WHO + "seal_with: {env: X}\n"),
        "a variable": refused(environ={**ENVIRON, "CREDCONF_TOKEN_CACHE__PAHT": "x"})[0][2],
    }


def discovered(cache):
    write("found/credconf.yaml", WHO + cache)
    here = os.getcwd()
    os.chdir("found")
    try:
        problems = refused(None, environ={"AZURE_CLIENT_SECRET": CANARY})
    finally:
        os.chdir(here)
    return sorted(path for code, path, _ in problems if code == "redirected-secret")


@fact
def redirection():
    return {
        "the place": discovered("token_cache: {path: tokens}\n"),
        "the key": discovered("token_cache: {seal_with: {file: key}, path: tokens}\n"),
    }


@fact
def pickling():
    settings = load("app.yaml").settings
    same = copied(settings) == settings
    held = load(**SECRET, token_cache={"path": "x", "seal_with": CANARY}).settings
    try:
        pickle.dumps(held)
    except TypeError as error:
        return [same, str(error)]
    raise AssertionError("a secret is pickled")


SECOND = """
import sys
import credconf
with credconf.from_config(sys.argv[1], env_file=False) as credential:
    sys.stdout.write(credential.get_token(sys.argv[2]).token)
"""


def in_another_process(path):
    arguments = [sys.executable, "-P", "-c", SECOND, path, SCOPE]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


with FakeEntra() as entra:
    entra.registration.add_secret(CANARY)
    FIELDS = entra.config(client_secret={"file": str(Path("secrets/secret").absolute())})
    CACHE = {"kind": "directory", "path": str(Path("tokens").absolute())}
    write("entra.yaml", json.dumps({**FIELDS, "token_cache": CACHE}))

    @fact
    def a_token_survives_into_a_second_process():
        with credconf.from_config("entra.yaml", env_file=False) as credential:
            token = credential.get_token(SCOPE).token
        same = in_another_process("entra.yaml") == token
        return [same, entra.count()]

    @fact
    def what_is_kept_is_sealed():
        with credconf.from_config("entra.yaml", env_file=False) as credential:
            token = credential.get_token(SCOPE).token
        names = os.listdir("tokens")
        content = b"".join(Path("tokens", name).read_bytes() for name in names)
        told_by = [text.encode() in content for text in (token, entra.client_id, SCOPE)]
        return [len(names), told_by, {oct(Path("tokens", name).stat().st_mode & 0o777) for name in names} == {"0o600"}]

    @fact
    def another_secret_finds_no_token():
        entra.registration.add_secret(f"other {CANARY}")
        before = entra.count()
        with credconf.build({**FIELDS, "client_secret": f"other {CANARY}", "token_cache": CACHE}) as credential:
            credential.get_token(SCOPE)
        return entra.count() - before

    @fact
    def a_key_of_its_own():
        sealed = {
            **CACHE,
            "path": str(Path("keyed").absolute()),
            "seal_with": {"file": str(Path("secrets/key").absolute())},
        }
        before = entra.count()
        for secret in (CANARY, f"other {CANARY}"):
            with credconf.build({**FIELDS, "client_secret": secret, "token_cache": sealed}) as credential:
                credential.get_token(SCOPE)
        return entra.count() - before

    @fact
    def what_a_failure_may_show():
        """A server's answer that quotes the key of the store is cleaned of it."""
        sealed = {**CACHE, "path": str(Path("echo").absolute()), "seal_with": f"key-{CANARY}"}
        with credconf.build({**FIELDS, "client_secret": "wrong", "token_cache": sealed}) as credential:
            said = {"error": "invalid_client", "error_description": f"AADSTS7000215: key-{CANARY}"}
            entra.answers(400, json.dumps(said), times=1)
            try:
                credential.get_token(SCOPE)
            except credconf.AuthenticationError as error:
                return f"key-{CANARY}" in str(error)
        raise AssertionError("it is accepted")

    @fact
    def a_relative_directory_stays_the_same():
        """That of the working directory of when the credential was built."""
        with credconf.build({**FIELDS, "token_cache": {"path": "relative"}}) as credential:
            here = os.getcwd()
            os.makedirs("elsewhere", exist_ok=True)
            os.chdir("elsewhere")
            try:
                credential.get_token(SCOPE)
            finally:
                os.chdir(here)
        return [os.path.isdir("relative"), os.listdir("elsewhere")]

    @fact
    def doctor():
        status, said = run_json("doctor", SCOPE, "-f", "entra.yaml", "--no-env-file")
        step = next(step for step in said["steps"] if step["step"] == "token cache")
        return [status, step["result"], step["summary"].startswith("the directory ")]

    @fact
    def doctor_of_one_that_can_not_be_used():
        write("occupied", "")
        write("broken.yaml", json.dumps({**FIELDS, "token_cache": {**CACHE, "path": str(Path("occupied").absolute())}}))
        _, said = run_json("doctor", SCOPE, "-f", "broken.yaml", "--no-env-file")
        step = next(step for step in said["steps"] if step["step"] == "token cache")
        return [step["result"], step["fix"]]


tell()
