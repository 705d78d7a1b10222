"""Checks that a file or directory of certificates can be trusted by OpenSSL, without importing `ssl` for a good one."""

from __future__ import annotations

import binascii
import os
import re
import stat
from typing import Final

from .files import Unreadable, read_bytes, too_large, unopened

BUNDLE_LIMIT: Final = 16 * 1024 * 1024
"""Bytes."""
_BLOCK: Final = re.compile(
    rb"^-----BEGIN CERTIFICATE-----\r?\n"
    rb"((?:[A-Za-z0-9+/]{1,76}\r?\n)*[A-Za-z0-9+/]{1,76}={0,2}\r?\n)"
    rb"-----END CERTIFICATE-----\r?$",
    re.MULTILINE,
)
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""The name under which OpenSSL looks for a certificate in a directory."""
_SEQUENCE, _BITS, _VERSION = 0x30, 0x03, 0xA0
_LONG: Final = 0x80
_TWO_BYTES: Final = 0x82


def unreadable_bundle(path: str) -> Unreadable | None:
    """Return why OpenSSL must not open a path; `None` for a readable file or directory of bounded size.

    OpenSSL opens the path itself and without a limit, so a pipe or a device would hang it.
    """
    try:
        found = os.stat(path)
        readable = os.access(path, os.R_OK)
    except OSError as exc:
        return unopened(exc)
    except ValueError:
        return Unreadable("missing-file", "is not a valid path")
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return Unreadable("not-a-file", "is neither a file nor a directory")
    if stat.S_ISREG(found.st_mode) and found.st_size > BUNDLE_LIMIT:
        return too_large(BUNDLE_LIMIT)
    return None if readable else Unreadable("unreadable-file", "cannot be read: permission denied")


def unusable_bundle(path: str) -> Unreadable | None:
    """Return why certificates can't be loaded from a path, with the command that makes a usable file.

    A file whose blocks are all certificates in the usual form is usable. OpenSSL itself judges any other.
    """
    unreadable = unreadable_bundle(path)
    if unreadable is not None:
        return unreadable
    if os.path.isdir(path):
        return unusable_directory(path)
    stamp = _stamp(path)
    if stamp is not None and _USABLE.get(path) == stamp:
        return None
    content = read_bytes(path, BUNDLE_LIMIT)
    if isinstance(content, Unreadable):
        return content
    if is_plain(content) or _loads(path):
        _USABLE.clear()  # one is enough: a program has one bundle, or two
        _USABLE[path] = stamp
        return None
    from .bundle_faults import bundle_fault  # only broken bundles need it

    return bundle_fault(content, path, broken_line(content))


_USABLE: Final[dict[str, tuple[int, ...] | None]] = {}
"""The file that was found usable last, with its stamp: a system's bundle takes milliseconds, at each load."""


def _stamp(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def unusable_directory(path: str) -> Unreadable | None:
    """Return why OpenSSL finds no certificate in a directory; it looks for names that are made of a hash."""
    try:
        with os.scandir(path) as entries:
            if any(_HASHED.fullmatch(entry.name) for entry in entries):
                return None
    except OSError as exc:
        return unopened(exc)
    from .bundle_faults import directory_fault

    return directory_fault(path)


def is_plain(content: bytes) -> bool:
    """Whether all that is PEM in a content are certificates in the usual form, of which there is at least one."""
    blocks = _BLOCK.findall(content)
    # Each block has four rows of dashes. Those of another block, or of a broken one, would be more.
    return bool(blocks) and content.count(b"-----") == 4 * len(blocks) and all(map(_is_certificate, blocks))


def broken_line(content: bytes) -> int | None:
    """Return the number of the first line that begins a certificate which can't be read; `None` if none is broken."""
    for start in (found.start() for found in re.finditer(rb"^-----BEGIN CERTIFICATE-----", content, re.MULTILINE)):
        block = _BLOCK.match(content, start)
        if block is None or not _is_certificate(block[1]):
            return content.count(b"\n", 0, start) + 1
    return None


def _is_certificate(body: bytes) -> bool:
    """Whether base64 holds a certificate, as far as the lengths of its DER show."""
    try:
        der = binascii.a2b_base64(body)
    except binascii.Error:
        return False
    whole = _element(der, 0)
    if whole is None or whole[0] != _SEQUENCE or whole[2] != len(der):
        return False
    parts = _row(der, whole[1], whole[2])
    if [tag for tag, _, _ in parts] != [_SEQUENCE, _SEQUENCE, _BITS]:
        return False
    tags = [tag for tag, _, _ in _row(der, *parts[0][1:])]
    fields = tags[1:] if tags[:1] == [_VERSION] else tags
    return len(fields) >= 6 and fields[1:6] == [_SEQUENCE] * 5  # noqa: PLR2004 - the fields of RFC 5280


def _row(der: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """Return the tag, start and end of each element between two positions; none if they do not fill it exactly."""
    found: list[tuple[int, int, int]] = []
    while start < end:
        element = _element(der, start)
        if element is None or element[2] > end:
            return []
        found.append(element)
        start = element[2]
    return found


def _element(der: bytes, start: int) -> tuple[int, int, int] | None:
    """Return the tag of a DER element, and the start and end of its content."""
    header = der[start : start + 2]
    if len(header) < 2:  # noqa: PLR2004 - tag and length
        return None
    tag, length = header
    start += 2
    if length > _TWO_BYTES or length == _LONG:  # no certificate is that long
        return None
    if length & _LONG:
        count = length & ~_LONG
        length = int.from_bytes(der[start : start + count])
        start += count
    return tag, start, start + length


def _loads(path: str) -> bool:
    """Whether OpenSSL finds a certificate in a file."""
    import ssl  # it takes milliseconds, so only an unusual bundle needs it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return False
    except OSError:
        return True  # a lack of memory or descriptors says nothing about the file
    return context.cert_store_stats()["x509"] > 0
