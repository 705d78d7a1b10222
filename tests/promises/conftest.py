from __future__ import annotations

import pytest

from tests.config.project import project
from tests.promises.workers.control import Children, Control, Desk

__all__ = ["project"]


@pytest.fixture
def desk(fake_entra):
    return Desk(fake_entra)


@pytest.fixture
def children(fake_entra, desk, tmp_path):
    with Control(desk) as control:
        yield Children(fake_entra, control, tmp_path)
