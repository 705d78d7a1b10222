"""The requests to the endpoints of managed identities, and their refusals: see `identity_endpoints`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from credconf.ground.files import Unreadable, decode, read_bytes
from credconf.ground.opaque import Opaque, SecretHeaders
from credconf.ground.records import field, record
from credconf.problems.wording import printable

from . import identity_endpoints
from .identity_endpoints import CONNECT, NoToken
from .web import Reply, Unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Reader
    from .identity_endpoints import Endpoint
    from .web import Web

_LARGEST_KEY: Final = 4096
_CHALLENGE: Final = re.compile(r'\s*basic\s+realm="?(?P<path>[^"]+?)"?\s*', re.IGNORECASE)
_NO_IDENTITY: Final = re.compile(r"identity (?:was )?not found|\bno\b[^.]{0,60}managed identity", re.IGNORECASE)
_METADATA: Final = {"Metadata": "true"}


@record
class Question:
    """One request for a token, sent to one endpoint.

    Attributes:
        endpoint: the endpoint.
        params: the query.
        reader: gives the value of IDENTITY_HEADER.
        web: sends requests.
        hidden: what no message may show, besides the secrets that are sent.
    """

    endpoint: Endpoint
    params: Mapping[str, str] = field(repr=False)
    reader: Reader
    web: Web
    hidden: tuple[Opaque, ...] = ()

    def ask(self) -> Reply | NoToken:
        """Send the request, in two steps to Arc. Returns the reply with status 200, or why there is none."""
        if self.endpoint.source == "arc":
            return self._ask_arc()
        if self.endpoint.source == "imds":
            return self._judged(self._sent(_METADATA))
        header = Opaque()
        header.content = self.reader.environ.get("IDENTITY_HEADER", "")
        return self._judged(self._sent(SecretHeaders({}, "X-IDENTITY-HEADER", header)), header)

    def _sent(self, headers: Mapping[str, str]) -> Reply | Unanswered:
        return self.web.get(self.endpoint.url, params=self.params, headers=headers, timeout=CONNECT)

    def _ask_arc(self) -> Reply | NoToken:
        challenge = self._sent(_METADATA)
        if isinstance(challenge, Unanswered) or challenge.status != _UNAUTHORIZED:
            judged = self._judged(challenge)
            what = "Azure Arc's agent gave an answer without asking for its key"
            return judged if isinstance(judged, NoToken) else NoToken("malformed", what, _OTHER_SERVER)
        key = key_of(challenge.headers.get("www-authenticate", ""))
        if isinstance(key, NoToken):
            return key
        return self._judged(self._sent(SecretHeaders(_METADATA, "Authorization", key, "Basic ")), key)

    def _judged(self, reply: Reply | Unanswered, *sent: Opaque) -> Reply | NoToken:
        endpoint = self.endpoint
        if isinstance(reply, Unanswered):
            is_temporary = reply.reason in {"timeout", "reset"}
            is_absent = reply.reason in {"timeout", "refused", "connect", "dns"}
            hint = endpoint.absent if is_absent else reply.hint or endpoint.absent
            return NoToken(reply.reason, reply.message, hint, unavailable=is_absent, temporary=is_temporary)
        if reply.status == _OK:
            return reply
        return refusal(endpoint, reply, (*self.hidden, *sent), self.reader.clock())


_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_UPDATING: Final = 410
_THROTTLED: Final = 429
_ERRORS: Final = 500
_OTHER_SERVER: Final = "check what answers there: perhaps a proxy or another program, instead of the endpoint"


def refusal(endpoint: Endpoint, reply: Reply, secrets: tuple[Opaque, ...], now: float) -> NoToken:
    """Return the failure for an answer that is not 200.

    Args:
        endpoint: the endpoint that answered.
        reply: its answer.
        secrets: what the message must not show.
        now: the wall clock, for a `Retry-After` that is a date.
    """
    status = reply.status
    said = reply.quoted(_text_of(reply), *secrets)
    if status in _REDIRECTS:
        return NoToken("redirect", f"it redirects (HTTP {status}), which credconf never follows", _OTHER_SERVER, status)
    quoted = f": {said}" if said else ""
    temporary = status in endpoint.retried or status >= _ERRORS
    if temporary:
        error = "throttled" if status == _THROTTLED else "unavailable"
        what = _STATES.get(status, f"it is not available (HTTP {status})")
        hint = "try again; raise `http.total_timeout` to let credconf wait longer"
        return NoToken(error, f"{what}{quoted}", hint, status, reply.retry_after(now), temporary=True)
    if status == _FORBIDDEN and "unreachable" in said:  # Docker Desktop answers for addresses without a host
        return NoToken(
            "unreachable", f"it is not reachable (HTTP 403){quoted}", endpoint.absent, status, unavailable=True
        )
    is_absent = status == _BAD_REQUEST and _NO_IDENTITY.search(said)
    if is_absent:
        hint = "assign the identity to this machine or app, and check `client_id`, `object_id` or `resource_id`"
        return NoToken(
            "identity_not_found", f"it has no such identity (HTTP 400){quoted}", hint, status, unavailable=True
        )
    hint = "if the machine has several identities, name one by `client_id`; check that the scope is one of Entra's"
    return NoToken("refused", f"it refused (HTTP {status}){quoted}", hint, status)


_STATES: Final = {
    404: "it is not ready (HTTP 404)",
    410: "it is being updated (HTTP 410), which takes up to 70 s",
    429: "it is throttling (HTTP 429)",
}


def _text_of(reply: Reply) -> str:
    """Return what an error says; nothing of a page of HTML, which another program sends."""
    if not isinstance(reply.payload, dict):
        return "" if reply.text.lstrip().startswith("<") else reply.text.strip()
    error = reply.payload.get("error")
    inner = error if isinstance(error, dict) else {}
    texts = (reply.payload.get("error_description"), reply.payload.get("message"), inner.get("message"), error)
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def key_of(challenge: str) -> Opaque | NoToken:
    """Return the content of the key file that Arc's agent names.

    Args:
        challenge: the header `WWW-Authenticate`.
    """
    match = _CHALLENGE.fullmatch(challenge)
    if match is None:
        return NoToken("malformed", "Azure Arc's agent named no key file", _OTHER_SERVER, _UNAUTHORIZED)
    path = os.path.normcase(os.path.normpath(match["path"]))
    if os.path.dirname(path) != os.path.normcase(os.path.normpath(identity_endpoints.ARC_KEYS)) or not path.endswith(
        ".key"
    ):
        folder = printable(identity_endpoints.ARC_KEYS)
        what = f"Azure Arc's agent named a file that is no .key file in {folder}, so credconf does not read it"
        return NoToken("malformed", what, _OTHER_SERVER, _UNAUTHORIZED)
    return _opened(path)


def _opened(path: str) -> Opaque | NoToken:
    key = Opaque()
    key.content = read_bytes(path, _LARGEST_KEY)
    if not isinstance(key.content, Unreadable):
        key.content = decode(key.content)
    if isinstance(key.content, Unreadable):
        what = f"the key file {printable(path)} of Azure Arc's agent {key.content.reason}"
        group = "Hybrid agent extension applications" if os.name == "nt" else "himds"
        hint = "check that the agent runs: azcmagent show"
        if key.content.code == "unreadable-file":
            hint = f"let the user of this program read it: add the user to the group {group}"
        return NoToken("unreadable_key", what, hint, unavailable=True)
    key.content = key.content.strip()
    return key
