"""The pytest plugin: `fake_entra` and `credconf_environment`.

pytest loads this module through the entry point `pytest11` in every run of everybody who has credconf
installed, so it imports nothing but pytest itself; the rest is imported by the fixture that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .fake_entra import FakeEntra


@pytest.fixture
def fake_entra() -> Iterator[FakeEntra]:
    """A running fake Entra of this test's own; the environment is left as it is.

    Yields:
        A started `credconf.testing.FakeEntra`, stopped after the test.
    """
    from .fake_entra import FakeEntra

    with FakeEntra() as entra:
        yield entra


@pytest.fixture
def credconf_environment(fake_entra: FakeEntra, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEntra]:
    """The same fake Entra, with the environment of an application that is configured to use it.

    Every `AZURE_` and `CREDCONF_` variable that the machine has, and its proxies, are out of the way for
    the length of the test; engines that credentials share are emptied before it and after it.

    Yields:
        The `credconf.testing.FakeEntra` that the variables point to.
    """
    from .environment import forget_engines

    fake_entra.apply(monkeypatch)
    yield fake_entra
    forget_engines()
