"""Python tells two threads that import parts of one package of a deadlock, the application's thread, too."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from credconf.testing import FakeEntra
from tests.contract.faces import SCOPE

# To find azure-core takes so long that Entra answers meanwhile.
PROGRAM = """
import json, sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "azure.core":
            time.sleep(1.5)

sys.meta_path.insert(0, Slow())
import credconf
fields = json.loads(sys.argv[1])
"""
# After the answer, the thread may import anything, because no other thread imports any more.
ASKED = """
from credconf.ground.deferred import importing
try:
    credconf.build(fields).get_token(sys.argv[2])
    print("token", importing.acquire(blocking=False))
except Exception as error:
    print(type(error).__name__, importing.acquire(blocking=False))
"""
IN_ADVANCE = """
credential = credconf.build({**fields, "prefetch": [sys.argv[2]]})
import azure.core.exceptions
import azure.core.pipeline.transport
print(len(credential.get_token(sys.argv[2]).token) > 100)
"""


def said(entra, program):
    command = [sys.executable, "-c", PROGRAM + program, json.dumps(entra.config()), SCOPE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize(("refused", "expected"), [(True, "AuthenticationError True"), (False, "token True")])
def test_an_answer_that_comes_while_azure_core_is_imported_is_told_all_the_same(refused, expected):
    with FakeEntra() as entra:
        if refused:
            entra.refuses(7000215)
        assert said(entra, ASKED) == (expected, "")


def test_an_application_may_import_azure_core_while_a_token_is_fetched_in_advance():
    with FakeEntra() as entra:
        assert said(entra, IN_ADVANCE) == ("True", "")
