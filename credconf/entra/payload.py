"""A request as bytes, out of sight."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from credconf.ground.opaque import Opaque

_FORM: Final = "application/x-www-form-urlencoded"
_SAFE: Final = string.ascii_letters + string.digits + "_.-~"
_QUOTED: Final = [
    "+" if code == ord(" ") else chr(code) if chr(code) in _SAFE else f"%{code:02X}" for code in range(256)
]
"""What `urllib.parse.quote_plus` makes of each byte. As a table, since its frames would hold the text."""
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PORTS: Final = {"https": 443, "http": 80}
_HEAD: Final = re.compile(rb"[A-Z]+ [\x21-\x7e]+ HTTP/1\.1\r\n(?:" + _TOKEN + rb": [\t\x20-\x7e\x80-\xff]*\r\n)+")


class Form:
    """The fields of a token request. What proves the client is in a box among them.

    Args:
        fields: all of them; the one that carries the proof holds a placeholder.
        parameter: the name of that one.
        proof: its value.
    """

    __slots__ = ("_fields", "_parameter", "_proof")

    def __init__(self, fields: Mapping[str, Any], parameter: str, proof: Opaque) -> None:
        self._fields, self._parameter, self._proof = fields, parameter, proof

    def __repr__(self) -> str:
        return "<form>"

    def opened(self) -> dict[str, Any]:
        """A plain dictionary, to be handed on and not kept."""
        return {**self._fields, self._parameter: self._proof.content}


class Payload:
    """A request, as it is sent. No frame holds a part of it in a variable, and it is wiped after it has been sent."""

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
        """Forget it: the frames that hold the payload may live on in a traceback."""
        self._params = self._headers = self._data = self._fields = None
        self._body[:] = bytes(len(self._body))
        self._written[:] = bytes(len(self._written))

    @property
    def _is_form(self) -> bool:
        # `isinstance` with an abstract class has frames, which would hold the mapping.
        return isinstance(self._data, Form) or hasattr(self._data, "keys")

    @property
    def view(self) -> memoryview:
        """The whole request. The `repr` of a view shows nothing of it."""
        return memoryview(self._written)

    def write(self, method: str, url: SplitResult, user_agent: str) -> bool:
        """Encode head and body, to be sent in one piece. False if HTTP has no form for them."""
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
        # A compressed answer of a few hundred bytes gains nothing, and could unfold to gigabytes.
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
        """Write a query or a form to the body; `None` leaves a field out."""
        if not hasattr(self._fields, "keys"):
            self._body += str(self._fields).encode()
            return
        for name in self._fields:
            if self._fields[name] is not None:
                self._body += b"&" if self._body else b""
                self._body += f"{name}=".encode()
                # Half a character is not UTF-8; the server refuses it, where `encode()` would quote the whole text.
                self._body += (
                    str(self._fields[name])
                    .encode("utf-8", "surrogatepass")
                    .decode("latin-1")
                    .translate(_QUOTED)
                    .encode("ascii")
                )


def _host(url: SplitResult) -> str:
    """The header `Host`: without a user, a usual port, or letters outside of ASCII. Empty if the URL has none."""
    name = url.hostname or ""
    try:
        host = f"[{name}]" if ":" in name else name if name.isascii() else name.encode("idna").decode()
        return host if url.port in {None, _PORTS.get(url.scheme)} else f"{host}:{url.port}"
    except ValueError:
        return ""  # such a URL is refused where it is connected to
