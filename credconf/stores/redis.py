"""`token_cache: {kind: redis}`: tokens that all processes share which reach one Redis.

Nobody who reads the Redis learns a token or whose it is (`sealing`). All times are told by the clock of the Redis, and
stand in what is encrypted: neither clocks of machines that differ, nor a command that a paused Redis executes an hour
late, make a token younger than it is.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeGuard

from pydantic import Field, SecretStr

from credconf.references import Reference
from credconf.settings.declaration import Redirects, Setting
from credconf.settings.fields import Password, url_in
from credconf.settings.formats import HOST, Format, FormatError

from .settings import Extra, StoreSettings
from .store import Seen, Told, read, read_failure, written, written_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.ground.log import Log
    from credconf.problems.failure import Failure

    from .redis_client import RedisClient
    from .sealing import Keyring, Seal
    from .settings import Opening
    from .store import Backend, Entry


LEASE = 5.0
"""Seconds after which a crashed process has lost its lock: less than the others have patience, and more than a process
that is merely short of CPU leaves it without renewing it."""
LARGEST: Final = 256 * 1024
"""Bytes of a value that are read; no token comes near it."""
# Only the holder may; between a look and a step of his own his lease might end. redis-py's lock has such scripts, too;
# with them it keeps the first client of the process, which knows the password, for good.
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
_END: Final = 10**15
"""Milliseconds: no clock says more, and numbers below it can be calculated with."""
_STEP = 2.0
"""Seconds by which the clock of the Redis may seem to go back; a token that seems to come from later is no good."""


class RedisLock:
    """A lock that is held in the Redis, until it is released or its lease ends.

    Args:
        client: where it is.
        name: of the lock.
        token: that only its holder knows.
    """

    lease: float | None = LEASE
    local = False

    def __init__(self, client: RedisClient, name: str, token: str) -> None:
        self._client = client
        self._name = name
        self._token = token

    def renew(self) -> bool:
        """Extend the lease; `False` where it has been lost."""
        return self._still(_RENEW, int(LEASE * 1000))

    def release(self) -> None:
        """Let somebody else have it."""
        self._still(_RELEASE)

    def _still(self, script: str, *arguments: int) -> bool:
        """Whether a step that only the holder can do was done."""
        return bool(self._client.call(lambda client: client.eval(script, 1, self._name, self._token, *arguments)))

    def after_fork(self) -> None:
        """In the child of a fork there is nothing to forget: only who releases it would touch the parent's."""


class RedisBackend:
    """Tokens in a Redis.

    Attributes:
        label: what logs call it.
        patience: the time within which one answer must begin: a look takes three, and they should be quicker.
        undecryptable: how many values were found that none of our secrets opens: somebody has changed them.
    """

    def __init__(self, client: RedisClient, keyring: Keyring, steady: Callable[[], float], log: Log) -> None:
        self.label = client.label
        self.patience: float | None = client.timeout
        self.undecryptable = 0
        self._client = client
        self._keyring = keyring
        self._steady = steady
        self._log = log

    def get(self, key: str) -> Seen:
        """The token that ends last of those under our secrets, and the last failure."""
        seals = self._keyring.now()
        places = [(seal, _name(seal, key, "token")) for seal in seals.reading]
        told = (seals.common, _name(seals.common, key, "told"))
        now, *values = self._client.call(lambda client: _values(client, [name for _, name in (*places, told)]))
        opened = [self._opened(value, *place) for value, place in zip(values, (*places, told), strict=True)]
        entries = [entry for data in opened[:-1] if (entry := _entry(data, now)) is not None]
        return Seen(max(entries, key=lambda entry: entry.remaining, default=None), _told(opened[-1], now))

    def put(self, key: str, entry: Entry) -> None:
        """Keep a token until its end; a failure that was told is over."""
        seals = self._keyring.now()
        token, told = _name(seals.writing, key, "token"), _name(seals.common, key, "told")
        began = self._steady()
        now = self._client.call(_now)
        # The time that it took to tell the time is over, too: where it is unknown to which part, all of it.
        remaining = int((entry.remaining - (self._steady() - began)) * 1000)
        if remaining <= 0:
            return
        until = now + remaining
        sealed = seals.writing.close({**written(entry), "until": until}, token)

        def store(client: Any) -> None:
            with client.pipeline(transaction=False) as pipe:
                pipe.set(token, sealed, px=remaining)
                pipe.delete(told)
                pipe.execute()

        self._client.call(store)

    def tell(self, key: str, failure: Failure, seconds: float) -> None:
        """Leave a failure for those who wait, for some seconds."""
        seal = self._keyring.now().common
        name = _name(seal, key, "told")
        data = {"failure": written_failure(failure), "at": self._client.call(_now)}
        sealed = seal.close(data, name)
        self._client.call(lambda client: client.set(name, sealed, px=int(seconds * 1000)))

    def lock(self, key: str) -> RedisLock | None:
        """The lock of a key; `None` where another process, or another thread of this one, has it."""
        name = _name(self._keyring.now().common, key, "lock")

        token = secrets.token_hex(16)
        held = self._client.call(lambda client: client.set(name, token, nx=True, px=int(LEASE * 1000)))
        return RedisLock(self._client, name, token) if held else None

    def _opened(self, value: bytes | None, seal: Seal, name: str) -> dict[str, Any] | None:
        if not value:
            return None
        data = None if len(value) >= LARGEST else seal.open(value, name)
        if data is None:
            self.undecryptable += 1
            if self.undecryptable == 1:
                self._log.warning("%s holds a value that can't be decrypted: it counts as missing", self.label)
        return data

    def after_fork(self) -> None:
        """In the child of a fork no lock is held, and no socket shared."""
        self._client.after_fork()
        self._keyring.after_fork()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _name(seal: Seal, key: str, what: str) -> str:
    # The braces keep what belongs together on one node, where the Redis is a cluster behind a proxy.
    return f"credconf:1:{{{seal.name(key)}}}:{what}"


def _now(client: Any) -> int:
    """The clock of the Redis, in milliseconds of Unix time."""
    return _milliseconds(client.time())


def _milliseconds(clock: Sequence[int]) -> int:
    seconds, microseconds = clock
    now = int(seconds) * 1000 + int(microseconds) // 1000
    if not _is_clock(now):
        raise ValueError
    return now


def _is_clock(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and abs(value) < _END


def _values(client: Any, names: Sequence[str]) -> list[Any]:
    """The clock of the Redis, and what it has under some names: empty where there is nothing."""
    with client.pipeline(transaction=False) as pipe:
        pipe.time()
        for name in names:
            pipe.getrange(name, 0, LARGEST - 1)
        clock, *values = (_answer(answer) for answer in pipe.execute(raise_on_error=False))
    return [_milliseconds(clock), *(value if isinstance(value, bytes | None) else b"?" for value in values)]


def _answer(answer: Any) -> Any:
    """The answer of a pipeline; where somebody put a list, or what else is no text, under a name of ours, rubbish."""
    if isinstance(answer, Exception):
        if not str(answer).startswith("WRONGTYPE"):
            raise answer
        return b"?"
    return answer


def _entry(data: dict[str, Any] | None, now: int) -> Entry | None:
    until, lifetime = (data or {}).get("until"), (data or {}).get("lifetime")
    if not _is_clock(until) or not isinstance(lifetime, int | float) or not abs(lifetime) < _END:
        return None
    age = lifetime - (until - now) / 1000
    return None if age < -_STEP else read(data, max(age, 0.0))


def _told(data: dict[str, Any] | None, now: int) -> Told | None:
    if data is None or not _is_clock(at := data.get("at")):
        return None
    failure, age = read_failure(data.get("failure")), (now - at) / 1000
    return None if failure is None or age < -_STEP else Told(failure, max(age, 0.0))


_USER = r"(?:[^\s/?#@\\\[\]]*@)?"
_URL = rf"(?:rediss?://{_USER}{HOST}(?:/[0-9]{{0,5}})?|unix://{_USER}/[^\s?#\\]+(?:\?db=[0-9]{{1,5}})?)"
_A_URL = "a Redis is rediss://HOST:PORT/DATABASE, redis:// without TLS, or unix:///PATH"


def redis_url(text: str) -> str:
    """The URL of a Redis; it may hold a user and a password, percent-encoded.

    Nothing else may stand in it: redis-py would take options from its query, such as to check no certificate.

    Raises:
        FormatError: it is no such URL.
    """
    url = text.strip()
    # Without its zeros: of thousands of digits Python makes no number.
    port = re.search(r":0*([1-9][0-9]*)(?:/[0-9]*)?$", url.rpartition("@")[2])
    if not re.fullmatch(_URL, url) or (port is not None and int(port[1][:6]) > 65535):  # noqa: PLR2004 - the highest port
        raise FormatError(_A_URL)
    return url


URL: Final = Format(rf"\s*{_URL}\s*", _A_URL, redis_url, ())


class RedisSettings(StoreSettings):
    """Tokens are also kept in a Redis."""

    store: ClassVar = "redis"
    summary: ClassVar = "Also in a Redis that many machines share, encrypted: needs `credconf[redis]`."
    extra: ClassVar = Extra("redis", ("redis",))
    required: ClassVar = ("url",)
    repair: ClassVar = (
        "Check `token_cache.url`, that the Redis runs, and that this machine may reach it and write to it."
    )

    url: Annotated[
        Annotated[SecretStr | Reference, url_in(URL)] | None,
        Setting(
            "Of the Redis: `rediss://` with TLS, `redis://` without, `unix://` for a socket.",
            ("rediss://cache.example.com:6380/0", {"env": "REDIS_URL"}),
            secret=True,
            redirects=Redirects(("key",), keeps=True),
            sent_to="login",
        ),
    ] = None
    key: Annotated[
        Password | None,
        Setting(
            "What tokens are encrypted with; by default a key derived from the credential's secret.",
            ({"file": "/run/secrets/cache-key"},),
            secret=True,
            redirects=Redirects(keeps=True),
            sent_to="key",
        ),
    ] = None
    timeout: Annotated[
        float,
        Field(gt=0, le=30, allow_inf_nan=False),
        Setting("Seconds that the Redis may take; then this process is on its own for a while.", (1,)),
    ] = 0.5

    @classmethod
    def open(cls, opening: Opening) -> Backend | None:
        """The Redis of a configuration; it is not called yet."""
        from .redis_client import RedisClient  # for those alone who use a Redis
        from .sealing import Keyring

        cache = opening.settings
        assert isinstance(cache, RedisSettings)
        keyring = Keyring(cache.key, opening)
        return RedisBackend(RedisClient(cache.timeout, opening), keyring, opening.monotonic, opening.log)
