"""The settings that all kinds of credentials share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias, TypedDict

from pydantic import BaseModel, Field, model_validator

from credconf.ground.deferred import STRICT
from credconf.ground.records import record
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
from credconf.stores import OWN_SETTINGS, TokenCacheSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from credconf.entra.http import HttpClient, TransportOptions
    from credconf.entra.messages import Answer
    from credconf.entra.proof import Candidate, Proof
    from credconf.entra.request import Identity, TokenRequest
    from credconf.problems.failure import Failure
    from credconf.references import NotFound, Reader


KIND: Final = Setting(
    "The kind of credential; needed only where it does not follow from the secret, certificate or assertion.",
    ("client_secret",),
    environment=("AZURE_TOKEN_CREDENTIALS",),
    also_called="type authtype authmethod authentication authenticationtype credentialtype credential method",
)
"""The declaration of `kind`, for every kind."""
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
    'Other tenants that a token may be asked for; `["*"]` for all.',
    (["*"], ["fabrikam.onmicrosoft.com"]),
    environment=("AZURE_ADDITIONALLY_ALLOWED_TENANTS",),
    alias="allowed_tenants",
    also_called="tenants additionaltenants auxiliarytenantids othertenants",
    item='A GUID or a domain name; `"*"` means every tenant.',
)
"""The declaration of `additionally_allowed_tenants`."""


@record
class Inspection:
    """What `credconf doctor` reports about what a token depends on.

    Attributes:
        summary: one sentence, without a secret.
        details: more sentences.
    """

    summary: str
    details: tuple[str, ...] = ()


class CommonSettings(BaseModel):
    """The fields that all kinds share.

    Attributes:
        proof: the field from which the kind is inferred; `None` for a kind that must be named.
        azure_identity: the class of azure-identity for the same purpose.
        also_called: the names that other tools use for the kind, in lower case without `-` and `_`.
        allowed_by: the word in `allow=` that the kind needs.
        yields: whether its proof, if only an `AZURE_` variable gives it, gives way to another proof.
        seals: whether its proof can encrypt shared tokens: it stays the same, and only its owner has it.
        inspected: what `inspect` looks at: an `assertion`, or an `identity endpoint`; `None` for nothing.
        ends_by: the setting that holds the expiry of the proof, if the proof itself does not.
        renewal: what to do when the proof expires.
    """

    model_config = STRICT

    proof: ClassVar[str | None] = None
    azure_identity: ClassVar[str] = ""
    also_called: ClassVar[str] = ""
    allowed_by: ClassVar[str | None] = None
    yields: ClassVar[bool] = False
    seals: ClassVar[bool] = True
    inspected: ClassVar[str | None] = None
    ends_by: ClassVar[str | None] = None
    renewal: ClassVar[str] = "Make a new one."

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
        """Return the candidates for the proof, the preferred one first; none for a kind that `acquire`s its tokens."""
        return ()

    def proofs(self, reader: Reader) -> Iterator[tuple[str, Proof | NotFound]]:
        """Yield each proof with its path, in the order of the candidates. Each is read when it is yielded."""
        for candidate in self.candidates():
            found = candidate.read(reader)
            yield getattr(found, "path", None) or candidate.path, found

    def acquire(self, request: TokenRequest, reader: Reader, *, retries: bool) -> Answer | Failure:
        """Get a token without a proof: from another service or a program.

        Args:
            request: the scopes, tenant and claims.
            reader: the environment, and what sends requests and runs programs, within `seconds`.
            retries: whether a failed attempt may be repeated.
        """
        raise NotImplementedError

    def lacks(self, reader: Reader) -> Iterator[tuple[str, NotFound]]:  # noqa: ARG002 - most kinds need nothing more
        """Yield, by path, what this machine lacks for the kind, besides the references."""
        yield from ()

    def instead_of_entra(self, reader: Reader, options: TransportOptions) -> HttpClient | None:  # noqa: ARG002 - as above
        """Return what sends token requests somewhere else than to Entra; `None` for most."""
        return None

    def inspect(self, reader: Reader) -> Inspection | NotFound:
        """Look at what a token depends on besides Entra, for `credconf doctor`: an assertion, or an endpoint.

        Args:
            reader: the environment, and what sends requests.
        """
        raise NotImplementedError

    def tenants(self) -> tuple[str, ...]:
        """Return the tenants for which a token may be requested, besides the configured one."""
        return ()

    def named_by(self, identity: Identity) -> str:
        """Return the name of the credential in logs."""
        client = identity.shown("client_id")
        return f"client {client}" if client else type(self).model_fields["kind"].default

    def variables(self) -> tuple[str, ...]:
        """Return the variables of the process environment that decide where a token comes from."""
        return ()

    def __getstate__(self) -> dict[Any, Any]:
        """Refuse to pickle a literal secret. Settings with references can be pickled.

        Raises:
            TypeError: it holds a secret.
        """
        refuse_to_pickle_secrets(self)
        return super().__getstate__()

    @model_validator(mode="after")
    def _can_share(self) -> Self:
        cache = self.token_cache
        if self.seals or cache.kind == "memory":
            return self
        kind = type(self).model_fields["kind"].default
        if self.proof is None:
            raise fault(
                "conflict", f"tokens of `kind: {kind}` are kept in memory only", "remove it", step="token_cache"
            )
        if "key" in OWN_SETTINGS[cache.kind] and cache.key is None:
            message = "`token_cache.key` is not set, and an assertion can't encrypt shared tokens"
            raise fault("missing", message, "add `token_cache: {key: {file: PATH}}`", step="token_cache")
        return self


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
            "An Azure region's own endpoint, or `tryautodetect`.",
            ("westus2", "tryautodetect"),
            environment=("AZURE_REGIONAL_AUTHORITY_NAME",),
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
