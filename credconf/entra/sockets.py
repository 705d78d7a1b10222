"""Sockets that keep to a deadline.

A socket's time-out bounds each single operation: a server that sends a byte every few seconds, or a name with ten
addresses that don't answer, takes as long as it likes. Here every operation on a socket (connecting, the TLS
handshake, sending, receiving headers and body, the proxy's answer to CONNECT) waits at most until the deadline of the
request that its thread is busy with. Only the look-up of a name is the operating system's, and can't be cut short.
"""

# ruff: noqa: D102 (overrides: their bases say what they take and do)

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import certifi

from credconf.ground.files import unusable_bundle
from credconf.ground.interrupts import is_foreign
from credconf.ground.limits import shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class _Exchange(threading.local):
    left: Callable[[], float] | None = None


_exchange = _Exchange()


@contextmanager
def exchange(left: Callable[[], float]) -> Generator[None]:
    """Bound what this thread does on our sockets.

    Args:
        left: tells how many seconds remain.
    """
    _exchange.left = left
    try:
        yield
    finally:
        _exchange.left = None


def _cut(timeout: float | None) -> float | None:
    if _exchange.left is None:
        return timeout
    left = _exchange.left()
    if left <= 0:
        message = "the deadline has passed"
        raise TimeoutError(message)
    return left if timeout is None else min(timeout, left)


@contextmanager
def _bounded(sock: socket.socket) -> Generator[None]:
    timeout = sock.gettimeout()
    sock.settimeout(_cut(timeout))
    try:
        yield
    finally:
        if sock.fileno() >= 0:
            sock.settimeout(timeout)


class ConnectTimeout(TimeoutError):
    """Nobody accepted the connection in time."""


class UnusableBundle(OSError):
    """The certificates to trust can't be loaded; `str()` says why."""


class BoundedSocket(socket.socket):
    """A TCP socket that keeps to the thread's deadline."""

    def settimeout(self, value: float | None, /) -> None:
        if value != self.gettimeout():  # to set one lets go of the interpreter's lock, for which others may wait
            super().settimeout(value)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        with _bounded(self):
            return super().recv(*args, **kwargs)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        with _bounded(self):
            return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        with _bounded(self):
            super().sendall(*args, **kwargs)

    def connect(self, *args: Any, **kwargs: Any) -> None:
        with _bounded(self):
            super().connect(*args, **kwargs)


class BoundedTLSSocket(ssl.SSLSocket):
    """The same under TLS. `SSLContext.sslsocket_class` exists for such subclasses."""

    def settimeout(self, value: float | None, /) -> None:
        if value != self.gettimeout():
            super().settimeout(value)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        with _bounded(self):
            return super().recv(*args, **kwargs)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        with _bounded(self):
            return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        with _bounded(self):
            return super().send(*args, **kwargs)

    def do_handshake(self, *args: Any, **kwargs: Any) -> None:
        with _bounded(self):
            super().do_handshake(*args, **kwargs)


def connected(host: str, port: int, timeout: float | None) -> BoundedSocket:
    """Connect to the first address that answers, as `socket.create_connection` does.

    Args:
        host: a name or an address.
        port: of TCP.
        timeout: seconds for each address, and for each later operation.

    Raises:
        ConnectTimeout: none did in time.
        OSError: none did.
    """
    try:
        addresses = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for family, kind, protocol, _, address in addresses:
        sock = None
        try:
            sock = BoundedSocket(family, kind, protocol)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(timeout)
            sock.connect(address)
        except OSError as exc:
            if is_foreign(exc):
                raise
            failure = ConnectTimeout() if isinstance(exc, TimeoutError) else exc
            if sock is not None:
                sock.close()
        else:
            return sock
    raise failure


def secured(sock: socket.socket, context: ssl.SSLContext, host: str) -> Any:
    """TLS over a connection, also over one that is TLS already, with the certificate checked as the context says."""
    if isinstance(sock, ssl.SSLSocket):
        # OpenSSL reads and writes the file descriptor below the outer TLS. This class lies on top of it.
        from urllib3.util.ssltransport import SSLTransport

        return SSLTransport(sock, context, server_hostname=host)
    return context.wrap_socket(sock, server_hostname=host)


def tls_context(verify: bool | str) -> ssl.SSLContext:  # noqa: FBT001 (as in `requests`, where it may be a path)
    """What a server's certificate is checked against. `ssl.create_default_context` would look at the environment.

    Raises:
        UnusableBundle: it can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = BoundedTLSSocket
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    path = certifi.where() if verify is True else verify
    unusable = unusable_bundle(path)
    if unusable is not None:  # it may have become so since it was configured
        raise UnusableBundle(f"it {unusable.reason}")
    is_directory = os.path.isdir(path)
    try:
        context.load_verify_locations(capath=path if is_directory else None, cafile=None if is_directory else path)
    except ssl.SSLError:
        reason = "it holds no certificates that can be read"
    except OSError as exc:
        if shortage(exc):  # the bundle is all right
            raise
        reason = exc.strerror or type(exc).__name__
    else:
        return context
    raise UnusableBundle(reason)
