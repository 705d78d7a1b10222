"""`FakeArc`: the endpoint for the managed identities of a machine outside Azure.

The protocol: https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from credconf.testing.directory import new_id
from credconf.testing.exchange import Route
from credconf.testing.wire import Answer

from .identities import Denied, IdentityService, Issued, ManagedIdentity
from .managed_identity import FakeIdentityEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credconf.testing import environment
    from credconf.testing.faults import Intercepted
    from credconf.testing.wire import Call

_KEY_SIZE = 64


class Keys:
    """The key files of the agent: a user who can read one may request a token. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contents: dict[str, Path] = {}

    def write(self, folder: Path, suffix: str = ".key", size: int = _KEY_SIZE) -> Path:
        """Write a new key, readable only by its owner."""
        folder.mkdir(parents=True, exist_ok=True)
        path, content = folder / f"{new_id()}{suffix}", secrets.token_hex(size // 2)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
        with self._lock:
            self._contents[content] = path
        return path

    def accepts(self, authorization: str) -> bool:
        """Whether a header `Authorization` holds the content of a key."""
        scheme, _, content = authorization.partition(" ")
        with self._lock:
            return scheme.lower() == "basic" and content in self._contents

    def remove(self) -> None:
        """Remove every file."""
        with self._lock:
            paths = list(self._contents.values())
            self._contents.clear()
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()


@dataclass
class ArcService(IdentityService):
    """The endpoint of the agent: a challenge first, then the token.

    Attributes:
        keys: The key files.
        folder: Where they are.
        ignores_ids: Whether it answers every request for the machine's own identity, as an old agent does.
    """

    keys: Keys = field(default_factory=Keys)
    folder: Path = Path()
    ignores_ids: bool = False

    path: ClassVar[str] = "/metadata/identity/oauth2/token"
    version: ClassVar[str] = "2020-06-01"
    resource_parameter: ClassVar[str] = "msi_res_id"

    def route(self, call: Call) -> Route:
        """Find the endpoint of a request: the first of two for a token is a `challenge`."""
        route = super().route(call)
        return Route("challenge", None) if route.kind == "token" and "authorization" not in call.headers else route

    def token(self, call: Call) -> Answer:
        """Answer a request for a token.

        Raises:
            Denied: The endpoint refuses it.
        """
        self.check(call)
        if not self.keys.accepts(call.headers.get("authorization", "")):
            return self.challenge(self.keys.write(self.folder))
        return self.issue(call, self.find(call))

    def challenge(self, path: Path | None) -> Answer:
        """The answer that names a key file."""
        answer = self.denied(Denied(401, "unauthorized", "The request needs the content of the key file"))
        headers = {} if path is None else {"WWW-Authenticate": f"Basic realm={path}"}
        return Answer(answer.status, answer.body, answer.content_type, headers)

    def check(self, call: Call) -> None:
        """Check what is not about identities.

        Raises:
            Denied: The endpoint refuses the request.
        """
        if call.headers.get("metadata", "").lower() != "true":
            raise Denied(400, "bad_request_102", "Required metadata header not specified")
        super().check(call)

    def find(self, call: Call) -> ManagedIdentity:
        """Find the identity that a request names, unless the agent is an old one."""
        return self.default() if self.ignores_ids else super().find(call)

    def fields(self, issued: Issued, call: Call) -> dict[str, object]:
        """The body of an answer with a token. Only a new agent says whose it is, to those who ask for an identity."""
        usual = super().fields(issued, call)
        del usual["client_id"], usual["ext_expires_in"]
        return {**usual, **self.ids(issued.identity)} if self.named(call) and not self.ignores_ids else usual


class FakeArc(FakeIdentityEndpoint[ArcService]):
    """A fake of Azure Arc's agent: managed identities of machines outside Azure, over plain HTTP.

    Every token takes two requests: the first one, of the kind `challenge`, is answered with the path of a key file
    (401); the second one, of the kind `token`, sends its content.

    Examples:
        >>> with FakeArc() as arc:
        ...     sorted(arc.environ())
        ['IDENTITY_ENDPOINT', 'IMDS_ENDPOINT']
    """

    _service_type = ArcService

    def __init__(
        self,
        *,
        system: bool | ManagedIdentity = True,
        user_assigned: Iterable[ManagedIdentity] = (),
        tenant_id: str | None = None,
        keys: Path | None = None,
        ignores_ids: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make an agent, without opening a port.

        Args:
            system: Whether the machine has a system-assigned identity, or that identity.
            user_assigned: The other identities of the machine.
            tenant_id: The tenant of the identities; None for a random GUID.
            keys: The folder for key files, made on the first; None for a temporary one. `stop()` removes the files.
                A real agent has `/var/opt/azcmagent/tokens`, the only folder that clients accept; `apply()` lets
                credconf accept this one instead.
            ignores_ids: Whether it answers every request with the machine's own identity, as an old agent does.
            clock: Returns the time, in seconds since 1970, for tokens and recorded requests.
        """
        super().__init__(system=system, user_assigned=user_assigned, tenant_id=tenant_id, clock=clock)
        self._folder = keys
        self._service.ignores_ids = ignores_ids

    def _prepare(self) -> None:
        self._service.folder = self.keys

    def stop(self) -> None:
        """Close every connection and the port, and remove the key files."""
        super().stop()
        self._service.keys.remove()

    @property
    def keys(self) -> Path:
        """The folder of the key files."""
        return self._folder or self._files() / "tokens"

    @property
    def ignores_ids(self) -> bool:
        """Whether it answers every request with the machine's own identity, as an old agent does."""
        return self._service.ignores_ids

    @ignores_ids.setter
    def ignores_ids(self, ignores: bool) -> None:
        self._service.ignores_ids = ignores

    def environ(self) -> dict[str, str]:
        """`IDENTITY_ENDPOINT` and `IMDS_ENDPOINT`."""
        return {"IDENTITY_ENDPOINT": self.endpoint, "IMDS_ENDPOINT": f"http://{self.host}"}

    def apply(self, monkeypatch: environment.Patch) -> None:
        """As for every endpoint; and let credconf read key files in `keys`, for one test.

        Args:
            monkeypatch: pytest's fixture of this name.
        """
        super().apply(monkeypatch)
        monkeypatch.setattr("credconf.references.identity_endpoints.ARC_KEYS", str(self.keys))

    def misplaces_key(self, times: int | None = None) -> None:
        """Name a key file outside the folder, as an impostor would."""
        self._challenges(lambda: self._write(self._files() / "elsewhere"), times)

    def misnames_key(self, times: int | None = None) -> None:
        """Name a file whose name does not end in `.key`."""
        self._challenges(lambda: self._write(self.keys, suffix=".txt"), times)

    def writes_large_key(self, size: int = 5000, times: int | None = None) -> None:
        """Name a key file of a size in bytes. Clients accept up to 4,096."""
        self._challenges(lambda: self._write(self.keys, size=size), times)

    def sends_no_challenge(self, times: int | None = None) -> None:
        """Answer the first request with 401, but without the path of a key file."""
        self._challenges(lambda: None, times)

    def _challenges(self, key: Callable[[], Path | None], times: int | None) -> None:
        def reply(request: Intercepted) -> Answer:
            del request
            return self._service.challenge(key())

        self._lanes.answers.add(reply, times, "challenge")

    def _write(self, folder: Path, *, suffix: str = ".key", size: int = _KEY_SIZE) -> Path:
        return self._service.keys.write(folder, suffix, size)
