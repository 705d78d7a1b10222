"""Proxies that lead to a server of this machine, or refuse in a way of their own."""

from __future__ import annotations

import ssl

from tests.entra.servers import Listener, Proxy


class Redirecting(Proxy):
    """A proxy on whose far side every host is one server on this machine."""

    def __init__(self, port, **how):
        self._port = port
        super().__init__(**how)

    def _relay(self, sock, target):
        super()._relay(sock, f"127.0.0.1:{self._port}")


class Negotiating(Listener):
    """A proxy that knows Windows' authentication only."""

    def serve(self, sock):
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n")


class Secure(Redirecting):
    """A proxy that is spoken to over TLS."""

    def __init__(self, port, certificate):
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._tls)
        super().__init__(port)

    def serve(self, sock):
        with self._tls.wrap_socket(sock, server_side=True) as secure:
            self._open.append(secure)
            super().serve(secure)
