"""The log of what the fake Entra was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

Kind = Literal["token", "openid-configuration", "instance-discovery", "other"]
Proof = Literal["secret", "certificate"]


@dataclass(frozen=True)
class RecordedRequest:
    """One request, as it arrived. Its `repr` shows neither headers nor the form, where secrets are.

    Attributes:
        kind: Which endpoint was asked: `token`, `openid-configuration`, `instance-discovery`, `other`.
        method: The HTTP method, in capitals.
        path: The path as sent, without the query.
        tenant: The tenant in the path, or None where the path has none.
        client_id: The form's `client_id`.
        scopes: The form's `scope`, split at white space.
        claims: The form's `claims`, as sent (JSON text).
        proof: How the client proved itself: `secret`, `certificate` (a signed assertion), or None.
        x5c: Whether the assertion carried its certificate chain.
        status: The HTTP status of the answer; 0 where the connection was dropped instead.
        at: When it arrived, by the server's clock, in seconds since 1970.
        headers: The headers, with lower-case names.
        query: The parameters of the query.
        form: The parameters of the body, `client_secret` and `client_assertion` included.
    """

    kind: Kind
    method: str
    path: str
    tenant: str | None
    client_id: str | None
    scopes: tuple[str, ...]
    claims: str | None
    proof: Proof | None
    x5c: bool
    status: int
    at: float
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)


class RequestLog:
    """The requests so far, and how many token requests were in progress at once. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []
        self._in_progress = 0
        self._highest = 0

    def add(self, request: RecordedRequest) -> None:
        """Append a request."""
        with self._lock:
            self._requests.append(request)

    def all(self) -> list[RecordedRequest]:
        """A copy of the log, oldest first."""
        with self._lock:
            return list(self._requests)

    def count(self, kind: Kind) -> int:
        """How many requests of a kind there were."""
        with self._lock:
            return sum(request.kind == kind for request in self._requests)

    def forget(self) -> None:
        """Empty the log; the highest number starts again at what is in progress now."""
        with self._lock:
            self._requests.clear()
            self._highest = self._in_progress

    @property
    def highest(self) -> int:
        """The highest number of token requests in progress at once."""
        with self._lock:
            return self._highest

    @contextmanager
    def in_progress(self) -> Generator[None]:
        """Count a token request as in progress: from its arrival until just before its answer is sent.

        Not until after: a client may send its next request before the sending thread runs again.
        """
        with self._lock:
            self._in_progress += 1
            self._highest = max(self._highest, self._in_progress)
        try:
            yield
        finally:
            with self._lock:
                self._in_progress -= 1
