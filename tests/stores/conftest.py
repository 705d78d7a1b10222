from __future__ import annotations

import pytest

from tests.config.project import project

__all__ = ["project"]


class Clock:
    """Both clocks of a machine, which only a test moves."""

    def __init__(self):
        self.wall = 1_800_000_000.0
        self.monotonic = 50_000.0

    def advance(self, seconds):
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def clock():
    return Clock()
