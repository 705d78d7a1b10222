"""`auth=` for httpx and requests: it adds the bearer token of a credential to requests to one origin.

The credential can be any that satisfies azure-core's protocols. Neither library is imported before it is used.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from functools import cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .problems import printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    import httpx
    import requests
    from azure.core.credentials import TokenProvider
    from azure.core.credentials_async import AsyncTokenProvider

_UNAUTHORIZED: Final = 401
_PARAMETER: Final = re.compile(r'([A-Za-z_]+)="([^"]*)"')


def for_httpx(credential: TokenProvider | AsyncTokenProvider, *scopes: str, origin: str) -> httpx.Auth:
    """Return an `auth` for `httpx.Client`, or for `httpx.AsyncClient` if the credential is asynchronous.

    It adds a valid token to each request, and answers a claims challenge with a new token, once for each request.

    Example:
        ```python
        graph = "https://graph.microsoft.com"
        auth = http_auth.for_httpx(credential, f"{graph}/.default", origin=graph)
        with httpx.Client(base_url=f"{graph}/v1.0/", auth=auth) as client:
            client.get("organization")
        ```

    Args:
        credential: a credential, such as that of `credconf.from_config()`. It is not closed with the client.
        *scopes: at least one, such as `https://graph.microsoft.com/.default`.
        origin: the only origin to which the token is sent, such as `https://graph.microsoft.com`.

    Returns:
        An `httpx.Auth`.

    Raises:
        ValueError: there is no scope, or the origin is not `https://HOST[:PORT]`. A request to another origin also
            raises it.
        TypeError: a client is asynchronous and the credential is not, or the reverse. A request raises it.
    """
    made: httpx.Auth = _httpx_class()(_Bearer(credential, scopes, origin))
    return made


def for_requests(credential: TokenProvider, *scopes: str, origin: str) -> RequestsAuth:
    """Return an `auth` for requests: for a `Session`, or for one call.

    It adds a valid token to each request, and answers a claims challenge with a new token, once for each request.

    Example:
        ```python
        graph = "https://graph.microsoft.com"
        session = requests.Session()
        session.auth = http_auth.for_requests(credential, f"{graph}/.default", origin=graph)
        session.get(f"{graph}/v1.0/organization", timeout=30)
        ```

    Args:
        credential: a synchronous credential, such as that of `credconf.from_config()`. It is not closed with the
            session.
        *scopes: at least one, such as `https://graph.microsoft.com/.default`.
        origin: the only origin to which the token is sent, such as `https://graph.microsoft.com`.

    Returns:
        A callable that requests accepts as `auth`.

    Raises:
        ValueError: there is no scope, or the origin is not `https://HOST[:PORT]`. A request to another origin also
            raises it.
        TypeError: the credential is asynchronous.
    """
    bearer = _Bearer(credential, scopes, origin)
    bearer.must_be(asynchronous=False)
    return RequestsAuth(bearer)


class _Bearer:
    """The header of a request, and the answer to a claims challenge, for both libraries."""

    def __init__(self, credential: Any, scopes: tuple[str, ...], origin: str) -> None:
        parts = urlsplit(origin)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            message = "origin= is https://HOST or https://HOST:PORT, without a path"
            raise ValueError(message)
        if not scopes:
            message = "at least one scope is needed, such as https://graph.microsoft.com/.default"
            raise ValueError(message)
        self._credential = credential
        self._scopes = scopes
        self._origin = _origin(origin)
        self._is_asynchronous = iscoroutinefunction(getattr(credential, "get_token_info", None) or credential.get_token)

    def must_be(self, *, asynchronous: bool) -> None:
        if asynchronous and not self._is_asynchronous:
            message = "an asynchronous client needs an asynchronous credential, such as one of credconf.aio"
            raise TypeError(message)
        if self._is_asynchronous and not asynchronous:
            message = "a synchronous client needs a synchronous credential, and not one of credconf.aio"
            raise TypeError(message)

    def check(self, url: str, *, asynchronous: bool) -> None:
        self.must_be(asynchronous=asynchronous)
        if _origin(url) != self._origin:
            there = "{}://{}:{}".format(*_origin(url))
            message = f"the token is for {self._origin[1]} alone, and this request goes to {printable(there)}"
            raise ValueError(message)

    def demanded(self, status: int, headers: Mapping[str, str], url: str) -> str | None:
        """Return the claims that an answer demands. After a redirect, it may be another server's, which is ignored."""
        return claims_of(status, headers) if _origin(url) == self._origin else None

    def ask(self, claims: str | None = None) -> Any:
        """Ask for a token; the result is to be awaited if the credential is asynchronous."""
        options: dict[str, Any] = {"enable_cae": True, **({"claims": claims} if claims else {})}
        if hasattr(self._credential, "get_token_info"):
            return self._credential.get_token_info(*self._scopes, options=options)
        return self._credential.get_token(*self._scopes, **options)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return (
        parts.scheme.lower(),
        (parts.hostname or "").lower(),
        parts.port or {"https": 443, "http": 80}.get(parts.scheme),
    )


def claims_of(status: int, headers: Mapping[str, str]) -> str | None:
    """Return the claims that an answer demands of a new token; `None` for every other answer.

    Source: Microsoft's page "Claims challenges, claims requests and client capabilities".

    Args:
        status: the status of the answer.
        headers: its headers.
    """
    header = headers.get("WWW-Authenticate", "") if status == _UNAUTHORIZED else ""
    start = header.lower().find("bearer ")
    found = dict(_PARAMETER.findall(header[start:])) if start >= 0 else {}
    if found.get("error") != "insufficient_claims" or not found.get("claims"):
        return None
    encoded = found["claims"].replace("-", "+").replace("_", "/")
    try:
        claims = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
        return claims if isinstance(json.loads(claims), dict) else None
    except (binascii.Error, ValueError, RecursionError):
        return None


@cache
def _httpx_class() -> Any:
    import httpx

    class HttpxAuth(httpx.Auth):
        """Adds a token to each request, and answers one claims challenge of each."""

        def __init__(self, bearer: _Bearer) -> None:
            self._bearer = bearer

        def sync_auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
            self._bearer.check(str(request.url), asynchronous=False)
            request.headers["Authorization"] = f"Bearer {self._bearer.ask().token}"
            response: Any = yield request
            claims = self._bearer.demanded(response.status_code, response.headers, str(response.url))
            if claims is not None:
                request.headers["Authorization"] = f"Bearer {self._bearer.ask(claims).token}"
                yield request

        async def async_auth_flow(self, request: httpx.Request) -> AsyncIterator[httpx.Request]:  # type: ignore[override]
            self._bearer.check(str(request.url), asynchronous=True)
            request.headers["Authorization"] = f"Bearer {(await self._bearer.ask()).token}"
            response: Any = yield request
            claims = self._bearer.demanded(response.status_code, response.headers, str(response.url))
            if claims is not None:
                request.headers["Authorization"] = f"Bearer {(await self._bearer.ask(claims)).token}"
                yield request

    return HttpxAuth


class RequestsAuth:
    """Adds a token to each request of requests, and answers one claims challenge of each."""

    def __init__(self, bearer: _Bearer) -> None:
        self._bearer = bearer

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; requests calls this for each request, but not for the redirects that follow."""
        self._bearer.check(request.url or "", asynchronous=False)
        request.headers["Authorization"] = f"Bearer {self._bearer.ask().token}"
        request.register_hook("response", self._answered)  # type: ignore[no-untyped-call]
        return request

    def _answered(self, response: requests.Response, **options: Any) -> requests.Response:
        claims = self._bearer.demanded(response.status_code, response.headers, response.request.url or "")
        if claims is None:
            return response
        again = response.request.copy()
        if not _is_repeatable(again):
            return response
        _ = response.content  # so that the connection can be used again
        response.close()
        again.headers["Authorization"] = f"Bearer {self._bearer.ask(claims).token}"
        repeated: requests.Response = response.connection.send(again, **options)
        repeated.history.append(response)
        repeated.request = again
        return repeated


def _is_repeatable(request: requests.PreparedRequest) -> bool:
    """Whether the body of a request can be sent again; a file is rewound."""
    from requests.exceptions import UnrewindableBodyError
    from requests.utils import rewind_body

    body: Any = request.body  # a file or an iterator, too, which its type does not say
    if body is None or isinstance(body, str | bytes):
        return True
    try:
        rewind_body(request)
    except UnrewindableBodyError:
        return False
    return True
