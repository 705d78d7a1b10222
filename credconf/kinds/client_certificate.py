"""`kind: client_certificate`: an application with a certificate and its RSA key, as PEM or PFX (PKCS #12)."""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from credconf.entra.proof import Candidate, Proof
from credconf.ground.opaque import Opaque
from credconf.ground.records import field, record, replace
from credconf.ground.third_parties import despite_warnings
from credconf.references import BaseReference, NotFound
from credconf.settings import clouds
from credconf.settings.declaration import Setting
from credconf.settings.fields import Certificate, Password
from credconf.settings.in_memory import CertificateBytes

from .application import ApplicationSettings
from .common import KIND, CommonOverrides, Given

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from credconf.references import Reader, Stamp

_LIFE: Final = 600  # seconds, as MSAL's
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


class ClientCertificateSettings(ApplicationSettings):
    """A service principal that proves itself with a certificate."""

    proof: ClassVar = "client_certificate"

    azure_identity: ClassVar = "CertificateCredential"
    also_called: ClassVar = "certificate"

    kind: Annotated[Literal["client_certificate"], KIND] = "client_certificate"
    client_certificate: Annotated[
        Certificate,
        Setting(
            "The certificate with its RSA private key, as PEM or PFX. It is always a reference to a file.",
            ({"file": "/run/secrets/entra.pem"},),
            environment=("AZURE_CLIENT_CERTIFICATE_PATH",),
            also_called="certificate cert clientcert certificatepath certpath certificatefile certfile pem pfx "
            "clientcertificatepath clientcertificatefile",
            secret=True,
        ),
    ]
    client_certificate_password: Annotated[
        Password | None,
        Setting(
            "The password of the private key, if it has one.",
            ({"file": "/run/secrets/entra-password"}, {"env": "CERTIFICATE_PASSWORD"}),
            environment=("AZURE_CLIENT_CERTIFICATE_PASSWORD",),
            also_called="certificatepassword certpassword passphrase certificatepassphrase pfxpassword",
            secret=True,
            any_character=True,
        ),
    ] = None
    send_certificate_chain: Annotated[
        bool,
        Setting(
            "Send the chain (x5c), for subject name and issuer authentication.",
            (True,),
            environment=("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",),
            also_called="sendx5c x5c sendcertificate clientsendcertificatechain",
        ),
    ] = False

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the certificate."""
        label = self.client_certificate.label
        return (Candidate("client_certificate", label, self._read, self._stamp),)

    def _read(self, reader: Reader) -> Proof | NotFound:
        password, certificate = self.client_certificate_password, self.client_certificate
        opener: str | NotFound | None = None
        if password is not None:
            opener = password.get_secret_value() if isinstance(password, SecretStr) else reader.text(password)
        if isinstance(opener, NotFound):
            return replace(opener, path="client_certificate_password")
        content = (
            certificate.data.get_secret_value()
            if isinstance(certificate, CertificateBytes)
            else reader.content(certificate)
        )
        if isinstance(content, NotFound):
            return content
        file = certificate.names_file if isinstance(certificate, BaseReference) else None
        return read_certificate(content, opener, certificate.label, chain=self.send_certificate_chain, file=file)

    def _stamp(self, reader: Reader) -> Stamp:
        stamps = [
            reader.stamp(item)
            for item in (self.client_certificate, self.client_certificate_password)
            if isinstance(item, BaseReference)
        ]
        return None if None in stamps else tuple(stamps)


class ClientCertificateOverrides(CommonOverrides, total=False):
    """The fields as keyword arguments."""

    client_certificate: Mapping[str, Any] | None
    client_certificate_password: Given | SecretStr | None
    send_certificate_chain: bool | None


def read_certificate(
    content: bytes, password: str | bytes | None, label: str, *, chain: bool, file: str | None = None
) -> Proof | NotFound:
    """Make a proof from the bytes of a PEM or PFX file.

    The assertion is signed with PS256 and names the certificate by its SHA-256 thumbprint, as MSAL recommends; for
    AD FS, which knows neither, with RS256 and the SHA-1 thumbprint, as azure-identity's
    `CertificateCredential` does.

    Args:
        content: PEM (key and certificates in any order) or PFX.
        password: the password of the private key.
        label: the name of the file in messages.
        chain: whether to send all certificates of the file in the assertion's header.
        file: the path of the file, for the commands that mend it; `None` for bytes in memory.
    """
    secret = _bytes(password) if isinstance(password, str) else password
    if isinstance(secret, NotFound):
        return secret
    loaded = _load_pem(content, secret, label) if b"-----BEGIN" in content else _load_pfx(content, secret, label)
    if isinstance(loaded, NotFound):
        from .certificate_faults import certificate_fault  # only broken certificates need it

        return certificate_fault(content, label, file, loaded)
    if not _is_rsa(loaded[0]):
        from .certificate_faults import not_rsa

        return not_rsa(label, file)
    try:
        return despite_warnings(lambda: _proof(*loaded, secret, label, chain=chain))
    except Exception:  # noqa: BLE001 - cryptography fails on some names and dates
        return NotFound("bad-certificate", f"{label} holds a certificate that can't be read")


def _bytes(password: str) -> bytes | NotFound:
    """Return the bytes of a variable or argument, in which bytes that are not UTF-8 are surrogates."""
    try:
        return password.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        pass  # the exception holds the password
    message = "the password holds half of a surrogate pair, which has no bytes"
    return NotFound("bad-certificate", message, "write the password again", "client_certificate_password")


def _is_rsa(key: Any) -> bool:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    return isinstance(key, RSAPrivateKey)


def _proof(key: Any, certificates: list[Any], password: bytes | None, label: str, *, chain: bool) -> Proof | NotFound:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    leaf = next((item for item in certificates if item.public_key() == key.public_key()), None)
    if leaf is None:
        return NotFound("bad-certificate", f"{label} holds no certificate that belongs to its private key")
    shared: dict[str, object] = {"typ": "JWT"}
    if chain:
        ordered = [leaf, *(item for item in certificates if item != leaf)]
        shared["x5c"] = [base64.b64encode(item.public_bytes(Encoding.DER)).decode() for item in ordered]
    header = _json({**shared, "alg": "PS256", "x5t#S256": _base64(leaf.fingerprint(hashes.SHA256()))})
    for_adfs = _json({**shared, "alg": "RS256", "x5t": _base64(leaf.fingerprint(hashes.SHA1()))})  # noqa: S303 - x5t is SHA-1
    body = pem.strip().splitlines()[1:-1]
    secrets = (pem, *body, *([password.decode(errors="replace")] if password else []))
    begins_on, expires_on = _validity(leaf)
    return Proof(pem, secrets, label, expires_on, CertificateSigner(key, header, for_adfs), begins_on=begins_on)


@record
class CertificateSigner:
    """Signs client assertions with the RSA key of a certificate, as MSAL does: with PS256, or for AD FS with RS256.

    Attributes:
        key: cryptography's key, loaded once because the check of its primes takes tens of milliseconds.
        header: the encoded header of the JWT.
        for_adfs: the encoded header of a JWT for AD FS.
    """

    key: Any = field(repr=False)
    header: bytes
    for_adfs: bytes

    def assertion(self, audience: str, client_id: str) -> Opaque:
        """Sign an assertion that is valid for ten minutes. No variable of a frame holds its signature."""
        from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        now = time.time()
        claims = {"aud": audience, "iss": client_id, "sub": client_id, "exp": now + _LIFE, "iat": now}
        is_adfs = urlsplit(audience).path.startswith(f"/{clouds.ADFS}/")
        padding = PKCS1v15() if is_adfs else PSS(MGF1(SHA256()), SHA256().digest_size)
        header = self.for_adfs if is_adfs else self.header
        content = b"%s.%s" % (header, _json({**claims, "jti": str(uuid.uuid4())}))
        signed = Opaque()
        signed.content = b"%s.%s" % (
            content,
            binascii.b2a_base64(self.key.sign(content, padding, SHA256()), newline=False)
            .translate(_URL_SAFE)
            .rstrip(b"="),
        )
        signed.content = signed.content.decode()
        return signed


def _json(value: object) -> bytes:
    return _base64(json.dumps(value, separators=(",", ":")).encode()).rstrip("=").encode()


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


def _validity(certificate: Any) -> tuple[date, date]:
    """Return the first and the last day of a certificate."""
    # cryptography 42 has the names that end in `_utc`, and deprecates the older ones.
    begin: datetime = getattr(certificate, "not_valid_before_utc", None) or certificate.not_valid_before
    end: datetime = getattr(certificate, "not_valid_after_utc", None) or certificate.not_valid_after
    return begin.date(), end.date()


def _load_pem(content: bytes, password: bytes | None, label: str) -> tuple[Any, list[Any]] | NotFound:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if b"PRIVATE KEY-----" not in content:
        return NotFound("bad-certificate", f"{label} holds no private key", "append the key to the certificate")
    encrypted = b"ENCRYPTED" in content
    try:
        # A password for an unencrypted key is no error: azure-identity's users pass one for both.
        key = despite_warnings(lambda: load_pem_private_key(content, password if encrypted else None))
    except Exception:  # noqa: BLE001 - cryptography raises many types, and some messages hold parts of the input
        return _undecryptable(label, password) if encrypted else _damaged(label, "a private key")
    try:
        return key, despite_warnings(lambda: x509.load_pem_x509_certificates(content))
    except ValueError:
        return _damaged(label, "a certificate")


def _load_pfx(content: bytes, password: bytes | None, label: str) -> tuple[Any, list[Any]] | NotFound:
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        key, leaf, others = despite_warnings(lambda: pkcs12.load_key_and_certificates(content, password))
    except Exception:  # noqa: BLE001 - see above; a wrong password and a broken file raise the same error
        return _undecryptable(label, password) if content[:1] == b"\x30" else _unparsable(label)
    if key is None or leaf is None:
        return NotFound("bad-certificate", f"{label} must hold a certificate and its private key")
    return key, [leaf, *others]


def _undecryptable(label: str, password: bytes | None) -> NotFound:
    if password:
        message = f"{label} can't be opened with the given client_certificate_password"
        return NotFound("bad-certificate", message, "check the password and the file")
    message = f"{label} can't be opened without client_certificate_password"
    hint = "set `client_certificate_password` or AZURE_CLIENT_CERTIFICATE_PASSWORD"
    return NotFound("bad-certificate", message, hint)


def _damaged(label: str, what: str) -> NotFound:
    hint = "copy it again, from its BEGIN line to its END line"
    return NotFound("bad-certificate", f"{label} holds {what} that is cut off or damaged", hint)


def _unparsable(label: str) -> NotFound:
    hint = "write the certificate and its RSA private key as PEM, or as PFX"
    return NotFound("bad-certificate", f"{label} is neither a PEM nor a PFX file", hint)
