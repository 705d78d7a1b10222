"""Servers on 127.0.0.1 that misbehave on request, and a CONNECT proxy."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from base64 import b64encode
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    import trustme

    Script: TypeAlias = Callable[[socket.socket], socket.socket]


@dataclass(frozen=True)
class Seen:
    """A received request."""

    line: str
    headers: dict[str, str]
    body: bytes
    reads: int = 1  # until the body was whole; one read gives one record of TLS


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """Return a complete response; `retry_after="1"` is the header `retry-after: 1`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Listener:
    """One thread to accept, one for each connection."""

    def __init__(self) -> None:
        self.connections = 0
        self._stopping = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopping.is_set():
                sock.close()
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with suppress(OSError):
                self.serve(sock)
        finally:
            sock.close()

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError

    def pause(self, seconds: float) -> bool:
        """Wait; False when the test is over."""
        return not self._stopping.wait(seconds)

    def stop(self) -> None:
        self._stopping.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._threads[0].join()
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


def read_head(sock: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = sock.recv(65536)
        if not chunk:
            raise ConnectionResetError
        received += chunk
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


class Server(Listener):
    """An HTTPS server with a script: each request takes the next entry, bytes to send or a function to call.

    A connection stays open after bytes, and is closed after a function. Without a script the answer is 200 `{}`.
    """

    def __init__(self, ca: trustme.CA | None, identity: str = "localhost", certificate: trustme.LeafCert | None = None):
        self.script: deque[bytes | Callable[[socket.socket], None]] = deque()
        self.seen: list[Seen] = []
        self._tls: ssl.SSLContext | None = None
        if ca is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            (certificate or ca.issue_cert(identity)).configure_cert(self._tls)
        super().__init__()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}/tenant/token"

    def serve(self, sock: socket.socket) -> None:
        if self._tls is None:
            self._converse(sock)
            return
        with self._tls.wrap_socket(sock, server_side=True) as secure:
            self._open.append(secure)
            self._converse(secure)

    def _converse(self, sock: socket.socket) -> None:
        while True:
            head, body = read_head(sock)
            line, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
            reads = 1
            while len(body) < int(headers.get("content-length", 0)):
                body += sock.recv(65536)
                reads += 1
            self.seen.append(Seen(line, headers, body, reads))
            act = self.script.popleft() if self.script else answer()
            if not isinstance(act, bytes):
                act(sock)
                return
            sock.sendall(act)


@dataclass
class Proxied:
    """A request to a proxy."""

    targets: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)


class Proxy(Listener):
    """A CONNECT proxy: with a password, or with a status that it returns instead of connecting."""

    def __init__(self, password: str | None = None, status: int | None = None, silent: bool = False) -> None:
        self.asked = Proxied()
        self._status = status
        self._silent = silent
        self._expected = None if password is None else "Basic " + b64encode(f"user:{password}".encode()).decode()
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        head, _ = read_head(sock)
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        self.asked.targets.append(line.split()[1])
        self.asked.authorizations.append(headers.get("proxy-authorization"))
        if self._silent:
            for byte in b"HTTP/1.1 200 Connection established" + b"!" * 200:
                sock.sendall(bytes([byte]))
                if not self.pause(0.05):
                    return
        status = self._status or (407 if headers.get("proxy-authorization") != self._expected else 200)
        sock.sendall(b"HTTP/1.1 %d Whatever\r\n\r\n" % status)
        if status == 200:
            self._relay(sock, line.split()[1])

    def _relay(self, sock: socket.socket, target: str) -> None:
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port))) as upstream:
            self._open.append(upstream)
            relay(sock, upstream)


class TLSProxy(Proxy):
    """A CONNECT proxy over TLS."""

    def __init__(self, ca: trustme.CA, **options: Any) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(self._tls)
        super().__init__(**options)

    def serve(self, sock: socket.socket) -> None:
        with self._tls.wrap_socket(sock, server_side=True) as secure:
            self._open.append(secure)
            super().serve(secure)


class SocksProxy(Listener):
    """A proxy for SOCKS 4, 4a and 5, with or without a user and a password, and with the status that it returns."""

    def __init__(self, login: tuple[bytes, bytes] | None = None, status: int | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self._login, self._status = login, status
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        if _exactly(sock, 1) == b"\5":
            self._serve5(sock)
        else:
            self._serve4(sock)

    def _serve4(self, sock: socket.socket) -> None:
        _, port, address = _exactly(sock, 1), int.from_bytes(_exactly(sock, 2), "big"), _exactly(sock, 4)
        self.logins.append((_until_zero(sock), b""))
        is_name = address[:3] == b"\0\0\0"
        host = _until_zero(sock).decode() if is_name else socket.inet_ntoa(address)
        status = 0x5A if self._status is None else self._status
        sock.sendall(b"\0%c" % status + b"\0" * 6)
        self._connect(sock, host, port, refused=status != 0x5A)

    def _serve5(self, sock: socket.socket) -> None:
        methods = _exactly(sock, _exactly(sock, 1)[0])
        method = 0 if self._login is None else 2 if b"\2" in methods else 0xFF
        sock.sendall(b"\5%c" % method)
        if method == 2:
            _exactly(sock, 1)
            self.logins.append((_exactly(sock, _exactly(sock, 1)[0]), _exactly(sock, _exactly(sock, 1)[0])))
            accepted = self.logins[-1] == self._login
            sock.sendall(b"\1%c" % (not accepted))
            if not accepted:
                return
        kind = _exactly(sock, 4)[3]
        if kind == 3:
            host = _exactly(sock, _exactly(sock, 1)[0]).decode()
        else:
            family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, _exactly(sock, length))
        port = int.from_bytes(_exactly(sock, 2), "big")
        # A proxy names the address that it connects from in any of the three forms.
        sock.sendall(b"\5%c\0\3\4host\0\0" % (self._status or 0))
        self._connect(sock, host, port, refused=bool(self._status))

    def _connect(self, sock: socket.socket, host: str, port: int, *, refused: bool) -> None:
        self.asked.append((host, port))
        if not refused:
            with socket.create_connection((host, port)) as upstream:
                self._open.append(upstream)
                relay(sock, upstream)


class Dripping(Listener):
    """Sends some bytes, and then single bytes without end: the client's deadline has to end it.

    Args:
        script: called with the connection, for what comes before; it returns the connection to go on with.
        first: what is sent at once.
        drop: what is sent again and again; nothing, if it is empty.
    """

    most = 400

    def __init__(
        self, script: Callable[[socket.socket], socket.socket], first: bytes = b"", drop: bytes = b"x"
    ) -> None:
        self.exhausted = False
        self.reached = False
        self._script, self._first, self._drop = script, first, drop
        super().__init__()

    def serve(self, sock: socket.socket) -> None:
        with self._script(sock) as ready:  # another object, where the script speaks TLS
            self.drip(ready)

    def drip(self, sock: socket.socket) -> None:
        self._open.append(sock)
        self.reached = True
        sock.sendall(self._first)
        for _ in range(self.most):
            if not self.pause(0.05):
                return
            sock.sendall(self._drop)
        self.exhausted = True


def _exactly(sock: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = sock.recv(count - len(received))
        if not chunk:
            raise ConnectionResetError
        received += chunk
    return received


def _until_zero(sock: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\0"):
        received += _exactly(sock, 1)
    return received[:-1]


def relay(one: socket.socket, other: socket.socket) -> None:
    """Copy in both directions, on one thread: two must not use one TLS connection at the same time."""
    ways = {one: other, other: one}
    with suppress(OSError):
        while True:
            pending = isinstance(one, ssl.SSLSocket) and one.pending()
            for source in [one] if pending else select.select([*ways], [], [])[0]:
                chunk = source.recv(65536)
                if not chunk:
                    return
                ways[source].sendall(chunk)
