"""Classes with the names and arguments of azure-identity's, mapped to settings.

To migrate a program, change the import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credconf.credential import Credential

from .companions import AzureAuthorityHosts, TokenCachePersistenceOptions, get_bearer_token_provider
from .plans import assertion_plan, certificate_plan, environment_plan, managed_identity_plan, secret_plan, workload_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Unpack

    from .options import CertificateOptions, ManagedIdentityOptions, Options, WorkloadOptions

__all__ = [
    "AzureAuthorityHosts",
    "CertificateCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "EnvironmentCredential",
    "ManagedIdentityCredential",
    "TokenCachePersistenceOptions",
    "WorkloadIdentityCredential",
    "get_bearer_token_provider",
]


class ClientSecretCredential(Credential):
    """A service principal with a client secret, with the arguments of `azure.identity.ClientSecretCredential`.

    Args:
        tenant_id: the ID of the tenant.
        client_id: the ID of the application.
        client_secret: the secret's value.
        **options: see `Options`.

    Raises:
        ConfigError: an argument can't be used (it is a `ValueError`).
        TypeError: an option is unknown, or has a wrong type.
    """

    def __init__(self, tenant_id: str, client_id: str, client_secret: str, **options: Unpack[Options]) -> None:
        plan = secret_plan(type(self).__name__, tenant_id, client_id, client_secret, options)
        del client_secret, options  # a traceback with locals shows this frame
        super().__init__(plan())


class CertificateCredential(Credential):
    """A service principal with a certificate, with the arguments of `azure.identity.CertificateCredential`.

    Args:
        tenant_id: the ID of the tenant.
        client_id: the ID of the application.
        certificate_path: a PEM or PFX file with the certificate and its RSA private key.
        **options: see `CertificateOptions`.

    Raises:
        ConfigError: an argument can't be used (it is a `ValueError`).
        MissingFileError: the file does not exist (it is a `ConfigError` and a `FileNotFoundError`).
        TypeError: an option is unknown, or has a wrong type.
    """

    def __init__(
        self, tenant_id: str, client_id: str, certificate_path: str | None = None, **options: Unpack[CertificateOptions]
    ) -> None:
        plan = certificate_plan(type(self).__name__, tenant_id, client_id, certificate_path, options)
        del options
        super().__init__(plan())


class ClientAssertionCredential(Credential):
    """An application with an assertion, with the arguments of `azure.identity.ClientAssertionCredential`.

    Args:
        tenant_id: the ID of the tenant.
        client_id: the ID of the application.
        func: returns an assertion, a signed JWT. It is called for each request to Entra.
        **options: see `Options`.

    Raises:
        ConfigError: an argument can't be used (it is a `ValueError`).
        TypeError: an option is unknown, or has a wrong type.
    """

    def __init__(self, tenant_id: str, client_id: str, func: Callable[[], str], **options: Unpack[Options]) -> None:
        super().__init__(assertion_plan(type(self).__name__, tenant_id, client_id, func, options)())


class WorkloadIdentityCredential(Credential):
    """An application in Kubernetes, with the arguments of `azure.identity.WorkloadIdentityCredential`.

    Args:
        tenant_id: the ID of the tenant; `AZURE_TENANT_ID` by default.
        client_id: the ID of the application; `AZURE_CLIENT_ID` by default.
        token_file_path: the file of the service account's token; `AZURE_FEDERATED_TOKEN_FILE` by default. It is looked
            at again for each request to Entra.
        **options: see `Options`; `enable_azure_proxy` turns on AKS identity binding.

    Raises:
        ConfigError: an argument is missing or can't be used (it is a `ValueError`).
        TypeError: an option is unknown, or has a wrong type.
    """

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        token_file_path: str | None = None,
        **options: Unpack[WorkloadOptions],
    ) -> None:
        cls = type(self).__name__
        plan = workload_plan(cls, options, tenant_id=tenant_id, client_id=client_id, token_file_path=token_file_path)
        super().__init__(plan())


class ManagedIdentityCredential(Credential):
    """A managed identity, with the arguments of `azure.identity.ManagedIdentityCredential`.

    In a pod with workload identity it uses that, as azure-identity's class does: if `AZURE_FEDERATED_TOKEN_FILE`,
    `AZURE_TENANT_ID` and `AZURE_AUTHORITY_HOST` are set. `kind: managed_identity` does not.

    Args:
        client_id: the client ID of a user-assigned identity; by default the identity of the machine.
        identity_config: another name of a user-assigned identity: `{"object_id": ID}` or `{"resource_id": ID}`.
        **options: see `ManagedIdentityOptions`.

    Raises:
        ConfigError: an argument can't be used (it is a `ValueError`).
        TypeError: an option is unknown, or has a wrong type.
    """

    def __init__(
        self,
        *,
        client_id: str | None = None,
        identity_config: Mapping[str, str] | None = None,
        **options: Unpack[ManagedIdentityOptions],
    ) -> None:
        super().__init__(managed_identity_plan(type(self).__name__, client_id, identity_config, options)())


class EnvironmentCredential(Credential):
    """A service principal from `AZURE_` variables, with the arguments of `azure.identity.EnvironmentCredential`.

    The variables are those of a secret (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`), else those of a
    certificate. Variables that are missing are an error here, and not at the first token.

    Args:
        **options: see `Options`.

    Raises:
        ConfigError: a variable is missing or can't be used (it is a `ValueError`).
        TypeError: an option is unknown, or has a wrong type.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(environment_plan(type(self).__name__, options)())
