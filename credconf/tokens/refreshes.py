"""One refresh for each token that is due, however many callers notice it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from .policy import LONGEST_WAIT, SPACING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .stores import Token


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
