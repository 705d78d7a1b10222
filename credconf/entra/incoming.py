"""Reads an HTTP/1.1 response from a socket. No frame holds a part of it in a variable, since it may hold a token.

`http.client` reads lines into variables, and its parser silently ignores lines that are not valid.
"""

from __future__ import annotations

import re
import zlib
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Final

from .http import Response

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

LARGEST_BODY: Final = 1024 * 1024
LARGEST_HEAD: Final = 64 * 1024
_MOST_FIELDS: Final = 100
_LARGEST: Final = 4 * LARGEST_BODY  # a body with the sizes of its chunks
_LONGEST_LINE: Final = 4096  # a line with the size of a chunk
_BLOCK: Final = 16 * 1024  # a TLS record

_NAME: Final = rb"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):"
_STATUS: Final = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [^\r\n]*)?\r?\n")
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_NAMES: Final = re.compile(_NAME, re.MULTILINE)
_VALUES: Final = re.compile(_NAME.replace(b"(", b"(?:") + rb"[ \t]*([^\r\n]*)", re.MULTILINE)
_LENGTHS: Final = re.compile(rb"^content-length:", re.MULTILINE | re.IGNORECASE)
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_CHUNK: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")
_CHARSET: Final = re.compile(r"charset[ \t]*=[ \t]*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_LATIN: Final = frozenset({"iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"})
_BOM: Final = b"\xef\xbb\xbf"
_NO_BODY: Final = frozenset({204, 304})
_COMPRESSED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_FIRST_FINAL: Final = 200

_lowered: Final = methodcaller("lower")
_stripped: Final = methodcaller("strip")
_as_text: Final = methodcaller("decode", "latin-1")
_put: Final[Callable[[Any, str, Any], None]] = object.__setattr__  # a constructor has a frame


class BadAnswer(Exception):
    """The response is not valid HTTP. `str()` gives the reason, and quotes nothing."""


class TooLarge(Exception):
    """The response is larger than any response of a token service."""


class Incoming:
    """Reads the responses of one connection.

    Args:
        sock: A socket, with or without TLS.

    Attributes:
        reusable: Whether the connection can serve another request after the last response.
    """

    __slots__ = ("_block", "_body", "_found", "_headers", "_held", "_received", "_sock", "_status", "reusable")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._block = bytearray(_BLOCK)
        self._held, self._body = bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._found: Any = None
        self._status = self._received = 0
        self.reusable = True

    def __repr__(self) -> str:
        return "<incoming>"

    def read(self) -> Response:
        """Read one response.

        Raises:
            BadAnswer: The response is not valid HTTP/1.
            TooLarge: The body is larger than 1 MiB, or is so when decompressed.
            OSError: The connection ends before the response, or the time is up.
        """
        self._received = 0
        while self.head() < _FIRST_FINAL:
            pass  # interim responses, such as "100 Continue"
        if self._status not in _NO_BODY:
            self._read_body()
        self.reusable &= not self._held and "close" not in self._headers.get("connection", "").lower()
        self._decompress()
        response = object.__new__(Response)
        _put(response, "status_code", self._status)
        _put(response, "headers", self._headers)
        # Text without a charset is UTF-8, not Latin-1 as in the first HTTP/1.1. Other codecs that a server names are
        # not used: some of Python's are slow, and some do not decode text.
        _put(
            response,
            "text",
            self._body.decode("latin-1", "replace")
            if _LATIN.intersection(map(_lowered, _CHARSET.findall(self._headers.get("content-type", ""))))
            else self._body.removeprefix(_BOM).decode("utf-8", "replace"),
        )
        self._headers, self._body = {}, bytearray()
        return response

    def head(self) -> int:
        """Read the status line and the headers.

        Returns:
            The status.

        Raises:
            BadAnswer: They are not valid HTTP/1.
            OSError: The connection ends before them, or the time is up.
        """
        start = 0
        while (end := self._end_of_head(start)) < 0:
            start = max(0, len(self._held) - 3)
            if len(self._held) > LARGEST_HEAD:
                raise BadAnswer("its headers are larger than 64 KiB")
            if self._held.find(b"\n") >= 0 and not _STATUS.match(self._held):
                break
            self._more()
        if not _STATUS.match(self._held):
            raise BadAnswer("it is not HTTP")
        self._status = int(self._held[9:12])
        self.reusable = self._held.startswith(b"HTTP/1.1")
        self._read_headers(end)
        del self._held[:end]
        return self._status

    def header(self, name: str) -> str:
        """Return the value of a header, by its name in lower case; empty if there is none."""
        return self._headers.get(name, "")

    @property
    def is_empty(self) -> bool:
        """Whether every received byte has been read."""
        return not self._held

    def _end_of_head(self, start: int) -> int:
        self._found = _END_OF_HEAD.search(self._held, start)
        return self._found.end() if self._found else -1

    def _read_headers(self, end: int) -> None:
        """Read the headers. It skips a line that is not valid, and then the connection is not reused."""
        self._found = _NAMES.findall(self._held, 0, end)
        if len(self._found) > _MOST_FIELDS:
            raise BadAnswer("it has more than 100 headers")
        self.reusable &= len(self._found) == self._held.count(b"\n", 0, end) - 2
        self._headers = dict(
            zip(
                map(_lowered, map(_as_text, self._found)),
                map(_stripped, map(_as_text, _VALUES.findall(self._held, 0, end))),
                strict=True,
            )
        )
        if len(self._headers) < len(self._found) and len(_LENGTHS.findall(self._held, 0, end)) > 1:
            raise BadAnswer("it has two lengths")
        self._found = None

    def _read_body(self) -> None:
        if "chunked" in self._headers.get("transfer-encoding", "").lower():
            self._read_chunks()
        elif "content-length" in self._headers:
            if not _LENGTH.fullmatch(self._headers["content-length"]):
                raise BadAnswer("its length is not a number")
            self._take(int(self._headers["content-length"]))
        else:
            self.reusable = False
            while self._more(or_end=True):
                if len(self._held) > LARGEST_BODY:
                    raise TooLarge
            self._take(len(self._held))

    def _read_chunks(self) -> None:
        while size := self._size_of_chunk():
            self._take(size)
            if self._skip_line():
                raise BadAnswer("a chunk of it is longer than its size")
        while self._skip_line():
            pass  # trailers

    def _size_of_chunk(self) -> int:
        self._line()
        self._found = _CHUNK.match(self._held)
        if not self._found:
            raise BadAnswer("a chunk of it has no size")
        size = int(self._found[1], 16)
        del self._held[: self._found.end()]
        return size

    def _skip_line(self) -> bool:
        """Skip a line, and return whether it has content."""
        end = self._line()
        blank = self._held[:end] in (bytearray(), bytearray(b"\r"))
        del self._held[: end + 1]
        return not blank

    def _line(self) -> int:
        while (end := self._held.find(b"\n")) < 0:
            if len(self._held) > _LONGEST_LINE:
                raise BadAnswer("a line of it is too long")
            self._more()
        return end

    def _take(self, count: int) -> None:
        """Move `count` bytes to the body."""
        if len(self._body) + count > LARGEST_BODY:
            raise TooLarge
        while len(self._held) < count:
            self._more()
        self._body += memoryview(self._held)[:count]
        del self._held[:count]

    def _more(self, *, or_end: bool = False) -> bool:
        """Receive one or more bytes.

        Returns:
            False at the end of the connection, if `or_end` allows one here.
        """
        count = self._sock.recv_into(memoryview(self._block))
        if not count and not or_end:
            raise ConnectionResetError
        self._received += count
        if self._received > _LARGEST:
            raise TooLarge
        self._held += memoryview(self._block)[:count]
        return bool(count)

    def _decompress(self) -> None:
        """Decompress a body that a server compressed unasked, by its first bytes (gzip or zlib)."""
        if self._headers.get("content-encoding", "").lower() not in _COMPRESSED or not self._body:
            return
        decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            self._body = bytearray(decompressor.decompress(self._body, LARGEST_BODY + 1))
        except zlib.error:
            self._body = bytearray()
        if not self._body or not (decompressor.eof or len(self._body) > LARGEST_BODY):
            raise BadAnswer("it can't be decompressed")
        if len(self._body) > LARGEST_BODY:
            raise TooLarge
