"""tools/check_release.py: check that the tree is ready for a release of the version in `credconf/_version.py`.

`make release-check` runs it before all tests. It reports every problem, and ends with 1 if there is one.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_RELEASE = re.compile(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
_UNRELEASED = re.compile(r"^## Unreleased\n(.*?)^## ", re.MULTILINE | re.DOTALL)


def version_of(root: Path) -> str:
    """The version in the one place that holds it."""
    return re.findall(r'"(.+)"', (root / "credconf/_version.py").read_text(encoding="utf-8"))[0]


def problems_of_texts(root: Path, today: dt.date) -> list[str]:
    """What contradicts the version, in the files."""
    version = version_of(root)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*_changelog(root, version, today), *_revisions(root, version), *_pythons(root, project)]


def _changelog(root: Path, version: str, today: dt.date) -> list[str]:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = _RELEASE.findall(text)
    unreleased = _UNRELEASED.search(text)
    if not releases or releases[0][0] != version:
        return [f"CHANGELOG.md: its newest release is not `## {version} - DATE`"]
    return [
        *(["CHANGELOG.md: the release has a date in the future"] * (dt.date.fromisoformat(releases[0][1]) > today)),
        *(["CHANGELOG.md: `## Unreleased` is not empty"] * bool(unreleased and unreleased[1].strip())),
    ]


def _revisions(root: Path, version: str) -> list[str]:
    """Of the pre-commit hook, in the examples that users copy."""
    found = [
        (path.relative_to(root), revision)
        for folder in ("docs", "examples")
        for path in sorted((root / folder).rglob("*.md"))
        for revision in re.findall(r"\brev: (v\S+)", path.read_text(encoding="utf-8"))
    ]
    wrong = [f"{path}: `rev: {revision}` is not v{version}" for path, revision in found if revision != f"v{version}"]
    return wrong if found else ["docs: no page shows the revision of the pre-commit hook"]


def _pythons(root: Path, project: dict[str, list[str]]) -> list[str]:
    """The classifiers, beside the Pythons on which the release is tried."""
    classified = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    workflow = (root / ".github/workflows/release.yml").read_text(encoding="utf-8")
    tried = re.findall(r'"(3\.\d+)"', re.findall(r"^ +python: \[(.*)\]$", workflow, re.MULTILINE)[0])
    same = classified == tried and project["requires-python"] == f">={tried[0]}"
    return [] if same else ["pyproject.toml: the Pythons are not those of .github/workflows/release.yml"]


def problems_of_git(root: Path, version: str) -> list[str]:
    """What prevents a tag."""
    program = shutil.which("git") or "git"

    def git(*words: str) -> str:
        return subprocess.run([program, *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    changed = git("status", "--porcelain")
    tagged = git("tag", "--list", f"v{version}")
    return [*(["git: the tree has changes"] * bool(changed)), *([f"git: the tag v{version} exists"] * bool(tagged))]


def main() -> int:
    """Report the problems, or the commands that are left."""
    version = version_of(ROOT)
    found = [*problems_of_texts(ROOT, dt.datetime.now(tz=dt.UTC).date()), *problems_of_git(ROOT, version)]
    for problem in found:
        print(problem, file=sys.stderr)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if "urls" not in project:
        print("note: pyproject.toml has no [project.urls], from which PyPI links to the repository")
    if not found:
        print(f"the texts are ready for {version}; after the tests: git tag v{version} && git push origin v{version}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
