"""A kind, a reference and a token store that know nothing of each other, in one configuration."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import credconf
from credconf.kinds.client_passphrase import derived
from credconf.testing import FakeEntra
from tests.toys.trying import CANARY, SCOPE, checked, fact, is_valid, run_json, setting_of, tell, write

write("other.ini", f"[entra]\npassphrase = {CANARY}\nkey = key {CANARY}\n")
SECOND = """
import sys
import credconf
with credconf.from_config(sys.argv[1], env_file=False, allow={"ini"}) as credential:
    sys.stdout.write(credential.get_token(sys.argv[2]).token)
"""

with FakeEntra() as entra:
    entra.registration.add_secret(derived(CANARY, "pepper", 1_000))
    FIELDS = entra.config(
        client_secret=None,
        client_passphrase={"ini": f"{Path('other.ini').absolute()}#entra.passphrase"},
        passphrase_salt="pepper",
        token_cache={"path": str(Path("tokens").absolute())},
    )
    write("entra.yaml", json.dumps(FIELDS))

    @fact
    def a_token_survives_into_a_second_process():
        with credconf.from_config("entra.yaml", env_file=False, allow={"ini"}) as credential:
            token = credential.get_token(SCOPE).token
        second = [sys.executable, "-P", "-c", SECOND, "entra.yaml", SCOPE]
        same = subprocess.run(second, capture_output=True, text=True, check=True).stdout == token
        return [same, entra.count(), len(list(Path("tokens").iterdir()))]

    @fact
    def the_key_of_the_store_by_the_reference():
        cache = {
            "path": str(Path("keyed").absolute()),
            "seal_with": {"ini": f"{Path('other.ini').absolute()}#entra.key"},
        }
        with credconf.from_config("entra.yaml", env_file=False, allow={"ini"}, token_cache=cache) as credential:
            credential.get_token(SCOPE)
        return len(list(Path("keyed").iterdir()))

    @fact
    def check():
        return [checked(json.dumps(FIELDS)), is_valid(FIELDS)]

    @fact
    def show():
        status, said = run_json("show", "-f", "entra.yaml", "--no-env-file", "--allow", "ini")
        return [status, said["kind"], setting_of(said, "token_cache.kind")["value"]]

    @fact
    def doctor():
        status, said = run_json("doctor", SCOPE, "-f", "entra.yaml", "--no-env-file", "--allow", "ini")
        return [status, sorted({step["result"] for step in said["steps"]})]


tell()
