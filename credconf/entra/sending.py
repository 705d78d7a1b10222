"""Sends the requests that a token needs, and turns each failure into a `Failure` without any secret."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credconf.ground.causes import foreign_in, shortage
from credconf.ground.records import field, record
from credconf.ground.third_parties import despite_warnings
from credconf.problems.failure import Failure, advice_on, codes_in
from credconf.references import Unanswered

from .http import RETRIED_STATUSES, Response, TransportFailure, retry_after
from .messages import Reply, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .assertions import Claims
    from .http import HttpClient
    from .messages import Form
    from .redaction import Redactor
    from .request import Identity


REMEDIES = {
    "tls": "Name the certificates to trust in `http.ca_bundle`, or in REQUESTS_CA_BUNDLE.",
    "dns": "Check `authority`, the network, and whether a proxy is needed (`http.proxy`, HTTPS_PROXY).",
    "proxy": "Check `http.proxy`, HTTPS_PROXY and NO_PROXY.",
    "refused": "Check `authority`, and that the server and any proxy on the path are running.",
    "connect": "Check `authority`, the network, and whether a proxy is needed (`http.proxy`, HTTPS_PROXY).",
    "reset": "A proxy or firewall on the path may close connections: check them.",
    "timeout": "Check the network, or raise `http.timeout` and `http.total_timeout`.",
}


_MAY_HAVE_ARRIVED = {"timeout", "reset"}
_REQUEST_IDS = ("client-request-id", "x-ms-client-request-id")
"""Entra logs the first as the correlation id; azure-core sends the second."""
_REDIRECTS = range(300, 400)
_THROTTLED = 429
_UNAVAILABLE = 500
_LONGEST_WAIT = 86400.0
"""Seconds. A longer `Retry-After` is shown as this."""
_MOST_CODES = 16
_LARGEST_CODE = 10**9
_LONGEST_CLAIMS = 4096
"""Characters. They go into a header of the application's answer."""


@record
class RequestContext:
    """The client, tenant and server of a token request, for messages.

    Attributes:
        identity: The identity of the configuration.
        tenant: The tenant of this request.
        redact: Removes every secret that is held from a text.
        claims: Of the assertion that is sent; `None` for another proof.
        request_id: Sent with each request, for the logs of the server: Entra's correlation id.
        for_user: Whether the token is requested on behalf of a user.
    """

    identity: Identity
    tenant: str | None
    redact: Redactor = field(repr=False)
    claims: Claims | None = field(default=None, repr=False)
    request_id: str | None = None
    for_user: bool = False

    def __str__(self) -> str:
        client = f"client {self.identity.shown('client_id')}"
        if self.tenant is not None:
            configured = self.tenant == self.identity.tenant_id
            client += f" of tenant {self.identity.shown('tenant_id') if configured else self.tenant}"
        return client

    @property
    def host(self) -> str:
        """The host of the token endpoint."""
        name = "oidc_authority" if self.identity.oidc_authority else "authority"
        url = getattr(self.identity, name) or ""
        return (self.identity.shown(name) or "") if name in self.identity.hidden else urlsplit(url).netloc

    def failure(self, what: str, error: str, *, do: str | None = None, **known: Any) -> Failure:
        """Return a failure whose message begins with the client, the tenant and the server.

        Args:
            what: The cause, as the end of a sentence.
            error: The OAuth error, or the category of the failure.
            do: What the user can do.
            **known: Further fields of the failure.
        """
        place = "" if self.host in what else f" from {self.host}"
        whose = " on behalf of a user" if self.for_user else ""
        lines = [f"no token{whose} for {self}{place}: {what}", do]
        if "status_code" in known or error in _MAY_HAVE_ARRIVED:
            known["correlation_id"] = known.get("correlation_id") or self.request_id
            lines.append(f"Correlation id: {known['correlation_id']}" if known["correlation_id"] else None)
        return Failure("\n".join(line for line in lines if line), error, **known)


class Stop(Exception):
    """Carries a failure through MSAL, which returns only failures of its own."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class Sender:
    """Sends the requests that one token needs.

    Args:
        http: The HTTP client.
        deadline: End of all requests on the monotonic clock; `None` if the client has its own time-outs.
        retries: Whether a failed attempt may be repeated.
    """

    def __init__(self, http: HttpClient, deadline: float | None, *, retries: bool = True) -> None:
        self._http = http
        self._bounds: dict[str, Any] = {} if deadline is None else {"deadline": deadline}
        if deadline is not None and not retries:
            self._bounds["attempts"] = 1

    def hurried(self) -> dict[str, Any]:
        """Return limits for a request to a host that may not exist. Only our own client accepts them."""
        return {"timeout": 1.0, "attempts": 1} if self._bounds else {}

    def get(self, url: str, context: RequestContext, **arguments: Any) -> tuple[Response, object]:
        """Send a GET request.

        Returns:
            The response, and its parsed body.

        Raises:
            Stop: There is no response.
        """
        reply = self._send(self._http.get, url, context, arguments, None)
        return Response(reply.status, reply.text, reply.headers), reply.payload

    def post(
        self, url: str, context: RequestContext, *, params: object, form: Form, headers: Mapping[str, str] | None
    ) -> Reply:
        """Send a token request.

        Raises:
            Stop: There is no response.
        """
        return self._send(self._http.post, url, context, {"params": params, "headers": headers}, form)

    def _send(
        self, send: Any, url: str, context: RequestContext, arguments: dict[str, Any], form: Form | None
    ) -> Reply:
        if context.request_id is not None and url.startswith("https:"):  # not to a machine's metadata service
            headers = {**(arguments.get("headers") or {}), **dict.fromkeys(_REQUEST_IDS, context.request_id)}
            arguments = {**arguments, "headers": headers}
        reply = reply_of(send, url, self._bounds, arguments, form)
        if isinstance(reply, Reply):
            return reply
        raise Stop(context.failure(context.redact.ours(reply.message), reply.reason, do=reply.hint))


def reply_of(
    send: Any, url: str, bounds: Mapping[str, Any], arguments: Mapping[str, Any], form: Form | None = None
) -> Reply | Unanswered:
    """Send one request with a client's method, and return the reply, or why there is none.

    Args:
        send: `get` or `post` of an HTTP client.
        url: The absolute URL.
        bounds: The limits of the request; empty for an application's client, which takes none.
        arguments: Further keywords.
        form: The body.
    """
    reply = Reply()
    try:
        despite_warnings(lambda: _receive(reply, send, url, {**bounds, **arguments}, form))
    except TransportFailure as exc:
        return Unanswered(exc.reason, exc.message, exc.hint or REMEDIES.get(exc.reason))
    except BaseException as exc:  # noqa: BLE001 - exceptions of an application's client may hold the request
        if foreign := foreign_in(exc):
            raise foreign from None
        lack = shortage(exc) if isinstance(exc, OSError | ImportError) else None
        what = lack.what if lack else f"the HTTP client failed with {type(exc).__name__}"
        return Unanswered("resources" if lack else "network", what, lack.advice if lack else None)
    reply.parse()
    return reply


def _receive(reply: Reply, send: Any, url: str, arguments: Mapping[str, Any], form: Form | None) -> None:
    """Send one request, and fill in its reply."""
    if form is None:
        answer = send(url, **arguments)
    elif "deadline" in arguments:
        answer = send(url, data=form, **arguments)
    else:  # an application's client accepts only a plain mapping
        answer = send(url, data=form.opened(), **arguments)
    reply.status = int(answer.status_code)
    reply.headers = {str(name).lower(): str(value) for name, value in dict(answer.headers or {}).items()}
    reply.text = str(answer.text or "")


def refusal(context: RequestContext, status: int, headers: Mapping[str, str], payload: object, text: str) -> Failure:
    """Return the failure for an HTTP response without a token.

    Args:
        context: The client, tenant and server of the request.
        status: The HTTP status.
        headers: The headers, with names in lower case.
        payload: The parsed body; `None` if it is not JSON.
        text: The body.
    """
    requested_wait = retry_after(headers, time.time()) if status in RETRIED_STATUSES else None
    known: dict[str, Any] = {
        "status_code": status,
        "retry_after": min(requested_wait, _LONGEST_WAIT) if requested_wait else None,
    }
    if not isinstance(payload, dict) or not isinstance(payload.get("error"), str):
        return _unexplained(context, status, text, known)
    message = context.redact(str(payload.get("error_description") or payload["error"]))
    codes = _codes(payload, message)
    known |= {
        "codes": codes,
        **{name: _identifier(context, payload, name) for name in ("correlation_id", "trace_id", "timestamp")},
        "claims": _claims(context, payload.get("claims")),
    }
    error = context.redact(payload["error"])[:64]
    reason = f"AADSTS{codes[0]} ({error})" if codes else f"the server refused ({error})"
    reason += _wait(known)
    lines = [advice_on(codes[0]) if codes else None, f"The server's message: {message}"]
    if context.claims is not None:
        lines += context.claims.advice(codes, context.identity.shown("client_id") or "", context.identity.authority)
    if known["claims"]:
        lines.append("The error's `claims` are for your caller: its client signs the user in again with them.")
    return context.failure(reason, error, do="\n".join(line for line in lines if line), **known)


def _codes(payload: Mapping[str, Any], message: str) -> tuple[int, ...]:
    listed = payload.get("error_codes")
    numbers = listed[:_MOST_CODES] if isinstance(listed, list) else []
    numbers = [code for code in numbers if type(code) is int and 0 < code < _LARGEST_CODE]
    return tuple(dict.fromkeys([*codes_in(message), *numbers]))[:_MOST_CODES]


def _identifier(context: RequestContext, payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name)
    return context.redact(value)[:64] if isinstance(value, str) and value else None


def _claims(context: RequestContext, text: object) -> str | None:
    """The claims of a refusal, which the application hands on: a JSON object, and nothing that we hold."""
    if not isinstance(text, str) or len(text) > _LONGEST_CLAIMS or not isinstance(parsed(text), dict):
        return None
    return None if context.redact.finds_secret(text) else text


def _unexplained(context: RequestContext, status: int, text: str, known: dict[str, Any]) -> Failure:
    message = context.redact(text.strip())
    body = f"The server's message: {message}" if message and not text.lstrip().startswith("<") else None
    if status == _THROTTLED:
        what = f"the server is throttling (HTTP 429){_wait(known)}"
        return context.failure(
            what, "throttled", do=body or "This application sent too many requests: request tokens less often.", **known
        )
    if status >= _UNAVAILABLE:
        do = body or "Try again. If the failure lasts, check Azure's status page."
        return context.failure(f"the server is not available (HTTP {status})", "unavailable", do=do, **known)
    if status in _REDIRECTS:
        do = "Redirects are not followed, since a secret goes only to the configured authority: check `authority`."
        return context.failure(f"the server redirects (HTTP {status})", "redirect", do=do, **known)
    what = f"the answer (HTTP {status}) is not what a token service sends"
    return context.failure(
        what, "malformed", do=body or "Check `authority` and `http.proxy`: something else may answer there.", **known
    )


def _wait(known: Mapping[str, Any]) -> str:
    return f"; it asked to wait {known['retry_after']:.0f} s" if known["retry_after"] else ""
