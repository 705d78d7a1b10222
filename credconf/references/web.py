"""The protocol of the object that sends the requests of references. `entra` implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from credconf.ground.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credconf.ground.opaque import Opaque


class Reply(Protocol):
    """A server's reply. No frame may hold its text in a variable: it may be a token."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers, with names in lower case."""
    text: str
    """The body."""
    payload: Any
    """The parsed body; `None` if it is not JSON."""

    def retry_after(self, now: float) -> float | None:
        """Return the seconds that the server asks to wait, at the time `now`."""
        ...

    def quoted(self, text: str, *sent: Opaque) -> str:
        """Return a part of the reply for a message: printable, capped, without what the request sent as secrets."""
        ...


@record
class Unanswered:
    """Why a request has no reply.

    Attributes:
        reason: the category, such as `timeout`, `refused`, `dns` or `tls`.
        message: one sentence with the host and the cause; it quotes nothing of the request.
        hint: what to do.
    """

    reason: str
    message: str
    hint: str | None = None


class Web(Protocol):
    """Sends requests, all of them within one deadline. It follows no redirect, and uses no proxy for plain HTTP."""

    def get(
        self, url: str, *, params: Mapping[str, str], headers: Mapping[str, str], timeout: float | None = None
    ) -> Reply | Unanswered:
        """Send one GET request; returns the reply of any status, or why there is none.

        Args:
            url: the absolute URL.
            params: the query.
            headers: the headers; `SecretHeaders` where one is a secret.
            timeout: seconds to connect, if fewer than the configuration allows.
        """
        ...

    def post(
        self, url: str, *, params: Mapping[str, str], headers: Mapping[str, str], timeout: float | None = None
    ) -> Reply | Unanswered:
        """Send one POST request without a body."""
        ...

    def pause(self, seconds: float) -> bool:
        """Wait before another attempt. Returns `False`, at once, if the wait would pass the deadline."""
        ...
