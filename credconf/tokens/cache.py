"""The token cache of this process, and the form of its tokens in a shared one."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Final

from credconf.stores.store import Entry

from .azure_core import import_azure_core
from .policy import due_among_many, due_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.entra.request import Key


_NEWEST: Final = 256
"""Tokens that are searched for in a server's texts, since a search for a hundred thousand takes too long."""
_LONG_AGO: Final = 1
"""A time to refresh that has come for every clock. azure-core takes 0 for none."""


class Token:
    """One token in both of azure-core's types, so that a cache hit allocates nothing.

    Its times are kept by two clocks, and the earlier one counts: the wall clock advances while a machine sleeps, and
    the monotonic clock is unaffected when the wall clock is set back.

    Attributes:
        access: the token for `get_token`.
        info: the token for `get_token_info`.
        expires: when it expires by the wall clock, in seconds.
        monotonic_expires: when it expires by the monotonic clock.
        due: when to replace it by the wall clock. A refresh under way and a failed refresh postpone it.
        monotonic_due: when to replace it by the monotonic clock, postponed likewise.
        monotonic_received: when it was requested, by the monotonic clock.
        failures: the number of failed refreshes in a row.
    """

    __slots__ = (
        "access",
        "due",
        "expires",
        "failures",
        "info",
        "monotonic_due",
        "monotonic_expires",
        "monotonic_received",
    )

    def __init__(  # noqa: PLR0917 - the fields of an answer in their order, and its time
        self,
        text: str,
        token_type: str,
        lifetime: float,
        refresh_in: float | None,
        received: float,
        monotonic: float,
        jitter: float = 0.0,
    ) -> None:
        from azure.core.credentials import AccessToken, AccessTokenInfo

        expires = int(received + lifetime)
        refresh_on = None if refresh_in is None else int(received + refresh_in)
        self.access = AccessToken(text, expires)
        self.info = AccessTokenInfo(text, expires, token_type=token_type, refresh_on=refresh_on)
        self.expires = float(expires)
        self.due = due_at(received, self.expires, refresh_on, jitter)
        self.monotonic_received = monotonic
        self.monotonic_expires = monotonic + (self.expires - received)
        self.monotonic_due = monotonic + (self.due - received)
        self.failures = 0

    def is_due(self, now: float, monotonic: float) -> bool:
        """Whether to replace it, by either clock."""
        return now >= self.due or monotonic >= self.monotonic_due

    def postpone(self, now: float, monotonic: float, seconds: float) -> None:
        """Make it due some seconds from now, or when it expires. A cache hit compares with nothing else."""
        self.due = min(now + seconds, self.expires)
        self.monotonic_due = min(monotonic + seconds, self.monotonic_expires)

    def age(self, seconds: float) -> None:
        """Make it older. What was handed out keeps its `expires_on`; `refresh_on` makes SDK clients ask again."""
        self.due -= seconds
        self.monotonic_due -= seconds
        self.expires -= seconds
        self.monotonic_expires -= seconds
        self.monotonic_received -= seconds
        self.info.refresh_on = _LONG_AGO

    def __repr__(self) -> str:
        return f"<token until {int(self.expires)}>"


class TokenCache:
    """The tokens of this process. Beyond `limit`, those that were fetched longest ago are evicted first.

    A token in use is fetched again when it is due, so the order of fetching is roughly that of use. A read is a look-up
    in `tokens`, which needs no lock.

    Args:
        limit: the number of tokens at most.
        clock: the wall clock.
        monotonic: the monotonic clock.

    Attributes:
        tokens: the tokens by key, expired ones included.
    """

    def __init__(self, limit: int, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        # It removes the oldest token in constant time, which a plain dictionary does not promise.
        self.tokens: OrderedDict[Key, Token] = OrderedDict()
        self._limit = limit
        self._clock = clock
        self._monotonic = monotonic
        self._lock = RLock()  # a signal handler of its holder may need a token

    def get(self, key: Key) -> Token | None:
        """The token of a key, unless it has expired."""
        token = self.tokens.get(key)
        valid = token is not None and self._clock() < token.expires and self._monotonic() < token.monotonic_expires
        return token if valid else None

    def put(self, key: Key, token: Token) -> None:
        """Add a token, and evict the oldest ones beyond the limit."""
        with self._lock:
            self.tokens[key] = token
            self.tokens.move_to_end(key)
            while len(self.tokens) > self._limit:
                self.tokens.popitem(last=False)

    def newest(self) -> list[str]:
        """The texts of the tokens that were fetched last."""
        with self._lock:
            return [token.info.token for token in itertools.islice(reversed(self.tokens.values()), _NEWEST)]

    def age(self, seconds: float) -> None:
        """Make all tokens older."""
        with self._lock:
            for token in self.tokens.copy().values():  # in one step: another thread may use a user's token meanwhile
                token.age(seconds)

    def clear(self) -> None:
        """Remove all tokens."""
        with self._lock:
            self.tokens.clear()

    def after_fork(self) -> None:
        """Release the lock, in the child of a fork."""
        self._lock = RLock()


class UserTokenCache(TokenCache):
    """The tokens of users. Beyond the limit, those that were used longest ago are evicted first.

    A user's token is used for one request or for an hour, so each use counts, and those that have expired go as soon as
    they are the oldest.
    """

    def get(self, key: Key) -> Token | None:
        """The token of a key, unless it has expired."""
        token = super().get(key)
        if token is not None:
            # One call of C code, without the lock: a signal handler that needs a token would wait for its own thread.
            with contextlib.suppress(KeyError):  # it may have been evicted meanwhile
                self.tokens.move_to_end(key)
        return token

    def put(self, key: Key, token: Token) -> None:
        """Add a token, and evict the oldest ones that have expired or are beyond the limit."""
        super().put(key, token)
        # A valid one stays in its place: others find it without the lock.
        with self._lock, contextlib.suppress(StopIteration, RuntimeError):
            while True:
                oldest, kept = next(iter(self.tokens.items()))
                if self._clock() < kept.expires:
                    return
                self.tokens.pop(oldest, None)

    def newest(self) -> list[str]:
        """The texts of the tokens that were used last."""
        return [token.info.token for token in list(self.tokens.copy().values())[-_NEWEST:]]


_ROUNDING = 1e-4  # seconds; the rounding error of a difference of two clock readings


def entry_of(token: Token, monotonic: float) -> Entry:
    """A token in its shared form.

    Args:
        token: a token of this process.
        monotonic: the monotonic clock, now.
    """
    # `Token` cuts its end to whole seconds. The server's numbers are whole, so this restores them.
    lifetime = float(math.ceil(token.monotonic_expires - token.monotonic_received - _ROUNDING))
    refresh_on = token.info.refresh_on
    refresh_in = None if refresh_on is None else lifetime - (token.expires - refresh_on)
    age = max(monotonic - token.monotonic_received, 0.0)
    return Entry(token.info.token, token.info.token_type, lifetime, refresh_in, age)


def token_of(entry: Entry, now: float, monotonic: float, jitter: float) -> Token:
    """A token of this process from its shared form.

    Args:
        entry: the shared form, as a store returned it.
        now: the wall clock.
        monotonic: the monotonic clock.
        jitter: from 0 to 1; spreads the refreshes of many processes.
    """
    import_azure_core()
    received = now - entry.age
    token = Token(entry.token, entry.token_type, entry.lifetime, entry.refresh_in, received, monotonic - entry.age)
    shift = due_among_many(received, token.due, token.expires, jitter) - token.due
    token.due += shift
    token.monotonic_due += shift
    return token
