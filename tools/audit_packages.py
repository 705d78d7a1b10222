"""tools/audit_packages.py PIP_AUDIT FILE...: check the packages of lock files for known vulnerabilities.

pip-audit queries the package index's vulnerability service, and silently omits unknown packages. This program reports
them. The exit status is 1 if there is a vulnerability, or if the service knows only some of the packages. It is 0,
with a line that begins with `skipped`, if there is no such service, as on a mirror of the index.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def audit(program: str, files: list[str]) -> tuple[list[dict[str, Any]] | None, str]:
    """Return pip-audit's result for each package (`None` if it failed), and the last line of its errors."""
    command = [program, "--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json"]
    for file in files:
        command += ["--requirement", file]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - make says which
    complaint = (done.stderr.strip().splitlines() or [f"pip-audit ended with status {done.returncode}"])[-1]
    try:
        return json.loads(done.stdout)["dependencies"], complaint
    except (ValueError, KeyError):
        return None, complaint


def report(packages: list[dict[str, Any]]) -> int:
    """Print the results, and return the exit status."""
    unknown = [package for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        print(f"skipped: the vulnerability service knows none of the {len(packages)} packages: it is not there")
        return 0
    bad = [(package, found) for package in packages for found in package.get("vulns", [])]
    for package, found in bad:
        fixed = ", ".join(found["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}", file=sys.stderr)
    for package in unknown:
        print(f"{package['name']}: {package['skip_reason']}", file=sys.stderr)
    if bad or unknown:
        return 1
    print(f"no known vulnerabilities in {len(packages)} packages")
    return 0


def main(program: str, *files: str) -> int:
    """Ask, and say what was heard."""
    packages, complaint = audit(program, list(files))
    if packages is None:
        print(f"skipped: pip-audit could not ask: {complaint}")
        return 0
    if not packages:
        print("pip-audit read no package", file=sys.stderr)
        return 1
    return report(packages)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
