"""`FakeImds` and `FakeAppService`: the endpoints that give a machine's programs the tokens of its managed identities.

The protocols: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token and
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from credconf.testing import environment
from credconf.testing.answers import TokenShape
from credconf.testing.directory import EXCHANGE_AUDIENCE, FederatedCredential, changing, new_id
from credconf.testing.fake_server import FakeServer
from credconf.testing.wire import Answer

from .identities import Denied, IdentityService, Issued, ManagedIdentity, issuer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credconf.testing.faults import Intercepted
    from credconf.testing.wire import Call

_VARIABLES = (
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
)
_Service = TypeVar("_Service", bound=IdentityService)


class FakeIdentityEndpoint(FakeServer, Generic[_Service]):
    """The base of the fakes for managed identities: plain HTTP on 127.0.0.1, as on a real machine.

    Their tokens are JWTs with the key of `FakeEntra`. A token for `api://AzureADTokenExchange` is an assertion that a
    `FakeEntra` accepts: `entra.register(federated=[imds.federation()])`.
    """

    _service_type: type[_Service]

    def __init__(
        self,
        *,
        system: bool | ManagedIdentity = True,
        user_assigned: Iterable[ManagedIdentity] = (),
        tenant_id: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make an endpoint, without opening a port.

        Args:
            system: Whether the machine has a system-assigned identity, or that identity.
            user_assigned: The other identities of the machine.
            tenant_id: The tenant of the identities; None for a random GUID.
            clock: Returns the time, in seconds since 1970, for tokens and recorded requests.
        """
        own = (ManagedIdentity() if system else None) if isinstance(system, bool) else system
        self._service = self._service_type(clock, tenant_id or new_id(), own, tuple(user_assigned))
        super().__init__(self._service, secure=False)

    @property
    def endpoint(self) -> str:
        """The URL for requests."""
        return f"http://{self.host}{self._service.path}"

    @property
    def tenant_id(self) -> str:
        """The tenant of the identities."""
        return self._service.tenant_id

    @property
    def system(self) -> ManagedIdentity | None:
        """The machine's own identity, if it has one."""
        return self._service.system

    @property
    def user_assigned(self) -> tuple[ManagedIdentity, ...]:
        """The other identities of the machine."""
        return self._service.user_assigned

    def federation(
        self, identity: ManagedIdentity | None = None, audience: str = EXCHANGE_AUDIENCE
    ) -> FederatedCredential:
        """The federated credential with which an application trusts an identity, for `FakeEntra.register(federated=…)`.

        Args:
            identity: The identity; None for the first that is assigned by a user, or else the machine's own.
            audience: The audience: the resource of the identity's token.

        Raises:
            LookupError: The machine has no identity.
        """
        chosen = identity or next(iter(self.user_assigned), self.system)
        if chosen is None:
            raise LookupError("the fake machine has no identity: give it one with `system` or `user_assigned`")
        return FederatedCredential(issuer_of(self.tenant_id), chosen.object_id, audience)

    def tokens(self, expires_in: int = 86_400, **extra: object) -> None:
        """Set the fields of later answers with a token.

        Args:
            expires_in: The lifetime in seconds.
            **extra: More fields, which override the usual ones; None leaves a field out.
        """
        self._service.shape = TokenShape(expires_in, extra=extra)

    def environ(self) -> dict[str, str]:
        """Every variable that an unmodified application needs."""
        raise NotImplementedError

    def apply(self, monkeypatch: environment.Patch) -> None:
        """Set these variables for one test, and empty the engines that credentials share.

        For the test, it removes the other variables that lead to a managed identity. It combines with
        `FakeEntra.apply()`, which comes first.

        Args:
            monkeypatch: pytest's fixture of this name.
        """
        environment.replace_in(monkeypatch, _VARIABLES, self.environ())

    def answers_for(self, client_id: str, times: int | None = None) -> None:
        """Answer with the token of another identity than the one that was asked for."""
        known = {identity.client_id: identity for identity in (*filter(None, [self.system]), *self.user_assigned)}
        identity = known.get(client_id) or ManagedIdentity(client_id)
        self._lanes.answers.add(lambda request: self._service.issue(request.call, identity), times, "token")

    def loses_identity(self, times: int | None = None) -> None:
        """Answer that the machine has no such identity."""

        def reply(request: Intercepted) -> Answer:
            del request
            return self._service.denied(self._service.not_found())

        self._lanes.answers.add(reply, times, "token")


@dataclass
class ImdsService(IdentityService):
    """The endpoint of a virtual machine."""

    path: ClassVar[str] = "/metadata/identity/oauth2/token"
    version: ClassVar[str] = "2018-02-01"
    resource_parameter: ClassVar[str] = "msi_res_id"

    def check(self, call: Call) -> None:
        """Check what is not about identities.

        Raises:
            Denied: The endpoint refuses the request.
        """
        if call.headers.get("metadata", "").lower() != "true":
            raise Denied(400, "bad_request_102", "Required metadata header not specified")
        if "x-forwarded-for" in call.headers:
            raise Denied(400, "bad_request", "A request with the header X-Forwarded-For is not accepted")
        super().check(call)

    def default(self) -> ManagedIdentity:
        """The identity for a request that names none: the machine's own, else the only one.

        Raises:
            Denied: There is none, or several.
        """
        if self.system is None and len(self.user_assigned) > 1:
            text = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity"
            raise Denied(400, "invalid_request", f"{text} in the token request")
        return self.system or next(iter(self.user_assigned), None) or super().default()


class FakeImds(FakeIdentityEndpoint[ImdsService]):
    """A fake of the Azure Instance Metadata Service: managed identities of virtual machines, over plain HTTP.

    Examples:
        >>> from credconf.testing import FakeEntra
        >>> with FakeImds(user_assigned=[ManagedIdentity()]) as imds, FakeEntra() as entra:
        ...     application = entra.register(federated=[imds.federation()])
        ...     sorted(imds.environ())
        ['AZURE_POD_IDENTITY_AUTHORITY_HOST']
    """

    _service_type = ImdsService

    def environ(self) -> dict[str, str]:
        """`AZURE_POD_IDENTITY_AUTHORITY_HOST`, which moves the address 169.254.169.254."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://{self.host}"}

    def is_unreachable(self, times: int | None = None) -> None:
        """Answer as Docker Desktop's proxy does on a machine outside Azure: 403 with "unreachable" in the text."""
        text = "connecting to 169.254.169.254:80: connecting to 169.254.169.254:80: dial tcp: connectex: A socket "
        self.answers(403, f"{text}operation was attempted to an unreachable network.", "text/plain", times=times)

    def is_updating(self, times: int | None = None) -> None:
        """Answer 410, as during an update of the service, which takes up to 70 seconds."""
        self.answers(410, '{"error": "gone", "error_description": "The service is updating"}', times=times)


@dataclass
class AppServiceService(IdentityService):
    """The endpoint of App Service, Functions and Container Apps.

    Attributes:
        header: The value that requests must send.
        lock: Held during a change.
    """

    header: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    path: ClassVar[str] = "/msi/token"
    version: ClassVar[str] = "2019-08-01"
    resource_parameter: ClassVar[str] = "mi_res_id"

    def check(self, call: Call) -> None:
        """Check what is not about identities.

        Raises:
            Denied: The endpoint refuses the request.
        """
        if not secrets.compare_digest(call.headers.get("x-identity-header", ""), self.header):
            raise Denied(401, "", "The value of the header X-IDENTITY-HEADER is not valid.")
        super().check(call)

    def rotate(self) -> str:
        """Replace the value of the header."""
        with changing(self.lock):
            self.header = secrets.token_hex(16)
        return self.header

    def not_found(self) -> Denied:
        """The refusal where the machine has no such identity."""
        text = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
        return Denied(400, "", text)

    def default(self) -> ManagedIdentity:
        """The identity for a request that names none.

        Raises:
            Denied: There is none.
        """
        if self.system is None:
            raise Denied(400, "", "Unable to load the proper Managed Identity.")
        return self.system

    def fields(self, issued: Issued, call: Call) -> dict[str, object]:
        """The body of an answer with a token: the time of expiry as text, no `expires_in`."""
        del call
        return {
            "access_token": issued.access_token,
            "client_id": issued.identity.client_id,
            "expires_on": str(issued.issued_at + issued.life),
            "resource": issued.resource,
            "token_type": "Bearer",
        }

    def denied(self, denied: Denied) -> Answer:
        """The answer to a refused request."""
        content = {"statusCode": denied.status, "message": denied.text, "correlationId": new_id()}
        return Answer.of(content, denied.status)


class FakeAppService(FakeIdentityEndpoint[AppServiceService]):
    """A fake of the managed identity endpoint of App Service, Functions and Container Apps, over plain HTTP.

    Examples:
        >>> with FakeAppService() as app_service:
        ...     sorted(app_service.environ())
        ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER']
    """

    _service_type = AppServiceService

    @property
    def header(self) -> str:
        """The value that requests must send as `X-IDENTITY-HEADER`."""
        return self._service.header

    def rotate_header(self) -> str:
        """Replace the value of the header. The endpoint refuses the old one (401); `environ()` has the new one."""
        return self._service.rotate()

    def environ(self) -> dict[str, str]:
        """`IDENTITY_ENDPOINT` and `IDENTITY_HEADER`."""
        return {"IDENTITY_ENDPOINT": self.endpoint, "IDENTITY_HEADER": self.header}
