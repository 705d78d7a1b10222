"""Measurements of credconf beside azure-identity: `python -m benchmarks`, or `make benchmark`.

They report and never fail: the budgets are goals. Each row is measured in processes of its own, both sides and the
floor in the same run, against a token service on 127.0.0.1 or a stub inside the process; no row needs a network.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""Where every process of a benchmark starts, so that it finds this package."""
