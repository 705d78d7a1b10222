"""HTTP/1.1 as the fake speaks it: a request read from a stream, an answer written as bytes. No sockets here.

Small on purpose: `http.server` spends more on one request than everything else here together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_LINE = 65_536
_MOST_HEADERS = 200
_LARGEST_BODY = 1 << 20


class NotHttpError(Exception):
    """What arrived is no request that can be answered: the connection is closed."""


@dataclass(frozen=True)
class Call:
    """A request. Names of headers are lower-case; of repeated names the last stays.

    Attributes:
        method: The method.
        path: The path as sent, without the query.
        query: The query's parameters.
        headers: The headers.
        form: The body's parameters, where it is a form; empty ones are kept.
        keep_alive: Whether the client wants to use the connection again.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)
    keep_alive: bool = True


@dataclass(frozen=True)
class Answer:
    """An answer: status, body, and headers beside those that every answer has."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, content: Mapping[str, Any], status: int = 200, **headers: str) -> Answer:
        """An answer whose body is JSON; `_` in the names of headers stands for `-`."""
        return cls(
            status,
            json.dumps(content).encode(),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def head(self, *, keep_alive: bool, extra_length: int = 0) -> bytes:
        """The status line and the headers.

        Args:
            keep_alive: Whether the connection stays open afterwards.
            extra_length: How many bytes more than the body has are promised.
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
        The request, or None where the client closed the connection instead.

    Raises:
        NotHttpError: It is not HTTP, or larger than anything that a token service is sent.
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
