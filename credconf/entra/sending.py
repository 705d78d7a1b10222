"""Sends the requests that a token needs, and turns each failure into a `Failure` without any secret."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credconf.ground.interrupts import foreign_in
from credconf.ground.limits import shortage
from credconf.ground.records import field, record
from credconf.problems.aadsts import codes_in, explain
from credconf.problems.failure import Failure

from .http import RETRIED_STATUSES, Response, TransportFailure, retry_after
from .messages import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .http import HttpClient
    from .identity import Identity
    from .messages import Form
    from .redaction import Redactor


REMEDIES = {
    "tls": "Name the certificates to trust in `http.ca_bundle`, or in REQUESTS_CA_BUNDLE.",
    "dns": "Check `authority`, the network, and whether a proxy is needed (`http.proxy`, HTTPS_PROXY).",
    "proxy": "Check `http.proxy`, HTTPS_PROXY and NO_PROXY.",
    "refused": "Check `authority`, and that nothing between here and there is down.",
    "connect": "Check `authority`, the network, and whether a proxy is needed (`http.proxy`, HTTPS_PROXY).",
    "reset": "Something between here and there closes connections: check proxies and firewalls.",
    "timeout": "The limits are `http.timeout` and `http.total_timeout`.",
}


_REDIRECTS = range(300, 400)
_THROTTLED = 429
_UNAVAILABLE = 500
_LONGEST_WAIT = 86400.0
"""Seconds of a `Retry-After` that are shown at most."""
_MOST_CODES = 16
_LARGEST_CODE = 10**9


@record
class Asked:
    """Who asked whom, for messages.

    Attributes:
        identity: of the configuration.
        tenant: of this request.
        redact: removes every secret that is held.
    """

    identity: Identity
    tenant: str | None
    redact: Redactor = field(repr=False)

    def __str__(self) -> str:
        client = self.identity.shown("client_id")
        if self.tenant is None:
            return f"client {client}"
        configured = self.tenant == self.identity.tenant_id
        return f"client {client} of tenant {self.identity.shown('tenant_id') if configured else self.tenant}"

    @property
    def host(self) -> str:
        """The host that was asked."""
        name = "oidc_authority" if self.identity.oidc_authority else "authority"
        url = getattr(self.identity, name) or ""
        return (self.identity.shown(name) or "") if name in self.identity.hidden else urlsplit(url).netloc

    def failure(self, what: str, error: str, *, do: str | None = None, **known: Any) -> Failure:
        """A failure whose message begins with who and whom."""
        place = "" if self.host in what else f" from {self.host}"
        lines = [f"no token for {self}{place}: {what}"]
        lines += [do] if do else []
        return Failure("\n".join(lines), error, **known)


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


def refusal(asked: Asked, status: int, headers: Mapping[str, str], payload: object, text: str) -> Failure:
    """The failure of an HTTP answer that is no token.

    Args:
        asked: who asked whom.
        status: of the answer.
        headers: names in lower case.
        payload: the parsed body, if it was JSON.
        text: the body.
    """
    asked_to_wait = retry_after(headers, time.time()) if status in RETRIED_STATUSES else None
    known: dict[str, Any] = {
        "status_code": status,
        "retry_after": min(asked_to_wait, _LONGEST_WAIT) if asked_to_wait else None,
    }
    if not isinstance(payload, dict) or not isinstance(payload.get("error"), str):
        return _unexplained(asked, status, text, known)
    said = asked.redact(str(payload.get("error_description") or payload["error"]))
    codes = _codes(payload, said)
    known |= {
        "codes": codes,
        **{name: _identifier(asked, payload, name) for name in ("correlation_id", "trace_id", "timestamp")},
    }
    error = asked.redact(payload["error"])[:64]
    reason = f"AADSTS{codes[0]} ({error})" if codes else f"the server refused ({error})"
    reason += _wait(known)
    lines = [explain(codes[0]) if codes else None, f"The server said: {said}"]
    lines.append(f"Correlation id: {known['correlation_id']}" if known["correlation_id"] else None)
    return asked.failure(reason, error, do="\n".join(line for line in lines if line), **known)


def _codes(payload: Mapping[str, Any], said: str) -> tuple[int, ...]:
    listed = payload.get("error_codes")
    numbers = listed[:_MOST_CODES] if isinstance(listed, list) else []
    numbers = [code for code in numbers if type(code) is int and 0 < code < _LARGEST_CODE]
    return tuple(dict.fromkeys([*codes_in(said), *numbers]))[:_MOST_CODES]


def _identifier(asked: Asked, payload: Mapping[str, Any], name: str) -> str | None:
    value = payload.get(name)
    return asked.redact(value)[:64] if isinstance(value, str) and value else None


def _unexplained(asked: Asked, status: int, text: str, known: dict[str, Any]) -> Failure:
    said = asked.redact(text.strip())
    body = f"The server said: {said}" if said and not text.lstrip().startswith("<") else None
    if status == _THROTTLED:
        what = f"the server is throttling (HTTP 429){_wait(known)}"
        return asked.failure(
            what, "throttled", do=body or "Too many requests were made for this application: ask less often.", **known
        )
    if status >= _UNAVAILABLE:
        do = body or "Try again; if it lasts, look at the status page of Azure."
        return asked.failure(f"the server is not available (HTTP {status})", "unavailable", do=do, **known)
    if status in _REDIRECTS:
        do = "Redirects are not followed, since a secret goes only to the configured authority: check `authority`."
        return asked.failure(f"the server redirects (HTTP {status})", "redirect", do=do, **known)
    what = f"the answer (HTTP {status}) is not what a token service sends"
    return asked.failure(
        what, "malformed", do=body or "Check `authority` and `http.proxy`: something else may answer there.", **known
    )


def _wait(known: Mapping[str, Any]) -> str:
    return f"; it asked to wait {known['retry_after']:.0f} s" if known["retry_after"] else ""
