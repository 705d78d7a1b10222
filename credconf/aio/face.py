"""The asynchronous credential: the asynchronous face of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credconf.credential import CredentialBase
from credconf.entra.request import refuse_misspelt
from credconf.entra.user import user_of

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

    from credconf.tokens.cache import Token


class Credential(CredentialBase):
    """A credential for one identity, for every asynchronous Azure SDK client. `from_config()` and `build()` make it.

    It satisfies azure-core's `AsyncTokenCredential` and `AsyncSupportsTokenInfo`. Any number of event loops can share
    it, and it survives a fork. Close it, or use it in an `async with` block, when the process goes on without it.
    """

    async def get_token(
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
        return (await self._token("get_token", scopes, claims, tenant_id, cae=enable_cae)).access

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
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
            return (await self._token("get_token_info", scopes, None, None, cae=False)).info
        refuse_misspelt("get_token_info", options)
        claims, tenant_id, cae = options.get("claims"), options.get("tenant_id"), options.get("enable_cae", False)
        return (await self._token("get_token_info", scopes, claims, tenant_id, cae=bool(cae))).info

    async def _token(
        self, method: str, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, cae: bool
    ) -> Token:
        engine = self._open()
        return await engine.token_async(engine.request(method, scopes, claims, tenant_id, cae=cae, user=self._user))

    async def verify(self, *scopes: str, timeout: float | None = None) -> AccessTokenInfo:
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
        request = engine.request("verify", scopes, None, None, cae=False, user=self._user)
        return (await engine.verify_async(request, timeout)).info

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

    async def close(self) -> None:
        """Release the engine. The last credential that uses an engine closes its connections and its `http_client`."""
        self._release()

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
