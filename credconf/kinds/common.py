"""The settings that all kinds of credentials share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeAlias, TypedDict

from pydantic import BaseModel, Field, model_validator

from credconf.ground.deferred import STRICT
from credconf.settings import clouds, formats
from credconf.settings.declaration import (
    Redirects,
    Setting,
    is_beside_well_known,
    is_not_adfs,
    is_switched_off,
    is_well_known_host,
)
from credconf.settings.fields import (
    AllowedTenants,
    Authority,
    OidcAuthority,
    PlainText,
    Region,
    Scopes,
    Tenant,
    Text,
    fault,
    refuse_to_pickle_secrets,
)
from credconf.settings.http_settings import HttpSettings
from credconf.stores import TokenCacheSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from credconf.entra.proof import Candidate, Proof
    from credconf.references import NotFound, Reader


KIND: Final = Setting(
    "The kind of credential; needed only where it does not follow from the secret or certificate.",
    ("client_secret",),
    also_called="type authtype authmethod authentication authenticationtype credentialtype credential method",
)
"""The declaration of `kind`, for every kind."""


class CommonSettings(BaseModel):
    """The fields that all kinds share, with azure-identity's names.

    `authority` is always set once a model is validated (from `cloud`, whose default is `public`), except for a
    generic OpenID Connect server, which has `oidc_authority` instead.

    Attributes:
        proof: the field from which the kind is inferred.
        also_called: the names that other tools use for the kind, in lower case without `-` and `_`.
        ends_by: the setting that holds the expiry of the proof, if the proof itself does not.
        renewal: what to do when the proof expires.
    """

    model_config = STRICT

    proof: ClassVar[str]
    also_called: ClassVar[str] = ""
    ends_by: ClassVar[str | None] = None
    renewal: ClassVar[str] = "Make a new one."

    tenant_id: Annotated[
        Tenant | None,
        Setting(
            "The tenant (directory): a GUID or a domain name.",
            ("72f988bf-86f1-41af-91ab-2d7cd011db47", "contoso.onmicrosoft.com"),
            environment=("AZURE_TENANT_ID",),
            also_called="tenant directory directoryid tenantname aadtenant aadtenantid",
            redirects=Redirects(("server",), unless=is_not_adfs),
            sent_to="server",
        ),
    ] = None
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
            "The Azure cloud, which presets `authority`; `public` where neither is given.",
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
            "The host of Entra ID, as a name or https:// URL; instead of `cloud`.",
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
            "A generic OpenID Connect server instead of Entra ID; its URL has a path.",
            ("https://idp.example.com/oauth",),
            also_called="issuer oidc oidcissuer openidissuer issuerurl discoveryurl openidconfiguration metadataurl",
            redirects=Redirects(("server",)),
            sent_to="proxy",
        ),
    ] = None
    additionally_allowed_tenants: Annotated[
        AllowedTenants,
        Setting(
            'Other tenants that a token may be asked for; `["*"]` for all.',
            (["*"], ["fabrikam.onmicrosoft.com"]),
            environment=("AZURE_ADDITIONALLY_ALLOWED_TENANTS",),
            alias="allowed_tenants",
            also_called="tenants additionaltenants auxiliarytenantids othertenants",
            item='A GUID or a domain name; `"*"` means every tenant.',
        ),
    ] = ()
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
            "An Azure region's own endpoint, or `tryautodetect`.",
            ("westus2", "tryautodetect"),
            environment=("AZURE_REGIONAL_AUTHORITY_NAME",),
            also_called="azureregion location regionalauthority regionalauthorityname",
            redirects=Redirects(("server",), unless=is_beside_well_known),
            sent_to="server",
        ),
    ] = None
    http: Annotated[HttpSettings, Setting("How Entra is reached.", ({"timeout": 5, "retries": 5},))] = Field(
        default_factory=HttpSettings
    )
    token_cache: Annotated[
        TokenCacheSettings,
        Setting(
            "Where tokens are kept.",
            ({"kind": "file", "name": "billing"}, {"kind": "redis", "url": {"env": "REDIS_URL"}}),
            also_called="cache cachepersistenceoptions tokencachepersistenceoptions",
        ),
    ] = Field(default_factory=TokenCacheSettings)
    prefetch: Annotated[
        Scopes,
        Setting(
            "Scopes whose tokens are fetched when the credential is built.",
            (["https://storage.azure.com/.default"],),
            item="The scope of a service: its URL and `/.default`.",
        ),
    ] = ()
    env_prefix: Annotated[
        PlainText | None,
        Setting(
            "Read `<PREFIX><FIELD>` variables instead of the usual ones; with `null`, none.",
            ("REPORTS_",),
            also_called="prefix envvarprefix variableprefix environmentprefix",
            variable=False,
            is_null=True,
            format=formats.ENV_PREFIX,
        ),
    ] = None

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the candidates for the proof, the preferred one first. The caller reads them."""
        raise NotImplementedError

    def proofs(self, reader: Reader) -> Iterator[tuple[str, Proof | NotFound]]:
        """Yield each proof with its path, in the order of the candidates. Each is read when it is yielded."""
        for candidate in self.candidates():
            found = candidate.read(reader)
            yield getattr(found, "path", None) or candidate.path, found

    def __getstate__(self) -> dict[Any, Any]:
        """Refuse to pickle a literal secret. Settings with references can be pickled.

        Raises:
            TypeError: it holds a secret.
        """
        refuse_to_pickle_secrets(self)
        return super().__getstate__()

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        return with_authority(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _has_authority(self) -> CommonSettings:
        if self.oidc_authority is None and self.tenant_id is None:
            raise fault("missing", "`tenant_id` is not set", step="tenant_id")
        return self


Given: TypeAlias = str | Mapping[str, Any]
"""Text as an argument, or a reference: `{"env": NAME}` or `{"file": PATH}`."""


class CommonOverrides(TypedDict, total=False):
    """The fields that all kinds share, as keyword arguments."""

    kind: str | None
    tenant_id: Given | None
    client_id: Given | None
    cloud: str | None
    authority: Given | None
    oidc_authority: Given | None
    additionally_allowed_tenants: Sequence[str] | None
    allowed_tenants: Sequence[str] | None
    disable_instance_discovery: bool | None
    region: Given | None
    http: Mapping[str, Any] | None
    token_cache: Mapping[str, Any] | None
    prefetch: Sequence[str] | None
    env_prefix: str | None


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
