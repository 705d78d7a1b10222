"""The credentials of both sides, with the same identity, all tenants allowed, and defaults otherwise."""

from __future__ import annotations

import socket
import uuid
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .service import LOGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

Side: TypeAlias = Literal["ours", "theirs"]
SCOPE = "https://storage.azure.com/.default"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "11111111-1111-1111-1111-111111111111"
SECRET = "correct-horse-battery-staple"


def tenants() -> Iterator[str]:
    """Yield an endless series of new tenant ids."""
    while True:
        yield str(uuid.uuid4())


def _fields(authority: str | None) -> dict[str, Any]:
    place = {} if authority is None else {"authority": authority}
    return {
        "tenant_id": TENANT,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "additionally_allowed_tenants": ["*"],
        **place,
    }


def _our_fields(authority: str | None, retries: int | None) -> dict[str, Any]:
    http = {} if retries is None else {"http": {"retries": retries}}
    return {**_fields(authority), "token_cache": {"max_entries": 1_000_000}, **http}


def ours(authority: str | None = None, *, retries: int | None = None, **options: Any) -> Any:
    """Return a synchronous credential of credconf. `None` means the default number of retries, here and below."""
    import credconf

    return credconf.build(_our_fields(authority, retries), **options)


def ours_async(authority: str | None = None, *, retries: int | None = None, **options: Any) -> Any:
    """Return an asynchronous credential of credconf."""
    import credconf.aio

    return credconf.aio.build(_our_fields(authority, retries), **options)


def ours_shared(name: str) -> Any:
    """Return an asynchronous credential of credconf that shares a plain file with other processes."""
    import credconf.aio

    cache = {"kind": "file", "name": name, "allow_unencrypted_storage": True}
    return credconf.aio.build({**_fields(None), "token_cache": cache})


def ours_both(http_client: Any) -> tuple[Any, Any]:
    """Return both faces of one engine, so that one can fill the cache of the other."""
    import credconf.aio

    arguments: dict[str, Any] = _our_fields(None, None)
    arguments |= {"path": False, "env_file": False, "environ": {}, "http_client": http_client}
    return credconf.from_config(**arguments), credconf.aio.from_config(**arguments)


def _their_options(retries: int | None) -> dict[str, Any]:
    return {} if retries is None else {"retry_total": retries}


def theirs(authority: str | None = None, *, retries: int | None = None, **options: Any) -> Any:
    """Return a synchronous credential of azure-identity."""
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(**_fields(authority), **_their_options(retries), **options)


def theirs_async(authority: str | None = None, *, retries: int | None = None, **options: Any) -> Any:
    """Return an asynchronous credential of azure-identity."""
    from azure.identity.aio import ClientSecretCredential

    return ClientSecretCredential(**_fields(authority), **_their_options(retries), **options)


def theirs_shared(name: str) -> Any:
    """Return an asynchronous credential of azure-identity that shares a plain file with other processes."""
    from azure.identity import TokenCachePersistenceOptions
    from azure.identity.aio import ClientSecretCredential

    options = TokenCachePersistenceOptions(name=name, allow_unencrypted_storage=True)
    return ClientSecretCredential(**_fields(None), cache_persistence_options=options)


def send_login_to(port: int) -> None:
    """Resolve the name of the public cloud's login host to the token service, in this process, like a hosts file.

    Everything else is real on both sides: the well-known authority, TLS, connections and their pools.
    """
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port_asked: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name == LOGIN:
            return resolve("127.0.0.1", port, *args, **kwargs)
        return resolve(host, port_asked, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]
