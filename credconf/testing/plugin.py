"""The pytest plugin: `fake_entra` and `credconf_environment`.

pytest loads this module through the entry point `pytest11` in every run on a machine that has credconf
installed. So it imports only pytest; each fixture imports what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .fake_entra import FakeEntra


@pytest.fixture
def fake_entra() -> Iterator[FakeEntra]:
    """A running fake Entra for one test. The environment is unchanged.

    Examples:
        ```python
        def test_a_token_is_cached(fake_entra):
            with credconf.build(fake_entra.config()) as credential:
                assert credential.get_token(SCOPE) == credential.get_token(SCOPE)
            assert fake_entra.count() == 1
        ```

    Yields:
        A started `credconf.testing.FakeEntra`, stopped after the test.
    """
    from .fake_entra import FakeEntra

    with FakeEntra() as entra:
        yield entra


@pytest.fixture
def credconf_environment(fake_entra: FakeEntra, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEntra]:
    """The same fake Entra, and an environment that configures an application to use it.

    For the test, it removes the machine's `AZURE_`, `CREDCONF_` and proxy variables. It empties the engines that
    credentials share before and after the test.

    Examples:
        ```python
        def test_an_expired_secret_is_reported(credconf_environment):
            entra = credconf_environment
            entra.registration.expire_secret(entra.client_secret)
            assert "AADSTS7000222" in status()
        ```

    Yields:
        The `credconf.testing.FakeEntra` that the variables configure.
    """
    from .environment import forget_engines

    fake_entra.apply(monkeypatch)
    yield fake_entra
    forget_engines()
