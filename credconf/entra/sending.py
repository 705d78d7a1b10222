"""Sending one request, and turning every way it can fail into a failure that holds nothing of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credconf.ground.interrupts import foreign_in
from credconf.ground.limits import shortage

from .answers import Reply
from .http import Response, TransportFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.problems.failure import Failure

    from .http import HttpClient
    from .payload import Form
    from .refusals import Asked

REMEDIES = {
    "tls": "Name the certificates to trust in `http.ca_bundle`, or in REQUESTS_CA_BUNDLE.",
    "dns": "Check `authority`, the network, and whether a proxy is needed (`http.proxy`, HTTPS_PROXY).",
    "proxy": "Check `http.proxy`, HTTPS_PROXY and NO_PROXY.",
    "refused": "Check `authority`, and that nothing between here and there is down.",
    "connect": "Check `authority`, the network, and whether a proxy is needed (`http.proxy`, HTTPS_PROXY).",
    "reset": "Something between here and there closes connections: check proxies and firewalls.",
    "timeout": "The limits are `http.timeout` and `http.total_timeout`.",
}


class Stop(Exception):
    """Carries a failure through MSAL, which knows only its own."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class Sender:
    """Sends the requests that one token needs.

    Args:
        http: MSAL's `http_client` interface.
        deadline: for all of them together; `None` where the client has time-outs of its own.
        retries: whether a failed attempt may be repeated.
    """

    def __init__(self, http: HttpClient, deadline: float | None, *, retries: bool = True) -> None:
        self._http = http
        self._bounds: dict[str, Any] = {} if deadline is None else {"deadline": deadline}
        if deadline is not None and not retries:
            self._bounds["attempts"] = 1

    def hurried(self) -> dict[str, Any]:
        """Bounds for a question that may have no one to answer it; only our own client takes them."""
        return {"timeout": 1.0, "attempts": 1} if self._bounds else {}

    def get(self, url: str, asked: Asked, **arguments: Any) -> tuple[Response, object]:
        """The answer to a GET request, and its JSON.

        Raises:
            Stop: there is no answer.
        """
        reply = self._send(self._http.get, url, asked, arguments, None)
        return Response(reply.status, reply.text, reply.headers), reply.payload

    def post(self, url: str, asked: Asked, *, params: object, form: Form, headers: Mapping[str, str] | None) -> Reply:
        """The answer to a token request.

        Raises:
            Stop: there is no answer.
        """
        return self._send(self._http.post, url, asked, {"params": params, "headers": headers}, form)

    def _send(self, send: Any, url: str, asked: Asked, arguments: dict[str, Any], form: Form | None) -> Reply:
        reply = Reply()
        try:
            if form is None:
                answer = send(url, **{**self._bounds, **arguments})
            elif self._bounds:
                answer = send(url, data=form, **{**self._bounds, **arguments})
            else:  # a client of the application's takes a plain mapping
                answer = send(url, data=form.opened(), **arguments)
            reply.status = int(answer.status_code)
            reply.headers = {str(name).lower(): str(value) for name, value in dict(answer.headers or {}).items()}
            reply.text = str(answer.text or "")
        except TransportFailure as exc:
            failure = asked.failure(asked.redact.ours(exc.message), exc.reason, do=REMEDIES.get(exc.reason))
        except BaseException as exc:  # noqa: BLE001 - those of an application's client hold the request
            if foreign := foreign_in(exc):
                raise foreign from None
            lack = shortage(exc) if isinstance(exc, OSError | ImportError) else None
            what = lack.what if lack else f"the HTTP client failed with {type(exc).__name__}"
            failure = asked.failure(what, "resources" if lack else "network", do=lack.advice if lack else None)
        else:
            reply.parse()
            return reply
        raise Stop(failure)
