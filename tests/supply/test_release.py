"""The version is in one place, and what repeats it agrees; the check before a release finds what does not."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess

import pytest

from tests.docs.pages import ROOT
from tools.check_release import problems_of_git, problems_of_texts, version_of

FILES = ["CHANGELOG.md", "pyproject.toml", "credconf/_version.py", ".github/workflows/release.yml"]
FILES += ["docs/how-to/github-actions.md", "examples/continuous_integration/README.md"]
LATER = dt.date(2100, 1, 1)


@pytest.fixture
def tree(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(tree, name, old, new):
    text = (tree / name).read_text(encoding="utf-8")
    assert old in text
    (tree / name).write_text(text.replace(old, new), encoding="utf-8")


def test_what_repeats_the_version_agrees_with_it():
    # Between releases, `Unreleased` has entries.
    assert [item for item in problems_of_texts(ROOT, LATER) if "Unreleased" not in item] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("credconf/_version.py", '"0.', '"99.', "its newest release is not"),
        ("CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- Something.\n", "`## Unreleased` is not empty"),
        ("docs/how-to/github-actions.md", "rev: v", "rev: v9", "is not v"),
        ("examples/continuous_integration/README.md", "rev: v", "rev: v9", "is not v"),
        ("pyproject.toml", '"Programming Language :: Python :: 3.13",\n', "", "the Pythons are not those"),
        ("pyproject.toml", 'requires-python = ">=3.11"', 'requires-python = ">=3.12"', "the Pythons are not those"),
    ],
)
def test_each_contradiction_is_reported(tree, name, old, new, problem):
    assert not any(problem in item for item in problems_of_texts(tree, LATER))
    change(tree, name, old, new)
    assert any(problem in item for item in problems_of_texts(tree, LATER))


def test_a_date_in_the_future_is_reported(tree):
    assert any("future" in item for item in problems_of_texts(tree, dt.date(2000, 1, 1)))


def test_a_changed_tree_and_a_used_tag_are_reported(tree):
    def git(*words):
        author = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *author, *words], cwd=tree, check=True, capture_output=True)

    git("init")
    assert problems_of_git(tree, "1.0.0") == ["git: the tree has changes"]
    git("add", ".")
    git("commit", "-m", "All")
    assert problems_of_git(tree, "1.0.0") == []
    git("tag", "v1.0.0")
    assert problems_of_git(tree, "1.0.0") == ["git: the tag v1.0.0 exists"]
    assert problems_of_git(tree, "1.0.1") == []


def test_the_version_is_that_of_the_package():
    import credconf

    assert version_of(ROOT) == credconf.__version__
