"""Whether what a reference stands for may have changed, without reading it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .file import FileReference

Stamp: TypeAlias = tuple[object, ...] | None
"""Equal ones promise equal values; `None` promises nothing."""

_SALT = os.urandom(32)


def fingerprint(text: str) -> bytes:
    """Equal for equal texts of this process; of a weak secret, too, it is of no use to anybody who finds it."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=_SALT, digest_size=16).digest()


def stamp_of_file(reference: FileReference) -> Stamp:
    """What `stat` says of the file that the path leads to now.

    A link that was swapped (Kubernetes' `..data`) and a renamed file show as another inode, a file that was written in
    place as another time. Two writes within one tick of the file system's clock look like one: who was refused reads
    the file whatever its stamp.
    """
    try:
        found = os.stat(reference.file)
    except (OSError, ValueError):  # a path may hold a NUL
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
