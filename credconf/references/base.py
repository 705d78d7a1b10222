"""What all references share: why there is no value, and whether a value may have changed."""

from __future__ import annotations

import hashlib
import os
from typing import TypeAlias

from credconf.ground.records import record


@record
class NotFound:
    """Why a reference has no value: data instead of an exception, so that no chain holds what was read.

    Attributes:
        code: of the problem that it is, such as `missing-file`.
        message: one sentence; names the reference, shows nothing of what it holds.
        hint: what to do.
        path: of the setting, where it is not the one that was asked for.
    """

    code: str
    message: str
    hint: str | None = None
    path: str | None = None


Stamp: TypeAlias = tuple[object, ...] | None
"""Equal ones promise equal values; `None` promises nothing."""

_SALT = os.urandom(32)


def fingerprint(text: str) -> bytes:
    """Equal for equal texts of this process; of a weak secret, too, it is of no use to anybody who finds it."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=_SALT, digest_size=16).digest()
