"""The way to the server: its name, the proxy, TLS. Each by the connections that the application's requests use."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from contextlib import closing
from http.client import HTTPResponse
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from credconf.entra.connections import EXPECTED, Attempt, explain
from credconf.entra.proxies import Proxy, bypasses
from credconf.entra.sending import REMEDIES
from credconf.entra.sockets import connected, exchange, secured, tls_context
from credconf.ground.records import record
from credconf.settings.formats import shown

from .certificates import Peer, peer_of, rejected
from .steps import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from .steps import Case, Subject

T = TypeVar("T")

_OK, _AUTHENTICATION = 200, 407
_HTTP_PROXIES = frozenset({"http", "https"})


def name_resolution(case: Case, _: float) -> Finding:
    """Look up the host that is connected to first: the proxy's, where there is one."""
    subject = case.known()
    proxy = _proxy(subject)
    host, port = _host_and_port(proxy or subject.endpoint)
    what = subject.redact(host)
    more = (f"the proxy looks up {subject.redact(_host_and_port(subject.endpoint)[0])}",) if proxy else ()
    if _is_address(host):
        return Finding("ok", f"{what} is an address: there is nothing to look up", details=more)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "it is not a host name"
    else:
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        others = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
        return Finding("ok", f"{what} is {addresses[0]}{others}", details=more)
    return Finding("failed", f"{what} could not be resolved: {reason}", REMEDIES["dns"])


def proxy(case: Case, seconds: float) -> Finding:
    """Have the proxy connect to the server, if one is used."""
    subject = case.known()
    url = subject.transport.proxy
    if url is None:
        return Finding("ok", "none (neither `http.proxy` nor HTTPS_PROXY is set)")
    who = f"{subject.redact(shown(url))} ({subject.origin('http.proxy')})"
    if _proxy(subject) is None:
        return Finding("ok", f"none: NO_PROXY takes the host out, else it would be {who}")
    if urlsplit(url).scheme.lower() not in _HTTP_PROXIES:
        return Finding("ok", f"{who}, a SOCKS proxy: whether it works shows with discovery")
    opened = _attempt(subject, url, seconds, lambda: _tunnel(subject, url, seconds))
    if isinstance(opened, Finding):
        return opened
    if opened.status == _OK:
        case.tunnel = opened.sock
        return Finding("ok", f"{who} connects to {subject.redact(urlsplit(subject.endpoint).netloc)}")
    opened.sock.close()
    return _refused(subject, who, opened.status, opened.offered)


def _refused(subject: Subject, who: str, status: int, offered: str) -> Finding:
    if status != _AUTHENTICATION:
        host = subject.redact(_host_and_port(subject.endpoint)[0])
        fix = f"Have {host} allowed on the proxy, or put it into NO_PROXY if it can be reached directly."
        return Finding("failed", f"{who} does not connect to {host} (HTTP status {status})", fix)
    details = (f"it offers: {subject.redact(offered)}",) if offered else ()
    if "@" in (subject.transport.proxy or ""):
        fix = "Correct the user name and password in the proxy's URL; special characters are percent-encoded there."
        return Finding("failed", f"{who} refuses the user name and password (HTTP status 407)", fix, details)
    fix = "Write them into the proxy's URL, http://USER:PASSWORD@HOST:PORT, and keep that in a variable or a file."
    if offered and "basic" not in offered.lower():
        fix = "It knows no Basic authentication, the only one that works here: use a relay on this machine, such as px."
    return Finding("failed", f"{who} asks for a user name and a password (HTTP status 407)", fix, details)


def tls(case: Case, seconds: float) -> Finding:
    """Connect, and check the server's certificate as a request would."""
    subject = case.known()
    used = _proxy(subject)
    if used is not None and case.tunnel is None:
        return Finding("skipped", "a certificate can't be looked at through a SOCKS proxy")
    host = subject.redact(_host_and_port(subject.endpoint)[0])

    def connect() -> Peer | ssl.SSLCertVerificationError:
        try:
            return _handshake(case, subject.transport.verify, seconds)
        except ssl.SSLCertVerificationError as exc:
            return exc

    peer = _attempt(subject, None, seconds, connect)
    if isinstance(peer, Finding):
        return peer
    if isinstance(peer, Peer):
        details = (f"issued by {subject.redact(peer.issuer)}", f"trusted: {_trusted(subject)}")
        return Finding("ok", f"{peer.protocol} with {host}, certificate valid until {peer.until}", details=details)
    # Nothing is sent on the second connection: it is only looked at who answers.
    seen = _attempt(subject, None, seconds, lambda: _handshake(case, False, seconds))  # noqa: FBT003 - as for requests
    return rejected(peer, seen if isinstance(seen, Peer) else None, subject, host)


def _trusted(subject: Subject) -> str:
    verify = subject.transport.verify
    if isinstance(verify, str):
        return f"{verify} ({subject.origin('http.ca_bundle')})"
    return "the public authorities that come with certifi"


def _attempt(subject: Subject, proxy_url: str | None, seconds: float, work: Callable[[], T]) -> T | Finding:
    """What work gives, or the finding that an exception of the network means."""
    start = time.monotonic()
    end = start + seconds
    try:
        with exchange(lambda: end - time.monotonic()):
            return work()
    except EXPECTED as exc:
        url = subject.endpoint if proxy_url is None else f"https://{shown(proxy_url)}"
        failure = explain(exc, Attempt(url, None, 1, time.monotonic() - start))
    return Finding("failed", subject.redact(failure.message), REMEDIES.get("proxy" if proxy_url else failure.reason))


def _handshake(case: Case, verify: bool | str, seconds: float) -> Peer:  # noqa: FBT001 - as for requests
    subject = case.known()
    host, port = _host_and_port(subject.endpoint)
    sock, case.tunnel = case.tunnel, None
    if sock is None:
        sock = _connected(subject, host, port, seconds)
    with closing(sock), closing(secured(sock, tls_context(verify), host)) as secure:
        return peer_of(secure)


def _connected(subject: Subject, host: str, port: int, seconds: float) -> socket.socket:
    used = _proxy(subject)
    return connected(host, port, seconds) if used is None else _tunnel(subject, used, seconds).sock


@record
class _Tunnel:
    """A proxy's answer to CONNECT, on its socket, with the kinds of authentication that it offers."""

    status: int
    offered: str
    sock: socket.socket


def _tunnel(subject: Subject, proxy_url: str, seconds: float) -> _Tunnel:
    host, port = _host_and_port(proxy_url)
    sock: socket.socket = connected(host, port, seconds)
    try:
        if urlsplit(proxy_url).scheme.lower() == "https":
            sock = tls_context(subject.transport.verify).wrap_socket(sock, server_hostname=host)
        sock.sendall(Proxy(subject.transport).connect_request(*_host_and_port(subject.endpoint)))
        answer = HTTPResponse(sock, method="CONNECT")
        try:
            answer.begin()
        finally:
            answer.close()
    except BaseException:  # nothing is swallowed: whatever ends this, Ctrl-C too, must not leave the socket open
        sock.close()
        raise
    return _Tunnel(answer.status, answer.getheader("proxy-authenticate", ""), sock)


def _proxy(subject: Subject) -> str | None:
    """The proxy that requests to the server go through."""
    return None if bypasses(subject.endpoint, subject.transport.no_proxy) else subject.transport.proxy


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
