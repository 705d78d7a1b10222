"""With which secrets shared tokens are read and written."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from pydantic import SecretStr

from credconf.records import record
from credconf.references import NotFound

from .sealing import Seal
from .shared import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credconf.blueprint import Blueprint
    from credconf.kinds import Proof

    from .source import Source

_FRESH = 1.0
"""Seconds for which the secrets count as read: who waits for another process looks many times."""


@record
class Seals:
    """The seals of the secrets, as they are now.

    Attributes:
        common: what processes with the same configuration have in common: it names locks, and what waiters are told.
        writing: of the secret that worked last. Under another one, that Entra may never have accepted, a token would be
            found by somebody who has no right to it.
        reading: all of them.
    """

    common: Seal
    writing: Seal
    reading: tuple[Seal, ...]


class Keyring:
    """The seals of a configuration: one of its `key`, or else one for each of the credential's own secrets.

    Args:
        plan: says where the key is.
        source: knows the secrets.
    """

    def __init__(self, plan: Blueprint, source: Source) -> None:
        self._plan = plan
        self._source = source
        self._lock = Lock()
        self._kept: Seals | None = None
        self._worked: object = None
        self._until = 0.0

    def now(self) -> Seals:
        """The seals; secrets are read again where that is a while ago, or another one has worked since.

        Raises:
            Unavailable: no secret can be read.
        """
        with self._lock:
            steady, worked = self._plan.monotonic(), self._source.worked
            if self._kept is None or steady >= self._until or worked is not self._worked:
                self._kept, self._worked, self._until = self._read(), worked, steady + _FRESH
            return self._kept

    def _read(self) -> Seals:
        key = self._plan.settings.token_cache.key
        if key is not None:
            text = key.get_secret_value() if isinstance(key, SecretStr) else self._plan.reader.text(key)
            if isinstance(text, NotFound):
                raise Unavailable(f"its key can't be read now: {text.message}")
            seal = Seal(text.encode(errors="surrogatepass"))
            return Seals(seal, seal, (seal,))
        worked = self._source.worked
        listed = _seals(self._source.listed())
        own = _seals([worked.open()]) if worked is not None else {}
        seals = tuple({**listed, **own}.values())
        if not seals:
            raise Unavailable("no secret of the credential can be read now")
        return Seals(seals[0], next(iter(own.values()), seals[0]), seals)

    def after_fork(self) -> None:
        """In the child of a fork nobody holds the lock."""
        self._lock = Lock()


def _seals(proofs: Iterable[Proof]) -> dict[str, Seal]:
    """The seals of proofs, by a name that equal proofs share."""
    seals = [Seal(_material(proof)) for proof in proofs]
    return {seal.name(""): seal for seal in seals}


def _material(proof: Proof) -> bytes:
    """What only its owner has: the secret, or the private key, which is the same text however its file is written."""
    held = proof.credential
    return (held if isinstance(held, str) else str(held["private_key"])).encode(errors="surrogatepass")
