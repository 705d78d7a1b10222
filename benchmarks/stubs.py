"""HTTP stubs for both sides, so that a row about CPU or memory measures only the client.

They are passed as public arguments: `http_client=` of credconf and `transport=` of azure-identity. Each token is
unique, and has about as many characters as one of Entra.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_LENGTH = 1500
_numbers = itertools.count()
_FILLING = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9." * (TOKEN_LENGTH // 37 + 1)


def token_text() -> str:
    """Return a unique token."""
    return f"{next(_numbers):020d}.{_FILLING}"[:TOKEN_LENGTH]


def token_answer() -> dict[str, Any]:
    """Return the answer to a token request."""
    return {"token_type": "Bearer", "expires_in": 86399, "ext_expires_in": 86399, "access_token": token_text()}


def _body_for(url: str) -> str:
    """Return a token, or the discovery document of the tenant in the first segment of the path."""
    parts = urlsplit(url)
    if not parts.path.endswith("/.well-known/openid-configuration"):
        return json.dumps(token_answer())
    base = f"{parts.scheme}://{parts.netloc}/{parts.path.split('/')[1]}"
    return json.dumps(
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "issuer": f"{base}/v2.0",
        }
    )


class _Response:
    def __init__(self, text: str) -> None:
        self.status_code = 200
        self.text = text
        self.headers: Mapping[str, str] = {"Content-Type": "application/json"}


class StubClient:
    """MSAL's `http_client`, for credconf."""

    def get(self, url: str, **_: object) -> _Response:
        """Answer a GET request."""
        return _Response(_body_for(url))

    def post(self, url: str, **_: object) -> _Response:
        """Answer a POST request."""
        return _Response(_body_for(url))

    def close(self) -> None:
        """Do nothing."""


def stub_transport() -> Any:
    """azure-core's `HttpTransport`, for azure-identity's synchronous class."""
    from azure.core.pipeline.transport import HttpResponse, HttpTransport

    class Answer(_AzureAnswer, HttpResponse):
        pass

    class Transport(HttpTransport[Any, Any]):
        def send(self, request: Any, **_: object) -> Any:
            return Answer(request)

        def open(self) -> None:
            pass

        def close(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

    return Transport()


def async_stub_transport() -> Any:
    """azure-core's `AsyncHttpTransport`, for azure-identity's asynchronous class."""
    from azure.core.pipeline.transport import AsyncHttpResponse, AsyncHttpTransport

    class Answer(_AzureAnswer, AsyncHttpResponse):
        pass

    class Transport(AsyncHttpTransport[Any, Any]):
        async def send(self, request: Any, **_: object) -> Any:
            return Answer(request)

        async def open(self) -> None:
            pass

        async def close(self) -> None:
            pass

        async def __aexit__(self, *_: object) -> None:
            pass

    return Transport()


class _AzureAnswer:
    """The common part of azure-core's two kinds of responses."""

    def __init__(self, request: Any) -> None:
        super().__init__(request, None)  # type: ignore[call-arg] - of the response that this is mixed into
        self.status_code = 200
        self.headers = {"Content-Type": "application/json"}
        self.reason = "OK"
        self.content_type = "application/json"
        self._body = _body_for(request.url).encode()

    def body(self) -> bytes:
        return self._body
