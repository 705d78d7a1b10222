"""The messages of a token request: the request as bytes, and the reply, parsed and validated.

No frame holds a secret or a token in a variable: a traceback with locals would show it.
"""

from __future__ import annotations

import json
import math
import re
import string
from typing import TYPE_CHECKING, Any, Final

from credconf.ground.records import field, record
from credconf.settings.formats import PORTS

from .http import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

    from credconf.ground.opaque import Opaque


LONGEST_LIFE: Final = 10 * 365 * 24 * 3600
LONGEST_TOKEN: Final = 64 * 1024
"""Characters. Servers accept headers of 8 to 64 KiB."""
_LONGEST_NUMBER: Final = 20

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"[ \t]*-?[0-9]{1,20}(?:\.[0-9]{1,20})?[ \t]*")
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_TYPE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_put: Final[Callable[[Any, str, Any], None]] = object.__setattr__  # a constructor has a frame


def _whole(text: str) -> int | float:
    """Parse an integer of JSON. `int` takes minutes for a million digits, and not all interpreters limit them."""
    return int(text) if len(text) <= _LONGEST_NUMBER else float(text)


_read: Final[Any] = json.JSONDecoder(parse_int=_whole).scan_once  # type: ignore[attr-defined] # `decode` is written in Python, and has frames


class Reply:
    """A server's reply.

    Attributes:
        status: The HTTP status.
        headers: The headers, with names in lower case.
        text: The body.
        payload: The parsed body; `None` if it is not JSON.
    """

    __slots__ = ("headers", "payload", "status", "text")

    status: int
    headers: Mapping[str, str]
    text: str
    payload: Any

    def __repr__(self) -> str:
        return "<reply>"

    def retry_after(self, now: float) -> float | None:
        """Return the seconds that the server asks to wait, at the time `now`."""
        return retry_after(self.headers, now)

    def quoted(self, text: str, *sent: Opaque) -> str:
        """Return a part of the reply for a message, as `Redactor` does, without what the request sent as secrets."""
        from .redaction import Redactor  # most requests never fail

        redact = Redactor(())
        for secret in sent:
            redact.add(secret)
        return redact(text)

    def parse(self) -> None:
        """Parse the text as JSON. It does not raise for text of any depth or form."""
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
    """Parse text that holds no token as JSON.

    Returns:
        The parsed value; `None` if the text is not JSON.
    """
    reply = Reply()
    reply.text = text
    reply.parse()
    return reply.payload


@record
class Answer:
    """A token from Entra.

    Attributes:
        token: The access token.
        token_type: Usually `Bearer`.
        lifetime: Seconds from the request to the token's end.
        refresh_in: Seconds from the request to the time at which the server advises a refresh.
    """

    token: str = field(repr=False)
    token_type: str
    lifetime: float
    refresh_in: float | None


def token_in(reply: Reply) -> Answer | str | None:
    """Return the token of a reply.

    Servers send `expires_in` as a number or as text. RFC 6749 only recommends it, but a token without it looks expired
    to each caller, and can't be cached.

    Returns:
        The token; the reason if the token can't be used, for example since it would end the header of a request;
        `None` if there is no token.
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
    lifetime = _seconds(reply.payload.get("expires_in"))
    if lifetime is None:
        return "the answer does not contain the token's lifetime (`expires_in`)"
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


_FORM: Final = "application/x-www-form-urlencoded"
_SAFE: Final = string.ascii_letters + string.digits + "_.-~"
_QUOTED: Final = [
    "+" if code == ord(" ") else chr(code) if chr(code) in _SAFE else f"%{code:02X}" for code in range(256)
]
"""The result of `urllib.parse.quote_plus` for each byte. A call of it would have a frame with the text."""
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD: Final = re.compile(rb"[A-Z]+ [\x21-\x7e]+ HTTP/1\.1\r\n(?:" + _TOKEN + rb": [\t\x20-\x7e\x80-\xff]*\r\n)+")


class Form:
    """The fields of a token request. The secrets among them are opaque.

    Args:
        fields: All fields, with a placeholder for each secret.
        parameter: The name of the field that carries the proof.
        proof: The value of that field.
    """

    __slots__ = ("_fields", "_parameter", "_proof", "_user")

    def __init__(self, fields: Mapping[str, Any], parameter: str, proof: Opaque) -> None:
        self._fields, self._parameter, self._proof = fields, parameter, proof
        self._user: Opaque | None = None

    def act_for(self, assertion: Opaque) -> None:
        """Send the token of a user in the field `assertion`."""
        self._user = assertion

    def __repr__(self) -> str:
        return "<form>"

    def opened(self) -> dict[str, Any]:
        """Return a plain dictionary with the secrets. A caller passes it on, and assigns it to no variable."""
        if self._user is None:
            return {**self._fields, self._parameter: self._proof.content}
        return {**self._fields, self._parameter: self._proof.content, "assertion": self._user.content}


class Payload:
    """A request as bytes. No frame holds a part of it in a variable, and it is wiped after it is sent."""

    __slots__ = ("_body", "_data", "_fields", "_headers", "_params", "_written")

    def __init__(self, params: object, headers: Mapping[str, str] | None, data: object = None) -> None:
        self._params: Any = params
        self._data: Any = data
        self._headers: Any = headers
        self._fields: Any = None
        self._body, self._written = bytearray(), bytearray()

    def __repr__(self) -> str:
        return "<payload>"

    def wipe(self) -> None:
        """Overwrite the request: a traceback may keep the frames that hold this object."""
        self._params = self._headers = self._data = self._fields = None
        self._body[:] = bytes(len(self._body))
        self._written[:] = bytes(len(self._written))

    @property
    def _is_form(self) -> bool:
        # `isinstance` with an abstract class runs Python code, whose frames would hold the mapping.
        return isinstance(self._data, Form) or hasattr(self._data, "keys")

    @property
    def view(self) -> memoryview:
        """The whole request. The `repr` of a memory view shows none of its bytes."""
        return memoryview(self._written)

    def write(self, method: str, url: SplitResult, user_agent: str) -> bool:
        """Encode head and body as one piece.

        Returns:
            False if they can't be written as HTTP.
        """
        self._written += f"{method} {url.path or '/'}{'?' if url.query or self._params else ''}{url.query}".encode()
        if self._params:
            self._fields = self._params
            self._encode()
            self._written += b"&%s" % self._body if url.query else self._body
            self._body.clear()
        if self._is_form:
            self._fields = self._data.opened() if isinstance(self._data, Form) else self._data
            self._encode()
        elif self._data is not None:
            self._body += self._data if isinstance(self._data, bytes) else str(self._data).encode()
        lines = self._write_head(_host(url), user_agent)
        sendable = bool(_HEAD.fullmatch(self._written)) and self._written.count(b"\r\n") == lines
        self._written += b"\r\n"
        self._written += self._body
        return sendable

    def _write_head(self, host: str, user_agent: str) -> int:
        # Compression saves nothing on a response of some hundred bytes, which could expand to gigabytes.
        known = {"Host": host, "User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        known |= {"Connection": "keep-alive"}
        known |= {"Content-Type": _FORM} if self._is_form else {}
        known |= {"Content-Length": str(len(self._body))} if self._data is not None else {}
        own = frozenset(str(name).title() for name in self._headers or ())
        self._written += b" HTTP/1.1\r\n"
        for name, value in known.items():
            if name not in own:
                self._written += f"{name}: {value}\r\n".encode("latin-1", "replace")
        for name in self._headers or ():
            self._written += f"{str(name).title()}: {self._headers[name]}\r\n".encode("latin-1", "replace")
        return 1 + len(known.keys() | own)

    def _encode(self) -> None:
        """Write a query or a form to the body. `None` omits a field."""
        if not hasattr(self._fields, "keys"):
            self._body += str(self._fields).encode()
            return
        for name in self._fields:
            if self._fields[name] is not None:
                self._body += b"&" if self._body else b""
                self._body += f"{name}=".encode()
                # A lone surrogate is not UTF-8. The server rejects it; an error of `encode()` would quote the text.
                self._body += (
                    str(self._fields[name])
                    .encode("utf-8", "surrogatepass")
                    .decode("latin-1")
                    .translate(_QUOTED)
                    .encode("ascii")
                )


def _host(url: SplitResult) -> str:
    """Return the `Host` header: ASCII, without a user and a default port. It is empty if the URL has no valid host."""
    name = url.hostname or ""
    try:
        host = f"[{name}]" if ":" in name else name if name.isascii() else name.encode("idna").decode()
        return host if url.port in {None, PORTS.get(url.scheme)} else f"{host}:{url.port}"
    except ValueError:
        return ""  # the connection reports such a URL
