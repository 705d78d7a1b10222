"""The settings that all kinds of credentials share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self, TypeAlias, TypedDict

from pydantic import BaseModel, Field, model_validator

from credconf.ground.deferred import STRICT
from credconf.ground.records import record
from credconf.settings import formats
from credconf.settings.declaration import (
    Setting,
)
from credconf.settings.faults import fault
from credconf.settings.fields import PlainText, Scopes, refuse_to_pickle_secrets
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
    "The kind of credential. Required only if credconf can't infer it from a secret, certificate or assertion.",
    ("client_secret",),
    environment=("AZURE_TOKEN_CREDENTIALS",),
    also_called="type authtype authmethod authentication authenticationtype credentialtype credential method",
)
"""The declaration of `kind`, for every kind."""


@record
class Inspection:
    """A finding of `credconf doctor` about a prerequisite of a token.

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
        exclusive: settings of which one may be given. One that only an `AZURE_` variable gives yields to another.
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
    exclusive: ClassVar[tuple[str, ...]] = ()
    seals: ClassVar[bool] = True
    inspected: ClassVar[str | None] = None
    ends_by: ClassVar[str | None] = None
    renewal: ClassVar[str] = "Create a new one."

    http: Annotated[HttpSettings, Setting("HTTP settings for requests to Entra.", ({"timeout": 5, "retries": 5},))] = (
        Field(default_factory=HttpSettings)
    )
    token_cache: Annotated[
        TokenCacheSettings,
        Setting(
            "The token cache: its place and size.",
            ({"kind": "file", "name": "billing"}, {"kind": "redis", "url": {"env": "REDIS_URL"}}),
            also_called="cache cachepersistenceoptions tokencachepersistenceoptions",
        ),
    ] = Field(default_factory=TokenCacheSettings)
    prefetch: Annotated[
        Scopes,
        Setting(
            "Scopes whose tokens credconf fetches in the background when it builds the credential.",
            (["https://storage.azure.com/.default"],),
            item="The scope of a service: its URL and `/.default`.",
        ),
    ] = ()
    env_prefix: Annotated[
        PlainText | None,
        Setting(
            "The prefix of the variables, `<PREFIX><FIELD>`, instead of the usual ones. `null` reads none.",
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
