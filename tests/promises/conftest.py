from __future__ import annotations

import pytest

from tests.config.project import project
from tests.promises.workers.control import Children, Commands, Control

__all__ = ["project"]


@pytest.fixture
def commands(fake_entra):
    return Commands(fake_entra)


@pytest.fixture
def children(fake_entra, commands, tmp_path):
    with Control(commands) as control:
        yield Children(fake_entra, control, tmp_path)
