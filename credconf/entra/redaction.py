"""Removes secrets from the text of a server or a library.

A sentence that quotes a secret is dropped whole: a quotation may be cut, or encoded as a request or a response encodes
it, and what surrounds it is not worth the risk.
"""

from __future__ import annotations

import base64
import html
import itertools
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from credconf.problems import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from credconf.ground.opaque import Opaque

TEXT_LIMIT: Final = 1000
PIECE: Final = 8
"""Characters of a secret that are not shown even alone: a server may have cut what it quotes."""
DROPPED: Final = "[sentence removed: it quotes a secret]"
_REMOVED: Final = "[removed]"
_SHORT: Final = 4
"""A hidden value below this length is removed from our own messages only where it is a word of its own."""
_LONGEST: Final = 4096
"""Characters of a secret that was not sent, from its beginning and its end, that are searched for."""
_MANY: Final = 64
"""Set look-ups that cost as much as one search in a form."""
_READ: Final = 16 * TEXT_LIMIT  # the rest would be cut off, unless most of this is removed

_WHITE: Final = re.compile(r"[^\S ]")
_END_OF_SENTENCE: Final = re.compile(r"(?<=[.!?])(?=\s)|(?<=\n)")
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}")
# A server that fails half-way may have written a token that is not known here yet.
_TOKEN: Final = re.compile(
    r"""eyJ[A-Za-z0-9_-]{8,}|(?i:access|refresh|id)_(?i:token)["']?[ \t]{0,8}[:=][ \t]{0,8}["']?[^"'&,\s}]"""
)
_ENCODED: Final = re.compile(
    rb"%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\(['\"\\/bfnrt])"
    rb"|&(?:#[0-9]{1,7}|#[Xx][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
_ESCAPES: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_ROUNDS: Final = 2  # what is encoded may be encoded again, in a URL or in JSON


def _nothing() -> tuple[str, ...]:
    return ()


class Redactor:
    """Removes secrets and hidden values from the text of a server or a library.

    Args:
        secrets: what proves an identity: no piece of it is shown, either.
        concealed: returns hidden values. They are removed as a whole only, since a piece of a URL is in any other URL.
        held: returns the other secrets that are held. Like `concealed` and `tokens`, it is called only for a text, as
            most requests never fail.
        tokens: returns the tokens that are held.
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
        """Return the text of a server, printable, at most 1,000 characters, without secrets and hidden values.

        A hidden value that is quoted as it is becomes `[removed]`. A sentence that quotes a secret, or a hidden value
        in another form, becomes `DROPPED`.
        """
        text = text[:_READ]
        quotes_held = self._finder(text)
        concealed = {form for value in self._concealed() for form in _forms(value)}
        text = self._without_concealed(_without(text, lambda part: bool(_TOKEN.search(part)) or quotes_held(part)))
        return _printable(_without(text, lambda part: _holds(_views(part), concealed)))

    def finds_secret(self, text: str) -> bool:
        """Whether a text with names such as `access_token`, which no text of a server may show, quotes what is held."""
        concealed = {form for value in self._concealed() for form in _forms(value)}
        return bool(_JWT.search(text)) or self._finder(text)(text) or _holds(_views(text), concealed)

    def _finder(self, text: str) -> Callable[[str], bool]:
        """Return what finds the secrets that are held in parts of a text."""
        views = _views(text)
        pieces = _pieces_of(views)
        held = [end for secret in self._held() for end in _ends(secret)]
        held += _quoted(self._tokens(), pieces)
        sent = [opaque.content for opaque in self._sent]
        secrets = {form for secret in (*self._secrets, *sent, *held) for form in _forms(secret)}
        shared = {piece for form in secrets for piece in _shared(form, pieces)}
        whole = {form for form in secrets if _holds(views, (form,))}

        def finds(part: str) -> bool:
            views = _views(part)
            return not shared.isdisjoint(_pieces_of(views)) or _holds(views, whole)

        return finds

    def ours(self, text: str) -> str:
        """Return a message of ours without hidden values. It holds no secret, and a short one may be in any word."""
        return _printable(self._without_concealed(text))

    def _without_concealed(self, text: str) -> str:
        for concealed in sorted(filter(None, self._concealed()), key=len, reverse=True):
            pattern = re.escape(concealed)
            text = re.sub(rf"(?<!\w){pattern}(?!\w)" if len(concealed) < _SHORT else pattern, _REMOVED, text)
        return text


def _without(text: str, quotes: Callable[[str], bool]) -> str:
    """The text without the sentences that quote something; only `DROPPED` if several together still quote it."""
    if not quotes(text):
        return text
    runs = [(is_dropped, "".join(run)) for is_dropped, run in itertools.groupby(_END_OF_SENTENCE.split(text), quotes)]
    if any(quotes(run) for is_dropped, run in runs if not is_dropped):
        return DROPPED
    return "".join(f" {DROPPED}" if is_dropped else run for is_dropped, run in runs).strip()


def _holds(views: Iterable[bytes], forms: Collection[bytes]) -> bool:
    return any(form in view for view in views for form in forms)


def _views(text: str) -> tuple[bytes, bytes, bytes]:
    """The text as it is, decoded, and in lower case, for hexadecimal digits."""
    return _as_bytes(text), decoded(text), _as_bytes(text).lower()


def decoded(text: str) -> bytes:
    """The text in UTF-8 with its encoded characters decoded: those of URLs, JSON, Python and HTML."""
    content = _as_bytes(text)
    for _ in range(_ROUNDS):
        content = _ENCODED.sub(_meaning, content)
    return content


def _as_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _meaning(found: re.Match[bytes]) -> bytes:
    percent, escape, unit, letter = found.groups()
    if percent or escape:
        return bytes([int(percent or escape, 16)])
    if unit:
        return _as_bytes(chr(int(unit, 16)))
    if letter:
        return _ESCAPES.get(letter, letter)
    return _as_bytes(html.unescape(found[0].decode()))


def _pieces_of(views: Iterable[bytes]) -> set[bytes]:
    return {view[at : at + PIECE] for view in views for at in range(len(view) - PIECE + 1)}


def _shared(form: bytes, pieces: Collection[bytes]) -> Iterable[bytes]:
    """The pieces that are in a form. A secret may be much longer than the text."""
    if len(form) > _MANY * len(pieces):
        return [piece for piece in pieces if piece in form]
    return (form[at : at + PIECE] for at in range(len(form) - PIECE + 1) if form[at : at + PIECE] in pieces)


def _quoted(tokens: Iterable[str], pieces: Collection[bytes]) -> list[str]:
    """The tokens of which the text quotes 15 characters or more: so many always hold one block of `PIECE`."""
    return [
        token
        for token in tokens
        if any(_as_bytes(token[at : at + PIECE]) in pieces for at in range(0, len(token), PIECE))
    ]


def _ends(secret: str) -> tuple[str, ...]:
    half = _LONGEST // 2
    return (secret,) if len(secret) <= _LONGEST else (secret[:half], secret[-half:])


def _printable(text: str) -> str:
    shown = printable(_WHITE.sub(" ", text))
    return shown if len(shown) <= TEXT_LIMIT else f"{shown[:TEXT_LIMIT]}…"


def _forms(secret: str) -> set[bytes]:
    """The secret as texts quote it. `decoded` covers most; these are the forms from which it makes something else."""
    raw = _as_bytes(secret)
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
    return {_as_bytes(text) for text in texts}


def _base64(raw: bytes) -> Iterator[str]:
    """The secret in base64 as a part of something longer, in each of the three possible alignments."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            middle = encode(b"\0" * shift + raw).decode().rstrip("=")
            yield middle[-(-8 * shift // 6) : -1]
