"""The bodies of Entra's answers: decoded, parsed, and checked before MSAL sees them."""

from __future__ import annotations

import html
import json
import math
import re
import string
from typing import TYPE_CHECKING, Any, Final

from credconf.ground.records import field, record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_LOWER: Final = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_ENCODED: Final = re.compile(
    rb"%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\(['\"\\/bfnrt])"
    rb"|&(?:#[0-9]{1,7}|#[Xx][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
_ESCAPES: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_ROUNDS: Final = 2  # what was encoded may have been encoded again, in a URL or in JSON


@record
class View:
    """Bytes, and for each of them from where to where it stands in a text.

    Attributes:
        content: UTF-8.
        spans: positions of the text's characters, one pair for each byte.
    """

    content: bytes
    spans: list[tuple[int, int]]

    def __repr__(self) -> str:
        return f"<view of {len(self.content)} bytes>"

    def lowered(self) -> View:
        """The same with small letters; those of ASCII, as no others are in an encoding."""
        return View(self.content.translate(_LOWER), self.spans)


def as_bytes(text: str) -> bytes:
    """UTF-8, also of halves of characters, which are bytes that were none."""
    return text.encode(errors="surrogatepass")


def plain(text: str) -> View:
    """The text as it stands there."""
    encoded = [as_bytes(character) for character in text]
    return View(b"".join(encoded), [(at, at + 1) for at, each in enumerate(encoded) for _ in each])


def decoded(text: str) -> View:
    """The text with each encoded character decoded."""
    view = plain(text)
    for _ in range(_ROUNDS):
        view = _once(view)
    return view


def _once(view: View) -> View:
    content: list[bytes] = []
    spans: list[tuple[int, int]] = []
    end = 0
    for found in _ENCODED.finditer(view.content):
        content.append(view.content[end : found.start()])
        spans += view.spans[end : found.start()]
        meant = _meaning(found)
        content.append(meant)
        spans += [(view.spans[found.start()][0], view.spans[found.end() - 1][1])] * len(meant)
        end = found.end()
    return View(b"".join([*content, view.content[end:]]), [*spans, *view.spans[end:]])


def _meaning(found: re.Match[bytes]) -> bytes:
    percent, escape, unit, letter = found.groups()
    if percent or escape:
        return bytes([int(percent or escape, 16)])
    if unit:
        return as_bytes(chr(int(unit, 16)))
    if letter:
        return _ESCAPES.get(letter, letter)
    return as_bytes(html.unescape(found[0].decode()))


LONGEST_LIFE: Final = 10 * 365 * 24 * 3600
LONGEST_TOKEN: Final = 64 * 1024
"""Characters. Servers take headers of 8 to 64 KiB."""
_LONGEST_NUMBER: Final = 20

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"[ \t]*-?[0-9]{1,20}(?:\.[0-9]{1,20})?[ \t]*")
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_TYPE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_put: Final[Callable[[Any, str, Any], None]] = object.__setattr__  # a record's constructor has frames


def _whole(text: str) -> int | float:
    """A whole number of JSON. `int` takes minutes for a million digits; not all interpreters limit them."""
    return int(text) if len(text) <= _LONGEST_NUMBER else float(text)


_read: Final[Any] = json.JSONDecoder(parse_int=_whole).scan_once  # type: ignore[attr-defined] # `decode` is Python


class Reply:
    """What a server answered.

    Attributes:
        status: of HTTP.
        headers: their names in lower case.
        text: the body.
        payload: its JSON; `None` for anything else.
    """

    __slots__ = ("headers", "payload", "status", "text")

    status: int
    headers: Mapping[str, str]
    text: str
    payload: Any

    def __repr__(self) -> str:
        return "<reply>"

    def parse(self) -> None:
        """Read the JSON of the text, however deeply nested or malformed it is."""
        self.payload = None
        try:
            self.payload, end = _read(self.text, _end_of_space(self, 0))
            if _end_of_space(self, end) != len(self.text):
                self.payload = None
        except (ValueError, RecursionError, StopIteration):
            self.payload = None


def _end_of_space(reply: Reply, start: int) -> int:
    found = _SPACE.match(reply.text, start)
    return found.end() if found else start


def parsed(text: str) -> object:
    """The JSON of a text that holds no token; `None` for anything else."""
    reply = Reply()
    reply.text = text
    reply.parse()
    return reply.payload


@record
class Answer:
    """A token as Entra gave it; times are seconds from when it was asked for."""

    token: str = field(repr=False)
    token_type: str
    lifetime: float
    refresh_in: float | None


def token_in(reply: Reply) -> Answer | str | None:
    """The token of a reply.

    Servers write `expires_in` as a number or as text, and may leave it out (RFC 6749 only recommends it): such a
    token is handed on, and not kept, because its lifetime is unknown.

    Returns:
        `None` if there is none, or the reason why it can't be used: what goes into a header of other requests must not
        end the header.
    """
    if not isinstance(reply.payload, dict) or not isinstance(reply.payload.get("access_token"), str):
        return None
    if not reply.payload["access_token"]:
        return None
    if not _VISIBLE.fullmatch(reply.payload["access_token"]):
        return "the token holds characters that no HTTP header can carry"
    if len(reply.payload["access_token"]) > LONGEST_TOKEN:
        return "the token is longer than 64 KiB, which no HTTP header can carry"
    token_type = reply.payload.get("token_type") or "Bearer"
    if not isinstance(token_type, str) or not _TYPE.fullmatch(token_type):
        return "the type of the token is not one of HTTP"
    lifetime = _seconds(reply.payload.get("expires_in")) or 0
    refresh_in = _seconds(reply.payload.get("refresh_in"))
    answer = object.__new__(Answer)
    _put(answer, "token", reply.payload["access_token"])
    _put(answer, "token_type", token_type)
    _put(answer, "lifetime", lifetime)
    _put(answer, "refresh_in", refresh_in if refresh_in is not None and refresh_in < lifetime else None)
    return answer


def _seconds(value: object) -> int | None:
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(min(max(value, 0), LONGEST_LIFE))
