"""An application's HTTP client that responds from a table."""

from __future__ import annotations

import json
from typing import Any

from credconf.entra.http import Response

TOKEN = {"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"}


class Scripted:
    """Responds by the beginning of the URL: with an object as JSON, with text, or by raising an exception."""

    def __init__(self, answers: dict[str, Any] | None = None, status: int = 200) -> None:
        self.answers = answers or {}
        self.status = status
        self.asked: list[tuple[str, str]] = []
        self.sent: list[dict[str, Any]] = []
        self.closed = False

    def get(self, url: str, **arguments: Any) -> Any:
        return self._answer("GET", url, arguments)

    def post(self, url: str, **arguments: Any) -> Any:
        return self._answer("POST", url, arguments)

    def _answer(self, method: str, url: str, arguments: dict[str, Any]) -> Any:
        self.asked.append((method, url))
        self.sent.append(arguments)
        found = next((answer for start, answer in self.answers.items() if url.startswith(start)), TOKEN)
        if isinstance(found, BaseException):
            raise found
        return Response(self.status, found if isinstance(found, str) else json.dumps(found), {})

    @property
    def posted(self) -> list[str]:
        return [url for method, url in self.asked if method == "POST"]

    def close(self) -> None:
        self.closed = True
