"""A fake Microsoft Entra token service and ready-made credentials, for tests without a cloud.

Three ways in, by how much of the real thing a test needs:

- `StaticCredential` and `AsyncStaticCredential`: a token that is simply there. No server, no network.
- `FakeEntra`: a token service over HTTPS on 127.0.0.1 that checks tenants, clients, secrets and
  certificates, answers as Entra does, keeps a log of what it was asked, and fails on demand.
- The pytest plugin, which is installed with credconf: the fixtures `fake_entra` (a server for one
  test) and `credconf_environment` (the same, with every variable that an application needs already set).

Example:
    A test of an application that calls `credconf.from_config()` somewhere inside::

        def test_the_report_survives_a_throttled_login(credconf_environment):
            credconf_environment.throttles(retry_after=0, times=1)
            assert make_report().ok
            assert credconf_environment.count() == 2

No test that uses this package has seen the real Entra: what is modelled is what its documentation and
its published error texts say.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .certificates import ClientCertificate, make_certificate
    from .directory import Registration
    from .fake_entra import FakeEntra
    from .recording import RecordedRequest
    from .static import AsyncStaticCredential, StaticCredential

__all__ = [
    "AsyncStaticCredential",
    "ClientCertificate",
    "FakeEntra",
    "RecordedRequest",
    "Registration",
    "StaticCredential",
    "make_certificate",
]

# Bound on first use: pytest imports this package in every run of everybody who has credconf installed.
_HOME = {
    "AsyncStaticCredential": "static",
    "ClientCertificate": "certificates",
    "FakeEntra": "fake_entra",
    "RecordedRequest": "recording",
    "Registration": "directory",
    "StaticCredential": "static",
    "make_certificate": "certificates",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return globals().setdefault(name, getattr(import_module(f".{_HOME[name]}", __name__), name))


def __dir__() -> list[str]:
    """List the public names beside what is already bound."""
    return sorted({*globals(), *__all__})
