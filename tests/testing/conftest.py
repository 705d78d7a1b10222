from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import requests

from credconf.testing import FakeEntra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def _no_proxy_and_no_other_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}:
            monkeypatch.delenv(name)


class Clock:
    """A clock that moves only on demand."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def entra() -> Iterator[FakeEntra]:
    with FakeEntra() as fake:
        yield fake


@pytest.fixture
def session(entra: FakeEntra) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # this machine may export REQUESTS_CA_BUNDLE, which would win over `verify`
        session.verify = entra.ca_bundle
        yield session


@pytest.fixture
def ask(entra: FakeEntra, session: requests.Session) -> Callable[..., requests.Response]:
    """Ask for a token: a field of the form can be changed by its name, None leaves it out."""

    def ask(
        tenant: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 20,
        path: str | None = None,
        **changes: str | None,
    ) -> requests.Response:
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": entra.client_id,
            "client_secret": entra.registration.secrets[0] if entra.registration.secrets else None,
            "scope": "https://storage.azure.com/.default",
        }
        path = path or f"/{tenant or entra.tenant_id}/oauth2/v2.0/token"
        return session.post(
            entra.authority + path,
            data={name: value for name, value in {**form, **changes}.items() if value is not None},
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
        )

    return ask
