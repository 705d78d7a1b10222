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
        tenant_id: the tenant: a GUID or a domain name.
        client_id: the application (client) id.
        client_secret: the secret's value, not its id.
        **options: azure-identity's keyword arguments: `authority`, `additionally_allowed_tenants`,
            `disable_instance_discovery`, `cache_persistence_options`, `proxies`, `connection_verify`, `retry_total`,
            `connection_timeout`, `read_timeout`, `user_agent` and `logging_enable`; and credconf's `http_client`, an
            object with `get`, `post` and `close`.

    Raises:
        ConfigError: an argument can't be used. It is a `ValueError`, as in azure-identity.
        TypeError: an option is unknown or has a wrong type. The message says what to do instead.
    """

    def __init__(self, tenant_id: str, client_id: str, client_secret: str, **options: Unpack[Options]) -> None:
        plan = secret_plan(type(self).__name__, tenant_id, client_id, client_secret, options)
        del tenant_id, client_id, client_secret, options  # a traceback with locals shows this frame
        super().__init__(plan())


class CertificateCredential(Credential):
    """A service principal with a certificate, with the arguments of `azure.identity.CertificateCredential`.

    Args:
        tenant_id: the tenant: a GUID or a domain name.
        client_id: the application (client) id.
        certificate_path: a PEM or PFX file with the certificate and its RSA private key. The option `certificate_data`
            gives its content as bytes instead.
        **options: azure-identity's keyword arguments: `authority`, `additionally_allowed_tenants`,
            `disable_instance_discovery`, `cache_persistence_options`, `proxies`, `connection_verify`, `retry_total`,
            `connection_timeout`, `read_timeout`, `user_agent` and `logging_enable`; and credconf's `http_client`, an
            object with `get`, `post` and `close`. Also
            `certificate_data`, `password` and `send_certificate_chain`.

    Raises:
        ConfigError: an argument can't be used. It is a `ValueError`, as in azure-identity.
        MissingFileError: the file does not exist. It is a `ConfigError` and a `FileNotFoundError`.
        TypeError: an option is unknown or has a wrong type. The message says what to do instead.
    """

    def __init__(
        self, tenant_id: str, client_id: str, certificate_path: str | None = None, **options: Unpack[CertificateOptions]
    ) -> None:
        plan = certificate_plan(type(self).__name__, tenant_id, client_id, certificate_path, options)
        del tenant_id, client_id, certificate_path, options  # as above
        super().__init__(plan())


class ClientAssertionCredential(Credential):
    """An application with a signed assertion, with the arguments of `azure.identity.ClientAssertionCredential`.

    Args:
        tenant_id: the tenant: a GUID or a domain name.
        client_id: the application (client) id.
        func: returns the assertion, a signed JWT. It is called for each request to Entra ID.
        **options: azure-identity's keyword arguments: `authority`, `additionally_allowed_tenants`,
            `disable_instance_discovery`, `cache_persistence_options`, `proxies`, `connection_verify`, `retry_total`,
            `connection_timeout`, `read_timeout`, `user_agent` and `logging_enable`; and credconf's `http_client`, an
            object with `get`, `post` and `close`.

    Raises:
        ConfigError: an argument can't be used. It is a `ValueError`, as in azure-identity.
        TypeError: an option is unknown or has a wrong type. The message says what to do instead.
    """

    def __init__(self, tenant_id: str, client_id: str, func: Callable[[], str], **options: Unpack[Options]) -> None:
        plan = assertion_plan(type(self).__name__, tenant_id, client_id, func, options)
        del tenant_id, client_id, func, options  # as above
        super().__init__(plan())


class WorkloadIdentityCredential(Credential):
    """An application in Kubernetes, with the arguments of `azure.identity.WorkloadIdentityCredential`.

    Args:
        tenant_id: the tenant. By default, `AZURE_TENANT_ID`.
        client_id: the application (client) id. By default, `AZURE_CLIENT_ID`.
        token_file_path: the file of the service account's token. By default, `AZURE_FEDERATED_TOKEN_FILE`. Before each
            request to Entra ID, it is read again if it has changed.
        **options: azure-identity's keyword arguments: `authority`, `additionally_allowed_tenants`,
            `disable_instance_discovery`, `cache_persistence_options`, `proxies`, `connection_verify`, `retry_total`,
            `connection_timeout`, `read_timeout`, `user_agent` and `logging_enable`; and credconf's `http_client`, an
            object with `get`, `post` and `close`. Also
            `enable_azure_proxy`, for AKS identity binding.

    Raises:
        ConfigError: an argument is missing or can't be used. It is a `ValueError`, as in azure-identity.
        TypeError: an option is unknown or has a wrong type. The message says what to do instead.
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

    In a pod where `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_TENANT_ID` and `AZURE_AUTHORITY_HOST` are set, it uses workload
    identity, as azure-identity's class does. `kind: managed_identity` does not.

    Args:
        client_id: the client id of a user-assigned identity. By default, the identity of the machine.
        identity_config: the id of a user-assigned identity in another form: `{"object_id": ID}` or
            `{"resource_id": ID}`.
        **options: azure-identity's keyword arguments: `retry_total`, `connection_timeout`, `read_timeout`, `user_agent`
            and `logging_enable`; and credconf's `http_client`, an object with `get`, `post` and `close`.

    Raises:
        ConfigError: an argument can't be used. It is a `ValueError`, as in azure-identity.
        TypeError: an option is unknown or has a wrong type. The message says what to do instead.
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

    The variables are `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, and `AZURE_CLIENT_SECRET` or else
    `AZURE_CLIENT_CERTIFICATE_PATH`. Missing variables raise an error here, not when the first token is requested.

    Args:
        **options: azure-identity's keyword arguments: `authority`, `additionally_allowed_tenants`,
            `disable_instance_discovery`, `cache_persistence_options`, `proxies`, `connection_verify`, `retry_total`,
            `connection_timeout`, `read_timeout`, `user_agent` and `logging_enable`; and credconf's `http_client`, an
            object with `get`, `post` and `close`.

    Raises:
        ConfigError: a variable is missing or can't be used. It is a `ValueError`, as in azure-identity.
        TypeError: an option is unknown or has a wrong type. The message says what to do instead.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(environment_plan(type(self).__name__, options)())
