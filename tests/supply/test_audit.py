"""`make audit` accounts for every package: what could not be asked is said to be skipped, never passed over."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shlex import quote

import pytest

TOOL = Path(__file__).parents[2] / "tools/audit_packages.py"
GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.fixture
def audited(tmp_path):
    def audited(stdout, *, status=0, stderr=""):
        program = tmp_path / "pip-audit"
        script = f"printf %s {quote(stderr)} >&2\nprintf %s {quote(stdout)}\nexit {status}\n"
        program.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        program.chmod(0o755)
        argv = [sys.executable, TOOL, program, "lock.txt"]
        done = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    return audited


def test_packages_without_vulnerabilities_pass(audited):
    assert audited(json.dumps({"dependencies": [GOOD, GOOD]})) == (0, "no known vulnerabilities in 2 packages\n", "")


def test_a_vulnerability_fails_and_says_what_fixes_it(audited):
    status, out, err = audited(json.dumps({"dependencies": [GOOD, BAD]}), status=1)
    assert (status, out) == (1, "")
    assert err == "bad 2: PYSEC-1, fixed in 3\n"


def test_a_package_that_the_service_does_not_know_fails(audited):
    status, out, err = audited(json.dumps({"dependencies": [GOOD, UNKNOWN]}))
    assert (status, out, err) == (1, "", "unknown: not found\n")


def test_a_service_that_is_not_there_is_a_skip_with_a_reason(audited):
    status, out, _ = audited(json.dumps({"dependencies": [UNKNOWN, UNKNOWN]}))
    assert status == 0
    assert out.startswith("skipped: the vulnerability service knows none of the 2 packages")
    status, out, _ = audited("", status=1, stderr="Traceback\nConnectionError: no route\n")
    assert (status, out) == (0, "skipped: pip-audit could not ask: ConnectionError: no route\n")


def test_an_empty_answer_is_no_pass(audited):
    status, out, _ = audited(json.dumps({"dependencies": []}))
    assert (status, out) == (1, "")
