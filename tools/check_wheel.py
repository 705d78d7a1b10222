"""tools/check_wheel.py WHEEL: check that the wheel contains the library, its schema, its metadata, and nothing else."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = "credconf/credconf.schema.json"
DESCRIPTION = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def expected(description: str) -> dict[str, Path | None]:
    """Return the expected files of the wheel and their sources (`None` if the build generates the file)."""
    library = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "credconf").rglob("*.py")}
    return {
        **library,
        "credconf/py.typed": ROOT / "credconf/py.typed",
        SCHEMA: ROOT / "schema/credconf.schema.json",
        **{f"{description}/{name}": None for name in DESCRIPTION},
    }


def problems(wheel: Path) -> list[str]:
    """Return the problems of the wheel."""
    name, version, *_ = wheel.name.split("-")
    wanted = expected(f"{name}-{version}.dist-info")
    with zipfile.ZipFile(wheel) as archive:
        held = {entry: archive.read(entry) for entry in archive.namelist()}
    return [
        *(f"it lacks {path}" for path in sorted(wanted.keys() - held)),
        *(f"it holds {path}" for path in sorted(held.keys() - wanted)),
        *(
            f"{path} is not the tree's"
            for path, source in sorted(wanted.items())
            if source and path in held and held[path] != source.read_bytes()
        ),
    ]


def main(path: str) -> int:
    """Say what is wrong, or how many files there are."""
    wheel = Path(path)
    found = problems(wheel)
    for problem in found:
        print(f"{wheel.name}: {problem}", file=sys.stderr)
    if not found:
        with zipfile.ZipFile(wheel) as archive:
            print(f"{wheel.name} holds {len(archive.namelist())} files: the library, its schema, its description")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
