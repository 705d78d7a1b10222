"""The asynchronous credentials, which use the same engine as the synchronous ones.

A cache hit returns at once. A request runs in a thread of credconf, so that it blocks no event loop, and the
cancellation of one caller does not cancel others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .azure_identity.companions import (
    AzureAuthorityHosts,
    TokenCachePersistenceOptions,
    get_async_bearer_token_provider,
)
from .azure_identity.plans import (
    assertion_plan,
    certificate_plan,
    environment_plan,
    managed_identity_plan,
    secret_plan,
    workload_plan,
)
from .credential import CredentialBase
from .entra.request import refuse_misspelt
from .entra.user import user_of
from .factory import engine_for, plan_of, request_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
    from types import TracebackType
    from typing import Literal, Self, Unpack

    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
    from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

    from .azure_identity.options import CertificateOptions, ManagedIdentityOptions, Options, WorkloadOptions
    from .config.resolution import Resolved
    from .entra.http import HttpClient
    from .factory import StrPath
    from .kinds import Overrides, Settings
    from .tokens.cache import Token

__all__ = [
    "AzureAuthorityHosts",
    "CertificateCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "Credential",
    "EnvironmentCredential",
    "ManagedIdentityCredential",
    "TokenCachePersistenceOptions",
    "WorkloadIdentityCredential",
    "build",
    "from_config",
    "get_bearer_token_provider",
]


if not TYPE_CHECKING:  # a type checker would take every name for one of this module

    def __getattr__(name: str) -> object:
        from .problems.azure_identity_names import absent

        raise absent(__name__, name)


class Credential(CredentialBase):
    """The asynchronous `credconf.Credential`, for any number of event loops.

    It satisfies azure-core's `AsyncTokenCredential` and `AsyncSupportsTokenInfo`.
    """

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,  # azure-core's protocol demands it; unknown options are ignored
    ) -> AccessToken:
        """Return a token; see `credconf.Credential.get_token`."""
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
        """Return a token with its details; see `credconf.Credential.get_token_info`."""
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
        """Request a token from Entra now; see `credconf.Credential.verify`."""
        engine = self._open()
        request = engine.request("verify", scopes, None, None, cae=False, user=self._user)
        return (await engine.verify_async(request, timeout)).info

    def on_behalf_of(self, user_assertion: str) -> Credential:
        """Return an asynchronous credential that acts on behalf of a user; see `credconf.Credential.on_behalf_of`."""
        user = user_of(user_assertion)
        del user_assertion  # a traceback with locals shows this frame
        return self._acting_for(user, Credential)

    async def close(self) -> None:
        """Release the engine; see `credconf.Credential.close`."""
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


class ClientSecretCredential(Credential):
    """A service principal with a client secret, with the arguments of `azure.identity.aio.ClientSecretCredential`."""

    def __init__(self, tenant_id: str, client_id: str, client_secret: str, **options: Unpack[Options]) -> None:
        plan = secret_plan(type(self).__name__, tenant_id, client_id, client_secret, options)
        del client_secret, options  # a traceback with locals shows this frame
        super().__init__(plan())


class CertificateCredential(Credential):
    """A service principal with a certificate, with the arguments of `azure.identity.aio.CertificateCredential`."""

    def __init__(
        self, tenant_id: str, client_id: str, certificate_path: str | None = None, **options: Unpack[CertificateOptions]
    ) -> None:
        plan = certificate_plan(type(self).__name__, tenant_id, client_id, certificate_path, options)
        del options
        super().__init__(plan())


class ClientAssertionCredential(Credential):
    """An application with an assertion, with the arguments of `azure.identity.aio.ClientAssertionCredential`."""

    def __init__(self, tenant_id: str, client_id: str, func: Callable[[], str], **options: Unpack[Options]) -> None:
        super().__init__(assertion_plan(type(self).__name__, tenant_id, client_id, func, options)())


class WorkloadIdentityCredential(Credential):
    """An application in Kubernetes, with the arguments of `azure.identity.aio.WorkloadIdentityCredential`."""

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        token_file_path: str | None = None,
        **options: Unpack[WorkloadOptions],
    ) -> None:
        cls = type(self).__name__
        plan = workload_plan(cls, options, tenant_id=tenant_id, client_id=client_id, token_file_path=token_file_path)
        super().__init__(plan())


class ManagedIdentityCredential(Credential):
    """A managed identity, with the arguments of `azure.identity.aio.ManagedIdentityCredential`."""

    def __init__(
        self,
        *,
        client_id: str | None = None,
        identity_config: Mapping[str, str] | None = None,
        **options: Unpack[ManagedIdentityOptions],
    ) -> None:
        super().__init__(managed_identity_plan(type(self).__name__, client_id, identity_config, options)())


class EnvironmentCredential(Credential):
    """A service principal from variables, with the arguments of `azure.identity.aio.EnvironmentCredential`."""

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(environment_plan(type(self).__name__, options)())


def from_config(
    path: StrPath | Sequence[StrPath] | Literal[False] | None = None,
    *,
    name: str | None = None,
    section: str | None = None,
    env_file: StrPath | bool = True,
    environ: Mapping[str, str] | None = None,
    allow: Collection[str] = (),
    http_client: HttpClient | None = None,
    **overrides: Unpack[Overrides],
) -> Credential:
    """Make an asynchronous credential; see `credconf.from_config`, with which it shares engines."""
    request = request_for(path, name, section, env_file, environ, allow, overrides)
    del environ, overrides  # a traceback with locals shows this frame
    engine, entry = engine_for(request, http_client)
    credential = Credential(engine, entry)
    engine.release()  # its own hold replaces the one that kept the engine until now
    return credential


def build(
    configuration: Resolved | Settings | Mapping[str, Any], *, http_client: HttpClient | None = None
) -> Credential:
    """Build an asynchronous credential; see `credconf.build`."""
    plan = plan_of(configuration, http_client)
    del configuration  # a traceback with locals shows this frame
    return Credential(*plan())


def get_bearer_token_provider(
    credential: AsyncTokenCredential | AsyncSupportsTokenInfo, *scopes: str
) -> Callable[[], Coroutine[Any, Any, str]]:
    """Return a coroutine function that returns a token's text, as OpenAI's asynchronous client takes it.

    Args:
        credential: of credconf, or any other of azure-core's protocol.
        *scopes: at least one, such as `https://cognitiveservices.azure.com/.default`.

    Returns:
        A coroutine function without arguments. Each call returns a valid token, from memory where there is one; it
        raises what the credential's `get_token` raises.

    Raises:
        ValueError: there is no scope.
        TypeError: the credential is none; a scope is not text.
    """
    return get_async_bearer_token_provider(credential, *scopes)
