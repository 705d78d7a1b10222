r"""A text as its reader would decode it, with where each byte of that stands in it.

Servers write `%2f` and `%2F`, `\u002B` and `&#43;`, for any character and in any mixture. There is no list of what
they may make of a secret; but whatever it is, decoding it gives the secret.
"""

from __future__ import annotations

import html
import re
import string
from typing import Final

from credconf.records import record

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
