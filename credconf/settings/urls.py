"""The parts of URLs, as patterns of ECMA 262, and the error of every format."""

from __future__ import annotations

import re
from typing import Final

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
NAME_OR_ADDRESS: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])"
PORT: Final = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HOST: Final = rf"{NAME_OR_ADDRESS}(?::0*{PORT})?"
"""A host with an optional port."""
LOGIN: Final = r"(?:[^\s/?#@\\\[\]]*@)?"
"""The user and password of a URL, percent-encoded."""


def in_any_case(word: str) -> str:
    """Return a pattern for a word, since a JSON Schema has no flags."""
    return "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word)


PROXY_SCHEMES: Final = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_PROXY_SCHEME = f"(?:{'|'.join(map(in_any_case, reversed(PROXY_SCHEMES)))})"
_NO_PAC = r"(?!\S*\.[Pp][Aa][Cc](?:[:/]|\s*$))"
PROXY: Final = rf"(?:{_PROXY_SCHEME}://|(?!{_PROXY_SCHEME}:)){LOGIN}{_NO_PAC}{NAME_OR_ADDRESS}(?::{PORT})?/?"
"""The URL of a proxy, or its host and port alone."""


class FormatError(Exception):
    """A text that does not match its format. The message does not quote the text.

    Args:
        message: what is wrong.
        hint: what to do.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def is_host(text: str) -> bool:
    """Whether a text is the name of a host, an IPv4 address, or an IPv6 address in brackets."""
    if text.startswith("["):
        import ipaddress  # rarely needed; urlsplit checks it only since Python 3.11.4

        try:
            ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            return False
    return bool(re.fullmatch(rf"(?=.{{1,253}}$){NAME_OR_ADDRESS}", text))
