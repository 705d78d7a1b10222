"""HTTP/1.1 for the fake: reads a request from a stream, writes an answer as bytes, records requests. No sockets here.

The parser is small on purpose: `http.server` costs more per request than everything else in this package.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


Kind = Literal["token", "openid-configuration", "instance-discovery", "challenge", "other"]
Proof = Literal["secret", "certificate", "assertion"]


@dataclass(frozen=True)
class RecordedRequest:
    """One request, as received. Its `repr` omits the headers and the form, which hold secrets.

    Attributes:
        kind: The endpoint: `token`, `openid-configuration`, `instance-discovery`, `challenge` (the first of
            Azure Arc's two requests for a token), `other`.
        method: The HTTP method, in capitals.
        path: The path as sent, without the query.
        tenant: The tenant in the path; None if it has none.
        client_id: The `client_id` of the form or the query.
        scopes: The form's `scope`, split at white space.
        claims: The form's `claims`, as sent (JSON text).
        proof: The client's proof: `secret`, `certificate` (an assertion that it signed), `assertion` (of another
            identity provider), or None.
        x5c: Whether the assertion holds its certificate chain.
        status: The HTTP status of the answer; 0 if the connection was dropped instead.
        at: The time of arrival by the server's clock, in seconds since 1970.
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
    """The recorded requests, and the number of concurrent token requests. Thread-safe."""

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
        """The number of requests of a kind."""
        with self._lock:
            return sum(request.kind == kind for request in self._requests)

    def forget(self) -> None:
        """Empty the log. The maximum starts again at the current number."""
        with self._lock:
            self._requests.clear()
            self._highest = self._in_progress

    @property
    def highest(self) -> int:
        """The maximum of concurrent token requests."""
        with self._lock:
            return self._highest

    @contextmanager
    def in_progress(self) -> Generator[None]:
        """Count a token request as in progress: from its arrival until just before its answer is sent.

        Not until after it: a client may send its next request before the sending thread runs again.
        """
        with self._lock:
            self._in_progress += 1
            self._highest = max(self._highest, self._in_progress)
        try:
            yield
        finally:
            with self._lock:
                self._in_progress -= 1


_LONGEST_LINE = 65_536
_MOST_HEADERS = 200
_LARGEST_BODY = 1 << 20


class NotHttpError(Exception):
    """The bytes are not a request that can be answered. The connection is closed."""


@dataclass(frozen=True)
class Call:
    """A request. Header names are lower-case; of repeated names, the last counts.

    Attributes:
        method: The method.
        path: The path as sent, without the query.
        query: The query's parameters.
        headers: The headers.
        form: The parameters of a form in the body, empty ones included.
        keep_alive: Whether the client wants to reuse the connection.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)
    keep_alive: bool = True


@dataclass(frozen=True)
class Answer:
    """An answer: status, body, and additional headers. Its `repr` omits the body, which may hold a token."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, content: Mapping[str, Any], status: int = 200, **headers: str) -> Answer:
        """An answer with a JSON body. In header names, `_` means `-`."""
        return cls(
            status,
            json.dumps(content).encode(),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def head(self, *, keep_alive: bool, extra_length: int = 0) -> bytes:
        """The status line and the headers.

        Args:
            keep_alive: Whether the connection stays open afterwards.
            extra_length: The number by which the announced length exceeds the body.
        """
        lines = [
            f"HTTP/1.1 {self.status} {_phrase(self.status)}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body) + extra_length}",
            "Cache-Control: no-store, no-cache",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def read_call(stream: BinaryIO) -> Call | None:
    """Read one request.

    Args:
        stream: A buffered stream, at the beginning of a request.

    Returns:
        The request; None if the client closed the connection.

    Raises:
        NotHttpError: It is not HTTP, or larger than any token request.
        OSError: The connection broke.
    """
    line = stream.readline(_LONGEST_LINE)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if [part[:7] for part in parts[2:]] != ["HTTP/1."]:
        raise NotHttpError
    method, target, version = parts
    headers = _read_headers(stream)
    body = stream.read(_length(headers))
    path, _, query = target.partition("?")
    connection = headers.get("connection", "").lower()
    return Call(
        method=method.upper(),
        path=path,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        form=dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)),
        keep_alive=connection == "keep-alive" if version == "HTTP/1.0" else connection != "close",
    )


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = stream.readline(_LONGEST_LINE)
        if line in {b"\r\n", b"\n"}:
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\n"):
            raise NotHttpError
        headers[name.strip().lower()] = value.strip()
    raise NotHttpError


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not text.isdecimal() or int(text) > _LARGEST_BODY:
        raise NotHttpError
    return int(text)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
