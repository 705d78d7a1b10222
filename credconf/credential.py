"""The synchronous face: a credential for every Azure SDK client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .assembly import digest, ported
from .engine import Engine
from .sharing import shared

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

    from .entra.request import Key
    from .tokens.cache import Token


class Holder:
    """What both faces are: somebody who holds an engine, until closed."""

    # A traceback with locals shows an instance whose constructor has raised, too.
    _engine: Engine | None = None
    _description: dict[str, Any] | None = None

    def __init__(self, engine: Engine, name: str | None = None) -> None:
        self._engine = engine.hold()
        self._name = name
        engine.log.name(name)
        # For the hot path: a look-up and two comparisons, without a call of ours.
        self._tokens: dict[Key, Token] = engine.tokens
        self._now = engine.now
        self._monotonic = engine.monotonic

    def _open(self) -> Engine:
        if self._engine is None:
            message = "the credential is closed"
            raise ValueError(message)
        return self._engine

    def _release(self) -> None:
        engine, self._engine = self._engine, None
        self._tokens = {}
        if engine is not None:
            self._description = _description(engine, self._name)
            engine.release()

    def describe(self) -> dict[str, Any]:
        """Which identity this is: no secret, and nothing that a reference read from a file.

        Returns:
            `kind`, `name`, `tenant_id`, `client_id`, `authority`, `cloud`, `oidc_authority`, `region`; and `proof`:
            which reference gave the secret that worked last, such as `client_secret.1 (/run/secrets/old)`.
        """
        return self._description or {} if self._engine is None else _description(self._engine, self._name)

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        Holder.__init__(twin, self._open(), self._name)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the secret, which is found again by its reference.

        Raises:
            TypeError: the settings hold a secret themselves, or there is an `http_client`.
        """
        return _revived, (type(self), self._name, self._open().blueprint.portable())

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.describe().items() if value is not None)
        return f"{type(self).__name__}({shown})"


def _revived(face: type[Holder], name: str | None, portable: tuple[Any, ...]) -> Holder:
    plan = ported(*portable)
    engine = shared(digest(plan), lambda: Engine(plan))
    credential = object.__new__(face)
    Holder.__init__(credential, engine, name)
    engine.release()  # the credential's own hold replaces the one that kept the engine until now
    return credential


def _description(engine: Engine, name: str | None) -> dict[str, Any]:
    settings, identity = engine.blueprint.settings, engine.blueprint.identity
    shown = {
        field: identity.shown(field) for field in ("tenant_id", "client_id", "authority", "oidc_authority", "region")
    }
    return {"kind": settings.kind, "name": name, **shown, "cloud": settings.cloud, "proof": engine.proof_in_use()}


class Credential(Holder):
    """Tokens for one service principal; `from_config()` and `build()` make it.

    It satisfies azure-core's `TokenCredential` and `SupportsTokenInfo`, and is safe for any number of threads.
    """

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,  # noqa: ARG002 - azure-core's protocol demands it; unknown options are ignored
    ) -> AccessToken:
        """A token for the scopes: from memory, or requested from Entra once for all who ask for it now.

        Args:
            *scopes: at least one, such as `https://storage.azure.com/.default`.
            claims: of a claims challenge, as JSON; a new token is requested.
            tenant_id: another tenant, if the configuration allows it.
            enable_cae: announce that the caller handles claims challenges.
            **kwargs: ignored.

        Returns:
            The token, and the second of Unix time in which it expires.

        Raises:
            AuthenticationError: Entra refused, or could not be asked.
            CredentialUnavailableError: a reference of the configuration can't be read now.
            ValueError: no scopes, a tenant that is none, or a closed credential.
            TypeError: a scope, the claims or the tenant is no text.
        """
        if not (claims or tenant_id or enable_cae):
            try:
                token = self._tokens[scopes]
            except (KeyError, TypeError):  # a list is no key; what scopes are is said below
                pass
            else:
                if self._now() < token.due and self._monotonic() < token.monotonic_due:
                    return token.access
        return self._token("get_token", scopes, claims, tenant_id, cae=enable_cae).access

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """As `get_token`, with the token's type and the time to refresh it.

        Args:
            *scopes: at least one.
            options: `claims`, `tenant_id`, `enable_cae`; others are ignored.

        Returns:
            The token, its expiry and refresh time in seconds of Unix time, and its type.

        Raises:
            AuthenticationError: Entra refused, or could not be asked.
            CredentialUnavailableError: a reference of the configuration can't be read now.
            ValueError: no scopes, a tenant that is none, or a closed credential.
            TypeError: a scope, the claims or the tenant is no text.
        """
        if not options:
            try:
                token = self._tokens[scopes]
            except (KeyError, TypeError):  # a list is no key; what scopes are is said below
                pass
            else:
                if self._now() < token.due and self._monotonic() < token.monotonic_due:
                    return token.info
            return self._token("get_token_info", scopes, None, None, cae=False).info
        claims, tenant_id, cae = options.get("claims"), options.get("tenant_id"), options.get("enable_cae", False)
        return self._token("get_token_info", scopes, claims, tenant_id, cae=bool(cae)).info

    def _token(
        self, method: str, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, cae: bool
    ) -> Token:
        engine = self._open()
        return engine.token(engine.request(method, scopes, claims, tenant_id, cae=cae))

    def verify(self, *scopes: str, timeout: float | None = None) -> AccessTokenInfo:
        """Ask Entra now, once, whatever is cached: for readiness probes.

        A failure evicts no token that is valid.

        Args:
            *scopes: at least one.
            timeout: seconds; the configured `total_timeout` at most, and without it.

        Raises:
            AuthenticationError: Entra gave no token; the message says what its code asks for.
            ValueError: no scopes, or a closed credential.
        """
        engine = self._open()
        return engine.verify(engine.request("verify", scopes, None, None, cae=False), timeout).info

    def close(self) -> None:
        """Release the engine; the last credential that uses it closes its connections (an `http_client`, too)."""
        self._release()

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()
