"""Requests to a CI platform for an assertion that names the running job.

A platform gives its jobs a URL and a token in variables. credconf fetches an assertion for each token request, because
it lives for minutes only. The token is never in a variable of a frame.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from credconf.ground.opaque import Opaque, SecretHeaders
from credconf.ground.records import field, record, replace
from credconf.problems.wording import printable

from .base import NotFound
from .web import Unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Reader
    from .web import Reply

_PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds before each further attempt."""
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_LOST: Final = frozenset({"timeout", "reset", "refused", "connect", "dns"})
"""Why there was no reply, where another attempt may have one."""
_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_REFUSED: Final = frozenset({401, 403, 404})
_THROTTLED: Final = 429
_SERVER_ERRORS: Final = 500
_LOOPBACK: Final = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


@record
class Platform:
    """A CI platform that issues assertions for its jobs.

    Attributes:
        name: its name in messages.
        url: the variable with the URL of its endpoint.
        token: the variable with the token of the job.
        scheme: the scheme of the `Authorization` header.
        answer: the key of the assertion in the reply.
        refused: what to do if it refuses the request.
        headers: further headers.
    """

    name: str
    url: str
    token: str
    scheme: str
    answer: str
    refused: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def unusable(self, environ: Mapping[str, str]) -> NotFound | None:
        """Return what is wrong with the values of the two variables, which are both set; `None` if nothing is."""
        if not _is_endpoint(environ[self.url]):
            message = f"the variable {self.url} holds no https:// URL"
            return NotFound("bad-variable", message, f"leave it as {self.name} has set it")
        if not _VISIBLE.fullmatch(environ[self.token]):
            message = f"the variable {self.token} holds characters that no HTTP header can carry"
            return NotFound("bad-variable", message, f"leave it as {self.name} has set it")
        return None

    def fetch(self, reader: Reader, params: Mapping[str, str], *, by_post: bool) -> str | NotFound:
        """Fetch an assertion.

        Args:
            reader: the environment, with both variables, and what sends requests.
            params: what is added to the query of the URL.
            by_post: whether to send a POST request without a body.
        """
        token = Opaque()
        token.content = reader.environ[self.token]
        host = urlsplit(reader.environ[self.url]).netloc
        headers = SecretHeaders(self.headers, "Authorization", token, f"{self.scheme} ")
        reply = self._reply(reader, params, headers, by_post=by_post)
        if isinstance(reply, Unanswered):
            hint = reply.hint if reply.reason == "tls" else f"check that the job can reach {host}, and any proxy"
            return _failed(f"no assertion from {self.name}: {reply.message}", hint)
        if reply.status != _OK:
            return self._refusal(reply, host, token, reader.clock())
        if isinstance(reply.payload, dict) and isinstance(reply.payload.get(self.answer), str):
            return reply.payload[self.answer]  # type: ignore[no-any-return] # it is text
        return _failed(
            f"the answer of {self.name} ({host}, HTTP {reply.status}) holds no assertion",
            f"check {self.url}, and whether a proxy answers instead",
        )

    def _reply(
        self, reader: Reader, params: Mapping[str, str], headers: SecretHeaders, *, by_post: bool
    ) -> Reply | Unanswered:
        """Return the first reply that is final, or the last one."""
        if reader.web is None:
            return Unanswered("network", "this reader sends no requests")
        web, url = reader.web(), reader.environ[self.url]
        send = web.post if by_post else web.get
        pauses = iter(_PAUSES[: reader.retries])
        while True:
            reply = send(url if "?" in url else url.rstrip("/"), params=params, headers=headers)
            pause = next(pauses, None)
            if pause is None or not _is_passing(reply) or not web.pause(_wait(reply, pause, reader.clock())):
                return reply

    def _refusal(self, reply: Reply, host: str, token: Opaque, now: float) -> NotFound:
        status = f"(HTTP {reply.status})"
        said = _said(reply, token)
        if reply.status in _REDIRECTS:
            message = f"{host} redirects {status}, and a request with the token of a job follows no redirect"
            return _failed(message, self.refused)
        if reply.status == _THROTTLED or reply.status >= _SERVER_ERRORS:
            hint = f"try again; if the failure lasts, check the status page of {self.name}"
            return replace(_failed(f"{host} is not available {status}{said}", hint), retry_after=reply.retry_after(now))
        hint = self.refused if reply.status in _REFUSED else f"check {self.url}, and the settings of the reference"
        return _failed(f"{host} refused to issue an assertion {status}{said}", hint)


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable of the process environment is set, and not empty."""
    return bool((environ.get(name) or "").strip())


def is_true(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable says `true`."""
    return (environ.get(name) or "").strip().lower() == "true"


def _failed(message: str, hint: str | None) -> NotFound:
    return NotFound("no-assertion", printable(message), hint)


def _is_endpoint(url: str) -> bool:
    """Whether a token may be sent to a URL: by HTTPS, or to this machine."""
    if not _VISIBLE.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "#" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and bool(_LOOPBACK.fullmatch(host)))


def _is_passing(reply: Reply | Unanswered) -> bool:
    """Whether another attempt may succeed."""
    return reply.reason in _LOST if isinstance(reply, Unanswered) else reply.status in _RETRIED


def _wait(reply: Reply | Unanswered, pause: float, now: float) -> float:
    """Return the seconds before the next attempt: no fewer than the server asks for."""
    return pause if isinstance(reply, Unanswered) else max(pause, reply.retry_after(now) or 0.0)


def _said(reply: Reply, token: Opaque) -> str:
    """Return what the server said, for the end of a message."""
    text = reply.payload.get("message") if isinstance(reply.payload, dict) else reply.text
    if not isinstance(text, str) or not text.strip() or text.lstrip().startswith("<"):
        return ""
    return f": {reply.quoted(text.strip(), token)}"
