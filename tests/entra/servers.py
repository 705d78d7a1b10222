"""Servers on 127.0.0.1 that misbehave on request, and a CONNECT proxy."""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import trustme


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    line: str
    headers: dict[str, str]
    body: bytes
    reads: int = 1  # until the body was whole; one read gives one record of TLS


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """A whole answer; `retry_after="1"` is the header `retry-after: 1`."""
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
    """What a proxy was asked."""

    targets: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)


class Proxy(Listener):
    """A CONNECT proxy: with a password, or with a status that it answers instead of connecting."""

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
            back = threading.Thread(target=pump, args=(upstream, sock))
            back.start()
            pump(sock, upstream)
            back.join(5)


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
