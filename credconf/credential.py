"""The synchronous credential, for every Azure SDK client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .assembly import blueprint_from_portable, digest
from .engine import Engine
from .entra.request import refuse_misspelt
from .entra.user import user_of
from .sharing import shared

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

    from .entra.request import Key
    from .entra.user import User
    from .tokens.cache import Token

_Face = TypeVar("_Face", bound="CredentialBase")


class CredentialBase:
    """The common part of synchronous and asynchronous credentials. Each holds an engine until it is closed.

    A credential on behalf of a user holds none: it uses the engine of its application's, as long as that is open.
    """

    # A traceback with locals may show an instance whose constructor raised.
    _engine: Engine | None = None
    _description: dict[str, Any] | None = None
    _application: CredentialBase | None = None
    _user: User | None = None

    def __init__(self, engine: Engine, name: str | None = None) -> None:
        engine.hold()
        self._engine = engine
        self._name = name
        engine.log.name(name)
        # For cache hits: one lookup and two comparisons, without a call of another method.
        self._tokens: dict[Key, Token] = engine.tokens
        self._now = engine.now
        self._monotonic = engine.monotonic

    def _open(self) -> Engine:
        if self._engine is None:
            message = "the credential is closed: create a new one, or close it later"
            raise ValueError(message)
        return self._engine if self._application is None else self._application._open()  # noqa: SLF001 - of the same class

    def _release(self) -> None:
        engine: Engine | None = self.__dict__.pop("_engine", None)  # in one step: two threads may close it
        self._tokens = {}
        if engine is not None:
            self._description = _description(engine, self._name)
            if self._application is None:
                engine.release()

    def _acting_for(self, user: User | ValueError | TypeError, face: type[_Face]) -> _Face:
        """Make a credential of this engine on behalf of a user, or raise the error."""
        if not isinstance(user, Exception):
            user = self._refusal(self._open()) or user
        if isinstance(user, Exception):
            raise user
        made = object.__new__(face)
        made._engine, made._name = self._engine, self._name
        made._application, made._user = self, user
        made._tokens, made._now, made._monotonic = {}, self._now, self._monotonic
        return made

    def _refusal(self, engine: Engine) -> ValueError | None:
        """Why there can be no credential on behalf of a user."""
        settings = engine.blueprint.settings
        if self._user is not None:
            return ValueError("the credential acts on behalf of a user: call on_behalf_of() of the application's own")
        if settings.proof is None:
            return ValueError(
                f"a credential of `kind: {settings.kind}` can't act on behalf of a user: that takes one with "
                "client_secret, client_certificate or client_assertion"
            )
        return None

    def describe(self) -> dict[str, Any]:
        """Describe the identity, without secrets and without values that were read from files.

        Returns:
            `kind`, `name`, `tenant_id`, `client_id`, `authority`, `cloud`, `oidc_authority` and `region`; and `proof`,
            the reference of the secret that worked last, such as `client_secret.1 (/run/secrets/old)`.
        """
        return self._description or {} if self._engine is None else _description(self._engine, self._name)

    def __copy__(self) -> Self:
        engine = self._open()
        if self._application is not None and self._user is not None:
            return self._application._acting_for(self._user, type(self))  # noqa: SLF001 - of the same class
        twin = object.__new__(type(self))
        CredentialBase.__init__(twin, engine, self._name)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the secret, whose reference is read again.

        Raises:
            TypeError: the settings hold a literal secret, there is an `http_client`, or it acts on behalf of a user.
        """
        if self._application is not None:
            message = "a credential on behalf of a user can't be pickled: it holds the user's token"
            raise TypeError(message)
        return _revived, (type(self), self._name, self._open().blueprint.portable())

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.describe().items() if value is not None)
        whose = "" if self._application is None else ", on behalf of a user"
        return f"{type(self).__name__}({shown}{whose})"


def _revived(face: type[CredentialBase], name: str | None, portable: tuple[Any, ...]) -> CredentialBase:
    plan = blueprint_from_portable(*portable)
    engine = shared(digest(plan), lambda: Engine(plan))
    credential = object.__new__(face)
    CredentialBase.__init__(credential, engine, name)
    engine.release()  # the credential's own hold replaces the one that kept the engine until now
    return credential


def _description(engine: Engine, name: str | None) -> dict[str, Any]:
    settings, identity = engine.blueprint.settings, engine.blueprint.identity
    shown = {
        field: identity.shown(field) for field in ("tenant_id", "client_id", "authority", "oidc_authority", "region")
    }
    cloud = getattr(settings, "cloud", None)
    return {"kind": settings.kind, "name": name, **shown, "cloud": cloud, "proof": engine.proof_in_use()}


class Credential(CredentialBase):
    """A credential for one identity, for every Azure SDK client. `from_config()` and `build()` make it.

    It satisfies azure-core's `TokenCredential` and `SupportsTokenInfo`. Any number of threads can share it, and it
    survives a fork. Close it, or use it in a `with` block, when the process goes on without it.
    """

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,  # azure-core's protocol demands it; unknown options are ignored
    ) -> AccessToken:
        """Return an access token for the scopes, from memory or from Entra ID. Concurrent calls share one request.

        Args:
            *scopes: at least one, such as `https://storage.azure.com/.default`.
            claims: the claims of a claims challenge, as JSON. A new token is then requested, whatever is in memory.
            tenant_id: another tenant than the configured one, if `additionally_allowed_tenants` permits it.
            enable_cae: whether the caller handles claims challenges (Continuous Access Evaluation).
            **kwargs: ignored, unless one is a misspelling of the above.

        Returns:
            The token, and its expiry as a Unix time in seconds.

        Raises:
            AuthenticationError: Entra ID refused the request or could not be reached.
            CredentialUnavailableError: a reference of the configuration can't be read now.
            ValueError: there is no scope, the tenant is invalid, or the credential is closed.
            TypeError: a scope, the claims or the tenant is not text, or a keyword is misspelt.
        """
        if kwargs:
            refuse_misspelt("get_token", kwargs)
        if not (claims or tenant_id or enable_cae):
            try:
                token = self._tokens[scopes]
            except (KeyError, TypeError):  # a list is not hashable; the engine checks scopes
                pass
            else:
                if self._now() < token.due and self._monotonic() < token.monotonic_due:
                    return token.access
        return self._token("get_token", scopes, claims, tenant_id, cae=enable_cae).access

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return an access token as `get_token()` does, with its type and the time to refresh it.

        Args:
            *scopes: at least one, such as `https://storage.azure.com/.default`.
            options: `claims`, `tenant_id` and `enable_cae`, as in `get_token()`. Others are ignored, unless one is a
                misspelling of these.

        Returns:
            The token, its expiry and refresh time as Unix times in seconds, and its type.

        Raises:
            AuthenticationError: Entra ID refused the request or could not be reached.
            CredentialUnavailableError: a reference of the configuration can't be read now.
            ValueError: there is no scope, the tenant is invalid, or the credential is closed.
            TypeError: a scope, the claims or the tenant is not text, or an option is misspelt.
        """
        if not options:
            try:
                token = self._tokens[scopes]
            except (KeyError, TypeError):  # a list is not hashable; the engine checks scopes
                pass
            else:
                if self._now() < token.due and self._monotonic() < token.monotonic_due:
                    return token.info
            return self._token("get_token_info", scopes, None, None, cae=False).info
        refuse_misspelt("get_token_info", options)
        claims, tenant_id, cae = options.get("claims"), options.get("tenant_id"), options.get("enable_cae", False)
        return self._token("get_token_info", scopes, claims, tenant_id, cae=bool(cae)).info

    def _token(
        self, method: str, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, cae: bool
    ) -> Token:
        engine = self._open()
        return engine.token(engine.request(method, scopes, claims, tenant_id, cae=cae, user=self._user))

    def verify(self, *scopes: str, timeout: float | None = None) -> AccessTokenInfo:
        """Request a token from Entra ID now, once, whatever is in memory: for readiness probes.

        A failure removes no valid token from memory.

        Args:
            *scopes: at least one, such as `https://storage.azure.com/.default`.
            timeout: the time limit in seconds, at most `http.total_timeout`, which is the default.

        Returns:
            The new token, its expiry and refresh time as Unix times in seconds, and its type.

        Raises:
            AuthenticationError: Entra ID refused the request or could not be reached. The message explains its code.
            ValueError: there is no scope, or the credential is closed.
        """
        engine = self._open()
        return engine.verify(engine.request("verify", scopes, None, None, cae=False, user=self._user), timeout).info

    def on_behalf_of(self, user_assertion: str) -> Credential:
        """Return a credential that acts on behalf of a user, with OAuth's on-behalf-of grant.

        An API calls it with the access token that its own caller sent. The tokens are for the scopes of other APIs,
        such as `https://graph.microsoft.com/User.Read`. They are cached in this process only, by a keyed digest of the
        user's token.

        The new credential needs no `close()`: it can be used until this one is closed. It can't be pickled.

        Args:
            user_assertion: the access token of the user, for this application. credconf does not verify it.

        Returns:
            The credential of the user.

        Raises:
            ValueError: the text is empty or no JWT; the kind has no proof for the grant, such as a managed identity; or
                the credential is closed or acts on behalf of a user already.
            TypeError: the user's token is not text.
        """
        user = user_of(user_assertion)
        del user_assertion  # a traceback with locals shows this frame
        return self._acting_for(user, Credential)

    def close(self) -> None:
        """Release the engine. The last credential that uses an engine closes its connections and its `http_client`."""
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
