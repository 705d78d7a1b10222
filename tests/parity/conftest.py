from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from credconf.testing import FakeEntra
from tests.contract.faces import Clock
from tests.parity.faces import NAMES, Face

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        yield fake


@pytest.fixture(params=NAMES)
def face(request) -> Iterator[Face]:
    """Each implementation in each style: whatever holds for it holds for both."""
    face = Face(request.param)
    yield face
    face.finish()


@pytest.fixture(params=["sync", "async"])
def theirs_and_ours(request) -> Iterator[tuple[Face, Face]]:
    """Both implementations in one style, for what differs on purpose."""
    faces = Face(f"theirs-{request.param}"), Face(f"ours-{request.param}")
    yield faces
    for face in faces:
        face.finish()


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The time for both implementations; azure-identity and MSAL ask `time.time`."""
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock
