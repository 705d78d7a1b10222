"""One refresh for each token that is due, however many callers notice it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from .policy import SPACING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .stores import Token


class Refreshes:
    """The tokens that wait for a thread to refresh them, or have one.

    They are not flights yet: a caller whose token expires meanwhile asks for himself, instead of waiting behind the
    refreshes of other tokens.
    """

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """In the child of a fork nobody refreshes the parent's tokens."""
        self._lock = Lock()
        self._keys: set[Hashable] = set()

    def begin(self, key: Hashable, token: Token, now: float, steady: float) -> bool:
        """Whether the caller has to see to the refresh of a token, and to `end()` it.

        Of those who found the token due, one has; the others may come late, when the refresh has failed already.
        """
        with self._lock:
            if key in self._keys or not (now >= token.due or steady >= token.steady_due):
                return False
            self._keys.add(key)
            token.postpone(now, steady, SPACING)  # others need not come here while this goes on
            return True

    def end(self, key: Hashable) -> None:
        """The refresh is over, or never began."""
        with self._lock:
            self._keys.discard(key)
