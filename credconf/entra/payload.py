"""What a request carries, out of sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from urllib3 import HTTPConnectionPool, Timeout
    from urllib3.response import BaseHTTPResponse

_FORM = "application/x-www-form-urlencoded"


class Payload:
    """What a request carries, out of sight: a traceback that shows locals would show a plain dict and its secret."""

    __slots__ = ("_data", "_headers", "_params")

    def __init__(self, params: object, headers: Mapping[str, str] | None, data: object = None) -> None:
        self._params, self._headers, self._data = params, headers, data

    def __repr__(self) -> str:
        return "<payload>"

    def wipe(self) -> None:
        """Forget it: the frames that hold the payload may live on in a traceback."""
        self._params = self._headers = self._data = None

    def sent(
        self, pool: HTTPConnectionPool, method: str, url: SplitResult, user_agent: str, timeout: Timeout
    ) -> BaseHTTPResponse:
        """The head of the answer; its body is still to be read. There is one attempt, and no redirect is followed."""
        # A compressed answer of a few hundred bytes gains nothing, and could unfold to gigabytes.
        headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "keep-alive"}
        body: Any = self._data
        if isinstance(body, Mapping):
            headers["Content-Type"] = _FORM
            body = _encoded(body)
        for name, value in (self._headers or {}).items():
            headers[str(name).title()] = value
        query = "&".join(filter(None, [url.query, _encoded(self._params) if self._params else ""]))
        return pool.urlopen(
            method,
            f"{url.path or '/'}?{query}" if query else url.path or "/",
            body=body or None,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
        )


def _encoded(form: object) -> str:
    """A query or a form; `None` leaves a field out."""
    if not isinstance(form, Mapping):
        return str(form)
    fields = cast("Mapping[str, object]", form)
    return urlencode([(key, value) for key, value in fields.items() if value is not None], doseq=True)
