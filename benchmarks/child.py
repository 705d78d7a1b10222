"""Measurements in fresh processes, without imports, caches or garbage of another row.

`measure("hot:cached", ...)` runs `benchmarks.hot.cached(...)` there and returns its result, which must be JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 180
"""The time-out of a measurement, in seconds."""
_OTHERS = {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "REGION_NAME", "MSAL_FORCE_REGION"}


def clean_environ(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without variables that either side reads, and with `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "CREDCONF_", "COV_", "PYTHON"))
        and not name.lower().endswith("_proxy")
        and name not in _OTHERS
    }
    return {**kept, **extra}


def measure(what: str, environ: Mapping[str, str] | None = None, **arguments: Any) -> Any:
    """Run a function of this package in a new process.

    Args:
        what: `MODULE:FUNCTION`.
        environ: additional variables.
        **arguments: of the function, as JSON.

    Returns:
        What the function returned.

    Raises:
        RuntimeError: it failed, or took too long; its error output was shown.
    """
    command = [sys.executable, "-m", __name__, what, json.dumps(arguments)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=clean_environ(environ or {}), stdout=subprocess.PIPE, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        message = f"{what} took longer than {LONGEST} s"
    else:
        if not done.returncode:
            return json.loads(done.stdout.splitlines()[-1])
        message = f"{what} failed"
    raise RuntimeError(message)


def main() -> None:
    """Run the function named on the command line."""
    module, _, function = sys.argv[1].partition(":")
    result = getattr(import_module(f"{__package__}.{module}"), function)(**json.loads(sys.argv[2]))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
