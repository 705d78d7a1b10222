"""The interface of a store that processes share, and the tokens and failures that it keeps.

A store knows nothing of Entra or of threads. `credconf.tokens.coordinator` decides which process requests a token, and
`credconf.tokens.store_calls` bypasses a store that fails.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from credconf.ground.records import field, record
from credconf.problems.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 10 * 365 * 86400.0  # seconds; no token of Entra lives longer
_LONGEST_TEXT = 20_000  # characters: longer than any message of credconf
_MOST_CODES = 100


class Unavailable(Exception):
    """A store can't be used now. The text gives the reason and shows no value and no secret.

    Stores raise it outside `except`, so that no chain holds a library's exception and no frame a stored value.
    """


class Busy(Unavailable):
    """This process makes more calls at once than it permits itself, which proves nothing about the store."""


@record
class Entry:
    """One shared token. It holds no time of day, since the clocks of machines differ.

    Attributes:
        token: the access token.
        token_type: `Bearer`.
        lifetime: the seconds from the request until it expires, as the server gave them.
        refresh_in: the seconds from the request until the server wants it replaced, if given.
        age: the seconds since the request, by the clock of the store.
    """

    token: str = field(repr=False)
    token_type: str
    lifetime: float
    refresh_in: float | None
    age: float

    @property
    def remaining(self) -> float:
        """The seconds until it expires; a store keeps it no longer."""
        return self.lifetime - self.age


@record
class Stored:
    """The content of a store under a key: a token, the last failure to get one, both, or nothing.

    Attributes:
        entry: the token.
        failure: the failure that the holder of a lock stored for the processes that wait.
        failure_age: seconds since that failure.
    """

    entry: Entry | None = None
    failure: Failure | None = None
    failure_age: float = 0.0


class Lock(Protocol):
    """A lock that is held: the right to request one token from Entra.

    Attributes:
        lease: the seconds after which it expires unless renewed; `None` if it ends with the process that holds it.
        local: whether its release needs no network, and so never takes long.
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
        """Extend the lease; `False` if the lock is lost."""
        ...

    def release(self) -> None:
        """Release it. A lock that is lost stays with its new holder."""
        ...

    def after_fork(self) -> None:
        """Forget it without a release, in the child of a fork: it belongs to the parent process."""
        ...


class Store(Protocol):
    """A place where processes share tokens. Methods are thread-safe, and take a bounded time or raise `Unavailable`.

    A key is a text (`key_of`) that names authority with port, tenant, client, scopes and CAE.

    Attributes:
        label: its name in logs, without a secret.
        patience: the seconds that it may delay a caller; `None` if it is on this machine.
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
        """Return the content under a key. Malformed and expired data counts as nothing."""
        ...

    def put(self, key: str, entry: Entry) -> None:
        """Store a token until it expires. It replaces the previous token and any failure."""
        ...

    def put_failure(self, key: str, failure: Failure, seconds: float) -> None:
        """Store a failure for some seconds, for the processes that wait. A stored token stays."""
        ...

    def lock(self, key: str) -> Lock | None:
        """The lock of a key, without waiting; `None` if it is held elsewhere."""
        ...

    def after_fork(self) -> None:
        """Forget the locks, sockets and files of the parent process, in the child of a fork."""
        ...

    def close(self) -> None:
        """Close sockets and files."""
        ...


def key_of(authority: str, tenant: str | None, client_id: str, scopes: tuple[str, ...], *, cae: bool) -> str:
    """The key of a token, the same in every process. Different tokens have different keys."""
    return json.dumps([authority, tenant, client_id, list(scopes), cae], ensure_ascii=True, separators=(",", ":"))


def written(entry: Entry) -> dict[str, Any]:
    """An entry as JSON, without its age, which the store knows."""
    return {
        "token": entry.token,
        "token_type": entry.token_type,
        "lifetime": entry.lifetime,
        "refresh_in": entry.refresh_in,
    }


def read(data: object, age: float) -> Entry | None:
    """An entry from its JSON; `None` for anything else, and for an expired one."""
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
    """Whether a value may be a token (RFC 6749, appendix A.12): it becomes a header of the application's requests."""
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
    """A failure as JSON. Like an error message, it names the identity and shows no secret."""
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
    fields: dict[str, Any] = {**data, "codes": tuple(codes)}
    return Failure(**fields)
