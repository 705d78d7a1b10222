"""Refreshes of tokens in the background, before they expire."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from credconf.ground.workers import Workers
from credconf.problems.failure import Failure

from .policy import LONGEST_WAIT, SPACING, wait_after

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from credconf.ground.log import Log

    from .blueprint import Blueprint
    from .cache import Token

REFRESHERS = 4


class Refreshes:
    """The refreshes of one engine that wait for a thread or run on one, at most one for each token.

    A refresh that waits for a thread is not a flight yet: a caller whose token expires meanwhile makes its own request,
    and does not wait for the refreshes of other tokens.

    Args:
        blueprint: gives the clocks.
        log: the log of the engine.

    Attributes:
        workers: the threads that refresh.
    """

    def __init__(self, blueprint: Blueprint, log: Log) -> None:
        self.workers = Workers(REFRESHERS, "credconf-refresh")
        self._blueprint = blueprint
        self._log = log
        self._forget()

    def _forget(self) -> None:
        self._lock = Lock()
        self._begun: dict[Hashable, float] = {}

    def after_fork(self) -> None:
        """Forget the refreshes of the parent process, which do not run in the child of a fork."""
        self._forget()
        self.workers.after_fork()

    def start(self, key: Hashable, token: Token, refresh: Callable[[], object]) -> None:
        """Refresh a token on a thread, unless that is under way.

        Args:
            key: the key of the token.
            token: the token that is due.
            refresh: does it, and handles its own exceptions.
        """
        if not self._begin(key, token):
            return

        def run() -> None:
            try:
                refresh()
            finally:
                self._end(key)

        try:
            self.workers.submit(run)
        except BaseException as exc:  # an interrupt, too, must not leave the token marked as being refreshed
            self._end(key)
            if not isinstance(exc, RuntimeError):
                raise
            self._log.warning("no thread could be started to refresh a token; it is tried again in %.0f s", SPACING)

    def _begin(self, key: Hashable, token: Token) -> bool:
        """Whether this caller must refresh a token, and call `_end()` afterwards.

        Several callers find the token due at the same time. One refreshes it; another may arrive here after that
        refresh has failed. A refresh that began long ago is lost: an interrupt came before its thread was started.
        """
        with self._lock:
            now, monotonic = self._blueprint.clock(), self._blueprint.monotonic()
            begun = self._begun.get(key)
            if begun is not None and monotonic - begun < LONGEST_WAIT:
                return False
            if not token.is_due(now, monotonic):
                return False
            self._begun[key] = monotonic
            token.postpone(now, monotonic, SPACING)  # other callers take their fast path meanwhile
            return True

    def _end(self, key: Hashable) -> None:
        with self._lock:
            self._begun.pop(key, None)

    def replacement(self, token: Token, ask: Callable[[], Token | Failure]) -> Token | Failure:
        """The token that replaces one that is due. A failure postpones the next refresh and is logged.

        Args:
            token: the token that is due.
            ask: requests its replacement.
        """
        try:
            outcome = ask()
        except BaseException as exc:  # noqa: BLE001 - an interrupt of this thread is a failure like any other
            outcome = Failure(f"the refresh was ended by {type(exc).__name__}", "unexpected", unretried=True)
        if isinstance(outcome, Failure):
            plan = self._blueprint
            token.failures += 1
            wait = wait_after(token.failures, outcome.retry_after, plan.random())
            token.postpone(plan.clock(), plan.monotonic(), wait)
            self._log.warning("a token could not be refreshed; the old one is still used: %s", outcome.message)
        return outcome

    def __len__(self) -> int:
        return len(self._begun)
