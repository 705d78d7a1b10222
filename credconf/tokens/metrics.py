"""Metrics for OpenTelemetry. They are recorded if the application has imported `opentelemetry.metrics`.

Nothing is recorded for a cached token. No attribute contains an id, a tenant, a host or a text of a server.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from credconf._version import __version__
from credconf.problems.failure import Failure

if TYPE_CHECKING:
    from credconf.ground.log import Log

    from .cache import Token

REQUEST = "credconf.token.request.duration"
WAIT = "credconf.token.wait.duration"
SHARED = "credconf.token.shared_cache.hits"


class Metrics:
    """Records what the requests of one engine cost.

    Args:
        kind: the kind of the credential.
        log: the log of the engine. It defers the recording, as it defers lines: an exporter may need the token.
    """

    def __init__(self, kind: str, log: Log) -> None:
        self._kind = kind
        self._log = log
        self._instruments: dict[str, Any] | None = None

    def requested(self, seconds: float, outcome: Token | Failure, *, refresh: bool) -> None:
        """Record one request for a token, with its retries.

        Args:
            seconds: its duration.
            outcome: the token or the failure.
            refresh: whether it replaces a token that is still valid.
        """
        trigger = "refresh" if refresh else "call"
        self._record(REQUEST, lambda metric: metric.record(seconds, self._attributes(outcome, trigger=trigger)))

    def waited(self, seconds: float, outcome: Token | Failure) -> None:
        """Record the wait of one caller that found no valid token in memory."""
        self._record(WAIT, lambda metric: metric.record(seconds, self._attributes(outcome)))

    def found(self, cache: str) -> None:
        """Record that a token of another process was used.

        Args:
            cache: the kind of the shared token cache.
        """
        self._record(SHARED, lambda metric: metric.add(1, {"credconf.kind": self._kind, "credconf.cache": cache}))

    def _attributes(self, outcome: Token | Failure, **more: str) -> dict[str, str]:
        found = {"credconf.kind": self._kind, **{f"credconf.{name}": value for name, value in more.items()}}
        if isinstance(outcome, Failure):
            found["error.type"] = _type_of(outcome)
        return found

    def _record(self, name: str, record: Any) -> None:
        api = sys.modules.get("opentelemetry.metrics")
        if api is None:
            return
        if self._instruments is None:
            self._instruments = _made(api.get_meter("credconf", __version__))
        metric = self._instruments[name]
        self._log.afterwards(lambda: record(metric))


def _type_of(failure: Failure) -> str:
    """Return the code of Entra, the HTTP status, or our own category. The `error` of an answer is the server's text."""
    if failure.codes:
        return f"AADSTS{failure.codes[0]}"
    is_ours = failure.status_code is None or failure.error == "malformed"
    return failure.error if is_ours else str(failure.status_code)


def _made(meter: Any) -> dict[str, Any]:
    return {
        REQUEST: meter.create_histogram(REQUEST, "s", "Duration of a token request, with its retries."),
        WAIT: meter.create_histogram(WAIT, "s", "Wait of a caller without a valid token in memory."),
        SHARED: meter.create_counter(SHARED, "{token}", "Tokens that another process had requested."),
    }
