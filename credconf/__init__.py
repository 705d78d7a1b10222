"""Declarative credentials for Microsoft Entra ID: a file in, a token out.

    import credconf
    credential = credconf.from_config()      # credconf.yaml, the environment, .env

The names below are bound on first use (PEP 562), so that `import credconf` is fast: pydantic, azure-core and msal are
imported only when they are needed.
"""

from ._version import __version__

TYPE_CHECKING = False  # as type checkers know it; importing typing would be most of what this module costs

if TYPE_CHECKING:
    from . import aio, errors, testing
    from .azure_identity import (
        AzureAuthorityHosts,
        CertificateCredential,
        ClientAssertionCredential,
        ClientSecretCredential,
        EnvironmentCredential,
        ManagedIdentityCredential,
        TokenCachePersistenceOptions,
        WorkloadIdentityCredential,
        get_bearer_token_provider,
    )
    from .config.resolution import Resolved
    from .credential import Credential
    from .entra.http import HttpClient
    from .errors import AuthenticationError, ConfigError, CredconfError, CredentialUnavailableError
    from .factory import build, from_config, load
    from .kinds import (
        AzureCliSettings,
        ClientAssertionSettings,
        ClientCertificateSettings,
        ClientSecretSettings,
        ManagedIdentitySettings,
        Overrides,
        Settings,
    )
    from .problems import Problem
    from .problems.problem import Origin

__all__ = [
    "AuthenticationError",
    "AzureAuthorityHosts",
    "AzureCliSettings",
    "CertificateCredential",
    "ClientAssertionCredential",
    "ClientAssertionSettings",
    "ClientCertificateSettings",
    "ClientSecretCredential",
    "ClientSecretSettings",
    "ConfigError",
    "CredconfError",
    "Credential",
    "CredentialUnavailableError",
    "EnvironmentCredential",
    "HttpClient",
    "ManagedIdentityCredential",
    "ManagedIdentitySettings",
    "Origin",
    "Overrides",
    "Problem",
    "Resolved",
    "Settings",
    "TokenCachePersistenceOptions",
    "WorkloadIdentityCredential",
    "__version__",
    "aio",
    "build",
    "errors",
    "from_config",
    "get_bearer_token_provider",
    "load",
    "testing",
]

_HOME = {
    "AuthenticationError": "errors",
    "AzureAuthorityHosts": "azure_identity",
    "AzureCliSettings": "kinds",
    "CertificateCredential": "azure_identity",
    "ClientAssertionCredential": "azure_identity",
    "ClientAssertionSettings": "kinds",
    "ClientCertificateSettings": "kinds",
    "ClientSecretCredential": "azure_identity",
    "ClientSecretSettings": "kinds",
    "ConfigError": "errors",
    "CredconfError": "errors",
    "Credential": "credential",
    "CredentialUnavailableError": "errors",
    "EnvironmentCredential": "azure_identity",
    "HttpClient": "entra.http",
    "ManagedIdentityCredential": "azure_identity",
    "ManagedIdentitySettings": "kinds",
    "Origin": "problems.problem",
    "Overrides": "kinds",
    "Problem": "problems",
    "Resolved": "config.resolution",
    "Settings": "kinds",
    "TokenCachePersistenceOptions": "azure_identity",
    "WorkloadIdentityCredential": "azure_identity",
    "build": "factory",
    "from_config": "factory",
    "get_bearer_token_provider": "azure_identity",
    "load": "factory",
}
_MODULES = frozenset({"aio", "errors", "testing"})


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOME:
        from .problems.azure_identity_names import absent

        raise absent(__name__, name)
    return globals().setdefault(name, getattr(import_module(f".{_HOME[name]}", __name__), name))


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
