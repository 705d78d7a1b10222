"""Client certificates as `credconf.testing` makes them, with keys of a pool: a new key costs 40 ms."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import rsa

from credconf.testing.certificates import write_certificate

if TYPE_CHECKING:
    import os

    from credconf.testing import ClientCertificate

_SIZE = 8  # no test makes more certificates whose keys must differ
_turns = itertools.count()


@functools.cache
def _key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_certificate(path: str | os.PathLike[str], **options: Any) -> ClientCertificate:
    """A certificate of its own, whose key differs from those of the seven before it."""
    return write_certificate(_key(next(_turns) % _SIZE), path, **options)
