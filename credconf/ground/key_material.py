"""Recognises what a file holds in place of PEM certificates or keys, and names the command that makes PEM of it.

Imported only for a file that can't be used. Nothing here quotes the content.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import os
import re
import shlex
from typing import TYPE_CHECKING, Final

from .records import record

if TYPE_CHECKING:
    from collections.abc import Callable

_SEQUENCE, _INTEGER, _BITS, _OCTETS, _OID = 0x30, 0x02, 0x03, 0x04, 0x06
_TIMES: Final = frozenset({0x17, 0x18})
_EXPLICIT: Final = 0xA0
_INDEFINITE, _LONG = 0x80, 0x80
_SIGNED_DATA: Final = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
_BEGIN: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_PEM: Final = (
    ("OPENSSH PRIVATE KEY", "openssh"),
    ("ENCRYPTED PRIVATE KEY", "key"),
    ("PRIVATE KEY", "key"),
    ("CERTIFICATE REQUEST", "csr"),
    ("PKCS7", "pkcs7"),
    ("PUBLIC KEY", "public"),
    ("X509 CRL", "crl"),
    ("CERTIFICATE", "certificate"),
)
"""The kind of a PEM block by the end of its label."""
NAMES: Final = {
    "certificate": "a certificate",
    "key": "a private key",
    "csr": "a request for a certificate (CSR)",
    "pkcs7": "PKCS #7 certificates (.p7b)",
    "pfx": "a PFX (PKCS #12)",
    "public": "a public key",
    "crl": "a list of revoked certificates",
    "openssh": "a key of OpenSSH",
    "ssh": "a public key of OpenSSH",
    "jks": "a Java keystore",
    "html": "a web page, probably from a failed download",
    "empty": "empty",
}


@record
class Material:
    """The kind and form of a content.

    Attributes:
        kind: one of `NAMES`; `None` if it is not recognised.
        is_der: whether it is binary, not PEM.
        wrapping: what hides it: `utf-16`, `escaped` (with the characters backslash and n for line breaks), `base64`,
            `base64-crlf` (also with quotes), `indented`, `bom`, `one line`; `None` for nothing.
        blocks: the kinds of all PEM blocks.
    """

    kind: str | None
    is_der: bool = False
    wrapping: str | None = None
    blocks: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The description, as the end of a sentence that begins with the file."""
        what = NAMES.get(self.kind or "", "no certificate or key in a known form")
        form = {"utf-16": "in UTF-16", "escaped": "with `\\n` in place of its line breaks"}
        form |= {
            "indented": "with indented lines",
            "bom": "after a byte order mark",
            "one line": "without its line breaks",
        }
        if self.wrapping in {"base64", "base64-crlf"}:
            return f"the base64 of {what}{' in DER' if self.is_der and self.kind in _IN_DER else ''}"
        if self.wrapping is not None:
            return f"{what} {form[self.wrapping]}"
        return f"{what} in DER, not PEM" if self.is_der and self.kind in _IN_DER else what


_IN_DER: Final = frozenset({"certificate", "key", "csr", "public", "crl", "pkcs7"})


def recognised(content: bytes) -> Material:
    """Return what a content is."""
    if not content.strip(b"\0 \t\r\n"):
        return Material("empty")
    for wrapping, unwrap in _WRAPPINGS:
        inner = unwrap(content)
        if inner is not None:
            found = _bare(inner)
            if found.kind is not None:
                return Material(found.kind, found.is_der, wrapping, found.blocks)
    return _bare(content)


def _bare(content: bytes) -> Material:
    labels = [label.decode() for label in _BEGIN.findall(content)]
    if labels:
        found = [next((kind for end, kind in _PEM if label.endswith(end)), "") for label in labels]
        kinds = [kind for kind in found if kind]
        return Material(kinds[0] if kinds else None, blocks=frozenset(kinds))
    if content[:4] in {b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"}:
        return Material("jks", is_der=True)
    if content.lstrip()[:1] == b"<":
        return Material("html")
    if re.match(rb"(?:ssh-|ecdsa-sha2-)[a-z0-9-]+ AAAA", content):
        return Material("ssh")
    return Material(_of_der(content), is_der=content[:1] == b"\x30")


def _of_der(content: bytes) -> str | None:
    """Return the kind of a DER structure, by the types of its first members."""
    if content[:2] == bytes((_SEQUENCE, _INDEFINITE)):  # BER, as some programs write
        return "pkcs7" if _SIGNED_DATA in content[:32] else "pfx" if content[2:5] == b"\x02\x01\x03" else None
    outer = members(content)
    if len(outer) != 1 or outer[0][0] != _SEQUENCE:
        return None
    inside = members(outer[0][1])
    tags = tuple(tag for tag, _ in inside)
    if tags[:2] == (_OID, _EXPLICIT):
        return "pkcs7" if content.find(_SIGNED_DATA, 0, 32) >= 0 else None
    if tags == (_SEQUENCE, _SEQUENCE, _BITS):
        return _of_signed(tuple(tag for tag, _ in members(inside[0][1])))
    if tags[:1] == (_INTEGER,):
        version = int.from_bytes(inside[0][1][:1])
        is_pfx = tags[1:2] == (_SEQUENCE,) and version == 3  # noqa: PLR2004 - the version of PKCS #12
        return "pfx" if is_pfx else "key" if len(tags) > 2 or tags[1:2] == (_OCTETS,) else "public"  # noqa: PLR2004
    return "key" if tags == (_SEQUENCE, _OCTETS) else "public" if tags == (_SEQUENCE, _BITS) else None


def _of_signed(tags: tuple[int, ...]) -> str:
    """Return the kind of what an authority or a requester has signed."""
    if _TIMES.intersection(tags):
        return "crl"
    return "csr" if tags[:1] == (_INTEGER,) and len(tags) <= 4 else "certificate"  # noqa: PLR2004 - a certificate has six


def members(content: bytes) -> list[tuple[int, bytes]]:
    """Return the type and content of each DER element in a row; none if one does not end where it must."""
    found: list[tuple[int, bytes]] = []
    position = 0
    while position + 2 <= len(content):
        tag, length = content[position], content[position + 1]
        position += 2
        if length & _LONG:
            count = length & ~_LONG
            length = int.from_bytes(content[position : position + count])
            position += count
        if position + length > len(content):
            return []
        found.append((tag, content[position : position + length]))
        position += length
    return found if position == len(content) else []


def _from_utf_16(content: bytes) -> bytes | None:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not marked and b"\0" not in content[:4].strip(b"\x30"):
        return None
    encoding = "utf-16" if marked else "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    text = content.decode(encoding, "replace")
    return text.encode() if text.lstrip("\ufeff")[:200].isascii() else None


def _from_escaped(content: bytes) -> bytes | None:
    return content.replace(b"\\r", b"").replace(b"\\n", b"\n") if b"-----\\" in content else None


def _from_base64(content: bytes) -> bytes | None:
    text = content.strip().strip(b"\"'")
    if text.startswith(b"-----") or len(text) < 64 or not re.fullmatch(rb"[A-Za-z0-9+/\s]+={0,2}\s*", text):  # noqa: PLR2004 - shorter is no key
        return None
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return None


def _when(pattern: bytes) -> Callable[[bytes], bytes | None]:
    found = re.compile(pattern, re.MULTILINE)
    return lambda content: content if found.search(content) else None


_WRAPPINGS: Final = (
    ("utf-16", _from_utf_16),
    ("escaped", _from_escaped),
    ("base64", lambda content: None if content.translate(None, b"\r\"'") != content else _from_base64(content)),
    ("base64-crlf", _from_base64),
    ("indented", _when(rb"^[ \t]+-----BEGIN ")),
    ("bom", _when(rb"\A\xef\xbb\xbf-----BEGIN ")),
    ("one line", _when(rb"-----BEGIN [A-Z0-9 ]+-----[ \t]*[A-Za-z0-9+/]")),
)


_REJOINED: Final = (
    r"""tr -s ' ' '\n' | awk '/^-----/ {h = 1} {printf "%s%s", $0, h && !/-----$/ ? " " : "\n"} /-----$/ {h = 0}' | """
    "fold -w 64"
)


def unwrapping(wrapping: str, file: str) -> str:
    """Return the command that prints a file without what hides its content."""
    name = shlex.quote(file)
    return {
        "utf-16": f"iconv -f UTF-16 -t UTF-8 < {name}",
        "escaped": f"printf '%b' \"$(tr -d '\\\"' < {name})\"",
        "base64": f"base64 -d < {name}",
        "base64-crlf": f"tr -cd 'A-Za-z0-9+/=' < {name} | base64 -d",
        "indented": f"sed 's/^[[:blank:]]*//' < {name}",
        "bom": f"tail -c +4 < {name}",
        "one line": f"sed -e 's/-----BEGIN [A-Z0-9 ]*-----/& /g' -e 's/-----END/ &/g' < {name} | {_REJOINED}",
    }[wrapping]


def converted(material: Material, file: str, converter: str | None, suffix: str = ".pem") -> str:
    """Return the command that makes a usable file.

    Args:
        material: what the file holds.
        file: the path of the file.
        converter: the command that reads it, without its wrapping, from the file in place of `{}` or from its standard
            input; `None` if nothing else is to be done.
        suffix: the ending of the new file.
    """
    steps = [unwrapping(material.wrapping, file)] if material.wrapping is not None else []
    if converter is not None:
        plain = converter.format(shlex.quote(file)) if "{}" in converter else f"{converter} < {shlex.quote(file)}"
        steps.append(converter.format("/dev/stdin") if steps else plain)
    return f"{' | '.join(steps)} > {shlex.quote(pem_beside(file, suffix))}"


def pem_beside(file: str, suffix: str = ".pem") -> str:
    """Return the path of a file beside another one that does not exist yet."""
    stem = os.path.splitext(file)[0]
    names = itertools.chain(("", ".new"), (f".new{number}" for number in itertools.count(2)))
    return next(f"{stem}{name}{suffix}" for name in names if not os.path.lexists(f"{stem}{name}{suffix}"))
