"""`{azure_pipelines: SERVICE_CONNECTION_ID}`: the assertion of a job of Azure Pipelines, by a service connection.

Source: Microsoft's page "Oidctoken - Create" (Azure DevOps REST API), and azure-identity's `AzurePipelinesCredential`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import StringConstraints

from .base import BaseReference, NotFound
from .job_assertions import Platform, is_set, is_true

if TYPE_CHECKING:
    from .base import Reader, Stamp

_MAP: Final = "map it in the step: `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`"
_PIPELINES: Final = Platform(
    name="Azure Pipelines",
    url="SYSTEM_OIDCREQUESTURI",
    token="SYSTEM_ACCESSTOKEN",  # noqa: S106 - the name of a variable
    scheme="Bearer",
    answer="oidcToken",
    refused="check the id of the service connection, that this pipeline may use it, and that the step maps "
    "`env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`",
    # Without the last one, a token that is not valid is answered with a redirect to a page for signing in.
    headers={"Content-Type": "application/json", "Content-Length": "0", "X-TFS-FedAuthRedirect": "Suppress"},
)


class AzurePipelinesReference(BaseReference):
    """The assertion that Azure Pipelines issues for the running job.

    Attributes:
        azure_pipelines: the id of the service connection.
    """

    key: ClassVar = "azure_pipelines"
    placeholder: ClassVar = "SERVICE_CONNECTION_ID"
    expected: ClassVar = "the id of a service connection, which is a GUID"
    meaning: ClassVar = (
        "The id of a service connection of Azure Pipelines (`resourceId` in the URL of its page). The job fetches an "
        "assertion for each token; its step maps `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`."
    )
    snippet: ClassVar = "${1:00000000-0000-0000-0000-000000000000}"
    also_called: ClassVar = frozenset(
        {"azure_devops", "azuredevops", "ado", "pipelines", "azurepipelines", "service_connection_id"}
    )
    variables: ClassVar = ("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN")
    for_any_text: ClassVar = False
    only_assertions: ClassVar = True
    needs_named_file: ClassVar = True
    runs: ClassVar = True
    is_shown: ClassVar = True

    azure_pipelines: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"),
    ]

    @property
    def label(self) -> str:
        """Its name in messages."""
        return "the ID token of Azure Pipelines"

    def read(self, reader: Reader) -> str | NotFound:
        """Fetch an assertion."""
        params = {"api-version": "7.1", "serviceConnectionId": self.azure_pipelines}
        return self.missing(reader) or _PIPELINES.fetch(reader, params, by_post=True)

    def missing(self, reader: Reader) -> NotFound | None:
        """Return the failure of a process that is in no job, or of a step without the job's token."""
        environ = reader.environ
        if not is_set(environ, _PIPELINES.url):
            return _no_endpoint(in_job=is_true(environ, "TF_BUILD"))
        # The pipeline leaves a macro as it is where it knows no such variable.
        if not is_set(environ, _PIPELINES.token) or environ[_PIPELINES.token].startswith("$("):
            return NotFound("missing-variable", "the variable SYSTEM_ACCESSTOKEN is not set", _MAP)
        return _PIPELINES.unusable(environ)

    def stamp(self, reader: Reader) -> Stamp:  # noqa: ARG002 - each request gets another assertion
        """Return `None`: an assertion is fetched for each token."""
        return None


def _no_endpoint(*, in_job: bool) -> NotFound:
    if in_job:
        message = "this job of Azure Pipelines has no variable SYSTEM_OIDCREQUESTURI"
        return NotFound("missing-variable", message, "update the agent, and pass the variable on into a container")
    message = "this process is not in a job of Azure Pipelines: SYSTEM_OIDCREQUESTURI is not set"
    return NotFound("missing-variable", message, "use this reference in a pipeline only, and another proof elsewhere")
