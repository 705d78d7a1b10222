"""Credentials with a fixed token, for tests that need no server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core.credentials import AccessToken, AccessTokenInfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from azure.core.credentials import TokenRequestOptions


class TokenCall(NamedTuple):
    """One call of `get_token` or `get_token_info`.

    Attributes:
        scopes: The scopes, in their order.
        options: The given options, by name (`claims`, `tenant_id`, `enable_cae`, …).
    """

    scopes: tuple[str, ...]
    options: Mapping[str, object]


class _Static:
    """The common part of the sync and async class: the token, its expiry, and the recorded calls."""

    def __init__(
        self,
        token: str = "static-token",  # noqa: S107 - no service accepts it
        *,
        expires_on: int | None = None,
        expires_in: int = 3600,
    ) -> None:
        """Hold a token.

        Args:
            token: The text of the token.
            expires_on: The expiry in seconds since 1970; None for `expires_in` seconds after each call.
            expires_in: The seconds from each call to the expiry, if `expires_on` is None.
        """
        self._token = token
        self._expires_on = expires_on
        self._expires_in = expires_in
        self.calls: list[TokenCall] = []
        """Every call, oldest first."""
        self.closed = False
        """Whether `close()` was called, or a `with` block left. A closed credential still returns its token."""

    def __repr__(self) -> str:
        end = f"expires_in={self._expires_in}" if self._expires_on is None else f"expires_on={self._expires_on}"
        return f"<{type(self).__name__} {end} calls={len(self.calls)}>"

    def _serve(self, method: str, scopes: tuple[str, ...], options: Mapping[str, object]) -> AccessTokenInfo:
        if not scopes:
            raise ValueError(f'"{method}" requires at least one scope')
        self.calls.append(TokenCall(scopes, options))
        return AccessTokenInfo(self._token, self._end())

    def _end(self) -> int:
        return int(time.time()) + self._expires_in if self._expires_on is None else self._expires_on


class StaticCredential(_Static):
    """A synchronous credential with a fixed token: azure-core's `TokenCredential` and `SupportsTokenInfo`.

    Its token does not age: `advance()` of a fake does not change it. To let a client of the Azure SDK ask for a token
    with each request, use `expires_in=0`.

    Examples:
        >>> credential = StaticCredential("a-token", expires_on=4102444800)
        >>> credential.get_token("https://storage.azure.com/.default").token
        'a-token'
        >>> credential.calls
        [TokenCall(scopes=('https://storage.azure.com/.default',), options={})]
    """

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Return the token.

        Args:
            *scopes: At least one scope; recorded, not checked.
            claims: Recorded.
            tenant_id: Recorded.
            enable_cae: Recorded.
            **kwargs: Recorded; azure-core's protocol requires them.

        Returns:
            The token and its expiry, in seconds since 1970.

        Raises:
            ValueError: No scope was given.
        """
        info = self._serve("get_token", scopes, _given(claims, tenant_id, enable_cae, kwargs))
        return AccessToken(info.token, info.expires_on)

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return the token with its type.

        Args:
            *scopes: At least one scope; recorded, not checked.
            options: Recorded.

        Returns:
            The token, its expiry in seconds since 1970, and the type `Bearer`.

        Raises:
            ValueError: No scope was given.
        """
        return self._serve("get_token_info", scopes, dict(options or {}))

    def close(self) -> None:
        """Note that the credential was closed."""
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


class AsyncStaticCredential(_Static):
    """An asynchronous credential with a fixed token: `AsyncTokenCredential` and `AsyncSupportsTokenInfo`.

    It is `StaticCredential` for coroutines.

    Examples:
        >>> import asyncio
        >>> credential = AsyncStaticCredential("a-token", expires_on=4102444800)
        >>> asyncio.run(credential.get_token("https://storage.azure.com/.default")).token
        'a-token'
    """

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Return the token.

        Args:
            *scopes: At least one scope; recorded, not checked.
            claims: Recorded.
            tenant_id: Recorded.
            enable_cae: Recorded.
            **kwargs: Recorded; azure-core's protocol requires them.

        Returns:
            The token and its expiry, in seconds since 1970.

        Raises:
            ValueError: No scope was given.
        """
        info = self._serve("get_token", scopes, _given(claims, tenant_id, enable_cae, kwargs))
        return AccessToken(info.token, info.expires_on)

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return the token with its type.

        Args:
            *scopes: At least one scope; recorded, not checked.
            options: Recorded.

        Returns:
            The token, its expiry in seconds since 1970, and the type `Bearer`.

        Raises:
            ValueError: No scope was given.
        """
        return self._serve("get_token_info", scopes, dict(options or {}))

    async def close(self) -> None:
        """Note that the credential was closed."""
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def _given(
    claims: str | None, tenant_id: str | None, enable_cae: object, others: Mapping[str, object]
) -> dict[str, object]:
    options: dict[str, object] = dict(others)
    if claims is not None:
        options["claims"] = claims
    if tenant_id is not None:
        options["tenant_id"] = tenant_id
    if enable_cae:
        options["enable_cae"] = True
    return options
