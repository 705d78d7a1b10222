"""`FakeEntra`: a fake Microsoft Entra token service over HTTPS on 127.0.0.1."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import environment
from .answers import TokenShape
from .directory import Registration, new_id, new_secret
from .faults import Faults
from .jwts import key_set
from .server import Server, tls_context
from .service import Exchange, TokenService
from .wire import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from .wire import Kind, RecordedRequest


class FakeEntra(Faults):
    """A fake Microsoft Entra token service over HTTPS on 127.0.0.1, with one application ready.

    It checks what Entra checks (tenant, application, secret or signed assertion, scope), answers with JWTs
    or AADSTS errors as Entra does, records its requests, and fails on demand. Every method is thread-safe. It
    starts with the `with` block or `start()`; before that, whatever depends on the port (`authority`,
    `environ()`, …) raises a `RuntimeError`.

    Example:
        >>> import credconf
        >>> with FakeEntra() as entra:
        ...     credential = credconf.build(entra.config())
        ...     token = credential.get_token("https://storage.azure.com/.default")
        ...     entra.count()
        1

    Attributes:
        tenant_id: The first tenant: a GUID.
        registration: The ready application: in that tenant, with one secret.
        before_token: A callback for each token request, in the server's thread, after the request is recorded
            and before the answer. A test can wait in it with an `Event` or a `Barrier`. An exception in it
            becomes a 500 that names its type.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Make a service, without opening a port.

        Args:
            clock: Returns the time, in seconds since 1970, for tokens, assertions and recorded requests.
        """
        super().__init__()
        self.before_token: Callable[[RecordedRequest], None] | None = None
        self._service = TokenService(clock)
        self._log = RequestLog()
        self._exchange = Exchange(self._service, self._lanes, self._log, lambda: self.before_token)
        self._lock = threading.RLock()
        self._server: Server | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self.tenant_id = new_id()
        self.add_tenant(self.tenant_id)
        self.registration = self.register()

    def __repr__(self) -> str:
        server = self._server
        where = f"127.0.0.1:{server.port}" if server else "not started"
        return f"<FakeEntra {where} tenant={self.tenant_id} client={self.client_id}>"

    # -- life ---------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Open a port and accept connections, and return the fake. It does nothing if the fake is started."""
        with self._lock:
            if self._server is None:
                self._directory = tempfile.TemporaryDirectory(prefix="fake-entra-")
                self._server = Server(tls_context(Path(self._directory.name)), self._exchange.respond)
                self._service.host = f"127.0.0.1:{self._server.port}"
                self.known_hosts.update({self._service.host, f"localhost:{self._server.port}"})
                self._server.comes_up()
        return self

    def stop(self) -> None:
        """Close every connection and the port, and remove the CA bundle. It does nothing if the fake is stopped."""
        with self._lock:
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

    # -- address and credentials --------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port, which the operating system chose."""
        return self._running()[0].port

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def authority(self) -> str:
        """`https://127.0.0.1:PORT`."""
        return f"https://{self.host}"

    @property
    def ca_bundle(self) -> str:
        """The path of a PEM file with the trusted authority. `stop()` removes the file."""
        return str(self._running()[1] / "ca.pem")

    @property
    def client_id(self) -> str:
        """The id of the ready application."""
        return self.registration.client_id

    @property
    def client_secret(self) -> str:
        """The newest secret of the ready application; a `LookupError` if all were revoked."""
        return self.registration.client_secret

    @property
    def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set that verifies the tokens, as `/common/discovery/v2.0/keys` answers it."""
        return key_set()

    def config(self, **changes: Any) -> dict[str, Any]:
        """A configuration for `credconf.build(…)` or `credconf.from_config(**…)`.

        Args:
            **changes: Fields to set. A mapping such as `http={"timeout": 2}` is merged into its field, and None
                removes a field (`client_secret=None`, to use a certificate).
        """
        return environment.config_of(self._access(), changes)

    def environ(self, name: str | None = None, *, identity: bool = True) -> dict[str, str]:
        """Every variable that an unmodified application needs.

        They include `REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE`, so that azure-identity works as well with
        `disable_instance_discovery=True` (for which it has no variable).

        Args:
            name: None for the flat form (`AZURE_TENANT_ID`, …); the name of an entry for its own variables
                (`CREDCONF__BILLING__TENANT_ID`, …).
            identity: False leaves out tenant, client and secret, for a configuration that has its own.
        """
        return environment.environ_of(self._access(), name, identity=identity)

    def apply(self, monkeypatch: environment.Patch, name: str | None = None, *, identity: bool = True) -> None:
        """Set these variables for one test, and empty the engines that credentials share.

        For the test, it removes other variables that begin with `AZURE_` or `CREDCONF_`, and those of proxies,
        except `CREDCONF_FILE` and `CREDCONF_NAME`. For several entries, apply one and set the others yourself.

        Args:
            monkeypatch: pytest's fixture of this name.
            name: As for `environ()`, as is `identity`.
            identity: See there.
        """
        environment.apply_to(monkeypatch, self.environ(name, identity=identity))

    # -- the directory ------------------------------------------------------------------------------------

    def register(
        self,
        client_id: str | None = None,
        *,
        tenants: Iterable[str] | Literal["*"] | None = None,
        secrets: Iterable[str] | None = None,
        certificates: Iterable[bytes] = (),
        scopes: Iterable[str] | None = None,
    ) -> Registration:
        """Register one more application. It replaces one with the same id.

        Args:
            client_id: Its id; None for a random GUID.
            tenants: The tenants of the application, which this adds; None for `tenant_id` alone; `"*"` for a
                multi-tenant application, which makes every tenant exist.
            secrets: Its secrets, oldest first; None for a random one if there are no certificates.
            certificates: Its certificates, each as PEM.
            scopes: The scopes or resources of its tokens; None for any.

        Returns:
            The registration, whose methods change it later.

        Raises:
            ValueError: A certificate cannot be read, or its key is not RSA.
        """
        certificates = tuple(certificates)
        if secrets is None:
            secrets = () if certificates else (new_secret(),)
        homes = "*" if tenants == "*" else tuple((self.tenant_id,) if tenants is None else tenants)
        registration = Registration(
            client_id or new_id(), tenants=homes, secrets=secrets, certificates=certificates, scopes=scopes
        )
        if homes != "*":
            self.add_tenant(*homes)
        self._service.directory.add(registration)
        return registration

    def add_tenant(self, *tenants: str) -> None:
        """Add tenants, by GUID or domain. The fake refuses requests for others (AADSTS90002)."""
        self._service.directory.add_tenants(tenants)

    def allow_any_tenant(self) -> None:
        """Make every tenant exist, with the ready application in each."""
        self._service.directory.allow_any_tenant()
        self.registration.allow_any_tenant()

    def tokens(self, expires_in: int | str | None = 3600, refresh_in: int | str | None = None, **extra: object) -> None:
        """Set the fields of later token responses.

        Args:
            expires_in: The lifetime in seconds, sent as given; None leaves it out.
            refresh_in: The seconds until the token is due for refresh; None leaves it out.
            **extra: More fields; None leaves a field out.
        """
        self._service.shape = TokenShape(expires_in, refresh_in, extra)

    @property
    def known_hosts(self) -> set[str]:
        """The hosts (with port) that instance discovery trusts. A test may change the set."""
        return self._service.known_hosts

    @property
    def strict_scopes(self) -> bool:
        """Whether scopes must end in `/.default`, as Entra requires. The default is False."""
        return self._service.strict_scopes

    @strict_scopes.setter
    def strict_scopes(self, strict: bool) -> None:
        self._service.strict_scopes = strict

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

    # -- outages; the other faults are in `Faults` --------------------------------------------------------

    def goes_down(self) -> None:
        """Refuse connections and break the existing ones, until `comes_back()` or `recovers()`."""
        self._running()[0].goes_down()

    def comes_back(self) -> None:
        """Accept connections again, on the same port."""
        self._running()[0].comes_up()

    def recovers(self) -> None:
        """End every fault."""
        self._lanes.clear()
        if self._server is not None:
            self.comes_back()

    def _access(self) -> environment.Access:
        identity = (self.tenant_id, self.client_id, self.client_secret)
        return environment.Access(*identity, self.authority, self.ca_bundle)

    def _running(self) -> tuple[Server, Path]:
        server, directory = self._server, self._directory
        if server is None or directory is None:
            raise RuntimeError("the fake Entra is not started: use it in a `with` block, or call start()")
        return server, Path(directory.name)
