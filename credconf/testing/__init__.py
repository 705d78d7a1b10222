"""A fake Microsoft Entra token service and ready-made credentials, for tests without a cloud.

The tools, from the lightest to the most realistic:

- `StaticCredential` and `AsyncStaticCredential`: a fixed token. No server, no network.
- `FakeEntra`: a token service over HTTPS on 127.0.0.1 that checks tenants, clients, secrets and certificates, answers
  as Entra does, records its requests, and fails on demand.
- `FakeImds`, `FakeAppService` and `FakeArc`: managed identities. `FakeGitHub` and `FakeAzurePipelines`: jobs in CI.
  `FakeAzureCli`: a developer's machine. Their tokens and assertions work with `FakeEntra`.
- The pytest plugin, which is installed with credconf: the fixtures `fake_entra` (a server for one test) and
  `credconf_environment` (the same, with all variables set that an application needs).

`advance(seconds)` of each fake lets time pass for the credentials of the process, so that a test reaches the
expiry of a token without waiting.

Examples:
    A test of an application that calls `credconf.from_config()` somewhere inside:

    ```python
    def test_the_report_survives_a_throttled_login(credconf_environment):
        credconf_environment.throttles(retry_after=0, times=1)
        assert make_report().ok
        assert credconf_environment.count() == 2
    ```

The fakes follow Microsoft's documentation and published error texts. They were not compared with the real Entra.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .certificates import ClientCertificate, make_certificate
    from .directory import FederatedCredential, Registration
    from .fake_entra import FakeEntra
    from .platforms.arc import FakeArc
    from .platforms.azure_cli import AzureCliCall, FakeAzureCli
    from .platforms.azure_pipelines import FakeAzurePipelines
    from .platforms.github import FakeGitHub
    from .platforms.identities import ManagedIdentity
    from .platforms.managed_identity import FakeAppService, FakeImds
    from .static import AsyncStaticCredential, StaticCredential
    from .wire import RecordedRequest

__all__ = [
    "AsyncStaticCredential",
    "AzureCliCall",
    "ClientCertificate",
    "FakeAppService",
    "FakeArc",
    "FakeAzureCli",
    "FakeAzurePipelines",
    "FakeEntra",
    "FakeGitHub",
    "FakeImds",
    "FederatedCredential",
    "ManagedIdentity",
    "RecordedRequest",
    "Registration",
    "StaticCredential",
    "make_certificate",
]

# Bound on first use: pytest imports this package in every run on a machine that has credconf installed.
_HOME = {
    "AsyncStaticCredential": "static",
    "AzureCliCall": "platforms.azure_cli",
    "ClientCertificate": "certificates",
    "FakeAppService": "platforms.managed_identity",
    "FakeArc": "platforms.arc",
    "FakeAzureCli": "platforms.azure_cli",
    "FakeAzurePipelines": "platforms.azure_pipelines",
    "FakeEntra": "fake_entra",
    "FakeGitHub": "platforms.github",
    "FakeImds": "platforms.managed_identity",
    "FederatedCredential": "directory",
    "ManagedIdentity": "platforms.identities",
    "RecordedRequest": "wire",
    "Registration": "directory",
    "StaticCredential": "static",
    "make_certificate": "certificates",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return globals().setdefault(name, getattr(import_module(f".{_HOME[name]}", __name__), name))


def __dir__() -> list[str]:
    """List the public names and the bound ones."""
    return sorted({*globals(), *__all__})
