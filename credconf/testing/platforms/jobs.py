"""What the identity providers of jobs in CI have in common."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from credconf.testing.directory import EXCHANGE_AUDIENCE, FederatedCredential, changing, new_id
from credconf.testing.exchange import Route
from credconf.testing.fake_server import SecureServer
from credconf.testing.federation import Assertion
from credconf.testing.wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.testing.wire import Call


def _new_token() -> str:
    return secrets.token_urlsafe(48)


@dataclass
class JobService:
    """The endpoint that gives a job its assertions.

    Attributes:
        clock: Returns the time, in seconds since 1970.
        issuer: The claim `iss` of the assertions.
        subject: Their claim `sub`.
        lifetime: Their lifetime in seconds.
        token: The job's own token, which requests must send.
        plan: The part of the path that is the job's own.
        lock: Held during a change.
    """

    clock: Callable[[], float]
    issuer: str
    subject: str
    lifetime: int
    token: str = field(default_factory=_new_token, repr=False)
    plan: str = field(default_factory=lambda: f"plans/{new_id()}/jobs/{new_id()}")
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    method: ClassVar[str]
    prefix: ClassVar[str]
    suffix: ClassVar[str]

    @property
    def path(self) -> str:
        """The path of the endpoint."""
        return f"{self.prefix}/{self.plan}/{self.suffix}"

    def route(self, call: Call) -> Route:
        """Find the endpoint of a request."""
        return Route("token" if call.path == self.path else "other", None)

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a request."""
        if route.kind == "other":
            return self.other(call)
        if call.method != self.method:
            return self.problem(405, f"The requested resource does not support the method {call.method}.")
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), self.token.encode()):
            return self.unauthorized(call)
        return self.issue(call)

    def rotate(self) -> str:
        """Replace the job's own token."""
        with changing(self.lock):
            self.token = _new_token()
        return self.token

    def refuse(self, code: int, call: Call, route: Route) -> Answer:
        """The endpoint's own answer with the HTTP status 429 or 503."""
        del call, route
        return self.problem(code, "Try again later.")

    def other(self, call: Call) -> Answer:
        """The answer to a request for something else."""
        del call
        return Answer(404, b"", "text/plain")

    def unauthorized(self, call: Call) -> Answer:
        """The answer to a request without the job's token."""
        del call
        return self.problem(401, "The token of the request is missing, wrong or expired.")

    def problem(self, status: int, text: str) -> Answer:
        """The answer to a refused request."""
        return Answer.of({"message": text}, status)

    def issue(self, call: Call) -> Answer:
        """The answer to a request with the job's token."""
        raise NotImplementedError

    def assertion(self, audience: str) -> str:
        """Sign an assertion."""
        return Assertion(self.issuer, self.subject, audience, int(self.clock()), self.lifetime).sign()


class FakeJobs(SecureServer):
    """The base of the fakes of CI services. It has the certificate authority of `FakeEntra`."""

    def __init__(self, service: JobService) -> None:
        """Make a service, without opening a port."""
        self._job = service
        super().__init__(service)

    def federation(self, audience: str = EXCHANGE_AUDIENCE) -> FederatedCredential:
        """The federated credential with which an application trusts the job, for `FakeEntra.register(federated=…)`."""
        return FederatedCredential(self._job.issuer, self._job.subject, audience)

    def _trust(self) -> dict[str, str]:
        return {
            "CREDCONF_HTTP__CA_BUNDLE": self.ca_bundle,
            "REQUESTS_CA_BUNDLE": self.ca_bundle,
            "SSL_CERT_FILE": self.ca_bundle,
        }
