"""Type checkers accept these as an `HttpClient`. Checked by mypy and pyright; never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from credconf.entra.http import HttpClient, HttpResponse, Response, TransportOptions
from credconf.entra.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping


class Minimal:
    """MSAL's interface, spelled out."""

    def get(
        self, url: str, *, params: object = None, headers: Mapping[str, str] | None = None, **_: object
    ) -> Response:
        raise NotImplementedError

    def post(
        self, url: str, *, params: object = None, data: object = None, headers: object = None, **_: object
    ) -> Response:
        raise NotImplementedError

    def close(self) -> None: ...


session: HttpClient = requests.Session()
ours: HttpClient = Transport(TransportOptions())
minimal: HttpClient = Minimal()

theirs: HttpResponse = requests.Response()
answer: HttpResponse = Response(200, "{}")
