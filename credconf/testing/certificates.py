"""Certificates: the fake server's own, and those that clients prove themselves with."""

from __future__ import annotations

import base64
import functools
import ipaddress
import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

# Tests fake their clocks, in both directions: what is made here is valid at any time that they choose.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_LIFE_FROM_NOW = timedelta(days=30 * 365)
_SERVER_NAMES = (
    "localhost",
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "*.login.microsoft.com",
    "*.login.microsoftonline.com",
    "*.ciamlogin.com",
    "*.b2clogin.com",
)
_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class ServerCertificate:
    """What a TLS server needs, each as PEM: its authority, its own certificate, and the private key."""

    ca: bytes
    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class ClientCertificate:
    """A client's certificate that `make_certificate` wrote.

    Attributes:
        path: The file with certificate and private key.
        pem: The certificate alone, as PEM: what `FakeEntra.register(certificates=…)` takes.
        thumbprint: SHA-1 of the certificate in capital hexadecimal digits, as Azure's portal shows it.
        password: The password of the file, if it has one (hidden in `repr`).
    """

    path: Path
    pem: bytes = field(repr=False)
    thumbprint: str
    password: str | None = field(repr=False)


_server_lock = threading.Lock()


def server_certificate() -> ServerCertificate:
    """The certificate of every fake server of this process, made on first use.

    The private key of its authority is discarded: it signs no other certificate.
    """
    with _server_lock:  # with a cache alone, two concurrent callers would make two authorities
        return _make_server_certificate()


@functools.cache
def _make_server_certificate() -> ServerCertificate:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("credconf.testing authority")
    # Python 3.13 verifies strictly: it requires key usages and both key identifiers.
    ca_identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(ca_identifier, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *map(x509.DNSName, _SERVER_NAMES)]
    authority_identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_identifier)
    leaf = (
        _builder(_name("127.0.0.1"), ca_name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority_identifier, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return ServerCertificate(_pem(ca), _pem(leaf), _private_pem(key, None))


def make_certificate(
    path: str | os.PathLike[str],
    *,
    password: str | None = None,
    form: Literal["pem", "pfx"] | None = None,
    common_name: str = "credconf.testing client",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> ClientCertificate:
    """Write a self-signed client certificate with a new RSA key of 2048 bits.

    An existing file is replaced in place: a test rotates a certificate this way.

    Args:
        path: The file to write, readable only by its owner.
        password: Encrypts the private key (PEM) or the whole file (PFX).
        form: `pem` or `pfx` (PKCS #12); None takes it from the name: `.pfx` and `.p12` are PFX, else PEM.
        common_name: The common name of the certificate.
        not_before: Start of its validity, an aware time; None for the year 2000.
        not_after: End of its validity, an aware time; None for 30 years from now.

    Returns:
        The certificate: its path, its public part and its thumbprint.

    Raises:
        OSError: The file cannot be written.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return write_certificate(
        key,
        path,
        password=password,
        form=form,
        common_name=common_name,
        not_before=not_before,
        not_after=not_after,
    )


def write_certificate(
    key: rsa.RSAPrivateKey,
    path: str | os.PathLike[str],
    *,
    password: str | None = None,
    form: Literal["pem", "pfx"] | None = None,
    common_name: str = "credconf.testing client",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> ClientCertificate:
    """Write the certificate that `make_certificate` documents, for a key that exists already."""
    target = Path(path)
    name = _name(common_name)
    certificate = _builder(name, name, key.public_key(), not_before, not_after).sign(key, hashes.SHA256())
    form = form or ("pfx" if target.suffix.lower() in {".pfx", ".p12"} else "pem")
    if form == "pfx":
        content = pkcs12.serialize_key_and_certificates(None, key, certificate, None, _encryption(password))
    else:
        content = _private_pem(key, password) + _pem(certificate)
    _write_privately(target, content)
    return ClientCertificate(target, _pem(certificate), thumbprint(certificate), password)


def thumbprint(certificate: x509.Certificate) -> str:
    """The SHA-1 of a certificate in upper-case hexadecimal, as the Azure portal shows it."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - an identifier, not a protection


def assertion_thumbprints(certificate: x509.Certificate) -> list[str]:
    """The thumbprints that an assertion may name: SHA-1 (`x5t`) and SHA-256 (`x5t#S256`), as base64url."""
    digests = (certificate.fingerprint(hashes.SHA1()), certificate.fingerprint(hashes.SHA256()))  # noqa: S303 - see above
    return [base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests]


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before or _LONG_AGO)
        .not_valid_after(not_after or datetime.now(UTC) + _LIFE_FROM_NOW)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*usages: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in usages for usage in _KEY_USAGES})


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: str | None) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, _encryption(password))


def _encryption(password: str | None) -> serialization.KeySerializationEncryption:
    if password is None:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(password.encode())


def _write_privately(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
