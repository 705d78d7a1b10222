"""Taking secrets out of what a server or a library said: whole, cut, and as a request or an answer encodes them."""

from __future__ import annotations

import base64
import html
import itertools
import json
import re
import string
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote, quote_plus

from credconf.ground.records import record
from credconf.problems.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from credconf.ground.opaque import Opaque

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


TEXT_LIMIT = 1000
PIECE = 8
"""Characters of a secret that are not shown even alone: a server may have cut what it quotes."""
_SHORT = 4
"""Characters below which a text of ours is not searched for a part of a word: nobody could read what is left."""
_LONGEST = 4096
"""Characters of a secret that was not sent, from its beginning and its end, that are looked for."""
_MANY = 64
"""Pieces that are looked up in the time in which one is looked for."""
_REMOVED = "[removed]"
_WHITE = re.compile(r"[^\S ]")
_HEXADECIMAL = re.compile(rb"[0-9a-f]{8,}")
_READ = 16 * TEXT_LIMIT  # what is behind would be cut off anyway, unless most of it is removed

# A server that fails half-way may have written a token, which nobody here knows yet.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*")
_NAMED = re.compile(
    r"""((?:access|refresh|id)_token["']?[ \t]{0,8}[:=][ \t]{0,8})["']?[^"'&,\s}]+["']?""", re.IGNORECASE
)

_Windows: TypeAlias = dict[bytes, list[int]]
"""Where each stretch of `PIECE` bytes begins."""


def _nothing() -> tuple[str, ...]:
    return ()


class Redactor:
    """Removes texts from what a server or a library said.

    Args:
        secrets: what proves an identity: no piece of it is shown, either.
        concealed: other texts that are not shown, as a whole: a piece of a URL is in any other URL. Called only when
            something is to be shown.
        held: the other secrets that are held; asked only when something is to be shown, as most requests never fail.
        tokens: those that are held, likewise.
    """

    def __init__(
        self,
        secrets: Iterable[str],
        concealed: Callable[[], Iterable[str]] = _nothing,
        held: Callable[[], Iterable[str]] = _nothing,
        tokens: Callable[[], Iterable[str]] = _nothing,
    ) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._sent: list[Opaque] = []
        self._concealed = concealed
        self._held = held
        self._tokens = tokens

    def __repr__(self) -> str:
        return "<redactor>"

    def add(self, proof: Opaque) -> None:
        """Remove also what a request is about to prove an identity with: an assertion is as good as its key."""
        self._sent.append(proof)

    def __call__(self, text: str) -> str:
        """The text without them, printable, at most 1,000 characters."""
        text = text[:_READ]
        views = (plain(text), decoded(text))
        windows = [_windows_of(view) for view in views]
        # The forms are made here: most requests never fail.
        held = [part for secret in self._held() for part in _ends(secret)]
        held += _within(windows, self._tokens())
        sent = [opaque.content for opaque in self._sent]
        secrets = {form for secret in (*self._secrets, *sent, *held) for form in _forms(secret)}
        whole = {form for concealed in self._concealed() for form in _forms(concealed)} | secrets
        hidden = bytearray(len(text))
        for view, each in zip(views, windows, strict=True):
            _hide(view, whole, hidden)
            _hide_pieces(view, each, secrets, hidden)
        lowered = views[0].lowered()
        hexadecimal = {form for form in secrets if _HEXADECIMAL.fullmatch(form)}
        _hide_pieces(lowered, _windows_of(lowered) if hexadecimal else {}, hexadecimal, hidden)
        return _printable(_NAMED.sub(rf"\1{_REMOVED}", _TOKEN.sub(_REMOVED, _shown(text, hidden))))

    def ours(self, text: str) -> str:
        """A sentence of ours without what is concealed. No secret is in it, and a short one may be in any word."""
        for concealed in sorted(filter(None, self._concealed()), key=len, reverse=True):
            pattern = re.escape(concealed)
            text = re.sub(rf"(?<!\w){pattern}(?!\w)" if len(concealed) < _SHORT else pattern, _REMOVED, text)
        return _printable(text)


def _printable(text: str) -> str:
    shown = printable(_WHITE.sub(" ", text))
    return shown if len(shown) <= TEXT_LIMIT else f"{shown[:TEXT_LIMIT]}…"


def _ends(secret: str) -> tuple[str, ...]:
    half = _LONGEST // 2
    return (secret,) if len(secret) <= _LONGEST else (secret[:half], secret[-half:])


def _within(windows: Sequence[_Windows], tokens: Iterable[str]) -> list[str]:
    """Those of many tokens of which 15 characters or more are there: so many hold one of the blocks."""
    return [
        token
        for token in tokens
        if any(as_bytes(token[at : at + PIECE]) in each for each in windows for at in range(0, len(token), PIECE))
    ]


def _windows_of(view: View) -> _Windows:
    found: _Windows = {}
    for at in range(len(view.content) - PIECE + 1):
        found.setdefault(view.content[at : at + PIECE], []).append(at)
    return found


def _hide(view: View, forms: Iterable[bytes], hidden: bytearray) -> None:
    """Mark what is one of the forms, as it is seen in one way."""
    for form in forms:
        at = view.content.find(form)
        while at >= 0:
            _mark(view, at, at + len(form), hidden)
            at = view.content.find(form, at + len(form))


def _hide_pieces(view: View, windows: _Windows, forms: Iterable[bytes], hidden: bytearray) -> None:
    """Mark what is left of a secret where only a part of it was quoted. A secret may be much longer than the text."""
    left = dict(windows)
    for form in forms if left else ():
        for piece in _pieces_of(form, left):
            for at in left.pop(piece, ()):
                _mark(view, at, at + PIECE, hidden)


def _pieces_of(form: bytes, windows: _Windows) -> Iterable[bytes]:
    """What a form and a text may have in common; by looking for each of the fewer in the more."""
    if len(form) > _MANY * len(windows):
        return [window for window in windows if window in form]
    return (form[start : start + PIECE] for start in range(len(form) - PIECE + 1))


def _mark(view: View, start: int, end: int, hidden: bytearray) -> None:
    first, last = view.spans[start][0], view.spans[end - 1][1]
    hidden[first:last] = b"\1" * (last - first)


def _shown(text: str, hidden: bytearray) -> str:
    runs = itertools.groupby(zip(text, hidden, strict=True), key=lambda item: item[1])
    return "".join(_REMOVED if away else "".join(character for character, _ in run) for away, run in runs)


def _forms(secret: str) -> set[bytes]:
    raw = as_bytes(secret)
    written = (
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        html.escape(secret),
    )
    inside = {form for form in (*_base64(raw), raw.hex()) if len(form) >= PIECE}
    alone = base64.b64encode(raw).decode()
    texts = {secret, secret.strip(), repr(secret)[1:-1], alone, *written, *inside} - {""}
    return {as_bytes(text) for text in texts}


def _base64(raw: bytes) -> Iterator[str]:
    """As the middle of something longer, in each of the three alignments that are possible there."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            middle = encode(b"\0" * shift + raw).decode().rstrip("=")
            yield middle[-(-8 * shift // 6) : -1]
