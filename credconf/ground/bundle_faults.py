"""Explains why a bundle of certificates can't be used. Imported only for one that can't."""

from __future__ import annotations

import shlex
from typing import Final

from .files import Unreadable
from .key_material import converted, pem_beside, recognised

_CONVERTERS: Final = {
    ("certificate", True): "openssl x509 -inform der",
    ("pkcs7", True): "openssl pkcs7 -inform der -print_certs",
    ("pkcs7", False): "openssl pkcs7 -print_certs",
    ("pfx", True): "openssl pkcs12 -nokeys",
    ("jks", True): "keytool -list -rfc -keystore {}",
}
"""The commands that print PEM certificates, by the kind of the content and whether it is DER."""
_NO_CERTIFICATE: Final = frozenset({"key", "csr", "public", "crl", "openssh", "ssh"})


def bundle_fault(content: bytes, path: str, line: int | None) -> Unreadable:
    """Return why OpenSSL loads no certificates from a file, and the command that makes a usable one.

    Args:
        content: what the file holds.
        path: the path of the file.
        line: the line that begins the first certificate which can't be read, if there is one.
    """
    found = recognised(content)
    is_pem = "certificate" in found.blocks
    if is_pem and found.wrapping is None:
        where = f"the certificate in line {line}" if line is not None else "a certificate"
        return Unreadable("bad-bundle", f"is no use: {where} is cut off or damaged", hint=_exported(path))
    converter = _CONVERTERS.get((found.kind or "", found.is_der))
    command = converted(found, path, None if is_pem else converter) if is_pem or converter else None
    what = found.name if found.kind == "empty" else f"holds {found.name}"
    if command is not None:
        return Unreadable("bad-bundle", what, hint=f"write its certificates as PEM, and name that file: {command}")
    if found.kind in _NO_CERTIFICATE:
        what = f"holds only {found.name}, and no certificate"
    return Unreadable("bad-bundle", f"is {what}" if found.kind == "empty" else what, hint=_exported(path))


def _exported(path: str) -> str:
    command = f"openssl x509 -in CERTIFICATE > {shlex.quote(pem_beside(path))}"
    return f"export the authority's certificate again, write it as PEM, and name that file: {command}"


def directory_fault(path: str) -> Unreadable:
    """Return why OpenSSL finds no certificate in a directory."""
    hint = f"give the certificates in it the names that OpenSSL looks for: openssl rehash {shlex.quote(path)}"
    reason = "is a directory without certificates under hashed names, such as 9d66eef0.0"
    return Unreadable("bad-bundle", reason, hint=hint)
