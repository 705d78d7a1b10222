"""Search for secrets in all files that git tracks or would add, with detect-secrets and a detector of credconf's own.

The exit status is 1 if there is a finding that is not known to be made up. The output contains only the place and kind
of each finding.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent

UNUSED_DETECTORS = {
    "IPPublicDetector",  # an address is not a secret
    "KeywordDetector",  # `secret` is too frequent here; random text is found by its entropy
}
FILES_WITHOUT = [r"^tools/locked/", r"/package-lock\.json$"]  # hashes of public files
LINES_WITHOUT = [r"""["'`]-----BEGIN [A-Z ]*PRIVATE KEY-----(\\n)?["'`]"""]  # only the first line of a key
MADE_UP = [
    r"^PASSWORD$",  # advice: http://USER:PASSWORD@HOST
    r"^(hunter2|pw|p%40|p%C3%A4ss)$",  # for proxies and caches that do not exist
    r"(?i)canary",  # planted by the tests
]

# Positive controls: it must find each of these. They are split so that it does not find them in this file.
CONTROLS = {
    "Azure Storage Account access key": "AccountKey=" + "q1W2e3R4t5Y6" * 7 + "aB==",
    "Base64 High Entropy String": '"' + "c3VyZWx5IG5vdCBh" + "IHNlY3JldCBhdCBhbGw+/9xQ" + '"',
    "Entra Client Secret": "secret: abc8" + "Q~dEfGh.1jKlMnOpQrS-uVwXyZ_012345678",
    "JSON Web Token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJub2JvZHkifQ" + ".c2lnbmF0dXJlLW9mLW5vYm9keQ",
    "Private Key": "-----BEGIN PRIVATE" + " KEY-----",
}


def settings() -> dict[str, list[dict[str, object]]]:
    """Return the settings of detect-secrets: all detectors, and what to ignore."""
    own = {"name": "EntraClientSecretDetector", "path": f"file://{ROOT}/tools/entra_client_secret.py"}
    theirs = sorted(detector.__name__ for detector in get_mapping_from_secret_type_to_class().values())
    get_mapping_from_secret_type_to_class.cache_clear()  # or it ignores our detector
    heuristics = ("is_sequential_string", "is_potential_uuid", "is_templated_secret", "is_prefixed_with_dollar_sign")
    regular = {"should_exclude_file": FILES_WITHOUT, "should_exclude_line": LINES_WITHOUT}
    return {
        "plugins_used": [own, *({"name": name} for name in theirs if name not in UNUSED_DETECTORS)],
        "filters_used": [
            *({"path": f"detect_secrets.filters.heuristic.{name}"} for name in heuristics),
            *({"path": f"detect_secrets.filters.regex.{name}", "pattern": found} for name, found in regular.items()),
            {"path": "detect_secrets.filters.regex.should_exclude_secret", "pattern": MADE_UP},
        ],
    }


def files() -> list[str]:
    """Return the paths of the files in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout  # noqa: S603
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def unseen() -> list[str]:
    """Return the kinds of the positive controls that the scanner does not find."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "controls.yaml"
        path.write_text("\n".join(CONTROLS.values()) + "\n", encoding="utf-8")
        found = SecretsCollection()
        found.scan_file(str(path))
    return sorted(CONTROLS.keys() - {secret.type for _, secret in found})


def main() -> int:
    """Scan the files, print the findings, and return the exit status."""
    with transient_settings(settings()):
        if blind := unseen():
            print(f"the scanner does not find: {', '.join(blind)}", file=sys.stderr)
            return 1
        found = SecretsCollection(root=str(ROOT))
        names = files()
        found.scan_files(*names)
    for name, secret in sorted(found, key=lambda pair: (pair[0], pair[1].line_number)):
        print(f"{name}:{secret.line_number}: {secret.type}", file=sys.stderr)
    if found:
        print("If it is made up, say so in tools/find_secrets.py; if not, revoke it first.", file=sys.stderr)
        return 1
    print(f"no secrets in {len(names)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
