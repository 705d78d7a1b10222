"""Files that should hold certificates or keys as PEM or PFX, in the shapes in which people really have them."""

from __future__ import annotations

import base64
import functools
import warnings

import certifi
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs7,
    pkcs12,
)

PASSWORD = b"canary of-a~password"


def wrapped(pem: bytes, what: str) -> dict[str, bytes]:
    """A PEM as it arrives through variables, JSON, YAML and shells."""
    return {
        f"{what} in UTF-16, as PowerShell writes": pem.decode().encode("utf-16"),
        f"{what} in big-endian UTF-16": b"\xfe\xff" + pem.decode().encode("utf-16-be"),
        f"{what} in UTF-16 without a mark": pem.decode().encode("utf-16-le"),
        f"{what} with backslash and n": pem.replace(b"\n", b"\\n"),
        f"{what} with backslash, r and n, in quotes": b'"' + pem.replace(b"\n", b"\\r\\n") + b'"\n',
        f"{what} in one line": pem.replace(b"\n", b" "),
        f"{what} as base64": base64.b64encode(pem),
        f"{what} as base64 in lines": base64.encodebytes(pem),
    }


@functools.cache
def certificates() -> dict[str, bytes]:
    """Certificates in other forms than PEM, from which a bundle can be made."""
    pem = trustme.CA().cert_pem.bytes()
    one = x509.load_pem_x509_certificate(pem)
    der = one.public_bytes(Encoding.DER)
    p7b = pkcs7.serialize_certificates([one, one], Encoding.PEM)
    return {
        "DER": der,
        "DER as base64": base64.b64encode(der),
        "DER as base64 in lines": base64.encodebytes(der).replace(b"\n", b"\r\n"),
        "p7b": p7b,
        "p7b as DER": pkcs7.serialize_certificates([one], Encoding.DER),
        "p7b as DER as base64": base64.b64encode(pkcs7.serialize_certificates([one], Encoding.DER)),
        "indented": b"".join(b"    " + line for line in pem.splitlines(keepends=True)),
        "without any line break": pem.replace(b"\n", b""),
        **wrapped(pem, "PEM"),
        **wrapped(p7b, "p7b"),
    }


@functools.cache
def no_certificates() -> dict[str, bytes]:
    """Contents from which no certificate can be made."""
    pem = trustme.CA().cert_pem.bytes()
    one = trustme.CA().issue_cert("a.example")
    key = load_pem_private_key(one.private_key_pem.bytes(), None)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    lines = pem.splitlines(keepends=True)
    return {
        "nothing": b"",
        "white space": b"\n \r\n",
        "a private key": one.private_key_pem.bytes(),
        "a private key as DER": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "a request": request.public_bytes(Encoding.PEM),
        "a request as DER": request.public_bytes(Encoding.DER),
        "a public key": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "a public key as DER": key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "a web page": b"<!doctype html><html>not found</html>",
        "some text": b"not a certificate at all\n",
        "no END": b"".join(lines[:-1]),
        "a lost line": b"".join(lines[:3] + lines[4:]),
        "an odd character": b"".join([*lines[:3], b"!" + lines[3][1:], *lines[4:]]),
        "a second one, cut off": pem + b"".join(lines[:4]),
        "four dashes": pem.replace(b"-----", b"----"),
        "a Java keystore": b"\xfe\xed\xfe\xed\0\0\0\2" + bytes(64),
    }


@functools.cache
def bundles() -> dict[str, bytes]:
    """Usable bundles, in all the forms that OpenSSL takes."""
    pem = trustme.CA().cert_pem.bytes()
    with open(certifi.where(), "rb") as file:
        public = file.read()
    return {
        "one": pem,
        "two": pem + trustme.CA().cert_pem.bytes(),
        "CRLF": pem.replace(b"\n", b"\r\n"),
        "comments": b"# Issuer: CN=a\n" + pem + b"\n\nsubject=b\n" + pem,
        "no last line break": pem.rstrip(),
        "a key beside it": trustme.CA().private_key_pem.bytes() + pem,
        "an old label": pem.replace(b"BEGIN ", b"BEGIN X509 ").replace(b"END ", b"END X509 "),
        "one line of base64": b"\n".join((pem.splitlines()[0], b"".join(pem.splitlines()[1:-1]), pem.splitlines()[-1])),
        "the public ones": public,
    }


def client_files(key_pem: bytes, certificate_pem: bytes) -> dict[str, tuple[bytes, str, bool]]:
    """What people give as a client certificate: the content, words of the message, and whether a command mends it.

    Args:
        key_pem: the RSA key.
        certificate_pem: its certificate.
    """
    key, one = load_pem_private_key(key_pem, None), x509.load_pem_x509_certificate(certificate_pem)
    both = key_pem + certificate_pem
    pfx = pkcs12.serialize_key_and_certificates(b"a", key, one, None, NoEncryption())
    der = one.public_bytes(Encoding.DER)
    request = x509.CertificateSigningRequestBuilder().subject_name(one.subject).sign(key, hashes.SHA256())
    public = key.public_key()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        openssh = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    lines = key_pem.splitlines(keepends=True)
    return {
        "a certificate as DER": (der, "a certificate in DER, not PEM, without its private key", True),
        "a certificate": (certificate_pem, "holds a certificate, without its private key", True),
        "a certificate as base64": (base64.b64encode(der), "the base64 of a certificate in DER, without", True),
        "a p7b": (pkcs7.serialize_certificates([one], Encoding.PEM), "PKCS #7 certificates (.p7b), without", True),
        "a p7b as DER": (pkcs7.serialize_certificates([one], Encoding.DER), "(.p7b) in DER, not PEM, without", True),
        "a key": (key_pem, "holds a private key, without its certificate", True),
        "a key as DER": (
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "a private key in DER, not PEM, without its certificate",
            True,
        ),
        "an old key as DER": (
            key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
            "a private key in DER, not PEM, without its certificate",
            True,
        ),
        "an encrypted key as DER": (
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD)),
            "a private key in DER, not PEM, without its certificate",
            False,
        ),
        "a request": (request.public_bytes(Encoding.PEM), "a request for a certificate (CSR), without", True),
        "a request as DER": (request.public_bytes(Encoding.DER), "(CSR) in DER, not PEM, without", True),
        "a key and a request": (
            key_pem + request.public_bytes(Encoding.PEM),
            "(CSR) and a private key, without",
            False,
        ),
        "a public key": (
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "a public key, without its private key",
            False,
        ),
        "a public key of SSH": (
            public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
            "a public key of OpenSSH, without its private key",
            False,
        ),
        "a key of SSH": (openssh, "a key of OpenSSH", True),
        "a Java keystore": (b"\xfe\xed\xfe\xed\0\0\0\2" + bytes(64), "a Java keystore", False),
        "a PFX as base64": (base64.b64encode(pfx), "the base64 of a PFX (PKCS #12)", True),
        "a PFX as base64 in lines": (base64.encodebytes(pfx), "the base64 of a PFX (PKCS #12)", True),
        "nothing": (b"", "is empty", False),
        "some text": (b"not a certificate at all\n", "no certificate or key in a known form", False),
        "a key that is cut off": (b"".join(lines[:5]) + certificate_pem, "a private key that is cut off", False),
        "a certificate that is cut off": (
            key_pem + b"".join(certificate_pem.splitlines(keepends=True)[:5]),
            "a certificate that is cut off",
            False,
        ),
        **{
            name: (content, "a private key", True)
            for name, content in wrapped(both, "PEM").items()
            if name != "PEM in one line"  # cryptography takes it
        },
    }


def elliptic(certificate_pem: bytes) -> bytes:
    """A key that is no RSA key, with a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate_pem
