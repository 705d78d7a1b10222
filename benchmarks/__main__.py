"""`python -m benchmarks`: run the benchmarks, print the table, and write JSON and the plot."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import plot, rows
from .service import Service
from .sizes import FULL, QUICK
from .table import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .sizes import Sizes
    from .table import Row

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("credconf", "azure-identity", "azure-core", "msal", "pydantic", "pydantic-settings", "requests", "aiohttp")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="use smaller numbers, for less than a minute")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIRECTORY", help="default: %(default)s")
    options = parser.parse_args(arguments)
    measured, points = run(QUICK if options.quick else FULL)
    about = about_this_run(quick=options.quick)
    print(f"{about['date']}, Python {about['python']}, {about['processors']} processors")
    print(", ".join(f"{name} {number}" for name, number in about["versions"].items()), end="\n\n")
    print(markdown(measured), end="\n\n")
    write(options.results, "quick" if options.quick else "latest", about, measured, points)


def run(sizes: Sizes) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of the table and the points of the plot."""
    done = _Progress()
    measured = done.with_rows("cached calls", list(rows.cached(sizes)))
    measured += done.with_rows("kinds without a secret", list(rows.kinds(sizes)))
    with Service() as service:
        measured += done.with_rows("requests", list(rows.requests(sizes, service)))
        measured += done.with_rows("many tenants at once", list(rows.crowd(sizes, service)))
        growth, points = rows.growth(sizes)
        measured += done.with_rows("the Nth tenant", growth)
        measured += done.with_rows("memory", [rows.memory(sizes)])
        measured += done.with_rows("beginnings", list(rows.beginnings(sizes, service)))
    return measured, points


class _Progress:
    """Prints progress to standard error, because a run takes minutes."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def with_rows(self, what: str, measured: list[Row]) -> list[Row]:
        print(f"{time.monotonic() - self._begin:5.0f} s  {what}", file=sys.stderr, flush=True)
        return measured


def about_this_run(*, quick: bool) -> dict[str, Any]:
    """Return the date, the machine and the versions of a run."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "python": platform.python_version(),
        "system": platform.system(),
        "processors": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "versions": {name: version(name) for name in _PACKAGES},
    }


def write(directory: Path, name: str, about: dict[str, Any], measured: Sequence[Row], points: dict[str, Any]) -> None:
    """Write `NAME.json` and `NAME.png`."""
    directory.mkdir(parents=True, exist_ok=True)
    result = {**about, "rows": [row.as_json() for row in measured], "tenants": points}
    path = directory / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {_from_here(path)}")
    picture = directory / f"{name}.png"
    try:
        plot.draw(points, picture)
    except plot.NoPlot as exc:
        print(exc)
    else:
        print(f"wrote {_from_here(picture)}")


def _from_here(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    main()
