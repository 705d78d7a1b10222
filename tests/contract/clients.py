"""HTTP clients of the application's own: MSAL's `get`, `post` and `close`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credconf.entra.http import TransportOptions
from credconf.entra.transport import Transport

if TYPE_CHECKING:
    from credconf.testing import FakeEntra


class Recorder:
    """Sends every request to the fake Entra, whatever its host, and notes what it was."""

    def __init__(self, entra: FakeEntra) -> None:
        self.asked: list[tuple[str, str]] = []
        self.arguments: list[dict[str, Any]] = []
        self.closed = 0
        self._entra = entra
        self._transport = Transport(TransportOptions(verify=entra.ca_bundle, retries=0))

    def get(self, url: str, **arguments: Any) -> Any:
        return self._send("get", url, arguments)

    def post(self, url: str, **arguments: Any) -> Any:
        return self._send("post", url, arguments)

    def _send(self, method: str, url: str, arguments: dict[str, Any]) -> Any:
        parts = urlsplit(url)
        self.asked.append((method.upper(), parts._replace(query="").geturl()))
        self.arguments.append(arguments)
        # An assertion names the endpoint that it is made for, which the fake compares with its own hosts.
        self._entra.known_hosts.add(parts.netloc)
        return getattr(self._transport, method)(parts._replace(netloc=self._entra.host).geturl(), **arguments)

    def close(self) -> None:
        self.closed += 1
        self._transport.close()
