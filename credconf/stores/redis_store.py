"""`token_cache: {kind: redis}`: tokens that all processes share which reach one Redis.

A reader of the Redis learns no token, nor its owner (`sealing`). All times are those of the clock of the Redis, and are
part of what is encrypted: neither clocks of machines that differ, nor a command that a paused Redis executes an hour
late, make a token younger than it is.
"""

from __future__ import annotations

import secrets
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
        now, *values = self._client.call(lambda client: _values(client, [name for _, name in (*places, last)]))
        opened = [self._opened(value, *place) for value, place in zip(values, (*places, last), strict=True)]
        entries = [entry for data in opened[:-1] if (entry := _entry(data, now)) is not None]
        failure, age = _failure(opened[-1], now)
        return Stored(max(entries, key=lambda entry: entry.remaining, default=None), failure, age)

    def put(self, key: str, entry: Entry) -> None:
        """Store a token until it expires, and remove the failure."""
        seals = self._keyring.now()
        token, last = _name(seals.writing, key, "token"), _name(seals.common, key, "failure")
        began = self._monotonic()
        now = self._client.call(_now)
        # Reading the clock took part of the remaining time. Which part is unknown, so all of it is subtracted.
        remaining = int((entry.remaining - (self._monotonic() - began)) * 1000)
        if remaining <= 0:
            return
        until = now + remaining
        sealed = seals.writing.close({**written(entry), "until": until}, token)

        def store(client: Any) -> None:
            with client.pipeline(transaction=False) as pipe:
                pipe.set(token, sealed, px=remaining)
                pipe.delete(last)
                pipe.execute()

        self._client.call(store)

    def put_failure(self, key: str, failure: Failure, seconds: float) -> None:
        """Store a failure for the processes that wait, for some seconds."""
        seal = self._keyring.now().common
        name = _name(seal, key, "failure")
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
    """The answer of a pipeline; a value that can't be opened where a name of ours holds a list or the like."""
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


def _failure(data: dict[str, Any] | None, now: int) -> tuple[Failure | None, float]:
    if data is None or not _is_clock(at := data.get("at")):
        return None, 0.0
    failure, age = read_failure(data.get("failure")), (now - at) / 1000
    return (None, 0.0) if failure is None or age < -_STEP else (failure, max(age, 0.0))
