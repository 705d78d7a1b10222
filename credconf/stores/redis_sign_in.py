"""Sign-in to an Azure Redis with a token of the credential; imported when it is called, as it imports redis-py."""

from __future__ import annotations

import base64
import json
import math
from threading import Lock
from typing import TYPE_CHECKING, Final

from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

from credconf.problems import printable
from credconf.problems.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import Entry

SPACING: Final = 30.0
"""Seconds between two requests for a token, while the last one is valid or too new to be refused for its age."""
SCOPE: Final = "https://redis.azure.com/.default"
_MARGIN: Final = 300.0
"""Seconds before its end at which a token is replaced: the Redis closes a connection whose token has expired."""


class SignIn(CredentialProvider):
    """The user and the password of an Azure Redis: the object id of the application, and a token of its own.

    The token is kept in the memory of this process: it opens the Redis in which the others are found.

    Args:
        request: requests a token for a scope from Entra.
        user: of the URL; `None` for the object id in the token.
        monotonic: the monotonic clock.

    Attributes:
        reason: why there is no token; `None` while there is one.
    """

    def __init__(
        self, request: Callable[[str], Entry | Failure], user: str | None, monotonic: Callable[[], float]
    ) -> None:
        self._request = request
        self._user = user
        self._monotonic = monotonic
        self._token: tuple[str, str] | None = None
        self._due = self._end = 0.0
        self._received = -math.inf
        self._attempts = 0
        self.reason: str | None = None
        self._lock = Lock()

    @property
    def is_due(self) -> bool:
        """Whether the connections should be made again, with a new token."""
        return self._token is not None and self._monotonic() >= self._due

    def get_credentials(self) -> tuple[str, str]:
        """The user and the password of a connection.

        Raises:
            AuthenticationError: Entra gave no token; see `reason`.
        """
        began, attempts = self._monotonic(), self._attempts
        valid = self._token if began < self._end else None
        if valid is not None and began < self._due:
            return valid
        if valid is None:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return valid  # another thread renews it
        try:
            if self._attempts == attempts:  # otherwise another thread has asked meanwhile
                try:
                    self._renew()
                finally:
                    self._attempts += 1
            if self._token is not None:
                return self._token
        finally:
            self._lock.release()
        raise AuthenticationError

    def reason_of(self, exc: BaseException) -> str | None:
        """Why a call failed, if that is for want of a token. A token that the Redis refuses is replaced."""
        if not isinstance(exc, AuthenticationError):
            return None
        if self.reason is None and self._monotonic() - self._received >= SPACING:
            self._due = self._end = 0.0
        return self.reason

    def _renew(self) -> None:
        began = self._monotonic()
        # An Entra that fails or does not answer is asked again later, as long as the token is valid.
        self._due = min(began + SPACING, self._end)
        outcome = self._request(SCOPE)
        if isinstance(outcome, Failure):
            code = f"AADSTS{outcome.codes[0]}" if outcome.codes else printable(outcome.error)
            self.reason = f"Entra gave no token to sign in with: {code}"
            if began >= self._end:
                self._token = None
            return
        user = self._user or _object_id(outcome.token)
        if user is None:
            self.reason = "the token to sign in with names no object id: write it before the `@` of `token_cache.url`"
            return
        self._token, self.reason, self._received = (user, outcome.token), None, began
        life = outcome.remaining
        self._end = began + life
        self._due = began + min(max(life - _MARGIN, life / 2), outcome.refresh_in or life)

    def after_fork(self) -> None:
        """In the child of a fork no thread holds the lock; the token is as good as in the parent."""
        self._lock = Lock()


def _object_id(token: str) -> str | None:
    """The object id of the application in a token of Entra: its `oid`."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, RecursionError):
        return None
    found = claims.get("oid") if isinstance(claims, dict) else None
    return found if isinstance(found, str) and found else None
