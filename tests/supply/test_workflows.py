"""The workflows trust as little as they can: actions by commit, permissions by job, no secret at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github/workflows").iterdir())}
WORKFLOWS = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
RELEASE = WORKFLOWS["release.yml"]["jobs"]


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_three():
    assert list(WORKFLOWS) == ["ci.yml", "nightly.yml", "release.yml"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_commit_beside_its_version(name):
    used = re.findall(r"^\s*- uses: (.*)$|^\s+uses: (.*)$", TEXTS[name], re.MULTILINE)
    assert used
    for found in map("".join, used):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", found)


def test_an_action_is_the_same_commit_everywhere():
    used = {step["uses"] for workflow in WORKFLOWS.values() for step in steps(workflow) if "uses" in step}
    assert len({each.partition("@")[0] for each in used}) == len(used)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_checked_out_with_credentials_and_no_job_runs_for_hours(name):
    for step in steps(WORKFLOWS[name]):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}
    assert all(job["timeout-minutes"] <= 40 for job in WORKFLOWS[name]["jobs"].values())
    assert "secrets." not in TEXTS[name]


def test_only_what_signs_or_publishes_may_write():
    assert WORKFLOWS["ci.yml"]["permissions"] == WORKFLOWS["nightly.yml"]["permissions"] == {"contents": "read"}
    assert WORKFLOWS["release.yml"]["permissions"] == {}
    assert {name: job["permissions"] for name, job in RELEASE.items()} == {
        "build": {"contents": "read"},
        "try": {"contents": "read"},
        "attest": {"attestations": "write", "id-token": "write"},
        "publish": {"id-token": "write"},
        "release": {"contents": "write"},
    }


def test_a_job_that_may_write_runs_nothing_of_the_tree():
    for job in (RELEASE["attest"], RELEASE["publish"], RELEASE["release"]):
        assert not any(step.get("uses", "").startswith("actions/checkout@") for step in job["steps"])


def test_what_is_published_was_built_once_and_tried_on_every_python():
    assert [RELEASE[name]["needs"] for name in ("try", "attest", "publish", "release")] == [
        "build",
        "try",
        "attest",
        "publish",
    ]
    assert RELEASE["try"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert "tools/test-wheel" in TEXTS["release.yml"]
    assert TEXTS["release.yml"].count("make ") == 1


def test_continuous_integration_runs_what_a_developer_runs():
    assert [step["run"] for step in steps(WORKFLOWS["ci.yml"]) if "run" in step] == [".ci/run"]
    assert [step["run"] for step in steps(WORKFLOWS["nightly.yml"]) if "run" in step] == ["make full"]
