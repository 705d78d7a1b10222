"""How the examples are run: as they are, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = Path(__file__).parents[2] / "examples"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "11111111-1111-1111-1111-111111111111"
_NOT_OURS = ("AZURE_", "CREDCONF_", "DJANGO_", "PYTEST_", "SHOP_", "COV_")


@dataclass(frozen=True)
class Ran:
    """How a program ended, and all that it wrote."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Place:
    """A directory with a copy of an example, which may then get its secrets."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put_secret(self, name: str, secret: str) -> None:
        path = self.directory / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{secret}\n", encoding="utf-8")

    def run(self, *arguments: str, environ: Mapping[str, str]) -> Ran:
        """Run Python here, with nothing about credentials in the environment but what is given."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_NOT_OURS) and not name.lower().endswith("_proxy")
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=self.directory,
            env={**inherited, "PYTHONDONTWRITEBYTECODE": "1", **environ},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)
