"""`{github: {}}`: the assertion of a job of GitHub Actions.

Source: GitHub's page "OpenID Connect reference".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self

from pydantic import BaseModel, Field, StringConstraints

from credconf.ground.deferred import STRICT
from credconf.problems import printable

from .base import BaseReference, NotFound
from .job_assertions import Platform, is_set, is_true

if TYPE_CHECKING:
    from .base import Reader, Stamp

_PERMISSION: Final = "`permissions: {id-token: write}`"
_GITHUB: Final = Platform(
    name="GitHub Actions",
    url="ACTIONS_ID_TOKEN_REQUEST_URL",
    token="ACTIONS_ID_TOKEN_REQUEST_TOKEN",  # noqa: S106 - the name of a variable
    scheme="bearer",
    answer="value",
    refused=f"check that the job has {_PERMISSION}, and has not run for more than six hours",
)


class GitHubAudience(BaseModel):
    """The request of a job to GitHub.

    Attributes:
        audience: the audience of the assertion.
    """

    model_config = STRICT

    audience: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None,
        Field(
            description="The audience of the assertion. Default: the audience of Entra's token exchange in the cloud."
        ),
    ] = None


class GitHubReference(BaseReference):
    """The assertion that GitHub issues for the running job.

    Attributes:
        github: the audience.
    """

    key: ClassVar = "github"
    placeholder: ClassVar = "{}"
    expected: ClassVar = "a mapping: {}, or {audience: TEXT}"
    meaning: ClassVar = (
        "The running job of GitHub Actions, which fetches an assertion for each token. "
        "The job needs `permissions: {id-token: write}`."
    )
    snippet: ClassVar = "{}"
    also_called: ClassVar = frozenset({"github_actions", "githubactions", "gha", "actions"})
    is_mapping: ClassVar = True
    variables: ClassVar = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    for_any_text: ClassVar = False
    only_assertions: ClassVar = True
    needs_named_file: ClassVar = True
    runs: ClassVar = True
    is_shown: ClassVar = True

    github: GitHubAudience

    @property
    def label(self) -> str:
        """Its name in messages."""
        return "the ID token of GitHub Actions"

    @property
    def name(self) -> str:
        """The text after its key."""
        return f"{{audience: {printable(self.github.audience)}}}" if self.github.audience else "{}"

    def read(self, reader: Reader) -> str | NotFound:
        """Fetch an assertion."""
        # GitHub's own default is the URL of the repository's owner, which Entra does not accept.
        params = {"audience": self.github.audience} if self.github.audience else dict[str, str]()
        return self.missing(reader) or _GITHUB.fetch(reader, params, by_post=False)

    def missing(self, reader: Reader) -> NotFound | None:
        """Return the failure of a process that is in no job, or of a job without the permission."""
        environ = reader.environ
        absent = [name for name in (_GITHUB.url, _GITHUB.token) if not is_set(environ, name)]
        if not absent:
            return _GITHUB.unusable(environ)
        if not is_true(environ, "GITHUB_ACTIONS"):
            message = f"this process is not in a job of GitHub Actions: {absent[0]} is not set"
            hint = "use this reference in a job only, and another proof elsewhere; pass the variables into a container"
            return NotFound("missing-variable", message, hint)
        message = f"this job may not request an assertion: {absent[0]} is not set"
        hint = f"give the job {_PERMISSION}; a pull request from a fork never has it"
        return NotFound("missing-variable", message, hint)

    def stamp(self, reader: Reader) -> Stamp:  # noqa: ARG002 - each request gets another assertion
        """Return `None`: an assertion is fetched for each token."""
        return None

    def with_audience(self, audience: str) -> Self:
        """Return the reference with an audience, unless it has one."""
        return self if self.github.audience else self.of(GitHubAudience(audience=audience))
