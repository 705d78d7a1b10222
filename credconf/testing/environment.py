"""The configuration of an application that uses a fake Entra, as a mapping and as variables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

_SELECTORS = {"CREDCONF_FILE", "CREDCONF_NAME"}  # they choose the application's own files
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


class Patch(Protocol):
    """The methods of pytest's `MonkeyPatch` that this module calls."""

    def setenv(self, name: str, value: str) -> None:
        """Set a variable until the end of the test."""

    def delenv(self, name: str, raising: bool = ...) -> None:  # noqa: FBT001 - pytest's signature
        """Unset a variable until the end of the test."""

    def setattr(self, target: str, name: object) -> None:
        """Set an attribute, named by its dotted path, until the end of the test."""


@dataclass(frozen=True)
class Access:
    """How an application reaches a fake Entra.

    Attributes:
        tenant_id: The tenant.
        client_id: The id of the ready application.
        client_secret: Its secret, if it has one.
        authority: The URL of the fake.
        ca_bundle: The path of the trusted certificates.
    """

    tenant_id: str
    client_id: str
    client_secret: str | None = field(repr=False)
    authority: str
    ca_bundle: str


def config_of(entra: Access, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a configuration, with changes. A mapping is merged into its field, None removes a field."""
    fields: dict[str, Any] = {
        "tenant_id": entra.tenant_id,
        "client_id": entra.client_id,
        "client_secret": entra.client_secret,
        "authority": entra.authority,
        "disable_instance_discovery": True,
        "http": {"ca_bundle": entra.ca_bundle},
    }
    for name, value in changes.items():
        old = fields.get(name)
        fields[name] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return {name: value for name, value in fields.items() if value is not None}


def environ_of(entra: Access, name: str | None, *, identity: bool) -> dict[str, str]:
    """The variables of the flat form, or of a named entry."""
    prefix = "AZURE_" if name is None else f"CREDCONF__{name.upper().replace('-', '_')}__"
    ours = "CREDCONF_" if name is None else prefix
    who = {
        f"{prefix}TENANT_ID": entra.tenant_id,
        f"{prefix}CLIENT_ID": entra.client_id,
    }
    if entra.client_secret is not None:
        who[f"{prefix}CLIENT_SECRET"] = entra.client_secret
    where = {
        f"{prefix}AUTHORITY_HOST" if name is None else f"{prefix}AUTHORITY": entra.authority,
        f"{ours}DISABLE_INSTANCE_DISCOVERY": "true",
        f"{ours}HTTP__CA_BUNDLE": entra.ca_bundle,
        "REQUESTS_CA_BUNDLE": entra.ca_bundle,
        "SSL_CERT_FILE": entra.ca_bundle,
    }
    return {**who, **where} if identity else where


def apply_to(patch: Patch, variables: Mapping[str, str]) -> None:
    """Set variables, remove all others that concern credentials, and empty shared engines."""
    for name in set(os.environ) - _SELECTORS:
        if name.startswith(("AZURE_", "CREDCONF_")) or name in _PROXIES:
            patch.delenv(name, raising=False)
    for name, value in variables.items():
        patch.setenv(name, value)
    forget_engines()


def replace_in(patch: Patch, family: Iterable[str], variables: Mapping[str, str]) -> None:
    """Set variables, remove the others of their family, and empty shared engines."""
    for name in family:
        patch.delenv(name, raising=False)
    for name, value in variables.items():
        patch.setenv(name, value)
    forget_engines()


def forget_engines() -> None:
    """Empty the engines that credentials share, so that no token of another test's Entra remains."""
    from credconf.sharing import forget_shared_engines

    forget_shared_engines()
