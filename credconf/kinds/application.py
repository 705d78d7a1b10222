"""The settings of an application that requests its tokens from Entra ID with a proof."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, model_validator

from credconf.ground.deferred import STRICT
from credconf.settings import clouds
from credconf.settings.declaration import (
    Redirects,
    Setting,
    is_beside_well_known,
    is_not_adfs,
    is_switched_off,
    is_well_known_host,
)
from credconf.settings.faults import fault
from credconf.settings.fields import AllowedTenants, Authority, OidcAuthority, Region, Tenant, Text

from .common import CommonSettings

TENANT: Final = Setting(
    "The tenant (directory): a GUID or a domain name.",
    ("72f988bf-86f1-41af-91ab-2d7cd011db47", "contoso.onmicrosoft.com"),
    environment=("AZURE_TENANT_ID",),
    also_called="tenant directory directoryid tenantname aadtenant aadtenantid",
    redirects=Redirects(("server",), unless=is_not_adfs),
    sent_to="server",
)
"""The declaration of `tenant_id`."""
ALLOWED_TENANTS: Final = Setting(
    'Other tenants for which the credential can get tokens. `["*"]` allows all.',
    (["*"], ["fabrikam.onmicrosoft.com"]),
    environment=("AZURE_ADDITIONALLY_ALLOWED_TENANTS",),
    alias="allowed_tenants",
    also_called="tenants additionaltenants auxiliarytenantids othertenants",
    item='A GUID or a domain name; `"*"` means every tenant.',
)
"""The declaration of `additionally_allowed_tenants`."""


class ApplicationFields(BaseModel):
    """The fields of an application that requests its tokens from Entra ID, with azure-identity's names.

    `authority` is always set once a model is validated (from `cloud`, whose default is `public`), except for a
    generic OpenID Connect server, which has `oidc_authority` instead.
    """

    model_config = STRICT

    tenant_id: Annotated[Tenant | None, TENANT] = None
    client_id: Annotated[
        Text,
        Setting(
            "The application (client) id of the service principal.",
            ("11111111-1111-1111-1111-111111111111",),
            environment=("AZURE_CLIENT_ID",),
            also_called="client app appid application applicationid audienceid clientidentifier serviceprincipalid",
            sent_to="server",
        ),
    ]
    cloud: Annotated[
        Literal["public", "usgov", "china"] | None,
        Setting(
            "The Azure cloud, which sets `authority`. Default: `public`.",
            ("usgov",),
            environment=("AZURE_CLOUD",),
            choices={name: f"`{url}`" for name, url in clouds.PRESETS.items()},
            words=clouds.CLOUD_NAMES,
            also_called="environment cloudname cloudenvironment cloudinstance nationalcloud azureenvironment",
        ),
    ] = None
    authority: Annotated[
        Authority | None,
        Setting(
            "The host of Entra ID, as a name or https:// URL, instead of `cloud`.",
            ("login.microsoftonline.us",),
            environment=("AZURE_AUTHORITY_HOST",),
            also_called="authorityhost authorityurl authorityuri instance loginendpoint loginurl loginhost "
            "activedirectoryendpointurl activedirectoryauthorityhost",
            redirects=Redirects(("server",), unless=is_well_known_host),
            sent_to="proxy",
        ),
    ] = None
    oidc_authority: Annotated[
        OidcAuthority | None,
        Setting(
            "The URL of an OpenID Connect server, used instead of Entra ID. It has a path.",
            ("https://idp.example.com/oauth",),
            also_called="issuer oidc oidcissuer openidissuer issuerurl discoveryurl openidconfiguration metadataurl",
            redirects=Redirects(("server",)),
            sent_to="proxy",
        ),
    ] = None
    additionally_allowed_tenants: Annotated[AllowedTenants, ALLOWED_TENANTS] = ()
    disable_instance_discovery: Annotated[
        bool,
        Setting(
            "Trust an authority that is not well known, without instance discovery.",
            (True,),
            redirects=Redirects(("server",), unless=is_switched_off),
        ),
    ] = False
    region: Annotated[
        Region | None,
        Setting(
            "The Azure region whose endpoint receives the requests, or `tryautodetect`.",
            ("westus2", "tryautodetect"),
            environment=("AZURE_REGIONAL_AUTHORITY_NAME", "MSAL_FORCE_REGION"),
            also_called="azureregion location regionalauthority regionalauthorityname",
            redirects=Redirects(("server",), unless=is_beside_well_known),
            sent_to="server",
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        return with_authority(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _has_authority(self) -> Self:
        if self.oidc_authority is None and self.tenant_id is None:
            raise fault("missing", "`tenant_id` is not set", step="tenant_id")
        return self


class ApplicationSettings(CommonSettings, ApplicationFields):
    """An application with a proof for the token endpoint. The fields of the second base come first."""

    def tenants(self) -> tuple[str, ...]:
        """Return `additionally_allowed_tenants`; none for a generic OpenID Connect server, which has no tenants."""
        return self.additionally_allowed_tenants if self.oidc_authority is None else ()


def with_authority(data: dict[str, Any]) -> dict[str, Any]:
    """Add the authority that the cloud presets. Both at once are an error unless they agree."""
    given = {name for name in ("tenant_id", "cloud", "authority") if data.get(name) is not None}
    if data.get("oidc_authority") is not None:
        if given:
            name = min(given)
            raise fault("conflict", f"`oidc_authority` and `{name}` exclude each other", "keep one of them", step=name)
        return data
    cloud = data.get("cloud")
    if cloud is None:
        if "authority" in given:
            return data
        cloud = "public"
    preset = clouds.PRESETS.get(cloud) if isinstance(cloud, str) else None
    if preset is None or data.get("authority") == preset:
        return data  # the field itself reports an unknown cloud
    if "authority" in given:
        raise fault("conflict", "`cloud` and `authority` exclude each other", "keep one of them", step="authority")
    return {**data, "cloud": cloud, "authority": preset}
