"""The companions of azure-identity's credentials: a provider of bearer tokens, hosts, options of a token cache."""

from __future__ import annotations

from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, cast

from credconf.credential import CredentialBase
from credconf.settings import clouds

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from azure.core.credentials import SupportsTokenInfo, TokenCredential
    from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential


def get_bearer_token_provider(credential: TokenCredential | SupportsTokenInfo, *scopes: str) -> Callable[[], str]:
    """Return a function that returns a token's text, as OpenAI's client takes it.

    Args:
        credential: of credconf, or any other of azure-core's protocol.
        *scopes: at least one, such as `https://cognitiveservices.azure.com/.default`.

    Returns:
        A function without arguments. Each call returns a valid token, from memory where there is one; it raises what
        the credential's `get_token` raises.

    Raises:
        ValueError: there is no scope.
        TypeError: the credential is none, or an asynchronous one; a scope is not text.
    """
    method = _checked(credential, scopes)
    if iscoroutinefunction(method):
        message = "get_bearer_token_provider() of credconf takes a synchronous credential: import credconf.aio's"
        raise TypeError(message)
    if isinstance(credential, CredentialBase):
        own = cast("SupportsTokenInfo", credential)
        return lambda: own.get_token_info(*scopes).token

    from azure.core.pipeline.policies import BearerTokenCredentialPolicy  # keeps the token, as the other may not

    policy = BearerTokenCredentialPolicy(credential, *scopes)

    def provide() -> str:
        request = _request()
        policy.on_request(request)
        return _token_in(request)

    return provide


def get_async_bearer_token_provider(
    credential: AsyncTokenCredential | AsyncSupportsTokenInfo, *scopes: str
) -> Callable[[], Coroutine[Any, Any, str]]:
    """Return a coroutine function that returns a token's text; see `credconf.aio.get_bearer_token_provider`."""
    _checked(credential, scopes)
    if isinstance(credential, CredentialBase):
        own = cast("AsyncSupportsTokenInfo", credential)

        async def provide_own() -> str:
            found: Any = own.get_token_info(*scopes)
            return str((await found if isawaitable(found) else found).token)

        return provide_own

    from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy

    policy = AsyncBearerTokenCredentialPolicy(credential, *scopes)

    async def provide() -> str:
        request = _request()
        await policy.on_request(request)
        return _token_in(request)

    return provide


def _checked(credential: object, scopes: tuple[Any, ...]) -> object:
    """Return the credential's method.

    Raises:
        ValueError: there is no scope.
        TypeError: the credential is none; a scope is not text.
    """
    method = getattr(credential, "get_token_info", None) or getattr(credential, "get_token", None)
    if not callable(method):
        message = f"get_bearer_token_provider() takes a credential with get_token, not {type(credential).__name__}"
        raise TypeError(message)
    if not scopes:
        message = (
            "get_bearer_token_provider() requires at least one scope, such as https://graph.microsoft.com/.default"
        )
        raise ValueError(message)
    for scope in scopes:
        if not isinstance(scope, str):
            kind = type(scope).__name__
            message = f"get_bearer_token_provider() takes each scope as a separate argument, which is text, not {kind}"
            raise TypeError(message)
    return method


def _request() -> Any:
    """Return a request that is never sent, for azure-core's policies to put a token into."""
    from azure.core.pipeline import PipelineContext, PipelineRequest
    from azure.core.rest import HttpRequest

    return PipelineRequest(HttpRequest("GET", "https://credconf.invalid"), PipelineContext(None))


def _token_in(request: Any) -> str:
    return str(request.http_request.headers["Authorization"]).removeprefix("Bearer ")


_GERMANY: Final = "login.microsoftonline.de"


class _Hosts(type):
    def __getattr__(cls, name: str) -> str:
        if name != "AZURE_GERMANY":
            message = f"{name} not found in {cls.__name__}: write AZURE_PUBLIC_CLOUD, AZURE_GOVERNMENT or AZURE_CHINA"
            raise AttributeError(message)
        import warnings

        warnings.warn(
            "AZURE_GERMANY is deprecated: Microsoft Cloud Germany was closed on 2021-10-29",
            DeprecationWarning,
            stacklevel=2,
        )
        return _GERMANY


class AzureAuthorityHosts(metaclass=_Hosts):
    """The hosts of Entra ID in each cloud, for `authority=`.

    Attributes:
        AZURE_PUBLIC_CLOUD: of Azure's public cloud.
        AZURE_GOVERNMENT: of Azure Government.
        AZURE_CHINA: of Azure operated by 21Vianet.
    """

    AZURE_PUBLIC_CLOUD: Final = clouds.PRESETS["public"].removeprefix("https://")
    AZURE_GOVERNMENT: Final = clouds.PRESETS["usgov"].removeprefix("https://")
    AZURE_CHINA: Final = clouds.PRESETS["china"].removeprefix("https://")


class TokenCachePersistenceOptions:
    """A token cache in a file of this user, for `cache_persistence_options=`: `token_cache: {kind: file}` as an object.

    Args:
        allow_unencrypted_storage: keep a plain file, for its owner alone, where nothing can encrypt it.
        name: of the file: processes of one user that give the same name share it. It is credconf's own file, not
            azure-identity's.

    Raises:
        TypeError: an argument has a wrong type.
    """

    def __init__(self, *, allow_unencrypted_storage: bool = False, name: str = "msal.cache") -> None:
        given: dict[str, tuple[object, type]] = {
            "allow_unencrypted_storage": (allow_unencrypted_storage, bool),
            "name": (name, str),
        }
        for argument, (value, kind) in given.items():
            if not isinstance(value, kind):
                message = f"{type(self).__name__}() takes {argument}= as {kind.__name__}, not {type(value).__name__}"
                raise TypeError(message)
        self.allow_unencrypted_storage = allow_unencrypted_storage
        self.name = name

    def __repr__(self) -> str:
        """Return the call that makes an equal object."""
        given = f"allow_unencrypted_storage={self.allow_unencrypted_storage!r}, name={self.name!r}"
        return f"{type(self).__name__}({given})"
