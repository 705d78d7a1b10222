"""`token_cache: {kind: redis}`: tokens that all processes share which reach one Redis.

A reader of the Redis learns no token, nor its owner (`sealing`). All times are those of the clock of the Redis, and are
part of what is encrypted: neither clocks of machines that differ, nor a command that a paused Redis executes an hour
late, make a token younger than it is.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from .store import Stored, read, read_failure, written, written_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credconf.ground.log import Log
    from credconf.problems.failure import Failure

    from .redis_client import RedisClient
    from .sealing import Keyring, Seal
    from .store import Entry


LEASE = 5.0
"""Seconds after which a crashed process has lost its lock: less than the others have patience, and more than a process
that is merely short of CPU leaves it without renewing it."""
LARGEST: Final = 256 * 1024
"""Bytes of a value that are read; no token comes near it."""
# Scripts, because the lease may end between a look and a step of the holder. redis-py's lock has such scripts, too;
# with them it keeps the first client of the process, which knows the password, for good.
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
_CLOCK = "return redis.call('time')"  # with a key, that leads to the server of the token
_READ = """
local found = {redis.call('time')}
for _, name in ipairs(KEYS) do
    local value = redis.pcall('getrange', name, 0, ARGV[1])
    if type(value) == 'table' then
        if not string.find(value.err, 'WRONGTYPE', 1, true) then return value end
        value = '?'
    end
    found[#found + 1] = value
end
return found
"""
"""The clock and the values of names, from one server. A list under a name of ours counts as a broken value."""
_END: Final = 10**15
"""Milliseconds: a bound above every real time, below which arithmetic is safe."""
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
        """Release the lock."""
        self._still(_RELEASE)

    def _still(self, script: str, *arguments: int) -> bool:
        """Whether a step that only the holder can do was done."""
        return bool(self._client.call(lambda client: client.eval(script, 1, self._name, self._token, *arguments)))

    def after_fork(self) -> None:
        """In the child of a fork there is nothing to forget: only who releases it would touch the parent's."""


class RedisStore:
    """Tokens in a Redis.

    Attributes:
        label: what logs call it.
        patience: the time within which one answer must begin: a look takes three, and they should be quicker.
        undecryptable: how many values were found that none of our secrets opens, because they were changed.
    """

    def __init__(self, client: RedisClient, keyring: Keyring, monotonic: Callable[[], float], log: Log) -> None:
        self.label = client.label
        self.patience: float | None = client.timeout
        self.undecryptable = 0
        self._client = client
        self._keyring = keyring
        self._monotonic = monotonic
        self._log = log

    def get(self, key: str) -> Stored:
        """The token that expires last of those under our secrets, and the last failure."""
        seals = self._keyring.now()
        places = [(seal, _name(seal, key, "token")) for seal in seals.reading]
        last = (seals.common, _name(seals.common, key, "failure"))
        found = self._read([name for _, name in (*places, last)])
        opened = [(self._opened(found[name][0], seal, name), found[name][1]) for seal, name in (*places, last)]
        entries = [entry for data, now in opened[:-1] if (entry := _entry(data, now)) is not None]
        failure, age = _failure(*opened[-1])
        return Stored(max(entries, key=lambda entry: entry.remaining, default=None), failure, age)

    def _read(self, names: Sequence[str]) -> dict[str, tuple[bytes | None, int]]:
        """What is stored under some names, each with the clock of its server."""
        groups: dict[str, list[str]] = {}
        for name in names:  # the names of another secret of the credential may be on another server of a Cluster
            groups.setdefault(name.rpartition(":")[0] if self._client.is_cluster else "", []).append(name)
        found: dict[str, tuple[bytes | None, int]] = {}
        for group in groups.values():
            found |= self._client.call(partial(_values, group))
        return found

    def put(self, key: str, entry: Entry) -> None:
        """Store a token until it expires, and remove the failure."""
        seals = self._keyring.now()
        token, last = _name(seals.writing, key, "token"), _name(seals.common, key, "failure")
        began = self._monotonic()
        now = self._now(token)
        # Reading the clock took part of the remaining time. Which part is unknown, so all of it is subtracted.
        remaining = int((entry.remaining - (self._monotonic() - began)) * 1000)
        if remaining <= 0:
            return
        until = now + remaining
        sealed = seals.writing.close({**written(entry), "until": until}, token)

        self._client.call(lambda client: client.set(token, sealed, px=remaining))
        self._client.call(lambda client: client.delete(last))

    def _now(self, name: str) -> int:
        """The clock of the server of a name, in milliseconds of Unix time."""
        return self._client.call(lambda client: _milliseconds(client.eval(_CLOCK, 1, name)))

    def put_failure(self, key: str, failure: Failure, seconds: float) -> None:
        """Store a failure for the processes that wait, for some seconds."""
        seal = self._keyring.now().common
        name = _name(seal, key, "failure")
        data = {"failure": written_failure(failure), "at": self._now(name)}
        sealed = seal.close(data, name)
        self._client.call(lambda client: client.set(name, sealed, px=int(seconds * 1000)))

    def lock(self, key: str) -> RedisLock | None:
        """The lock of a key; `None` where another process, or another thread of this one, has it."""
        name = _name(self._keyring.now().common, key, "lock")
        token = secrets.token_hex(16)
        attempts = 0

        def take(client: Any) -> bool:
            nonlocal attempts
            attempts += 1
            held = client.set(name, token, nx=True, px=int(LEASE * 1000))
            return bool(held) or (attempts > 1 and client.get(name) == token.encode())  # the first one may have had it

        return RedisLock(self._client, name, token) if self._client.call(take) else None

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
    # The braces keep what belongs to one token on one server of a Cluster, where a script may use all of it.
    return f"credconf:1:{{{seal.name(key)}}}:{what}"


def _milliseconds(clock: Sequence[int]) -> int:
    seconds, microseconds = clock
    now = int(seconds) * 1000 + int(microseconds) // 1000
    if not _is_clock(now):
        raise ValueError
    return now


def _is_clock(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and abs(value) < _END


def _values(names: Sequence[str], client: Any) -> dict[str, tuple[bytes | None, int]]:
    """What one server has under some names, with its clock.

    Raises:
        ValueError: it answers something else, or has no clock.
        TypeError: likewise.
    """
    clock, *values = client.eval(_READ, len(names), *names, LARGEST - 1)
    now = _milliseconds(clock)
    return {name: (_value(value), now) for name, value in zip(names, values, strict=True)}


def _value(value: Any) -> bytes | None:
    return value if isinstance(value, bytes | None) else b"?"


def _entry(data: dict[str, Any] | None, now: int) -> Entry | None:
    until, lifetime = (data or {}).get("until"), (data or {}).get("lifetime")
    if not _is_clock(until) or not isinstance(lifetime, int | float) or not abs(lifetime) < _END:
        return None
    age = lifetime - (until - now) / 1000
    return None if age < -_STEP else read(data, max(age, 0.0))


def _failure(data: dict[str, Any] | None, now: int) -> tuple[Failure | None, float]:
    if data is None or not _is_clock(at := data.get("at")):
        return None, 0.0
    failure, age = read_failure(data.get("failure")), (now - at) / 1000
    return (None, 0.0) if failure is None or age < -_STEP else (failure, max(age, 0.0))
