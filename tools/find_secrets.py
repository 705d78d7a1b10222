"""Look for secrets in every file that git knows or would add, with detect-secrets and a detector of our own.

The exit status is 1 if something was found that is not known to be made up. Findings are shown by place and kind only.
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
    "IPPublicDetector",  # an address is no secret
    "KeywordDetector",  # the word `secret` stands on half of our lines; what is random is found by its entropy
}
FILES_WITHOUT = [r"^tools/locked/", r"/package-lock\.json$"]  # hashes of public files
LINES_WITHOUT = [r"""["'`]-----BEGIN [A-Z ]*PRIVATE KEY-----(\\n)?["'`]"""]  # the first line of a key, and no key
MADE_UP = [
    r"^PASSWORD$",  # advice: http://USER:PASSWORD@HOST
    r"^(hunter2|pw|p%40|p%C3%A4ss)$",  # of proxies and caches that are not there
    r"(?i)canary",  # what the tests plant and look for
]

# What it must find, or it is blind; in pieces, so that it does not find it here.
CONTROLS = {
    "Azure Storage Account access key": "AccountKey=" + "q1W2e3R4t5Y6" * 7 + "aB==",
    "Base64 High Entropy String": '"' + "c3VyZWx5IG5vdCBh" + "IHNlY3JldCBhdCBhbGw+/9xQ" + '"',
    "Entra Client Secret": "secret: abc8" + "Q~dEfGh.1jKlMnOpQrS-uVwXyZ_012345678",
    "JSON Web Token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJub2JvZHkifQ" + ".c2lnbmF0dXJlLW9mLW5vYm9keQ",
    "Private Key": "-----BEGIN PRIVATE" + " KEY-----",
}


def settings() -> dict[str, list[dict[str, object]]]:
    """What detect-secrets is told: its detectors and ours, and what is to be left out."""
    own = {"name": "EntraClientSecretDetector", "path": f"file://{ROOT}/tools/entra_client_secret.py"}
    theirs = sorted(detector.__name__ for detector in get_mapping_from_secret_type_to_class().values())
    get_mapping_from_secret_type_to_class.cache_clear()  # else it never learns of ours
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
    """The files of the repository, by their paths in it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout  # noqa: S603
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def unseen() -> list[str]:
    """The kinds of secret that the scanner should find and does not."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "controls.yaml"
        path.write_text("\n".join(CONTROLS.values()) + "\n", encoding="utf-8")
        found = SecretsCollection()
        found.scan_file(str(path))
    return sorted(CONTROLS.keys() - {secret.type for _, secret in found})


def main() -> int:
    """Scan, and say what was found."""
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
