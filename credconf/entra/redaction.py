"""Taking secrets out of what a server or a library said: whole, cut, and as a request encodes them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT_LIMIT = 1000
PIECE = 8
"""Characters of a secret that are not shown even alone: a server may have cut what it quotes."""
_REMOVED = "[removed]"
_PROOFS = ("client_secret", "client_assertion")
_READ = 16 * TEXT_LIMIT  # what is behind would be cut off anyway, unless most of it is removed

# A server that fails half-way may have written a token, which nobody here knows yet.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*")
_NAMED = re.compile(
    r"""((?:access|refresh|id)_token["']?[ \t]{0,8}[:=][ \t]{0,8})["']?[^"'&,\s}]+["']?""", re.IGNORECASE
)


class Redactor:
    """Removes texts from what a server or a library said.

    Args:
        secrets: what proves an identity: no piece of it is shown, either.
        concealed: other texts that are not shown, as a whole: a piece of a URL is in any other URL.
    """

    def __init__(self, secrets: Iterable[str], concealed: Iterable[str] = ()) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._concealed = [text for text in concealed if text]

    def __repr__(self) -> str:
        return "<redactor>"

    def add(self, form: object) -> None:
        """Remove also what a request is about to prove an identity with: an assertion is as good as its key."""
        if isinstance(form, Mapping):
            proofs = [form[name] for name in _PROOFS if form.get(name)]
            self._secrets += [proof.decode() if isinstance(proof, bytes) else str(proof) for proof in proofs]

    def __call__(self, text: str) -> str:
        """The text without them, printable, at most 1,000 characters."""
        # The forms are made here: most requests never fail.
        secrets = {form for secret in self._secrets for form in _forms(secret)}
        whole = {form for text in self._concealed for form in _forms(text)} | secrets
        cleaned = _without(whole, text[:_READ])
        cleaned = _without_pieces(secrets, cleaned)
        cleaned = _NAMED.sub(rf"\1{_REMOVED}", _TOKEN.sub(_REMOVED, cleaned))
        printable = "".join(character if character.isprintable() else " " for character in cleaned)
        return printable if len(printable) <= TEXT_LIMIT else f"{printable[:TEXT_LIMIT]}…"


def _without(forms: set[str], text: str) -> str:
    if not forms:
        return text
    longest_first = sorted(forms, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), _REMOVED, text)


def _without_pieces(forms: set[str], text: str) -> str:
    """What is left of a secret where only a part of it was quoted."""
    pieces = {form[start : start + PIECE] for form in forms for start in range(len(form) - PIECE + 1)}
    shown: list[str] = []
    end = 0  # of the last piece that was found
    for start in range(len(text)):
        if text[start : start + PIECE] in pieces:
            if start >= end:
                shown.append(_REMOVED)
            end = start + PIECE
        elif start >= end:
            shown.append(text[start])
    return "".join(shown)


def _forms(secret: str) -> set[str]:
    raw = secret.encode(errors="replace")
    written = (quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], html.escape(secret))
    inside = {form for form in (*_base64(raw), raw.hex()) if len(form) >= PIECE}
    alone = base64.b64encode(raw).decode()
    return {secret, secret.strip(), repr(secret)[1:-1], alone, *written, *inside} - {""}


def _base64(raw: bytes) -> Iterator[str]:
    """As the middle of something longer, in each of the three alignments that are possible there."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            middle = encode(b"\0" * shift + raw).decode().rstrip("=")
            yield middle[-(-8 * shift // 6) : -1]
