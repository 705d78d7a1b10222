"""`FakeEntra`: a fake Microsoft Entra token service over HTTPS on 127.0.0.1."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

from . import environment
from .answers import TokenShape
from .delegation import with_claims
from .directory import Registration, new_id, new_secret
from .fake_server import SecureServer
from .federation import Assertion, replace_file
from .jwts import key_set
from .service import TokenService
from .users import Users

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from .directory import FederatedCredential
    from .faults import On


class FakeEntra(Users, SecureServer):
    """A fake Microsoft Entra token service over HTTPS on 127.0.0.1, with one application ready.

    It checks what Entra checks (tenant, application, secret, signed or federated assertion, scope), answers with
    JWTs or AADSTS errors as Entra does, records its requests, and fails on demand. Every method is thread-safe. The
    port opens with the `with` block or `start()`; before that, whatever depends on it (`authority`,
    `environ()`, …) raises a `RuntimeError`. It chooses a free port, or takes `port`.

    Examples:
        >>> import credconf
        >>> with FakeEntra() as entra:
        ...     credential = credconf.build(entra.config())
        ...     first = credential.get_token("https://storage.azure.com/.default")
        ...     entra.advance(3600)  # the token expires
        ...     second = credential.get_token("https://storage.azure.com/.default")
        ...     credential.close()
        ...     entra.count(), first.token == second.token
        (2, False)

    Attributes:
        tenant_id: The first tenant: a GUID.
        registration: The ready application: in that tenant, with one secret.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, port: int | None = None) -> None:
        """Make a service, without opening a port.

        Args:
            clock: Returns the time, in seconds since 1970, for what the service signs and checks: tokens, assertions
                and recorded requests. Credentials do not read it; for the expiry of their tokens, see `advance()`.
            port: The port; None for any free one.

        Raises:
            ValueError: The port is not a number from 1 to 65535.
        """
        self._service = TokenService(clock)
        super().__init__(self._service, port=port)
        self.tenant_id = new_id()
        self.add_tenant(self.tenant_id)
        self.registration = self.register()

    def __repr__(self) -> str:
        return f"<FakeEntra {self._where()} tenant={self.tenant_id} client={self.client_id}>"

    def _prepare(self) -> None:
        self._service.host = self.host
        self.known_hosts.update({self.host, f"localhost:{self.port}"})

    # -- address and credentials --------------------------------------------------------------------------

    @property
    def authority(self) -> str:
        """`https://127.0.0.1:PORT`."""
        return f"https://{self.host}"

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
                removes a field (`client_secret=None`, to use a certificate or `client_assertion={"file": path}`).
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
        federated: Iterable[FederatedCredential | tuple[str, str, str]] = (),
        scopes: Iterable[str] | None = None,
    ) -> Registration:
        """Register one more application. It replaces one with the same id.

        Args:
            client_id: Its id; None for a random GUID.
            tenants: The tenants of the application, which this adds; None for `tenant_id` alone; `"*"` for a
                multi-tenant application, which makes every tenant exist.
            secrets: Its secrets, oldest first; None for a random one if nothing else proves it.
            certificates: Its certificates, each as PEM.
            federated: Its federated credentials: issuer, subject and audience of the assertions that it accepts.
            scopes: The scopes or resources of its tokens; None for any.

        Returns:
            The registration, whose methods change it later.

        Raises:
            ValueError: A certificate cannot be read, or its key is not RSA.
        """
        certificates, federated = tuple(certificates), tuple(federated)
        if secrets is None:
            secrets = () if certificates or federated else (new_secret(),)
        homes = "*" if tenants == "*" else tuple((self.tenant_id,) if tenants is None else tenants)
        registration = Registration(
            client_id or new_id(),
            tenants=homes,
            secrets=secrets,
            certificates=certificates,
            federated=federated,
            scopes=scopes,
        )
        if homes != "*":
            self.add_tenant(*homes)
        self._service.directory.add(registration)
        return registration

    def assertion(
        self,
        issuer: str | None = None,
        subject: str | None = None,
        audience: str | None = None,
        *,
        client_id: str | None = None,
        lifetime: int = 3600,
        issued_at: float | None = None,
        **claims: object,
    ) -> str:
        """Sign an assertion, as the identity provider of a federated credential would.

        What is not given comes from the first federated credential of the application. As Entra does, the fake
        tolerates five minutes before and after the validity of an assertion.

        Args:
            issuer: The claim `iss`.
            subject: The claim `sub`.
            audience: The claim `aud`.
            client_id: The application; None for the first that has a federated credential.
            lifetime: The seconds from `issued_at` to the expiry.
            issued_at: In seconds since 1970; None for now.
            **claims: More claims, which override the usual ones; None leaves a claim out.

        Returns:
            A JWT. Each is unique.

        Raises:
            LookupError: There is no such federated credential to take the missing values from.
        """
        if issuer is None or subject is None or audience is None:
            trusted = self._service.directory.first_federated(client_id)
            issuer, subject = issuer or trusted.issuer, subject or trusted.subject
            audience = audience or trusted.audience
        start = int(self._service.clock() if issued_at is None else issued_at)
        return Assertion(issuer, subject, audience, start, lifetime, claims).sign()

    def write_assertion(self, path: str | os.PathLike[str], **options: Any) -> Path:
        """Write an assertion to a file, as Kubernetes does for a service account.

        An existing file is replaced at once: a reader sees the old assertion or the new one. Only the owner of the
        file may read it.

        Args:
            path: The file.
            **options: The arguments of `assertion()`.

        Returns:
            The path.
        """
        return replace_file(path, self.assertion(**options))

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
        """Whether an application gets a token only for a scope that ends in `/.default`, as from Entra: the default."""
        return self._service.strict_scopes

    @strict_scopes.setter
    def strict_scopes(self, strict: bool) -> None:
        self._service.strict_scopes = strict

    # -- the token proxy of a cluster -----------------------------------------------------------------------

    @property
    def proxy_path(self) -> str:
        """The prefix of paths for requests that come through the token proxy of an AKS cluster; empty for no proxy.

        The fake answers such requests as it answers others, and records them with the whole path. Assertions for the
        audience `api://AKSIdentityBinding` are accepted only from there.
        """
        return self._service.proxy_path

    @proxy_path.setter
    def proxy_path(self, path: str) -> None:
        self._service.proxy_path = path.rstrip("/")

    def proxy_environ(self) -> dict[str, str]:
        """The variables of AKS identity binding: `AZURE_KUBERNETES_TOKEN_PROXY` and `AZURE_KUBERNETES_CA_FILE`."""
        proxy = f"{self.authority}{self.proxy_path}"
        return {"AZURE_KUBERNETES_TOKEN_PROXY": proxy, "AZURE_KUBERNETES_CA_FILE": self.ca_bundle}

    # -- faults; the others are in `Faults` -----------------------------------------------------------------

    def refuses(self, aadsts: int, times: int | None = None, *, on: On = "token", claims: str | None = None) -> None:
        """Answer any request with the error of an AADSTS code, such as 7000222.

        Args:
            aadsts: The code.
            times: The number of requests; None for all.
            on: The type of the requests.
            claims: The claims that the user's client must sign in with (JSON), as for 50076.
        """
        self._lanes.answers.add(lambda request: with_claims(request.refuse(aadsts), claims), times, on)

    def _access(self) -> environment.Access:
        identity = (self.tenant_id, self.client_id, next(reversed(self.registration.secrets), None))
        return environment.Access(*identity, self.authority, self.ca_bundle)
