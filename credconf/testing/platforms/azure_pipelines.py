"""`FakeAzurePipelines`: the identity provider of jobs of Azure Pipelines.

The protocol: https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from credconf.testing import environment
from credconf.testing.directory import EXCHANGE_AUDIENCE, new_id
from credconf.testing.wire import Answer

from .jobs import FakeJobs, JobService

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.testing.wire import Call

_VARIABLES = ("SYSTEM_ACCESSTOKEN", "SYSTEM_OIDCREQUESTURI", "TF_BUILD")
_SIGN_IN = "/_signin"
_VERSION = "7.1"


@dataclass
class AzurePipelinesService(JobService):
    """The endpoint of Azure Pipelines.

    Attributes:
        connection: The id of the only service connection.
    """

    connection: str = field(default_factory=new_id)

    method: ClassVar[str] = "POST"
    prefix: ClassVar[str] = "/contoso/app/_apis/distributedtask/hubs/build"
    suffix: ClassVar[str] = "oidctoken"

    def issue(self, call: Call) -> Answer:
        """The answer to a request with the job's token."""
        if call.query.get("api-version", "").partition("-")[0] != _VERSION:
            return self.problem(400, f"The api-version of the request is missing or not {_VERSION}.")
        if call.query.get("serviceConnectionId", "").lower() != self.connection.lower():
            return self.problem(404, "The service connection does not exist, or the pipeline may not use it.")
        return Answer.of({"oidcToken": self.assertion(EXCHANGE_AUDIENCE)})

    def unauthorized(self, call: Call) -> Answer:
        """The answer to a request without the job's token: a redirect, unless the client suppresses it."""
        if call.headers.get("x-tfs-fedauthredirect", "").lower() == "suppress":
            return super().unauthorized(call)
        return Answer(302, b"", "text/html", {"Location": _SIGN_IN})

    def other(self, call: Call) -> Answer:
        """The answer to a request for something else: the sign-in page, for one."""
        if call.path == _SIGN_IN:
            return Answer(200, b"<html><title>Azure DevOps Services | Sign In</title></html>", "text/html")
        return super().other(call)

    def problem(self, status: int, text: str) -> Answer:
        """The answer to a refused request."""
        return Answer.of({"$id": "1", "innerException": None, "message": text, "errorCode": 0}, status)


class FakeAzurePipelines(FakeJobs):
    """A fake of the identity provider of Azure Pipelines, over HTTPS, with one service connection.

    Examples:
        >>> from credconf.testing import FakeEntra
        >>> with FakeAzurePipelines() as pipeline, FakeEntra() as entra:
        ...     application = entra.register(federated=[pipeline.federation()])
        ...     pipeline.request_uri.rpartition("/")[2]
        'oidctoken'
    """

    def __init__(
        self,
        *,
        subject: str = "sc://contoso/app/production",
        issuer: str | None = None,
        service_connection_id: str | None = None,
        lifetime: int = 600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a job, without opening a port.

        Args:
            subject: The claim `sub` of its assertions.
            issuer: Their claim `iss`; None for that of a random organization.
            service_connection_id: The id of the service connection; None for a random GUID.
            lifetime: Their lifetime in seconds.
            clock: Returns the time, in seconds since 1970, for assertions and recorded requests.
        """
        issuer = issuer or f"https://vstoken.dev.azure.com/{new_id()}"
        connection = service_connection_id or new_id()
        self._service = AzurePipelinesService(clock, issuer, subject, lifetime, connection=connection)
        super().__init__(self._service)

    @property
    def request_uri(self) -> str:
        """The value of `SYSTEM_OIDCREQUESTURI`."""
        return f"https://{self.host}{self._service.path}"

    @property
    def access_token(self) -> str:
        """The value of `SYSTEM_ACCESSTOKEN`."""
        return self._service.token

    @property
    def service_connection_id(self) -> str:
        """The id of the service connection."""
        return self._service.connection

    def rotate_access_token(self) -> str:
        """Refuse the present access token as expired, and return a new one."""
        return self._service.rotate()

    def environ(self, *, mapped: bool = True) -> dict[str, str]:
        """Every variable that an unmodified application needs.

        Args:
            mapped: Whether the pipeline maps `System.AccessToken` to a variable of the step.
        """
        token = {"SYSTEM_ACCESSTOKEN": self.access_token} if mapped else {}
        return {"TF_BUILD": "True", "SYSTEM_OIDCREQUESTURI": self.request_uri, **token, **self._trust()}

    def apply(self, monkeypatch: environment.Patch, *, mapped: bool = True) -> None:
        """Set these variables for one test, and empty the engines that credentials share.

        It combines with `FakeEntra.apply()`, which comes first.

        Args:
            monkeypatch: pytest's fixture of this name.
            mapped: As for `environ()`.
        """
        environment.replace_in(monkeypatch, _VARIABLES, self.environ(mapped=mapped))
