"""`token_cache: {kind: redis}`: tokens that all processes share which reach one Redis; `redis_store` calls it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field, SecretStr

from credconf.references import Reference
from credconf.settings.declaration import Redirects, Setting
from credconf.settings.fields import Password, url_in
from credconf.settings.formats import Format
from credconf.settings.urls import HOST, LOGIN

from .settings import Extra, StoreSettings

if TYPE_CHECKING:
    from .settings import Opening
    from .store import Store

_URL = rf"(?:rediss?://{LOGIN}{HOST}(?:/[0-9]{{0,5}})?|unix://{LOGIN}/[^\s?#\\]+(?:\?db=[0-9]{{1,5}})?)"
_A_URL = "a Redis is rediss://HOST:PORT/DATABASE, redis:// without TLS, or unix:///PATH"


def redis_url(text: str) -> str:
    """The URL of a Redis; it may hold a user and a password, percent-encoded.

    It may contain nothing else: redis-py would take options from its query, such as to check no certificate.

    Raises:
        FormatError: it is no such URL.
    """
    url = text.strip()
    if re.fullmatch(_URL, url):
        return url
    from credconf.settings.url_faults import store_fault  # only broken configurations need it

    raise store_fault(url, _A_URL)


URL: Final = Format(rf"\s*{_URL}\s*", _A_URL, redis_url, ())


class RedisSettings(StoreSettings):
    """Tokens are also kept in a Redis."""

    store: ClassVar = "redis"
    summary: ClassVar = "In memory, and encrypted in a Redis that machines share. Needs `credconf[redis]`."
    extra: ClassVar = Extra("redis", ("redis",))
    required: ClassVar = ("url",)
    repair: ClassVar = (
        "Check `token_cache.url`, that the Redis runs, and that this machine may reach it and write to it."
    )

    url: Annotated[
        Annotated[SecretStr | Reference, url_in(URL)] | None,
        Setting(
            "The URL of the Redis: `rediss://` with TLS, `redis://` without, `unix://` for a socket.",
            ("rediss://cache.example.com:6380/0", {"env": "REDIS_URL"}),
            secret=True,
            redirects=Redirects(("key",), keeps=True),
            sent_to="login",
        ),
    ] = None
    key: Annotated[
        Password | None,
        Setting(
            "The key that encrypts the tokens. Default: derived from the credential's secret.",
            ({"file": "/run/secrets/cache-key"},),
            secret=True,
            redirects=Redirects(keeps=True),
            sent_to="key",
        ),
    ] = None
    timeout: Annotated[
        float,
        Field(gt=0, le=30, allow_inf_nan=False),
        Setting(
            "The time-out of the Redis, in seconds. After it, the process uses only its own memory for a while.", (1,)
        ),
    ] = 0.5

    @classmethod
    def open(cls, opening: Opening) -> Store | None:
        """The Redis of a configuration; it is not called yet."""
        from .redis_client import RedisClient  # for those alone who use a Redis
        from .redis_store import RedisStore
        from .sealing import Keyring

        cache = opening.settings
        assert isinstance(cache, RedisSettings)
        keyring = Keyring(cache.key, opening)
        return RedisStore(RedisClient(cache.timeout, opening), keyring, opening.monotonic, opening.log)
