"""`FakeGitHub`: the identity provider of jobs of GitHub Actions.

The protocol: https://docs.github.com/actions/reference/security/oidc
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from credconf.testing import environment
from credconf.testing.wire import Answer

from .jobs import FakeJobs, JobService

if TYPE_CHECKING:
    from collections.abc import Callable

    from credconf.testing.wire import Call

_VARIABLES = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_ACTIONS")


class GitHubService(JobService):
    """The endpoint of GitHub Actions."""

    method = "GET"
    prefix = "/_apis/distributedtask/hubs/Actions"
    suffix = "idtoken"

    def issue(self, call: Call) -> Answer:
        """The answer to a request with the job's token."""
        if "api-version" not in call.query:
            return self.problem(400, "The api-version of the request is missing.")
        return Answer.of({"value": self.assertion(call.query.get("audience") or "https://github.com/contoso")})


class FakeGitHub(FakeJobs):
    """A fake of the identity provider of GitHub Actions, over HTTPS.

    Examples:
        >>> from credconf.testing import FakeEntra
        >>> with FakeGitHub() as github, FakeEntra() as entra:
        ...     application = entra.register(federated=[github.federation()])
        ...     github.request_url.partition("?")[2]
        'api-version=2.0'
    """

    def __init__(
        self,
        *,
        subject: str = "repo:contoso/app:ref:refs/heads/main",
        issuer: str = "https://token.actions.githubusercontent.com",
        lifetime: int = 300,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a job, without opening a port.

        Args:
            subject: The claim `sub` of its assertions.
            issuer: Their claim `iss`.
            lifetime: Their lifetime in seconds.
            clock: Returns the time, in seconds since 1970, for assertions and recorded requests.
        """
        super().__init__(GitHubService(clock, issuer, subject, lifetime))

    @property
    def request_url(self) -> str:
        """The value of `ACTIONS_ID_TOKEN_REQUEST_URL`. It has a query already, to which clients add the audience."""
        return f"https://{self.host}{self._job.path}?api-version=2.0"

    @property
    def request_token(self) -> str:
        """The value of `ACTIONS_ID_TOKEN_REQUEST_TOKEN`."""
        return self._job.token

    def rotate_request_token(self) -> str:
        """Refuse the present request token as expired (401), and return a new one."""
        return self._job.rotate()

    def environ(self, *, permitted: bool = True) -> dict[str, str]:
        """Every variable that an unmodified application needs.

        Args:
            permitted: Whether the job has `permissions: id-token: write`; without it, it has neither the URL nor the
                request token.
        """
        granted = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": self.request_url,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
        }
        return {"GITHUB_ACTIONS": "true", **(granted if permitted else {}), **self._trust()}

    def apply(self, monkeypatch: environment.Patch, *, permitted: bool = True) -> None:
        """Set these variables for one test, and empty the engines that credentials share.

        It combines with `FakeEntra.apply()`, which comes first.

        Args:
            monkeypatch: pytest's fixture of this name.
            permitted: As for `environ()`.
        """
        environment.replace_in(monkeypatch, _VARIABLES, self.environ(permitted=permitted))
