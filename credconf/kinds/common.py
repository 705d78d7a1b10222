"""What every kind of credential can be told. The kinds add their own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from credconf.entra.identity import Identity
from credconf.ground.files import unusable_bundle
from credconf.ground.models import STRICT
from credconf.problems.printable import printable
from credconf.references import EnvReference, FileReference, NotFound
from credconf.settings import clouds
from credconf.settings.fields import (
    AllowedTenants,
    Authority,
    CertificateBytes,
    OidcAuthority,
    PlainText,
    Proxy,
    Region,
    Scopes,
    Tenant,
    Text,
    fault,
)
from credconf.stores.token_cache import TokenCacheSettings, redis_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credconf.entra.proof import Candidate, Proof
    from credconf.references import Reader


def _unpicklable() -> TypeError:
    return TypeError("settings that hold a secret can't be pickled: use a reference, such as {file: PATH}")


class HttpSettings(BaseModel):
    """How Entra is reached."""

    model_config = STRICT

    timeout: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = Field(
        default=10.0, description="Seconds that one attempt may take to connect, and to wait for bytes.", examples=[5]
    )
    total_timeout: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = Field(
        default=30.0,
        description="Seconds that a token may take altogether, retries and waits included.",
        examples=[60],
    )
    retries: Annotated[int, Field(ge=0, le=10)] = Field(
        default=3, description="How often a failed attempt (network, 408, 429, 5xx) is repeated.", examples=[5]
    )
    proxy: Proxy | None = Field(
        default=None,
        description="URL of a proxy; default: `HTTPS_PROXY`.",
        examples=["http://proxy.example.com:8080", {"env": "MY_PROXY"}],
    )
    ca_bundle: PlainText | None = Field(
        default=None,
        description="File or directory of certificates to trust; default: `REQUESTS_CA_BUNDLE`.",
        examples=["/etc/ssl/certs/ca-certificates.crt"],
    )

    @field_validator("timeout", "total_timeout", "retries", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        if isinstance(value, bool):  # which Python takes for 1
            raise fault("bad-value", "this must be a number, not a boolean")
        return value

    def __getstate__(self) -> dict[Any, Any]:
        """As that of the settings around it.

        Raises:
            TypeError: the proxy's URL holds a password.
        """
        if isinstance(self.proxy, SecretStr) and "@" in self.proxy.get_secret_value():
            raise _unpicklable()
        return super().__getstate__()


class CommonSettings(BaseModel):
    """The fields that all kinds share; the names are azure-identity's.

    `authority` is always set once a model is validated (from `cloud`, whose default is `public`), except for a
    generic OpenID Connect server, which has `oidc_authority` instead.
    """

    model_config = STRICT

    proof: ClassVar[str]
    """The field whose presence tells the kind."""

    tenant_id: Tenant | None = Field(
        default=None,
        description="The tenant (directory): a GUID or a domain name.",
        examples=["72f988bf-86f1-41af-91ab-2d7cd011db47", "contoso.onmicrosoft.com"],
    )
    client_id: Text = Field(
        description="The application (client) id of the service principal.",
        examples=["11111111-1111-1111-1111-111111111111"],
    )
    cloud: Literal["public", "usgov", "china"] | None = Field(
        default=None,
        description="The Azure cloud, which presets `authority`; `public` where neither is given.",
        examples=["usgov"],
    )
    authority: Authority | None = Field(
        default=None,
        description="The host of Entra ID, as a name or https:// URL; instead of `cloud`.",
        examples=["login.microsoftonline.us"],
    )
    oidc_authority: OidcAuthority | None = Field(
        default=None,
        description="A generic OpenID Connect server instead of Entra ID; its URL has a path.",
        examples=["https://idp.example.com/oauth"],
    )
    additionally_allowed_tenants: AllowedTenants = Field(
        default=(),
        description='Other tenants that a token may be asked for; `["*"]` for all.',
        examples=[["*"], ["fabrikam.onmicrosoft.com"]],
    )
    disable_instance_discovery: bool = Field(
        default=False,
        description="Trust an authority that is not well known without asking Microsoft about it.",
        examples=[True],
    )
    region: Region | None = Field(
        default=None,
        description="An Azure region's own endpoint, or `tryautodetect`.",
        examples=["westus2", "tryautodetect"],
    )
    http: HttpSettings = Field(
        default_factory=HttpSettings, description="How Entra is reached.", examples=[{"timeout": 5, "retries": 5}]
    )
    token_cache: TokenCacheSettings = Field(
        default_factory=TokenCacheSettings,
        description="Where tokens are kept.",
        examples=[{"kind": "file", "name": "billing"}, {"kind": "redis", "url": {"env": "REDIS_URL"}}],
    )
    prefetch: Scopes = Field(
        default=(),
        description="Scopes whose tokens are fetched when the credential is built.",
        examples=[["https://storage.azure.com/.default"]],
    )
    env_prefix: PlainText | None = Field(
        default=None,
        description="Listen to `<PREFIX><FIELD>` variables instead of the usual ones; with `null`, to none.",
        examples=["REPORTS_"],
    )

    def candidates(self) -> tuple[Candidate, ...]:
        """The ways to come by a proof, the preferred one first; reading them is up to the caller."""
        raise NotImplementedError

    def proofs(self, reader: Reader) -> Iterator[tuple[str, Proof | NotFound]]:
        """Each proof with its path, in the order of the candidates, read when the iteration comes to it."""
        for candidate in self.candidates():
            found = candidate.read(reader)
            yield getattr(found, "path", None) or candidate.path, found

    def __getstate__(self) -> dict[Any, Any]:
        """Pickling writes what it finds: a model that holds a secret itself, not by reference, can't be pickled.

        Raises:
            TypeError: it holds a secret.
        """
        held = [item for _, value in self for item in (value if isinstance(value, tuple) else (value,))]
        if any(isinstance(item, SecretStr | CertificateBytes) for item in held):
            raise _unpicklable()
        return super().__getstate__()

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        return with_authority(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _somewhere(self) -> CommonSettings:
        if self.oidc_authority is None and self.tenant_id is None:
            raise fault("missing", "`tenant_id` is not set", step="tenant_id")
        return self


def groups_of(model: type[BaseModel]) -> dict[str, tuple[str, ...]]:
    """The fields of a model that are groups of settings, with the settings in them."""
    models = {name: field.annotation for name, field in model.model_fields.items()}
    return {
        name: tuple(inner.model_fields)
        for name, inner in models.items()
        if isinstance(inner, type) and issubclass(inner, BaseModel)
    }


def with_authority(data: dict[str, Any]) -> dict[str, Any]:
    """The same fields with the authority that their cloud presets; both at once are a fault unless they agree."""
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
        return data  # an unknown cloud is the field's own fault to report
    if "authority" in given:
        raise fault("conflict", "`cloud` and `authority` exclude each other", "keep one of them", step="authority")
    return {**data, "cloud": cloud, "authority": preset}


_Field: TypeAlias = str | SecretStr | EnvReference | FileReference | None


def identify(settings: CommonSettings, reader: Reader) -> Identity | list[tuple[str, NotFound]]:
    """Read the references among the texts of a configuration, or say (path, why) which can't be used."""
    failures: list[tuple[str, NotFound]] = []
    hidden: set[str] = set()

    def text(path: str, value: _Field, rule: Callable[[str], str] | None = None) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        found = reader.text(value)
        if isinstance(found, str) and rule is not None:
            found = by_rule(found.strip(), value.label, rule)
        if isinstance(found, NotFound):
            failures.append((path, found))
            return None
        if not isinstance(value, EnvReference):
            hidden.add(path)
        return found.strip()

    cache = settings.token_cache
    redis = cache.kind == "redis"
    identity = Identity(
        client_id=text("client_id", settings.client_id) or "",
        tenant_id=text("tenant_id", settings.tenant_id, clouds.tenant),
        authority=text("authority", settings.authority, clouds.authority),
        oidc_authority=text("oidc_authority", settings.oidc_authority, clouds.oidc_authority),
        region=text("region", settings.region, clouds.region),
        proxy=text("http.proxy", settings.http.proxy, clouds.proxy),
        cache_url=text("token_cache.url", cache.url if redis else None, redis_url),
        hidden=frozenset(hidden),
    )
    key = reader.text(cache.key) if redis and isinstance(cache.key, EnvReference | FileReference) else None
    failures += [("token_cache.key", key)] if isinstance(key, NotFound) else []
    return failures or identity


def by_rule(text: str, label: str, rule: Callable[[str], str]) -> str | NotFound:
    """A text that was read, as its rule writes it, or what is wrong with it; not what is in it."""
    try:
        return rule(text)
    except clouds.BadName as exc:
        return NotFound("bad-value", f"{label}: {exc}")
    except ValueError:  # of a library, and it holds the text
        return NotFound("bad-value", f"{label}: this is not a usable value")


def unusable_certificates(settings: CommonSettings) -> NotFound | None:
    """Why the certificates of `http.ca_bundle` can't be read."""
    path = settings.http.ca_bundle
    why = None if path is None else unusable_bundle(path)
    if path is None or why is None:
        return None
    return NotFound(why.code, f"{printable(path)} {why.reason}", "check the path")
