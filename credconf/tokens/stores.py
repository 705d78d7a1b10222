"""Where tokens are kept."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from azure.core.credentials import AccessToken, AccessTokenInfo

from .policy import due_at

if TYPE_CHECKING:
    from collections.abc import Callable

Key: TypeAlias = tuple[str, ...] | tuple[tuple[str, ...], str, bool]
"""What varies between the tokens of one identity: the scopes; for another tenant or CAE (scopes, tenant, CAE)."""


class Token:
    """One token, in both of azure-core's shapes, so that a cache hit allocates nothing.

    Attributes:
        access: for `get_token`.
        info: for `get_token_info`.
        expires: when it ends, in the seconds of the wall clock.
        due: when it should be replaced; moved on while a replacement is under way, and after a failure.
        failures: of refreshes, in a row.
    """

    __slots__ = ("access", "due", "expires", "failures", "info")

    def __init__(self, text: str, token_type: str, received: float, lifetime: float, refresh_in: float | None) -> None:
        expires = int(received + lifetime)
        refresh_on = None if refresh_in is None else int(received + refresh_in)
        self.access = AccessToken(text, expires)
        self.info = AccessTokenInfo(text, expires, token_type=token_type, refresh_on=refresh_on)
        self.expires = float(expires)
        self.due = due_at(received, self.expires, refresh_on)
        self.failures = 0

    def __repr__(self) -> str:
        return f"<token until {int(self.expires)}>"


class MemoryStore:
    """Tokens in this process, at most `limit`; those that were fetched longest ago go first.

    A token in use is fetched again when it is due, so that the order of fetching is, roughly, that of use. A read is
    a look-up in `tokens`, which needs no lock.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self.tokens: dict[Key, Token] = {}
        self._limit = limit
        self._clock = clock
        self._lock = Lock()

    def get(self, key: Key) -> Token | None:
        """The token, unless it has expired."""
        token = self.tokens.get(key)
        return token if token is not None and self._clock() < token.expires else None

    def put(self, key: Key, token: Token) -> None:
        """Keep a token, and forget the oldest ones beyond the limit."""
        with self._lock:
            self.tokens.pop(key, None)
            self.tokens[key] = token
            while len(self.tokens) > self._limit:
                del self.tokens[next(iter(self.tokens))]

    def clear(self) -> None:
        """Forget all tokens."""
        with self._lock:
            self.tokens.clear()

    def after_fork(self) -> None:
        """In the child of a fork nobody holds the lock, whatever it looks like."""
        self._lock = Lock()
