"""An HTTP client that plays an endpoint for managed identities, and a clock that only waits move."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from credconf.entra.http import Response, TransportFailure
from credconf.testing.platforms.managed_identity import _VARIABLES

TOKEN = {"access_token": "a-token", "expires_in": "86400", "token_type": "Bearer"}
APP_SERVICE = {"IDENTITY_ENDPOINT": "http://localhost:42/msi/token", "IDENTITY_HEADER": "a-header-value-1"}
ARC = {"IDENTITY_ENDPOINT": "http://localhost:43/token", "IMDS_ENDPOINT": "http://localhost:43"}
IMDS = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": ""}


def only(monkeypatch, environ):
    """Set these variables, and remove the others that lead to an endpoint."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def answer(status: int = 200, body: Any = None, **headers: str) -> Response:
    text = body if isinstance(body, str) else json.dumps(TOKEN if body is None else body)
    return Response(status, text, {name.replace("_", "-"): value for name, value in headers.items()})


def refused(reason: str = "refused") -> TransportFailure:
    return TransportFailure(reason, f"localhost: {reason}", attempts=1)  # type: ignore[arg-type]


@dataclass
class Time:
    """Both clocks, which a wait advances."""

    now: float = 1_800_000_000.0
    waited: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    @property
    def changes(self) -> dict[str, Any]:
        return {"clock": self, "monotonic": self, "sleep": self.sleep}


class Endpoint:
    """Gives its answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: Response | TransportFailure) -> None:
        self.answers = list(answers) or [answer()]
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []

    def get(self, url: str, *, params: Any = None, headers: Any = None) -> Response:
        assert type(headers) is dict, "an application's client gets a plain mapping"
        self.asked.append((url, dict(params), headers))
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, TransportFailure):
            raise given
        return given

    def post(self, url: str, **_: Any) -> Response:
        raise AssertionError(url)

    def close(self) -> None: ...
