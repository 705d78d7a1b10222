"""The HTTP and HTTPS server: sockets, threads, and the faults of a connection.

It uses one thread per connection: a test has a few hundred connections for a few seconds.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import ssl
import struct
import tempfile
import threading
import time
from typing import TYPE_CHECKING

from .certificates import server_certificate
from .wire import NotHttpError, read_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from .faults import Delivery
    from .wire import Answer, Call

    Pause: TypeAlias = Callable[[float], bool]
    Respond: TypeAlias = Callable[[Call, Pause], tuple[Answer, Delivery]]

_HOST = "127.0.0.1"
_BACKLOG = 1024
_PATIENCE = 2.0
_RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Server:
    """A server on one port of 127.0.0.1 that can go down and come back.

    Args:
        tls: The server's side of TLS; None for plain HTTP.
        respond: Returns the answer and its delivery. It runs in the thread of the connection, and receives a
            function that waits for a number of seconds, or until the server goes down (then it returns True).
        port: The port; 0 for any free one.

    Raises:
        OSError: The port is in use, or this user may not open it; the message says what to do.
    """

    def __init__(self, tls: ssl.SSLContext | None, respond: Respond, port: int = 0) -> None:
        self._tls = tls
        self._respond = respond
        self._lock = threading.Lock()
        self._socket = _chosen_socket(port)
        self.port: int = self._socket.getsockname()[1]
        self._period: _Period | None = None

    def comes_up(self) -> None:
        """Accept connections. It does nothing if the server is up."""
        with self._lock:
            if self._period is None:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._socket.listen(_BACKLOG)
                self._period = _Period(self._socket, self._tls, self._respond)

    def goes_down(self) -> None:
        """Refuse connections and end the existing ones. The port stays reserved."""
        with self._lock:
            if self._period is not None:
                self._period.end()
                self._period = None
                # Bound, but not listening: connections are refused, and no other process gets the port.
                self._socket = _bound_socket(self.port)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)

    def close(self) -> None:
        """Shut down, and release the port."""
        with self._lock:
            period, self._period = self._period, None
            if period is not None:
                period.end()
            self._socket.close()
        if period is not None:
            period.join()


class _Period:
    """One period of accepting connections, until all of them end."""

    def __init__(self, listening: socket.socket, tls: ssl.SSLContext | None, respond: Respond) -> None:
        self._listening = listening
        self._tls = tls
        self._respond = respond
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._wake, self._alarm = socket.socketpair()
        listening.settimeout(0)
        self._accepting = threading.Thread(target=self._accept, name="fake-entra", daemon=True)
        self._accepting.start()

    def end(self) -> None:
        """Close the listening socket and break every connection. Then the port is free."""
        self._over.set()
        self._alarm.send(b"!")
        self._accepting.join()
        for each in (self._listening, self._wake, self._alarm):
            each.close()
        with self._lock:
            open_ones = list(self._connections.values())
        for connection in open_ones:
            _shut(connection)

    def join(self) -> None:
        """Wait, for a bounded time, until the threads of the connections have closed their sockets."""
        deadline = time.monotonic() + _PATIENCE
        with self._lock:
            threads = [thread for thread in self._connections if thread is not threading.current_thread()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while True:
                selector.select()
                if self._over.is_set():
                    return
                try:
                    connection, _ = self._listening.accept()
                except OSError:  # the client has disconnected, or no file descriptor is left
                    self._over.wait(0.01)
                    continue
                self._start(connection)

    def _start(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        thread = threading.Thread(target=self._serve, args=(connection,), name="fake-entra", daemon=True)
        with self._lock:
            self._connections[thread] = connection
        thread.start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with plain:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is None:
                    self._watch(plain)
                    self._converse(plain)
                    return
                with self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as connection:
                    self._watch(connection)
                    connection.do_handshake()
                    self._converse(connection)
        except (OSError, NotHttpError):
            pass  # the client disconnected, rejects the certificate, or does not speak HTTP
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    def _watch(self, connection: socket.socket) -> None:
        """Register the TLS socket instead of the plain one: `end()` must shut the object that owns the descriptor."""
        with self._lock:
            self._connections[threading.current_thread()] = connection
        if self._over.is_set():
            raise ConnectionAbortedError

    def _converse(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while (call := read_call(stream)) is not None:
                answer, delivery = self._respond(call, self._over.wait)
                if self._over.is_set():
                    return
                if delivery.how == "dropped":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                    return
                if not self._send(connection, answer, delivery, keep_alive=call.keep_alive):
                    return

    def _send(self, connection: socket.socket, answer: Answer, delivery: Delivery, *, keep_alive: bool) -> bool:
        """Send an answer, and return whether the connection can be reused."""
        if delivery.how == "truncated":
            connection.sendall(answer.head(keep_alive=True, extra_length=100) + answer.body[: len(answer.body) // 2])
            return False
        if delivery.seconds_per_byte <= 0:
            connection.sendall(answer.head(keep_alive=keep_alive) + answer.body)
            return keep_alive
        connection.sendall(answer.head(keep_alive=keep_alive))
        for byte in answer.body:
            if self._over.wait(delivery.seconds_per_byte):
                return False
            connection.sendall(bytes((byte,)))
        return keep_alive


def _chosen_socket(port: int) -> socket.socket:
    """A socket on a port that nothing else uses."""
    try:
        if port:
            _check_free(port)
        return _bound_socket(port)
    except OSError as error:
        reason, code = error.strerror, error.errno
    if code == errno.EADDRINUSE:
        reason = "it is in use: stop the program that uses it"
    elif code == errno.EACCES:
        reason = "this user may not open it: choose one from 1024"
    raise OSError(code, f"port {port} of {_HOST} can't be opened: {reason}, or leave the port out to get any free one")


def _check_free(port: int) -> None:
    """Bind a port for a moment and listen, without the option that would let two programs of a user share it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # there the option means what is avoided here; elsewhere, ignore connections that ended
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((_HOST, port))
        probe.listen(1)


def _bound_socket(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((_HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


def _shut(connection: socket.socket) -> None:
    """Break a connection from another thread, under the TLS layer, whose state belongs to its own thread."""
    with contextlib.suppress(OSError):  # it may be closed
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def tls_context() -> ssl.SSLContext:
    """The server's side of TLS."""
    made = server_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="FakeEntra-") as directory:  # Python reads a key from a file only
        chain = os.path.join(directory, "server.pem")
        with open(chain, "wb") as file:
            file.write(made.certificate + made.key)
        context.load_cert_chain(chain)
    context.set_alpn_protocols(["http/1.1"])
    context.num_tickets = 0  # no session resumption: handshakes are smaller
    return context
