"""A fake Entra that knows what the examples name, and the examples themselves."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.examples.running import CLIENT, EXAMPLES, TENANT, Place

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from credconf.testing import FakeEntra, Registration


@pytest.fixture
def place(tmp_path: Path):
    """Copies an example out of the repository: it must stand alone, as it will where it is copied to."""

    def copy(example: str) -> Place:
        directory = tmp_path / example
        shutil.copytree(EXAMPLES / example, directory, ignore=shutil.ignore_patterns("__pycache__", ".env", "secrets"))
        return Place(directory)

    return copy


@pytest.fixture
def registered(fake_entra: FakeEntra) -> Registration:
    """The application that the examples name, with a secret that only this test knows."""
    return fake_entra.register(CLIENT, tenants=[TENANT])


@pytest.fixture
def server_alone(fake_entra: FakeEntra):
    """The variables that lead to the fake Entra, without an identity: that is the example's to say."""

    def variables(name: str | None = None) -> dict[str, str]:
        return fake_entra.environ(name, identity=False)

    return variables


@pytest.fixture
def module():
    """Imports a file of an example, under a name that no other test uses."""

    def load(path: str) -> ModuleType:
        name = "example_" + path.removesuffix(".py").replace("/", "_")
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / path)
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    return load
