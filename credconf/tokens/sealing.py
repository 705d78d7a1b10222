"""What makes a token opaque to whoever keeps it: names that say nothing, and values that nobody else can read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any, Final

_INFO: Final = b"credconf: shared token cache, 1"
_NONCE: Final = 12  # bytes, as AES-GCM has it
_BLOCK: Final = 256  # bytes; the length of a value tells nothing of the length of a name in it


class Seal:
    """The names and the cipher that follow from one secret; there is no way back to it.

    Names are HMAC-SHA256. Values are AES-256-GCM with a random nonce, and bound to their names. Both keys are derived
    from the secret by HKDF-SHA256 (RFC 5869).

    Args:
        secret: what others can't guess: there is nothing here that makes guessing slow.
    """

    __slots__ = ("_cipher", "_names")

    def __init__(self, secret: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        keys = HKDF(SHA256(), 64, salt=None, info=_INFO).derive(secret)
        # Both objects keep their keys to themselves: no attribute shows them.
        self._names = hmac.new(keys[:32], digestmod=hashlib.sha256)
        self._cipher = AESGCM(keys[32:])

    def name(self, text: str) -> str:
        """What a text is called: 43 characters of URL-safe Base64."""
        names = self._names.copy()
        names.update(text.encode(errors="surrogatepass"))
        return base64.urlsafe_b64encode(names.digest()).decode().rstrip("=")

    def close(self, data: dict[str, Any], name: str) -> bytes:
        """Data as bytes that only this secret opens, under this name."""
        plain = json.dumps(data, separators=(",", ":")).encode()
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain + b" " * (-len(plain) % _BLOCK), name.encode())

    def open(self, sealed: bytes, name: str) -> dict[str, Any] | None:
        """The data again; `None` for what this secret did not close under this name."""
        from cryptography.exceptions import InvalidTag

        try:
            data = json.loads(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode()))
        except (InvalidTag, ValueError, RecursionError):  # the latter two: too short for a nonce, or no JSON
            return None
        return data if isinstance(data, dict) else None
