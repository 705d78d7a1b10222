"""The tokens of this process, and which of them are being refreshed."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from credconf.stores.store import Entry

from .policy import LONGEST_WAIT, SPACING, due_among_many, due_at

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from credconf.entra.request import Key


_NEWEST: Final = 256
"""Tokens that are looked for in what a server says: to look for a hundred thousand would take too long."""


class Token:
    """One token, in both of azure-core's shapes, so that a cache hit allocates nothing.

    Its times are kept by two clocks, and what either says counts: the wall clock goes on while a machine sleeps, and
    the steady one (monotonic) does not notice when somebody sets the clock back.

    Attributes:
        access: for `get_token`.
        info: for `get_token_info`.
        expires: when it ends by the wall clock, in seconds; `steady_expires` by the steady one.
        due: when it should be replaced by the wall clock; `steady_due` by the steady one. Both are moved on while a
            replacement is under way, and after a failure.
        steady_received: when it was asked for, by the steady clock.
        failures: of refreshes, in a row.
    """

    __slots__ = ("access", "due", "expires", "failures", "info", "steady_due", "steady_expires", "steady_received")

    def __init__(  # noqa: PLR0917 - what a server's answer says, in its order, and when it came
        self,
        text: str,
        token_type: str,
        lifetime: float,
        refresh_in: float | None,
        received: float,
        steady: float,
        jitter: float = 0.0,
    ) -> None:
        from azure.core.credentials import AccessToken, AccessTokenInfo

        expires = int(received + lifetime)
        refresh_on = None if refresh_in is None else int(received + refresh_in)
        self.access = AccessToken(text, expires)
        self.info = AccessTokenInfo(text, expires, token_type=token_type, refresh_on=refresh_on)
        self.expires = float(expires)
        self.due = due_at(received, self.expires, refresh_on, jitter)
        self.steady_received = steady
        self.steady_expires = steady + (self.expires - received)
        self.steady_due = steady + (self.due - received)
        self.failures = 0

    def postpone(self, now: float, steady: float, seconds: float) -> None:
        """Let no caller find it due for some seconds, or until it expires: a cache hit compares with nothing else."""
        self.due = min(now + seconds, self.expires)
        self.steady_due = min(steady + seconds, self.steady_expires)

    def __repr__(self) -> str:
        return f"<token until {int(self.expires)}>"


class MemoryStore:
    """Tokens in this process, at most `limit`; those that were fetched longest ago go first.

    A token in use is fetched again when it is due, so that the order of fetching is, roughly, that of use. A read is
    a look-up in `tokens`, which needs no lock.

    Args:
        limit: how many are kept.
        clock: the wall clock.
        steady: the steady one.
    """

    def __init__(self, limit: int, clock: Callable[[], float], steady: Callable[[], float]) -> None:
        # Ordered: the oldest goes in a constant time, which a plain dictionary does not promise.
        self.tokens: OrderedDict[Key, Token] = OrderedDict()
        self._limit = limit
        self._clock = clock
        self._steady = steady
        self._lock = Lock()

    def get(self, key: Key) -> Token | None:
        """The token, unless it has expired."""
        token = self.tokens.get(key)
        valid = token is not None and self._clock() < token.expires and self._steady() < token.steady_expires
        return token if valid else None

    def put(self, key: Key, token: Token) -> None:
        """Keep a token, and forget the oldest ones beyond the limit."""
        with self._lock:
            self.tokens[key] = token
            self.tokens.move_to_end(key)
            while len(self.tokens) > self._limit:
                self.tokens.popitem(last=False)

    def newest(self) -> list[str]:
        """The texts of those that were fetched last."""
        with self._lock:
            return [token.info.token for token in itertools.islice(reversed(self.tokens.values()), _NEWEST)]

    def clear(self) -> None:
        """Forget all tokens."""
        with self._lock:
            self.tokens.clear()

    def after_fork(self) -> None:
        """In the child of a fork nobody holds the lock, whatever it looks like."""
        self._lock = Lock()


class Refreshes:
    """The tokens that wait for a thread to refresh them, or have one.

    They are not flights yet: a caller whose token expires meanwhile asks by itself, instead of waiting behind the
    refreshes of other tokens.
    """

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """In the child of a fork none of the parent's refreshes goes on."""
        self._lock = Lock()
        self._begun: dict[Hashable, float] = {}

    def begin(self, key: Hashable, token: Token, now: float, steady: float) -> bool:
        """Whether the caller has to see to the refresh of a token, and to `end()` it.

        Of the callers that find the token due, one has to; the others may come late, when the refresh has failed
        already. A refresh that began long ago was lost: an interrupt came before its thread was started.
        """
        with self._lock:
            begun = self._begun.get(key)
            if begun is not None and steady - begun < LONGEST_WAIT:
                return False
            if not (now >= token.due or steady >= token.steady_due):
                return False
            self._begun[key] = steady
            token.postpone(now, steady, SPACING)  # others need not come here while this goes on
            return True

    def end(self, key: Hashable) -> None:
        """The refresh is over, or never began."""
        with self._lock:
            self._begun.pop(key, None)

    def __len__(self) -> int:
        return len(self._begun)


_ROUNDING = 1e-4  # seconds; what the difference of two clock readings may be off


def entry_of(token: Token, steady: float) -> Entry:
    """A token as it is shared.

    Args:
        token: of this process.
        steady: the steady clock, now.
    """
    # `Token` cuts the end to whole seconds, and the server's numbers are whole: this finds them again.
    lifetime = float(math.ceil(token.steady_expires - token.steady_received - _ROUNDING))
    refresh_on = token.info.refresh_on
    refresh_in = None if refresh_on is None else lifetime - (token.expires - refresh_on)
    age = max(steady - token.steady_received, 0.0)
    return Entry(token.info.token, token.info.token_type, lifetime, refresh_in, age)


def token_of(entry: Entry, now: float, steady: float, jitter: float) -> Token:
    """A shared token in this process.

    Args:
        entry: as a backend gave it.
        now: the wall clock.
        steady: the steady clock.
        jitter: from 0 to 1; spreads the refreshes of many processes.
    """
    said = (entry.token, entry.token_type, entry.lifetime, entry.refresh_in)
    received = now - entry.age
    token = Token(*said, received, steady - entry.age)
    shift = due_among_many(received, token.due, token.expires, jitter) - token.due
    token.due += shift
    token.steady_due += shift
    return token
