"""The HTTP client: HTTP/1.1 with one deadline over time-outs, retries and waits.

It has MSAL's `http_client` interface. Nothing of the environment reaches it, and nothing of a request leaves it in an
exception, in a traceback (with locals, too) or in the log.
"""

from __future__ import annotations

import logging
import os
import random as random_module
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from credconf.ground.interrupts import foreign_in
from credconf.ground.records import record
from credconf.settings.formats import host_of

from .http import Response, TransportFailure, next_wait
from .messages import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .connections import Pools
    from .http import TransportOptions
    from .proxies import Proxy

_SHORTEST = 0.001  # a socket takes 0 for "do not wait"

logger = logging.getLogger("credconf")


@record
class _Bounds:
    """How long one request may take.

    Attributes:
        deadline: on the monotonic clock, for everything.
        attempts: at most.
        connect: seconds, for each attempt.
        read: seconds, for each attempt.
    """

    deadline: float
    attempts: int
    connect: float
    read: float


class Transport:
    """Sends requests over connections that are kept and reused; safe for threads and forks.

    Args:
        options: time-outs, retries, proxy, certificates.
        monotonic: the clock of deadlines.
        wall: the clock of a `Retry-After` that is a date.
        sleep: waits between attempts.
        random: from 0 to 1, the jitter of the waits.
        sent: called whenever a request is on its way, before its answer is waited for.
    """

    def __init__(
        self,
        options: TransportOptions,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = random_module.random,
        sent: Callable[[], object] | None = None,
    ) -> None:
        self._options = options
        self._monotonic = monotonic
        self._wall = wall
        self._sleep = sleep
        self._random = random
        self._sent = sent
        self._proxy = _proxy(options)
        self._closed = False
        # By process. A child of a fork must not write to its parent's connections; nor does it let go of them,
        # because closing them takes locks that some thread of the parent may have held when it forked.
        self._pools: dict[int, Pools] = {}
        self._locks: dict[int, threading.Lock] = {}

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> Response:
        """Send a GET request.

        Args:
            url: absolute.
            params: the query.
            headers: besides the usual ones.
            deadline: on the monotonic clock, for all attempts together; `total_timeout` from now by default.
            attempts: at most; `retries` + 1 by default.
            timeout: seconds to connect and for the server's silence, where that is less than the options say.

        Returns:
            The last answer, whatever its status.

        Raises:
            TransportFailure: there was no answer.
        """
        payload = Payload(params, headers)
        del params, headers
        return self._request("GET", url, payload, self._bounds(deadline, attempts, timeout))

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        data: object = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> Response:
        """Send a POST request, with a mapping as a form (`None` leaves a field out), or with text or bytes.

        A token request may be repeated like a GET: it changes nothing at the server.

        Args:
            url: absolute.
            params: the query.
            data: the body.
            headers: besides the usual ones.
            deadline: as for `get`.
            attempts: as for `get`.
            timeout: as for `get`.

        Returns:
            The last answer, whatever its status.

        Raises:
            TransportFailure: there was no answer.
        """
        payload = Payload(params, headers, data)
        del params, headers, data
        return self._request("POST", url, payload, self._bounds(deadline, attempts, timeout))

    def close(self) -> None:
        """Close this process's connections, for good."""
        self._closed = True
        pools = self._pools.pop(os.getpid(), None)
        if pools is not None:
            pools.close()

    def _bounds(self, deadline: float | None, attempts: int | None, timeout: float | None) -> _Bounds:
        options = self._options
        return _Bounds(
            deadline=self._monotonic() + options.total_timeout if deadline is None else deadline,
            attempts=options.retries + 1 if attempts is None else max(1, attempts),
            connect=options.connect_timeout if timeout is None else min(timeout, options.connect_timeout),
            read=options.read_timeout if timeout is None else min(timeout, options.read_timeout),
        )

    def _request(self, method: str, url: str, payload: Payload, bounds: _Bounds) -> Response:
        count = 0
        try:
            if not payload.write(method, urlsplit(url), self._options.user_agent):
                raise TransportFailure("other", f"the request to {host_of(url)} can't be written as HTTP", attempts=0)
            while True:
                outcome = self._attempt(method, url, payload, bounds, count)
                count += 1
                left = bounds.deadline - self._monotonic()
                wait = next_wait(outcome, failures=count, left=left, jitter=self._random(), now=self._wall())
                if wait is None or count >= bounds.attempts:
                    break
                self._sleep(wait)
        finally:
            payload.wipe()
        if isinstance(outcome, Response):
            return outcome
        raise outcome

    def _attempt(
        self, method: str, url: str, payload: Payload, bounds: _Bounds, before: int
    ) -> Response | TransportFailure:
        """One attempt. A failure is returned, to be raised where no other exception is being handled."""
        if refusal := self._refusal(url, bounds, before):
            return refusal
        from .connections import EXPECTED, Attempt, explain

        proxy = self._proxy_for(url)
        start = self._monotonic()
        outcome: Response | TransportFailure
        try:
            outcome = self._exchange(url, payload, bounds, proxy)
        except EXPECTED as exc:
            if foreign := foreign_in(exc):
                raise foreign from None
            outcome = explain(exc, Attempt(url, proxy, before + 1, self._monotonic() - start))
        if self._options.log_requests:
            _log(method, url, outcome, self._monotonic() - start)
        return outcome

    def _refusal(self, url: str, bounds: _Bounds, before: int) -> TransportFailure | None:
        """Why nothing is sent at all."""
        if self._closed:
            return TransportFailure("closed", f"{host_of(url)} was not asked: the client is closed", attempts=before)
        if self._monotonic() >= bounds.deadline:
            message = f"{host_of(url)} was not asked: no time was left"
            return TransportFailure("timeout", message, attempts=before, retryable=True)
        return None

    def _exchange(self, url: str, payload: Payload, bounds: _Bounds, proxy: Proxy | None) -> Response:
        from .sockets import exchange

        def left() -> float:
            return bounds.deadline - self._monotonic()

        with exchange(left):
            pools = self._connections()
            connection = pools.take(urlsplit(url), proxy, _cut(bounds.connect, left()))
            try:
                connection.send(payload, _cut(bounds.read, left()))
                if self._sent is not None:
                    self._sent()
                response = connection.answer()
            except BaseException:
                connection.close()
                raise
        pools.give(connection)
        return response

    def _proxy_for(self, url: str) -> Proxy | None:
        # The only address without TLS is the instance metadata service's, which is not behind any proxy.
        if self._proxy is None or not url.lower().startswith("https:"):
            return None
        from .proxies import bypasses

        return None if bypasses(url, self._options.no_proxy) else self._proxy

    def _connections(self) -> Pools:
        process = os.getpid()
        pools = self._pools.get(process)
        if pools is None:
            from .connections import Pools

            # `setdefault` is atomic: each process has one lock, and a child never meets one that is held.
            with self._locks.setdefault(process, threading.Lock()):
                pools = self._pools.get(process)
                if pools is None:
                    pools = self._pools[process] = Pools(self._options.verify)
        return pools


def _proxy(options: TransportOptions) -> Proxy | None:
    if not options.proxy:
        return None
    from .proxies import Proxy  # imports ssl

    return Proxy(options)


def _cut(timeout: float, left: float) -> float:
    return max(_SHORTEST, min(timeout, left))


def _log(method: str, url: str, outcome: Response | TransportFailure, seconds: float) -> None:
    result = str(outcome.status_code) if isinstance(outcome, Response) else outcome.reason
    parts = urlsplit(url)
    where = f"{parts.scheme}://{host_of(url)}{parts.path}"
    logger.debug("%s %s: %s after %.0f ms", method, where, result, seconds * 1000)
