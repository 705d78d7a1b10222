"""The example's workflow, as far as it runs without GitHub: its last step, on files that are good and broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.examples.running import EXAMPLES

EXAMPLE = EXAMPLES / "continuous_integration"
WORKFLOW = yaml.safe_load((EXAMPLE / ".github/workflows/credentials.yml").read_text(encoding="utf-8"))
CANARY = "uZ-8Q~canary.of.the.workflow"


@pytest.fixture
def checkout(tmp_path):
    if not shutil.which("git") or not shutil.which("bash"):
        pytest.skip("git and bash are not both on PATH")
    directory = tmp_path / "checkout"
    shutil.copytree(EXAMPLE, directory)
    return directory


def step(checkout):
    """Run the last step as GitHub does, in a repository that holds all files."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "AZURE_", "CREDCONF_"))
    }
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    for command in (["git", "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(command, cwd=checkout, env=environ, check=True, capture_output=True, timeout=60)
    script = checkout.parent / "step.sh"
    script.write_text(WORKFLOW["jobs"]["check"]["steps"][-1]["run"], encoding="utf-8")
    return subprocess.run(
        ["bash", "-e", str(script)],
        cwd=checkout,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_nothing_is_annotated_where_nothing_is_wrong(checkout):
    done = step(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_mistake_is_annotated_where_it_stands(checkout):
    (checkout / "deploy").mkdir()
    (checkout / "deploy/credconf.prod.yml").write_text(f"client_secret: {CANARY}\nclinet_id: a\n", encoding="utf-8")
    (checkout / "other.yaml").write_text("clinet_id: a\n", encoding="utf-8")
    done = step(checkout)
    lines = done.stdout.splitlines()
    assert done.returncode != 0
    assert len(lines) == 2
    assert lines[0].startswith("::error file=deploy/credconf.prod.yml,line=1,")
    assert lines[1].startswith("::error file=deploy/credconf.prod.yml,line=2,")
    assert "did you mean `client_id`?" in lines[1]
    assert CANARY not in done.stdout + done.stderr


def test_a_repository_without_configurations_is_none_that_is_wrong(checkout):
    (checkout / "credconf.yaml").unlink()
    done = step(checkout)
    assert (done.returncode, done.stdout) == (0, "")
