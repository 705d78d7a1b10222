"""What is locked is what pyproject.toml asks for, on every Python, and nothing that says whose machine locked it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKED = ROOT / "tools/locked"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
# Development has the extras of the users, too, and asks for them by the project's own name.
USERS = [name for name in EXTRAS if f"credconf[{name}]" in EXTRAS["dev"]]
DEV = [each for name in ("dev", *USERS) for each in EXTRAS[name] if not each.startswith("credconf[")]
WANTED = {
    "library": RUNTIME,
    "dev": [*RUNTIME, *DEV],
    "integration": RUNTIME + EXTRAS["integration"],
    "bench": RUNTIME + EXTRAS["bench"],
    "docs": RUNTIME + EXTRAS["docs"],
    "build": GROUPS["build"],
    "supply": GROUPS["supply"],
    "lowest": [*RUNTIME, *DEV],
}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def entries(name):
    """Each locked requirement with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", (LOCKED / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for entry in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split("--hash=")
        yield Requirement(requirement), [found.strip() for found in hashes]


def applies(requirement, python):
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.9"}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def pins(name, python):
    found = {}
    for requirement, _ in entries(name):
        if applies(requirement, python):
            [specifier] = requirement.specifier
            assert specifier.operator == "=="
            assert canonicalize_name(requirement.name) not in found, "two versions at once"
            found[canonicalize_name(requirement.name)] = specifier.version
    return found


def test_every_set_of_dependencies_is_locked_and_nothing_else():
    assert {path.stem for path in LOCKED.iterdir()} == WANTED.keys()
    assert (EXTRAS.keys() - {*USERS}) | GROUPS.keys() | {"library", "lowest"} == WANTED.keys()


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", [name for name in WANTED if name != "lowest"])
def test_the_lock_holds_what_is_asked_for(name, python):
    locked = pins(name, python)
    for requirement in filter(lambda each: applies(each, python), map(Requirement, WANTED[name])):
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not locked: run `make lock`"
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: run `make lock`"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", ["library", "integration", "docs", "bench", "build"])
def test_what_shares_a_virtualenv_agrees(name, python):
    here, dev = pins(name, python), pins("dev", python)
    assert {package: here[package] for package in here.keys() & dev} == {
        package: dev[package] for package in here.keys() & dev
    }


def test_the_lowest_versions_are_the_bounds():
    locked = pins("lowest", PYTHONS[0])
    for requirement in map(Requirement, RUNTIME):
        [bound] = requirement.specifier
        assert bound.operator == ">=", requirement
        lowest = locked[canonicalize_name(requirement.name)]
        assert Requirement(f"x=={bound.version}").specifier.contains(lowest), f"{requirement}: run `make lock`"


@pytest.mark.parametrize("name", WANTED)
def test_every_file_has_hashes_and_no_address(name):
    found = list(entries(name))
    assert found
    for requirement, hashes in found:
        assert requirement.url is None
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)
    text = (LOCKED / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash)|(?<!\w)/\w+/", text, re.MULTILINE)


def test_the_build_is_locked_as_the_build_asks():
    assert set(PROJECT["build-system"]["requires"]) <= set(GROUPS["build"])


def test_the_pythons_are_the_same_everywhere():
    classifiers = PROJECT["project"]["classifiers"]
    assert [name[-4:] for name in classifiers if name.startswith("Programming Language :: Python :: 3.")] == PYTHONS
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}"
    others = (ROOT / "tools/test-others").read_text(encoding="utf-8")
    assert f"versions=({' '.join(PYTHONS[1:])})\n" in others


def test_a_python_that_is_nowhere_is_not_found():
    done = subprocess.run([ROOT / "tools/find-python", "3.99"], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
