from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credconf.testing import FakeEntra

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        fake.allow_any_tenant()
        yield fake
