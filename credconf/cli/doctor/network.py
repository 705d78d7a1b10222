"""The steps between this machine and the server: name resolution, proxy, TLS.

Each step uses the same connection code as the requests of an application.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPResponse
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from credconf.entra.connection_faults import EXPECTED, Attempt, explain
from credconf.entra.proxies import Proxy, bypasses
from credconf.entra.sending import REMEDIES
from credconf.entra.sockets import connected, exchange, secured, tls_context
from credconf.ground.records import record
from credconf.settings.clouds import is_well_known
from credconf.settings.formats import shown

from .steps import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3.util.ssltransport import SSLTransport

    from .steps import Diagnosis, Target

T = TypeVar("T")

_OK, _AUTHENTICATION = 200, 407
_HTTP_PROXIES = frozenset({"http", "https"})


def name_resolution(diagnosis: Diagnosis, _: float) -> Result:
    """Resolve the name of the host to connect to: the proxy, if one is used, else the server."""
    target = diagnosis.known_target()
    proxy = _proxy(target)
    host, port = _host_and_port(proxy or target.endpoint)
    what = target.redact(host)
    more = (f"the proxy resolves {target.redact(_host_and_port(target.endpoint)[0])}",) if proxy else ()
    if _is_address(host):
        return Result("ok", f"{what} is an IP address", details=more)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "it is not a host name"
    else:
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        others = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
        return Result("ok", f"{what} is {addresses[0]}{others}", details=more)
    return Result("failed", f"{what} could not be resolved: {reason}", REMEDIES["dns"])


def proxy(diagnosis: Diagnosis, seconds: float) -> Result:
    """Connect to the server through the proxy, if one is used."""
    target = diagnosis.known_target()
    url = target.transport.proxy
    if url is None:
        return Result("ok", "none (neither `http.proxy` nor HTTPS_PROXY is set)")
    who = f"{target.redact(shown(url))} ({target.origin('http.proxy')})"
    if _proxy(target) is None:
        return Result("ok", f"none: NO_PROXY excludes the host from {who}")
    if urlsplit(url).scheme.lower() not in _HTTP_PROXIES:
        return Result("ok", f"{who}, a SOCKS proxy: the discovery step tests it")
    opened = _attempt(target, url, seconds, lambda: _tunnel(target, url, seconds))
    if isinstance(opened, Result):
        return opened
    if opened.status == _OK:
        diagnosis.tunnel = opened.sock
        return Result("ok", f"{who} connects to {target.redact(urlsplit(target.endpoint).netloc)}")
    opened.sock.close()
    return _refused(target, who, opened.status, opened.offered)


def _refused(target: Target, who: str, status: int, offered: str) -> Result:
    if status != _AUTHENTICATION:
        host = target.redact(_host_and_port(target.endpoint)[0])
        fix = f"Allow {host} on the proxy, or add it to NO_PROXY if this machine can reach it directly."
        return Result("failed", f"{who} does not connect to {host} (HTTP status {status})", fix)
    details = (f"it supports: {target.redact(offered)}",) if offered else ()
    if "@" in (target.transport.proxy or ""):
        fix = "Correct the user name and password in the proxy's URL; percent-encode special characters."
        return Result("failed", f"{who} refuses the user name and password (HTTP status 407)", fix, details)
    fix = "Add them to the proxy's URL, http://USER:PASSWORD@HOST:PORT, and keep the URL in a variable or a file."
    if offered and "basic" not in offered.lower():
        fix = "credconf supports only Basic authentication, which this proxy lacks: use a local relay, such as px."
    return Result("failed", f"{who} requires a user name and a password (HTTP status 407)", fix, details)


def tls(diagnosis: Diagnosis, seconds: float) -> Result:
    """Connect, and verify the server's certificate as a request does."""
    target = diagnosis.known_target()
    used = _proxy(target)
    if used is not None and diagnosis.tunnel is None:
        return Result("skipped", "the certificate can't be read through a SOCKS proxy")
    host = target.redact(_host_and_port(target.endpoint)[0])

    def connect() -> Peer | ssl.SSLCertVerificationError:
        try:
            return _handshake(diagnosis, target.transport.verify, seconds)
        except ssl.SSLCertVerificationError as exc:
            return exc

    peer = _attempt(target, None, seconds, connect)
    if isinstance(peer, Result):
        return peer
    if isinstance(peer, Peer):
        details = (f"issued by {target.redact(peer.issuer)}", f"trusted: {_trusted(target)}")
        return Result("ok", f"{peer.protocol} with {host}, certificate valid until {peer.until}", details=details)
    # The second connection reads the rejected certificate. It sends no request.
    seen = _attempt(target, None, seconds, lambda: _handshake(diagnosis, False, seconds))  # noqa: FBT003 - as for requests
    return _rejected(peer, seen if isinstance(seen, Peer) else None, target, host)


def _trusted(target: Target) -> str:
    verify = target.transport.verify
    if isinstance(verify, str):
        return f"{verify} ({target.origin('http.ca_bundle')})"
    return "the public authorities of certifi"


def _attempt(target: Target, proxy_url: str | None, seconds: float, work: Callable[[], T]) -> T | Result:
    """Run work. A network error becomes a result."""
    start = time.monotonic()
    end = start + seconds
    try:
        with exchange(lambda: end - time.monotonic()):
            return work()
    except EXPECTED as exc:
        url = target.endpoint if proxy_url is None else f"https://{shown(proxy_url)}"
        failure = explain(exc, Attempt(url, None, 1, time.monotonic() - start))
    usual = REMEDIES.get("proxy" if proxy_url else failure.reason)
    return Result("failed", target.redact(failure.message), failure.hint or usual)


def _handshake(diagnosis: Diagnosis, verify: bool | str | bytes, seconds: float) -> Peer:  # noqa: FBT001 - as for requests
    target = diagnosis.known_target()
    host, port = _host_and_port(target.endpoint)
    sock, diagnosis.tunnel = diagnosis.tunnel, None
    if sock is None:
        sock = _connected(target, host, port, seconds)
    with closing(sock), closing(secured(sock, tls_context(verify), host)) as secure:
        return peer_of(secure)


def _connected(target: Target, host: str, port: int, seconds: float) -> socket.socket:
    used = _proxy(target)
    return connected(host, port, seconds) if used is None else _tunnel(target, used, seconds).sock


@record
class _Tunnel:
    """A proxy's answer to CONNECT: its status, its authentication schemes, and the socket."""

    status: int
    offered: str
    sock: socket.socket


def _tunnel(target: Target, proxy_url: str, seconds: float) -> _Tunnel:
    host, port = _host_and_port(proxy_url)
    sock: socket.socket = connected(host, port, seconds)
    try:
        if urlsplit(proxy_url).scheme.lower() == "https":
            sock = tls_context(target.transport.verify).wrap_socket(sock, server_hostname=host)
        sock.sendall(Proxy(target.transport).connect_request(*_host_and_port(target.endpoint)))
        answer = HTTPResponse(sock, method="CONNECT")
        try:
            answer.begin()
        finally:
            answer.close()
    except BaseException:  # re-raised: after any exception, Ctrl-C included, the socket is closed
        sock.close()
        raise
    return _Tunnel(answer.status, answer.getheader("proxy-authenticate", ""), sock)


def _proxy(target: Target) -> str | None:
    """The proxy of requests to the server; `None` if they are direct."""
    return None if bypasses(target.endpoint, target.transport.no_proxy) else target.transport.proxy


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# The certificate. The numbers are OpenSSL's X509_V_ERR_*.

_NOT_YET, _EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 9, 10, 62, 64
_UNTRUSTED = frozenset({18, 19, 20, 21})  # self-signed, or from an unknown issuer


@record
class Peer:
    """The certificate that a server presented in a TLS handshake.

    Attributes:
        protocol: such as `TLS 1.3`.
        issuer: the issuer of the certificate.
        since: the first day of its validity.
        until: the last day of its validity.
    """

    protocol: str
    issuer: str
    since: str
    until: str


def peer_of(sock: ssl.SSLSocket | SSLTransport) -> Peer:
    """Read the certificate of the socket's peer."""
    protocol = (sock.version() or "TLS").replace("TLSv", "TLS ")
    content = sock.getpeercert(True)  # noqa: FBT003 - its name differs between the two kinds of sockets
    certificate = x509.load_der_x509_certificate(content) if isinstance(content, bytes) else None
    if certificate is None:
        return Peer(protocol, "an unknown issuer", "-", "-")
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Peer(protocol, _named(certificate.issuer), f"{since:%Y-%m-%d}", f"{until:%Y-%m-%d}")


def _named(name: x509.Name) -> str:
    """The organisation and common name of an authority."""
    parts = [
        str(attribute.value)
        for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for attribute in name.get_attributes_for_oid(kind)
    ]
    return ", ".join(parts) or name.rfc4514_string() or "an unknown issuer"


def _rejected(error: ssl.SSLCertVerificationError, peer: Peer | None, target: Target, host: str) -> Result:
    """The result for a certificate that was not accepted.

    Args:
        error: OpenSSL's error.
        peer: the certificate, if it could be read.
        target: the configuration.
        host: the server's host, redacted.
    """
    code = error.verify_code
    details = [f"issued by {target.redact(peer.issuer)}, valid from {peer.since} to {peer.until}"] if peer else []
    if code in {_NOT_YET, _EXPIRED}:
        details.append(f"the time of this machine is {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    reason = error.verify_message.rstrip(".")
    summary = target.redact(f"the certificate of {host} was not accepted: {reason}")
    return Result("failed", summary, _remedy(code, target), tuple(details))


def _remedy(code: int, target: Target) -> str:
    if code in {_NOT_YET, _EXPIRED}:
        return "Check this machine's clock; if it is right, the server's certificate needs renewal."
    if code in {_OTHER_HOST, _OTHER_ADDRESS}:
        return "Another server answers under this name: check `authority`, DNS and the proxy."
    if code in _UNTRUSTED and is_well_known(target.endpoint):
        return (
            "Microsoft's certificates come from public authorities: a corporate proxy or security software decrypts "
            "TLS connections. Get its root certificate, and set `http.ca_bundle` or REQUESTS_CA_BUNDLE to its path."
        )
    return "If it is the right server, set `http.ca_bundle` or REQUESTS_CA_BUNDLE to its authority's certificate."
