"""Tokens beyond one process: what a backend is, and what travels to it and back.

A backend is one file beside this one, and one line in `backends`. It needs to know nothing of Entra, of threads or of
what happens when it fails: `sharing` decides who asks, and `guard` keeps a backend that is down out of the way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from credconf.ground.records import field, record
from credconf.problems.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 10 * 365 * 86400.0  # seconds; what claims to live longer is no token of Entra's
_LONGEST_TEXT = 20_000  # characters: more than any message of ours has
_MOST_CODES = 100


class Unavailable(Exception):
    """A backend can't be used now. Its text says why, and shows no value and no secret.

    Backends raise it outside `except`, so that no chain holds what a library said, and no frame what was stored.
    """


class Busy(Unavailable):
    """This process asks a backend for more at once than it allows itself, which says nothing about the backend."""


@record
class Entry:
    """One token as it is shared, without any time of day: clocks of machines differ.

    Attributes:
        token: the access token.
        token_type: `Bearer`.
        lifetime: seconds from the request to its end, as the server gave them.
        refresh_in: seconds from the request to when the server wants it replaced, if it said so.
        age: seconds since the request, as the backend knows it.
    """

    token: str = field(repr=False)
    token_type: str
    lifetime: float
    refresh_in: float | None
    age: float

    @property
    def remaining(self) -> float:
        """Seconds to its end; a backend keeps it no longer."""
        return self.lifetime - self.age


@record
class StoredFailure:
    """A failure that the holder of a lock left for those who waited.

    Attributes:
        failure: what Entra, or the way to it, answered.
        age: seconds since.
    """

    failure: Failure
    age: float


@record
class Stored:
    """What a backend has under a key: a token, the last failure to get one, both, or nothing."""

    entry: Entry | None = None
    told: StoredFailure | None = None


class Lock(Protocol):
    """A lock that is held: the right to ask Entra for one token.

    Attributes:
        lease: seconds after which it is lost unless renewed; `None` where it ends with the process that holds it.
        local: whether to release it calls nobody, and so never takes long.
    """

    @property
    def lease(self) -> float | None:
        """See above."""
        ...

    @property
    def local(self) -> bool:
        """See above."""
        ...

    def renew(self) -> bool:
        """Extend the lease; `False` where it has been lost."""
        ...

    def release(self) -> None:
        """Let somebody else have it. A lock that has been lost meanwhile is not taken from its new holder."""
        ...

    def after_fork(self) -> None:
        """In the child of a fork: forget it without releasing it, it is the parent's."""
        ...


class Store(Protocol):
    """Where tokens are shared. Any thread may call any method; each takes a bounded time or raises `Unavailable`.

    A key is a text (`key_of`) that names authority with port, tenant, client, scopes and CAE.

    Attributes:
        label: what logs call it; it shows no secret.
        patience: seconds that a caller may lose to it before Entra is asked; `None` where it is on this machine.
    """

    @property
    def label(self) -> str:
        """See above."""
        ...

    @property
    def patience(self) -> float | None:
        """See above."""
        ...

    def get(self, key: str) -> Stored:
        """What there is. What can't be understood, or has expired, is nothing."""
        ...

    def put(self, key: str, entry: Entry) -> None:
        """Keep a token until its end, in the place of what was there; a failure that was told is over."""
        ...

    def tell(self, key: str, failure: Failure, seconds: float) -> None:
        """Leave a failure for those who wait, for some seconds. A token that is there stays."""
        ...

    def lock(self, key: str) -> Lock | None:
        """The lock of a key, without waiting for it; `None` where somebody else has it."""
        ...

    def after_fork(self) -> None:
        """In the child of a fork: no lock is held, and no socket or file is the parent's."""
        ...

    def close(self) -> None:
        """Close sockets and files."""
        ...


def key_of(authority: str, tenant: str | None, client_id: str, scopes: tuple[str, ...], *, cae: bool) -> str:
    """The key of a token, the same in every process: no two tokens that differ share one."""
    return json.dumps([authority, tenant, client_id, list(scopes), cae], ensure_ascii=True, separators=(",", ":"))


def written(entry: Entry) -> dict[str, Any]:
    """An entry as JSON; its age is for the backend to know."""
    return {
        "token": entry.token,
        "token_type": entry.token_type,
        "lifetime": entry.lifetime,
        "refresh_in": entry.refresh_in,
    }


def read(data: object, age: float) -> Entry | None:
    """An entry from its JSON; `None` for anything else, and for what has expired."""
    if not isinstance(data, dict):
        return None
    token, token_type = data.get("token"), data.get("token_type")
    lifetime, refresh_in = data.get("lifetime"), data.get("refresh_in")
    if not (_is_word(token) and _is_word(token_type)):
        return None
    if not (_is_seconds(lifetime) and _is_seconds(age) and (refresh_in is None or _is_seconds(refresh_in))):
        return None
    entry = Entry(token, token_type, lifetime, refresh_in, age)
    return entry if entry.remaining > 0 else None


def _is_word(value: object) -> TypeGuard[str]:
    """What may be a token (RFC 6749, appendix A.12): it becomes a header of the application's requests."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _is_seconds(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LONGEST


_FIELDS: Mapping[str, tuple[type, ...]] = {
    "message": (str,),
    "error": (str,),
    "correlation_id": (str, type(None)),
    "trace_id": (str, type(None)),
    "timestamp": (str, type(None)),
    "status_code": (int, type(None)),
    "retry_after": (int, float, type(None)),
    "unretried": (bool,),
}


def written_failure(failure: Failure) -> dict[str, Any]:
    """A failure as JSON. It shows what an error message shows: who asked, and no secret."""
    return {**{name: getattr(failure, name) for name in _FIELDS}, "codes": list(failure.codes)}


def read_failure(data: object) -> Failure | None:
    """A failure from its JSON; `None` for anything else."""
    if not isinstance(data, dict) or data.keys() != {*_FIELDS, "codes"}:
        return None
    codes = data["codes"]
    if not all(isinstance(data[name], types) for name, types in _FIELDS.items()) or not isinstance(codes, list):
        return None
    if not all(isinstance(code, int) for code in codes):
        return None
    texts = [value for value in data.values() if isinstance(value, str)]
    if not all(len(text) <= _LONGEST_TEXT and text.replace("\n", "").isprintable() for text in texts):
        return None
    numbers = [value for name in ("status_code", "retry_after") if (value := data[name]) is not None]
    if not all(_is_seconds(number) for number in (*numbers, *codes)) or len(codes) > _MOST_CODES:
        return None
    said: dict[str, Any] = {**data, "codes": tuple(codes)}
    return Failure(**said)
