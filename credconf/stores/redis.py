"""`token_cache: {kind: redis}`: tokens that all processes share which reach one Redis; `redis_store` calls it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field, SecretStr

from credconf.references import Reference
from credconf.settings.declaration import Redirects, Setting
from credconf.settings.fields import Password, name_in, url_in
from credconf.settings.formats import Format, of_pattern
from credconf.settings.urls import HOST, LOGIN

from .settings import Extra, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.references import NotFound

    from .redis_address import Options
    from .settings import Opening
    from .store import Store

_HOSTS = rf"{HOST}(?:,{HOST}){{0,15}}"
_URL = rf"(?:rediss?://{LOGIN}{_HOSTS}(?:/[0-9]{{0,5}})?|unix://{LOGIN}/[^\s?#\\]+(?:\?db=[0-9]{{1,5}})?)"
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
_NAME: Final = of_pattern(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?",
    "Sentinels know a primary by letters, digits, `.`, `_` and `-`, such as mymaster",
)


class RedisSettings(StoreSettings):
    """Tokens are also kept in a Redis."""

    store: ClassVar = "redis"
    summary: ClassVar = "In memory, and encrypted in a Redis that machines share. Needs `credconf[redis]`."
    extra: ClassVar = Extra("redis", ("redis",))
    required: ClassVar = ("url",)
    false_beside: ClassVar = {"sentinel": "cluster"}
    repair: ClassVar = (
        "Check `token_cache.url`, that the Redis runs, and that this machine may reach it and write to it."
    )

    url: Annotated[
        Annotated[SecretStr | Reference, url_in(URL)] | None,
        Setting(
            "The URL of the Redis: `rediss://` with TLS, `redis://` without, `unix://` for a socket. Several hosts, "
            "separated by commas, are those of a Cluster or of Sentinels.",
            ("rediss://cache.example.com:6380/0", "rediss://a.example.com,b.example.com", {"env": "REDIS_URL"}),
            secret=True,
            redirects=Redirects(("key", "store"), keeps=True),
            sent_to="store",
        ),
    ] = None
    cluster: Annotated[
        bool,
        Setting(
            "Whether it is a Redis Cluster, or a managed Redis that speaks its protocol.",
            (True,),
            also_called="clustermode",
        ),
    ] = False
    sentinel: Annotated[
        Annotated[str, name_in(_NAME)] | None,
        Setting(
            "The name under which Sentinels know the primary. The hosts of `url` are then those of the Sentinels.",
            ("mymaster",),
            redirects=Redirects(("key", "store"), keeps=True),
            also_called="mastername servicename sentinelmaster",
        ),
    ] = None
    sentinel_password: Annotated[
        Password | None,
        Setting(
            "The password of the Sentinels, if they have one. That of the Redis is in `url`.",
            ({"file": "/run/secrets/sentinel"},),
            secret=True,
            sent_to="store",
        ),
    ] = None
    entra_sign_in: Annotated[
        bool,
        Setting(
            "Sign in to an Azure Redis with a token of this credential, instead of a password.",
            (True,),
            also_called="aad entra entraid",
        ),
    ] = False
    key: Annotated[
        Password | None,
        Setting(
            "The key that encrypts the tokens.",
            ({"file": "/run/secrets/cache-key"},),
            otherwise="a key derived from the credential's secret",
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
    def conflict(cls, cache: StoreSettings, texts: Mapping[str, str | None]) -> NotFound | None:
        """Return why the settings do not go together: the URL may come from a reference."""
        from .redis_address import conflict_of  # for those alone who use a Redis

        return conflict_of(options_of(cache), texts.get("token_cache.url"))

    @classmethod
    def open(cls, opening: Opening) -> Store | None:
        """The Redis of a configuration; it is not called yet."""
        from .redis_client import RedisClient  # for those alone who use a Redis
        from .redis_store import RedisStore
        from .sealing import Keyring

        cache = opening.settings
        assert isinstance(cache, RedisSettings)
        keyring = Keyring(cache.key, opening)
        return RedisStore(RedisClient(options_of(cache), opening), keyring, opening.monotonic, opening.log)


def options_of(cache: StoreSettings) -> Options:
    """Return what the modules that call a Redis need of its settings."""
    from .redis_address import Options  # for those alone who use a Redis

    assert isinstance(cache, RedisSettings)
    return Options(cache.timeout, cache.cluster, cache.sentinel, cache.sentinel_password, cache.entra_sign_in)
