"""Type checkers know what `load()` returns, and narrow it by its kind. Checked by mypy and pyright; never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never, assert_type

from pydantic_settings import BaseSettings, SettingsConfigDict

import credconf

if TYPE_CHECKING:
    from collections.abc import Sequence


class Application(BaseSettings):
    """An application's own settings."""

    model_config = SettingsConfigDict(env_prefix="APP_", hide_input_in_errors=True)

    entra: credconf.Settings


def loaded() -> None:
    resolved = credconf.load("credconf.yaml", name="billing", env_file=False)
    assert_type(resolved, credconf.Resolved)
    settings = resolved.settings
    assert_type(
        settings,
        credconf.ClientSecretSettings
        | credconf.ClientCertificateSettings
        | credconf.ClientAssertionSettings
        | credconf.ManagedIdentitySettings
        | credconf.AzureCliSettings,
    )
    assert_type(settings.http.timeout, float)
    problems: Sequence[credconf.Problem] = resolved.warnings
    assert problems is not None


def by_kind(settings: credconf.Settings) -> object:
    if settings.kind == "client_secret":
        assert_type(settings, credconf.ClientSecretSettings)
        return settings.client_secret
    if settings.kind == "client_certificate":
        assert_type(settings, credconf.ClientCertificateSettings)
        return settings.send_certificate_chain
    if settings.kind == "client_assertion":
        assert_type(settings, credconf.ClientAssertionSettings)
        return settings.client_assertion
    if settings.kind == "managed_identity":
        assert_type(settings, credconf.ManagedIdentitySettings)
        return settings.object_id
    if settings.kind == "azure_cli":
        assert_type(settings, credconf.AzureCliSettings)
        return settings.subscription
    assert_never(settings)


def by_class(settings: credconf.Settings) -> object:
    if isinstance(settings, credconf.ClientCertificateSettings):
        return settings.client_certificate
    if isinstance(
        settings, credconf.ClientAssertionSettings | credconf.ManagedIdentitySettings | credconf.AzureCliSettings
    ):
        return settings.http
    assert_type(settings, credconf.ClientSecretSettings)
    return settings.client_secret


def embedded(application: Application) -> credconf.Credential:
    by_kind(application.entra)
    return credconf.build(application.entra)


def refused() -> None:
    credconf.from_config(tenant="x")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    credconf.ClientSecretCredential("t", "c", "s", retry_totl=1)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
