"""A site for each test, whose application has the canary for its secret, and all logging switched on."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import pytest

from credconf.testing import FakeEntra
from tests.config.project import project
from tests.contract.faces import ASYNC, SYNC, Driven
from tests.secrecy.canaries import SECRET
from tests.secrecy.places import PLACES, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["project"]

LOGGERS = ("credconf", "msal", "urllib3", "azure", "asyncio", "requests", "httpx", "pydantic")


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        fake.register(fake.client_id, secrets=[SECRET])
        fake.add_tenant(fake.tenant_id)
        yield fake


@pytest.fixture(params=[SYNC, ASYNC], ids=lambda face: face.name)
def face(request):
    return request.param


@pytest.fixture
def site(tmp_path, monkeypatch, entra, face):
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path, entra, face, monkeypatch)


@pytest.fixture
def said(caplog):
    """Every record of every library, and every warning."""
    for name in ("", *LOGGERS):
        caplog.set_level(logging.DEBUG, name)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield caplog, warned


@pytest.fixture(params=PLACES)
def place(request):
    return request.param


@pytest.fixture
def planted(site, place, said):
    """A credential that holds the canary, which came from one place."""
    credential, canary = PLACES[place](site)
    driven = Driven(credential)
    yield driven, canary
    driven.close()
