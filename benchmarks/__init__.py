"""Benchmarks of credconf and azure-identity: `python -m benchmarks`, or `make benchmark`.

They report results and never fail: the budgets are goals. Each row runs in its own processes, with both sides and the
floor in the same run. The token service is on 127.0.0.1, or a stub inside the process, so no row needs a network.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The working directory of each process of a benchmark, so that it finds this package."""
