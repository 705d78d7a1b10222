"""The base of every fake server: its life, its request log, its outages."""

from __future__ import annotations

import math
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .certificates import server_certificate
from .exchange import Exchange
from .faults import Faults
from .server import Server, tls_context
from .wire import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from .exchange import Service
    from .wire import Kind, RecordedRequest


_LAST_PORT = 65_535


class FakeServer(Faults):
    """A fake server on 127.0.0.1. Every method is thread-safe.

    It starts with the `with` block or `start()`; before that, whatever depends on the port raises a `RuntimeError`.

    Attributes:
        before_token: A callback for each token request, in the server's thread, after the request is recorded
            and before the answer. A test can wait in it with an `Event` or a `Barrier`. An exception in it
            becomes a 500 that names its type.
    """

    def __init__(self, service: Service, *, secure: bool, port: int | None = None) -> None:
        """Make a server, without opening a port.

        Args:
            service: Answers requests.
            secure: Whether it speaks HTTPS; else plain HTTP.
            port: The port; None for any free one.

        Raises:
            ValueError: The port is not a number from 1 to 65535.
        """
        super().__init__()
        if port is not None and not 1 <= port <= _LAST_PORT:
            raise ValueError(f"port is a number from 1 to {_LAST_PORT}, not {port}; leave it out for any free one")
        self._port = port
        self.before_token: Callable[[RecordedRequest], None] | None = None
        self._secure = secure
        self._log = RequestLog()
        self._exchange = Exchange(service, self._lanes, self._log, lambda: self.before_token)
        self._life = threading.RLock()
        self._server: Server | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._where()}>"

    def _where(self) -> str:
        server = self._server
        return f"127.0.0.1:{server.port}" if server else "not started"

    # -- life ---------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Open a port and accept connections, and return the fake. It does nothing if the fake is started.

        Raises:
            OSError: The chosen port is in use, or this user may not open it; the message says what to do.
        """
        with self._life:
            if self._server is None:
                tls = tls_context() if self._secure else None
                self._server = Server(tls, self._exchange.respond, self._port or 0)
                self._prepare()
                self._server.comes_up()
        return self

    def _prepare(self) -> None:
        """Do what depends on the port and the directory, before the first request."""

    def stop(self) -> None:
        """Close every connection and the port, and remove temporary files. It does nothing if the fake is stopped."""
        with self._life:
            server, self._server = self._server, None
            directory, self._directory = self._directory, None
        if server is not None:
            server.close()
        if directory is not None:
            directory.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.stop()

    # -- address ------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port: the chosen one, or one that the operating system chose."""
        return self._running().port

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    # -- requests -----------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RecordedRequest]:
        """A copy of the recorded requests of every kind, oldest first."""
        return self._log.all()

    @property
    def concurrent(self) -> int:
        """The maximum of concurrent token requests since the start or `forget_requests()`."""
        return self._log.highest

    def count(self, kind: Kind = "token") -> int:
        """The number of requests of a kind."""
        return self._log.count(kind)

    def forget_requests(self) -> None:
        """Forget the recorded requests."""
        self._log.forget()

    # -- time ---------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let time pass for the credentials of this process, without waiting.

        Everything that credconf's credentials hold becomes older, sync and async: tokens, their time to refresh,
        remembered refusals, pauses after `Retry-After`, and what a shared token cache holds. So a test can reach the
        expiry of a token, or the end of a pause. This holds for each credential of the process, whichever fake
        it uses. Nothing has to be undone after the test.

        No clock moves, neither that of the machine nor that of a fake. So:

        - `expires_on` of a new token is right for whatever compares it with `time.time()`, as the clients of the Azure
          SDK do. It may be equal to that of the previous token: compare `token`.
        - A token that the caller has keeps its `expires_on`. An Azure SDK client which keeps one asks its
          credential again with its next request. Code of your own which keeps one and compares `expires_on` does not.
        - What is signed keeps its own times: the JWT of a token, an assertion in a file, the token of a user. Make an
          old one: `write_assertion(path, issued_at=time.time() - 7200)`.
        - A request under way goes on: its token is new.

        Credentials of azure-identity and other processes do not notice.

        Examples:
            ```python
            def test_a_token_expires(fake_entra):
                with credconf.build(fake_entra.config()) as credential:
                    first = credential.get_token(SCOPE)
                    fake_entra.advance(3600)
                    assert credential.get_token(SCOPE).token != first.token
                assert fake_entra.count() == 2
            ```

        Args:
            seconds: How much time passes: 0 or more.

        Raises:
            ValueError: The number is negative, infinite or NaN.
        """
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError(f"time can only pass forward: seconds is {seconds}, and must be 0 or more, and finite")
        from credconf.sharing import age_all

        age_all(seconds)

    # -- outages; the other faults are in `Faults` --------------------------------------------------------

    def goes_down(self) -> None:
        """Refuse connections and break the existing ones, until `comes_back()` or `recovers()`."""
        self._running().goes_down()

    def comes_back(self) -> None:
        """Accept connections again, on the same port."""
        self._running().comes_up()

    def recovers(self) -> None:
        """End every fault."""
        self._lanes.clear()
        if self._server is not None:
            self.comes_back()

    def _running(self) -> Server:
        server = self._server
        if server is None:
            raise RuntimeError(f"the {type(self).__name__} is not started: use it in a `with` block, or call start()")
        return server

    def _files(self) -> Path:
        """A directory for the files of a started fake, made when one is needed. `stop()` removes it."""
        with self._life:
            self._running()
            if self._directory is None:
                self._directory = tempfile.TemporaryDirectory(prefix=f"{type(self).__name__}-")
            return Path(self._directory.name)


class SecureServer(FakeServer):
    """A fake server over HTTPS. All of them have one certificate authority in a process."""

    def __init__(self, service: Service, *, port: int | None = None) -> None:
        """Make a server, without opening a port; see `FakeServer`."""
        super().__init__(service, secure=True, port=port)

    @property
    def ca_bundle(self) -> str:
        """The path of a PEM file with the trusted authority. `stop()` removes the file."""
        with self._life:
            path = self._files() / "ca.pem"
            if not path.exists():
                path.write_bytes(server_certificate().ca)
        return str(path)
