"""The certificate that a server shows, and why one was not accepted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from credconf.ground.records import record
from credconf.settings.clouds import is_well_known

from .steps import Finding

if TYPE_CHECKING:
    import ssl

    from urllib3.util.ssltransport import SSLTransport

    from .steps import Subject

# OpenSSL's X509_V_ERR_*.
_NOT_YET, _EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 9, 10, 62, 64
_UNTRUSTED = frozenset({18, 19, 20, 21})  # self-signed, or of an issuer that is not known


@record
class Peer:
    """Who answered a TLS handshake.

    Attributes:
        protocol: such as `TLS 1.3`.
        issuer: of the certificate.
        since: the day on which it begins to be valid.
        until: the day on which it ends.
    """

    protocol: str
    issuer: str
    since: str
    until: str


def peer_of(sock: ssl.SSLSocket | SSLTransport) -> Peer:
    """What the socket's other end showed of itself."""
    protocol = (sock.version() or "TLS").replace("TLSv", "TLS ")
    content = sock.getpeercert(True)  # noqa: FBT003 - its name differs between the two kinds of sockets
    certificate = x509.load_der_x509_certificate(content) if isinstance(content, bytes) else None
    if certificate is None:
        return Peer(protocol, "nobody", "-", "-")
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Peer(protocol, _named(certificate.issuer), f"{since:%Y-%m-%d}", f"{until:%Y-%m-%d}")


def _named(name: x509.Name) -> str:
    """Organisation and common name, which people know an authority by."""
    parts = [
        str(attribute.value)
        for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for attribute in name.get_attributes_for_oid(kind)
    ]
    return ", ".join(parts) or name.rfc4514_string() or "nobody"


def rejected(error: ssl.SSLCertVerificationError, peer: Peer | None, subject: Subject, host: str) -> Finding:
    """What a certificate that was not accepted means.

    Args:
        error: OpenSSL's.
        peer: who answered, if that could be looked at.
        subject: the configuration.
        host: as it may be shown.
    """
    code = error.verify_code
    details = [f"issued by {subject.redact(peer.issuer)}, valid from {peer.since} to {peer.until}"] if peer else []
    if code in {_NOT_YET, _EXPIRED}:
        details.append(f"this machine's clock says {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    reason = error.verify_message.rstrip(".")
    summary = subject.redact(f"the certificate of {host} was not accepted: {reason}")
    return Finding("failed", summary, _remedy(code, subject), tuple(details))


def _remedy(code: int, subject: Subject) -> str:
    if code in {_NOT_YET, _EXPIRED}:
        return "Check this machine's clock; if it is right, the server's certificate must be renewed."
    if code in {_OTHER_HOST, _OTHER_ADDRESS}:
        return "Somebody else answers under this name: check `authority`, DNS and the proxy."
    if code in _UNTRUSTED and is_well_known(subject.endpoint):
        return (
            "Microsoft's certificates are of public authorities: something on the way (a corporate proxy, a security "
            "program) opens TLS connections. Get its root certificate, and name it in `http.ca_bundle` or "
            "REQUESTS_CA_BUNDLE."
        )
    return "If it is the right server, name its authority's certificate in `http.ca_bundle` or REQUESTS_CA_BUNDLE."
