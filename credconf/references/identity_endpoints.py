"""The endpoints that give the tokens of managed identities: which one a machine has.

Sources, all below https://learn.microsoft.com: `azure/app-service/overview-managed-identity` (App Service, Functions,
Container Apps), `azure/azure-arc/servers/managed-identity-authentication` (Arc), and
`entra/identity/managed-identities-azure-resources/how-to-use-vm-token` (IMDS, with its errors and its retry guidance).
The order of detection is that of msal and azure-identity. `identity_requests` asks them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from credconf.ground.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES: Final = (
    "IDENTITY_ENDPOINT",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
)
"""The variables that decide which endpoint is asked, besides whether IDENTITY_HEADER is set, whose value rotates."""

CONNECT: Final = 2.0
"""Seconds to connect. The endpoints are on the same host; elsewhere, nothing answers at IMDS's address."""
_WINDOWS: Final = os.name == "nt"
ARC_AGENT = (
    os.path.expandvars(r"%ProgramFiles%\AzureConnectedMachineAgent\himds.exe")
    if _WINDOWS
    else "/opt/azcmagent/bin/himds"
)
"""The program of Azure Arc's agent. It exists where Arc manages the machine. A test may replace it."""
ARC_KEYS = (
    os.path.expandvars(r"%ProgramData%\AzureConnectedMachineAgent\Tokens") if _WINDOWS else "/var/opt/azcmagent/tokens"
)
"""The only directory of Arc's key files. A test may replace it."""

_ARC: Final = "http://localhost:40342/metadata/identity/oauth2/token"
_IMDS: Final = "http://169.254.169.254"
_IMDS_PATH: Final = "/metadata/identity/oauth2/token"


@record
class NoToken:
    """Why a machine's endpoint gave no token.

    Attributes:
        error: the category, such as `throttled` or `identity_not_found`.
        what: what happened, as the end of a sentence; no secret is in it.
        hint: what to do.
        status: the HTTP status, if there was an answer.
        retry_after: seconds for which the endpoint asked not to be asked again.
        unavailable: whether the machine has no endpoint, or no such identity.
        temporary: whether another attempt may succeed.
        place: the endpoint that was asked, if one was.
    """

    error: str
    what: str
    hint: str
    status: int | None = None
    retry_after: float | None = None
    unavailable: bool = False
    temporary: bool = False
    place: str = ""

    def message(self, wanted: str) -> str:
        """Return one sentence, which begins with the identity whose token was wanted."""
        return f"no token for {wanted}{f' from {self.place}' if self.place else ''}: {self.what}"


@record
class Endpoint:
    """An endpoint for the tokens of managed identities.

    Attributes:
        source: `app_service`, `arc` or `imds`.
        name: its name in messages.
        url: where it is asked.
        version: the version of its API.
        resource_id: the parameter that holds a resource id.
        retried: the statuses below 500 after which it is asked again.
        absent: what to do where nothing answers.
    """

    source: str
    name: str
    url: str
    version: str
    resource_id: str
    retried: frozenset[int]
    absent: str


def endpoint_of(environ: Mapping[str, str]) -> Endpoint | NoToken:
    """Return the endpoint of the machine, or why its tokens can't be used here.

    Args:
        environ: the process environment. `.env` decides nothing here: the platform sets these variables.
    """
    url = environ.get("IDENTITY_ENDPOINT")
    if url and environ.get("IDENTITY_HEADER"):
        if environ.get("IDENTITY_SERVER_THUMBPRINT"):
            return _SERVICE_FABRIC
        return _usable("IDENTITY_ENDPOINT", _app_service(url))
    if url and environ.get("IMDS_ENDPOINT"):
        return _usable("IDENTITY_ENDPOINT", _arc(url))
    if os.path.exists(ARC_AGENT):
        return _arc(_ARC)
    if environ.get("MSI_ENDPOINT"):
        return _MACHINE_LEARNING if environ.get("MSI_SECRET") else _CLOUD_SHELL
    host = environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or _IMDS
    return _usable("AZURE_POD_IDENTITY_AUTHORITY_HOST", _imds(f"{host.rstrip('/')}{_IMDS_PATH}"))


def _usable(variable: str, endpoint: Endpoint) -> Endpoint | NoToken:
    """Refuse what is no plain HTTP: no such endpoint has a certificate, and a proxy could be asked for https."""
    try:
        parts = urlsplit(endpoint.url)
        is_url = parts.scheme == "http" and bool(parts.hostname)
    except ValueError:
        is_url = False
    what = f"the variable {variable} holds no http:// URL of a managed identity endpoint"
    return endpoint if is_url else NoToken("bad_endpoint", what, f"unset {variable}: the platform sets it", None)


def _app_service(url: str) -> Endpoint:
    absent = "check that the app still has a managed identity, and restart it: the platform sets IDENTITY_ENDPOINT"
    return Endpoint(
        "app_service", "App Service's endpoint", url, "2019-08-01", "mi_res_id", frozenset({408, 429}), absent
    )


def _arc(url: str) -> Endpoint:
    absent = "check that Azure Arc's agent runs: azcmagent show"
    return Endpoint("arc", "Azure Arc's agent", url, "2020-06-01", "msi_res_id", frozenset({408, 429}), absent)


def _imds(url: str) -> Endpoint:
    absent = "run this on an Azure machine with a managed identity, or use another kind of credential"
    retried = frozenset({404, 408, 410, 429})
    return Endpoint("imds", "the metadata service of Azure (IMDS)", url, "2018-02-01", "msi_res_id", retried, absent)


def _unsupported(what: str, hint: str) -> NoToken:
    return NoToken("unsupported_platform", what, hint, unavailable=True)


_SERVICE_FABRIC: Final = _unsupported(
    "Service Fabric's endpoint wants a pinned certificate, which credconf does not support",
    "use azure-identity's ManagedIdentityCredential there, or a client certificate",
)
_MACHINE_LEARNING: Final = _unsupported(
    "the endpoint of Azure Machine Learning (MSI_ENDPOINT and MSI_SECRET) is not supported",
    "use azure-identity's ManagedIdentityCredential there, or a client secret or certificate",
)
_CLOUD_SHELL: Final = _unsupported(
    "Cloud Shell's endpoint (MSI_ENDPOINT) gives the tokens of its user, not of a managed identity",
    "use `kind: azure_cli` there, or another kind of credential",
)
