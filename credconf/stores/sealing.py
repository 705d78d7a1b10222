"""The encryption of shared tokens: names that reveal nothing, and values that need the secret to be read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from credconf.ground.deferred import importing, whole_packages
from credconf.ground.records import record
from credconf.references import NotFound

from .store import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credconf.entra.proof import Proof
    from credconf.settings.fields import OneSecret

    from .settings import Opening


_INFO: Final = b"credconf: shared token cache, 1"
_NONCE: Final = 12  # bytes, as AES-GCM has it
_BLOCK: Final = 256  # bytes; the length of a value reveals nothing about the length of a name in it


class Seal:
    """The names and the cipher that follow from one secret; there is no way back to it.

    Names are HMAC-SHA256. Values are AES-256-GCM with a random nonce, and bound to their names. Both keys are derived
    from the secret by HKDF-SHA256 (RFC 5869).

    Args:
        secret: what others can't guess: there is nothing here that makes guessing slow.
    """

    __slots__ = ("_cipher", "_names")

    def __init__(self, secret: bytes) -> None:
        with importing, whole_packages():
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        keys = HKDF(SHA256(), 64, salt=None, info=_INFO).derive(secret)
        # Both objects keep their keys to themselves: no attribute shows them.
        self._names = hmac.new(keys[:32], digestmod=hashlib.sha256)
        self._cipher = AESGCM(keys[32:])

    def name(self, text: str) -> str:
        """Return the name of a text: 43 characters of URL-safe Base64."""
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


_FRESH = 1.0
"""Seconds for which the secrets count as read: who waits for another process looks many times."""


@record
class Seals:
    """The seals of the secrets, as they are now.

    Attributes:
        common: what processes with the same configuration have in common: it names locks and stored failures.
        writing: of the secret that worked last. Under another one, that Entra may never have accepted, a token would be
            found by a process that has no right to it.
        reading: all of them.
    """

    common: Seal
    writing: Seal
    reading: tuple[Seal, ...]


class Keyring:
    """The seals of a configuration: one of its `key`, or else one for each of the credential's own secrets.

    Args:
        key: of the configuration.
        opening: knows the secrets, and reads the key.
    """

    def __init__(self, key: OneSecret | None, opening: Opening) -> None:
        self._key = key
        self._opening = opening
        self._lock = RLock()  # a signal handler of its holder may need a token
        self._kept: Seals | None = None
        self._worked: object = None
        self._until = 0.0

    def now(self) -> Seals:
        """The seals; secrets are read again where that is a while ago, or another one has worked since.

        Raises:
            Unavailable: no secret can be read.
        """
        with self._lock:
            monotonic, worked = self._opening.monotonic(), self._opening.worked()
            if self._kept is None or monotonic >= self._until or worked is not self._worked:
                self._kept, self._worked, self._until = self._read(), worked, monotonic + _FRESH
            return self._kept

    def _read(self) -> Seals:
        key = self._key
        if key is not None:
            text = key.get_secret_value() if isinstance(key, SecretStr) else self._opening.reader.text(key)
            if isinstance(text, NotFound):
                raise Unavailable(f"its key can't be read now: {text.message}")
            seal = Seal(text.encode(errors="surrogatepass"))
            return Seals(seal, seal, (seal,))
        worked = self._opening.worked()
        listed = _seals(self._opening.listed())
        own = _seals([worked.open()]) if worked is not None else {}
        seals = tuple({**listed, **own}.values())
        if not seals:
            raise Unavailable("no secret of the credential can be read now")
        return Seals(seals[0], next(iter(own.values()), seals[0]), seals)

    def after_fork(self) -> None:
        """In the child of a fork no thread holds the lock."""
        self._lock = RLock()


def _seals(proofs: Iterable[Proof]) -> dict[str, Seal]:
    """The seals of proofs, by a name that equal proofs share."""
    seals = [Seal(proof.material) for proof in proofs]
    return {seal.name(""): seal for seal in seals}
