"""Sockets with a deadline.

A socket's time-out limits each operation, not their sum: a server that sends a byte every few seconds, or a name with
ten addresses that don't respond, can take any time. Here every operation on a socket (connecting, the TLS handshake,
sending, receiving headers and body, the proxy's response to CONNECT) ends at the deadline of the thread's request. Only
the resolution of a name can't be limited: the operating system does it.
"""

# ruff: noqa: D102 (overrides: the base classes document them)

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import certifi

from credconf.ground.bundles import unreadable_bundle, unusable_bundle, unusable_directory
from credconf.ground.causes import is_foreign, shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class _Exchange(threading.local):
    left: Callable[[], float] | None = None


_exchange = _Exchange()


@contextmanager
def exchange(left: Callable[[], float]) -> Generator[None]:
    """Limit the operations of this thread on these sockets.

    Args:
        left: Returns the seconds that remain.
    """
    _exchange.left = left
    try:
        yield
    finally:
        _exchange.left = None


def limited(timeout: float | None) -> float | None:
    """Return a time-out that ends at the deadline of this thread's request.

    Raises:
        TimeoutError: The deadline has passed.
    """
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
    sock.settimeout(limited(timeout))
    try:
        yield
    finally:
        if sock.fileno() >= 0:
            sock.settimeout(timeout)


class ConnectTimeout(TimeoutError):
    """The connection was not accepted in time."""


_NO_CERTIFICATES = "it holds no certificates that can be read"


class UnusableBundle(OSError):
    """The trusted certificates can't be loaded. `str()` gives the reason.

    Attributes:
        hint: What the user can do.
    """

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = f"{hint[0].upper()}{hint[1:]}" if hint else None


class BoundedSocket(socket.socket):
    """A TCP socket that keeps to the deadline of its thread."""

    def settimeout(self, value: float | None, /) -> None:
        if value != self.gettimeout():  # setting it releases the GIL, for which other threads may wait
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
    """A TLS socket that keeps to the deadline of its thread. `SSLContext.sslsocket_class` allows such subclasses."""

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
    """Connect to the first address that accepts, like `socket.create_connection`.

    Args:
        host: A name or an address.
        port: The TCP port.
        timeout: Seconds for each address, and for each later operation.

    Raises:
        ConnectTimeout: The last address did not accept in time.
        OSError: No address accepts.
    """
    try:
        addresses = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label of the name is empty or too long
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
    """Return TLS over a connection, which may be TLS itself, with the certificate verified by the context."""
    if isinstance(sock, ssl.SSLSocket):
        # `wrap_socket` would use the file descriptor below the outer TLS. This class uses the outer TLS.
        from urllib3.util.ssltransport import SSLTransport

        return SSLTransport(sock, context, server_hostname=host)
    try:
        sock.getpeername()
    except OSError:  # reset by the server: `wrap_socket` would leave a socket behind that nothing closes
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None
    return context.wrap_socket(sock, server_hostname=host)


def tls_context(verify: bool | str | bytes) -> ssl.SSLContext:  # noqa: FBT001 - the type of the option
    """Return the TLS context that verifies a server. `ssl.create_default_context` would read the environment.

    Args:
        verify: True for certifi's authorities, the path of a bundle or directory, authorities as PEM, or False for no
            verification.

    Raises:
        UnusableBundle: The certificates can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = BoundedTLSSocket
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if isinstance(verify, bytes):
        return _with_authorities(context, verify)
    path = certifi.where() if verify is True else verify
    is_directory = os.path.isdir(path)
    # It may have changed since it was configured.
    if unusable := unreadable_bundle(path) or (unusable_directory(path) if is_directory else None):
        raise UnusableBundle(f"it {unusable.reason}", unusable.hint)
    hint: str | None = None
    try:
        context.load_verify_locations(capath=path if is_directory else None, cafile=None if is_directory else path)
    except ssl.SSLError:
        why = unusable_bundle(path)
        reason, hint = (f"it {why.reason}", why.hint) if why is not None else (_NO_CERTIFICATES, None)
    except OSError as exc:
        if shortage(exc):  # the bundle itself is valid
            raise
        reason = exc.strerror or type(exc).__name__
    else:
        return context
    raise UnusableBundle(reason, hint)


def _with_authorities(context: ssl.SSLContext, pem: bytes) -> ssl.SSLContext:
    try:
        context.load_verify_locations(cadata=pem.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError):
        raise UnusableBundle(_NO_CERTIFICATES) from None
    return context
