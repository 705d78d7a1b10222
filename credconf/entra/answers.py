"""Answers of a token service, read with a look at every value, as it comes from another machine.

An answer may hold a token: no frame holds a part of it in a variable.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

from credconf.records import field, record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
