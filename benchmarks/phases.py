"""Where the time from the start of a process to its first token goes: `python -m benchmarks.phases`."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import sides
from .child import clean_environ
from .service import Service
from .sizes import FULL
from .start import PROGRAMS, until_first_line, write_files
from .table import grid, shown

if TYPE_CHECKING:
    from .sizes import Sizes


def phases(service: Service, directory: Path, times: int) -> dict[str, float]:
    """Return the median seconds of each phase, Python's own start included.

    Args:
        service: the running service, with its delay.
        directory: an empty directory for the files.
        times: the number of runs. The first run, which compiles and warms disks, does not count.
    """
    write_files(service.authority, directory)
    environ = clean_environ({**service.environ(), "AZURE_CLIENT_ID": sides.CLIENT})
    runs = []
    for _ in range(times + 1):
        whole, line = until_first_line(PROGRAMS / "phases.py", directory, environ)
        told = json.loads(line)
        runs.append({"start of Python": whole - sum(told.values()), **told})
    return {phase: statistics.median(run[phase] for run in runs[1:]) for phase in runs[0]}


def main(sizes: Sizes = FULL) -> None:
    """Print the phases as a table."""
    with Service() as service, tempfile.TemporaryDirectory(prefix="credconf-benchmark-") as directory:
        service.reset(sizes.start_delay)
        measured = phases(service, Path(directory), sizes.starts)
    print(grid([("phase", "time"), *((phase, shown(seconds, "s")) for phase, seconds in measured.items())]))


if __name__ == "__main__":
    main()
