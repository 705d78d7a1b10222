"""The asynchronous credentials, which use the same engines as the synchronous ones.

A token that is in memory is returned at once. A request runs in one of credconf's threads, so it blocks no event loop,
and the cancellation of one caller does not cancel others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credconf.azure_identity.companions import (
    AzureAuthorityHosts,
    TokenCachePersistenceOptions,
    get_async_bearer_token_provider,
)
from credconf.factory import engine_for, plan_of, request_for

from .face import Credential
from .twins import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
    from typing import Literal, Unpack

    from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

    from credconf.config.resolution import Resolved
    from credconf.entra.http import HttpClient
    from credconf.factory import StrPath
    from credconf.kinds import Overrides, Settings

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
        from credconf.problems.azure_identity_names import absent

        raise absent(__name__, name)


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
    """Make an asynchronous credential from a YAML file, the environment, `.env` and keyword arguments.

    The highest source that gives a value wins: keyword arguments, then the process environment, `.env`, and the YAML
    file. The configuration is validated at once, with all problems in one error. No request is sent before a token is
    needed, unless the configuration has `prefetch`.

    Calls that resolve to the same identity and options share one engine, with its tokens and connections, also
    with the synchronous `credconf.from_config()`.

    Example:
        ```python
        import credconf.aio
        from azure.storage.blob.aio import BlobServiceClient

        async with credconf.aio.from_config("credconf.yaml", name="billing") as credential:
            client = BlobServiceClient(url, credential=credential)
        ```

    Args:
        path: a YAML file, or several as layers, of which a later one wins; `False` for none. By default, the files that
            the variable `CREDCONF_FILE` names, or else `credconf.yaml` in the working directory if it exists.
        name: the entry to use, in a file with several named credentials. By default, the one that the variable
            `CREDCONF_NAME` names, or else the file's `default`.
        section: the dotted path of the configuration inside an application's own YAML, such as `azure.storage`.
        env_file: a `.env` file. `True` reads the one in the working directory if it exists; `False` reads none.
        environ: variables to use instead of the process environment; `{}` for none.
        allow: what the configuration may do besides reading files and variables: `{"command"}` lets a
            `{command: [...]}` reference run a program, `{"azure_cli"}` lets `kind: azure_cli` use the user who is
            signed in to the Azure CLI.
        http_client: sends the requests instead of credconf's own client: an object with `get`, `post` and `close`, as
            MSAL takes one. It is closed with the last credential that uses it.
        **overrides: settings, such as `tenant_id="..."` or `client_secret={"env": "NAME"}`. They win over every other
            source; `None` counts as not given.

    Returns:
        A credential for every asynchronous Azure SDK client. `close()` or the end of an `async with` block releases its
        connections.

    Raises:
        ConfigError: the configuration has errors. It holds every problem, with its place and a hint.
        TypeError: an argument that is not a setting has a wrong type.
        ValueError: `allow` contains an unknown word.
    """
    request = request_for(path, name, section, env_file, environ, allow, overrides)
    del path, name, section, env_file, environ, allow, overrides  # a traceback with locals shows this frame
    engine, entry = engine_for(request, http_client)
    credential = Credential(engine, entry)
    engine.release()  # its own hold replaces the one that kept the engine until now
    return credential


def build(
    configuration: Resolved | Settings | Mapping[str, Any], *, http_client: HttpClient | None = None
) -> Credential:
    """Make an asynchronous credential from settings, without reading a file or variable of configuration.

    References in the settings are read: a relative `{file: ...}` starts at the working directory, `{env: ...}` is a
    variable of the process. If the settings name no proxy and no certificates, the machine's `HTTPS_PROXY`, `NO_PROXY`
    and `REQUESTS_CA_BUNDLE` apply. Unlike `from_config()`, each call has tokens and connections of its own.

    Args:
        configuration: the result of `load()`, a settings model, or a mapping of settings.
        http_client: sends the requests instead of credconf's own client: an object with `get`, `post` and `close`, as
            MSAL takes one. It is closed with the credential.

    Returns:
        A credential for asynchronous clients, as `from_config()` returns it.

    Raises:
        ConfigError: the settings can't be used. It holds every problem, with a hint.
        TypeError: the HTTP client lacks a method.
    """
    plan = plan_of(configuration, http_client)
    del configuration  # a traceback with locals shows this frame
    return Credential(*plan())


def get_bearer_token_provider(
    credential: AsyncTokenCredential | AsyncSupportsTokenInfo, *scopes: str
) -> Callable[[], Coroutine[Any, Any, str]]:
    """Return a coroutine function that returns the text of a token, for clients such as OpenAI's `AsyncAzureOpenAI`.

    Args:
        credential: a credential of credconf, or any other that satisfies azure-core's protocol.
        *scopes: at least one, such as `https://cognitiveservices.azure.com/.default`.

    Returns:
        A coroutine function without arguments. Each call returns a valid token, from memory if there is one, and raises
        what the credential's `get_token` raises.

    Raises:
        ValueError: there is no scope.
        TypeError: the credential has no `get_token`, or a scope is not text.
    """
    return get_async_bearer_token_provider(credential, *scopes)
