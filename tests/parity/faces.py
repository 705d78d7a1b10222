"""azure-identity's classes and ours, synchronous and asynchronous, spoken to in one way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import azure.identity
import azure.identity.aio
from azure.core.exceptions import ServiceRequestError

import credconf
from tests.contract.faces import Clock, engine_of

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo

    from credconf.testing import FakeEntra

SCOPE = "https://storage.azure.com/.default"
OTHER_SCOPE = "https://vault.azure.net/.default"
OTHER_TENANT = "fabrikam.onmicrosoft.com"

_MODULES = {
    "theirs-sync": azure.identity,
    "theirs-async": azure.identity.aio,
    "ours-sync": credconf,
    "ours-async": credconf.aio,
}
NAMES = tuple(_MODULES)


class Driven:
    """One credential. Coroutines are run to their end on the loop of its face."""

    def __init__(self, credential: Any, face: Face) -> None:
        self.credential = credential
        self._face = face

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return self._face.run(self.credential.get_token(*scopes, **options))

    def get_token_info(self, *scopes: str, **options: Any) -> AccessTokenInfo:
        return self._face.run(self.credential.get_token_info(*scopes, **options))

    def enter(self) -> Any:
        return self._face.run(getattr(self.credential, "__aenter__" if self._face.is_async else "__enter__")())

    def leave(self) -> None:
        leave = getattr(self.credential, "__aexit__" if self._face.is_async else "__exit__")
        self._face.run(leave(None, None, None))

    def close(self) -> None:
        self._face.run(self.credential.close())


@dataclass(eq=False)
class Face:
    """One implementation in one style; it closes what it made.

    Attributes:
        name: one of `NAMES`.
    """

    name: str
    _made: list[Driven] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop() if self.is_async else None  # theirs has a session, which has one loop

    @property
    def is_ours(self) -> bool:
        return self.name.startswith("ours")

    @property
    def is_async(self) -> bool:
        return self.name.endswith("async")

    def run(self, outcome: Any) -> Any:
        return outcome if self._loop is None else self._loop.run_until_complete(outcome)

    def make(self, *arguments: Any, kind: str = "ClientSecretCredential", **options: Any) -> Driven:
        """A credential from exactly these arguments."""
        driven = Driven(getattr(_MODULES[self.name], kind)(*arguments, **options), self)
        self._made.append(driven)
        return driven

    def secret(self, entra: FakeEntra, *, tenant_id: str | None = None, **options: Any) -> Driven:
        """A credential for the fake's application; without retries, so that requests can be counted."""
        usual = self.usual(entra)
        secret = options.pop("client_secret", entra.client_secret)
        return self.make(tenant_id or entra.tenant_id, entra.client_id, secret, **{**usual, **options})

    def certificate(self, entra: FakeEntra, client_id: str, path: str | None, **options: Any) -> Driven:
        usual = self.usual(entra)
        return self.make(entra.tenant_id, client_id, path, kind="CertificateCredential", **{**usual, **options})

    @staticmethod
    def usual(entra: FakeEntra) -> dict[str, Any]:
        return {
            "authority": entra.authority,
            "connection_verify": entra.ca_bundle,
            "disable_instance_discovery": True,
            "retry_total": 0,
        }

    def timed(self, entra: FakeEntra, clock: Clock) -> Driven:
        """A credential that goes by a clock; theirs goes by `time.time`, which the fixture has replaced by it."""
        if not self.is_ours:
            return self.secret(entra)
        engine = engine_of(entra.config(http={"retries": 0}), clock=clock)
        driven = Driven(_MODULES[self.name].Credential(engine), self)
        self._made.append(driven)
        return driven

    def deaf(self, calls: list[str]) -> dict[str, Any]:
        """The option for a network that records the hosts, and connects to none."""
        if self.is_ours:
            return {"http_client": DeafClient(calls)}
        return {"transport": (_AsyncDeafTransport if self.is_async else _DeafTransport)(calls), "retry_total": 0}

    def finish(self) -> None:
        for driven in self._made:
            driven.close()
        if self._loop is not None:
            self._loop.run_until_complete(asyncio.sleep(0.05))  # aiohttp's connections close a little later
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


class DeafClient:
    """MSAL's `http_client` that connects to no host."""

    def __init__(self, hosts: list[str]) -> None:
        self.hosts = hosts

    def get(self, url: str, **_: Any) -> Any:
        self.hosts.append(urlsplit(url).netloc)
        raise OSError

    post = get

    def close(self) -> None: ...


class _DeafTransport:
    """azure-core's transport that connects to no host."""

    def __init__(self, hosts: list[str]) -> None:
        self.hosts = hosts

    def send(self, request: Any, **_: Any) -> Any:
        self.hosts.append(urlsplit(request.url).netloc)
        raise ServiceRequestError("nobody there")

    def open(self) -> None: ...

    def close(self) -> None: ...

    def sleep(self, _seconds: float) -> None: ...

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None: ...


class _AsyncDeafTransport:
    """The same for coroutines."""

    def __init__(self, hosts: list[str]) -> None:
        self.hosts = hosts

    async def send(self, request: Any, **_: Any) -> Any:
        self.hosts.append(urlsplit(request.url).netloc)
        raise ServiceRequestError("nobody there")

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def sleep(self, _seconds: float) -> None: ...

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None: ...
