"""Canaries: made-up secrets that are looked for whole, in pieces, and in every form that text is encoded in."""

from __future__ import annotations

import base64
import html
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = 8
"""Characters in a row that are a find: half of a secret is half-way to the whole."""


def forms_of(secret: str) -> Iterator[str]:
    """The secret as requests, files, programs and people write it."""
    raw = secret.encode()
    yield from (secret, secret.lower(), secret[::-1], raw.hex(), html.escape(secret))
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret), json.dumps(secret))
    for shift in range(3):
        # In the middle of something longer, where its ends depend on its neighbours.
        yield base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")[-(-8 * shift // 6) : -1]
        yield base64.urlsafe_b64encode(b"\0" * shift + raw).decode().rstrip("=")[-(-8 * shift // 6) : -1]


@dataclass(frozen=True)
class Canary:
    """One or more secrets that must be found nowhere."""

    secrets: tuple[str, ...]
    pieces: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        forms = [form for secret in self.secrets for form in forms_of(secret)]
        pieces = {form[start : start + PIECE] for form in forms for start in range(len(form) - PIECE + 1)}
        object.__setattr__(self, "pieces", frozenset(pieces))

    def found_in(self, text: str) -> str | None:
        """Where the first piece is, with a little of what stands around it; `None` where there is none."""
        found = self.pieces.intersection({text[start : start + PIECE] for start in range(len(text) - PIECE + 1)})
        if not found:
            return None
        start = min(map(text.index, found))
        return f"…{text[max(0, start - 60) : start + 60]}…"

    def assert_absent(self, texts: Iterable[tuple[str, str]]) -> None:
        """Nothing of it is in these texts, each of which is named by where it comes from."""
        sources = {text: source for source, text in texts}
        finds = {source: found for text, source in sources.items() if (found := self.found_in(text)) is not None}
        assert not finds, finds


CANARY = Canary(("q7Zx~c4n4Ry.Of_A%Secret-9&k'W\"v",))
(SECRET,) = CANARY.secrets


def key_of(pem: str) -> Canary:
    """The lines of a private key; the first ones say only that it is one, and are the same in each."""
    lines = pem.strip().splitlines()[2:-1]
    return Canary(tuple(line for line in lines if len(line) >= PIECE))
