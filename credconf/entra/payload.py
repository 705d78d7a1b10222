"""What a request carries, out of sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

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

    def request(self, method: str, url: str, user_agent: str) -> Any:
        """The `requests.PreparedRequest`. Without a session it has no cookies, and no credentials from `.netrc`."""
        from requests import Request

        # A compressed answer of a few hundred bytes gains nothing, and could unfold to gigabytes.
        headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "keep-alive"}
        data: Any = self._data
        if isinstance(data, Mapping):
            headers["Content-Type"] = _FORM
            form = cast("Mapping[str, object]", data)
            data = urlencode([(key, value) for key, value in form.items() if value is not None], doseq=True)
        given = {str(key).title(): value for key, value in (self._headers or {}).items()}
        params: Any = self._params
        return Request(method, url, params=params, headers={**headers, **given}, data=data or None).prepare()
