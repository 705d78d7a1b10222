"""The HTTP client: HTTP/1.1 with one deadline for all time-outs, retries and waits.

It has the interface of MSAL's `http_client`. It does not read the environment, and shows nothing of a request in an
exception, in a traceback (with locals, too) or in the log.
"""

from __future__ import annotations

import logging
import os
import random as random_module
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from credconf.ground.causes import foreign_in
from credconf.ground.deferred import importing
from credconf.ground.records import record
from credconf.settings.formats import host_of

from .http import Response, TransportFailure, next_wait
from .messages import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .connections import Pools
    from .http import TransportOptions
    from .proxies import Proxy

_SHORTEST = 0.001  # for a socket, 0 means "do not wait"

logger = logging.getLogger("credconf")


@record
class _Bounds:
    """The limits of one request.

    Attributes:
        deadline: End of the request on the monotonic clock.
        attempts: Largest number of attempts.
        connect: Seconds to connect, for each attempt.
        read: Seconds of silence, for each attempt.
    """

    deadline: float
    attempts: int
    connect: float
    read: float


class Transport:
    """Sends requests over reused connections. It is safe for threads and forks.

    Args:
        options: Time-outs, retries, proxy and certificates.
        monotonic: The clock of deadlines.
        wall: The clock for a `Retry-After` that is a date.
        sleep: Waits between attempts.
        random: Returns the jitter of a wait, from 0 to 1.
        sent: Called after each request is sent, before its response arrives.
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
        # By process id. A child of a fork must not write to the connections of its parent. It does not close them
        # either: that takes locks which a thread of the parent may have held during the fork.
        self._pools: dict[int, Pools] = {}

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
        connect: float | None = None,
        **_: object,
    ) -> Response:
        """Send a GET request.

        Args:
            url: The absolute URL.
            params: The query.
            headers: Headers in addition to the usual ones.
            deadline: End of all attempts on the monotonic clock; by default `total_timeout` from now.
            attempts: Largest number of attempts; by default `retries` + 1.
            timeout: Seconds to connect and of silence, if less than in the options.
            connect: Seconds to connect, if less than that.

        Returns:
            The last response, of any status.

        Raises:
            TransportFailure: No attempt got a response.
        """
        payload = Payload(params, headers)
        del params, headers
        return self._request("GET", url, payload, self._bounds(deadline, attempts, timeout, connect))

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
        connect: float | None = None,
        **_: object,
    ) -> Response:
        """Send a POST request.

        It is retried like a GET request, since a token request changes nothing at the server.

        Args:
            url: The absolute URL.
            params: The query.
            data: The body: a mapping for a form (`None` omits a field), text, or bytes.
            headers: Headers in addition to the usual ones.
            deadline: As for `get`.
            attempts: As for `get`.
            timeout: As for `get`.
            connect: As for `get`.

        Returns:
            The last response, of any status.

        Raises:
            TransportFailure: No attempt got a response.
        """
        payload = Payload(params, headers, data)
        del params, headers, data
        return self._request("POST", url, payload, self._bounds(deadline, attempts, timeout, connect))

    def open_early(self, url: str) -> None:
        """Begin to connect to the host of a URL, for the next request to it. Without a proxy only.

        It never fails: the request then connects itself, and reports what is wrong.
        """
        from .connection_faults import EXPECTED

        if self._closed or self._proxy_for(url) is not None:
            return
        deadline = self._monotonic() + self._options.total_timeout
        parts = urlsplit(url)
        with suppress(RuntimeError, UnicodeError, *EXPECTED):  # no thread is left, the certificates can't be read
            (parts.hostname or "").encode("idna")  # imports the codec: the thread must import nothing
            self._connections().open_early(parts, self._options.connect_timeout, lambda: deadline - self._monotonic())

    def close(self) -> None:
        """Close the connections of this process. The client sends no further request."""
        self._closed = True
        pools = self._pools.pop(os.getpid(), None)
        if pools is not None:
            pools.close()

    def _bounds(
        self, deadline: float | None, attempts: int | None, timeout: float | None, connect: float | None
    ) -> _Bounds:
        options = self._options
        return _Bounds(
            deadline=self._monotonic() + options.total_timeout if deadline is None else deadline,
            attempts=options.retries + 1 if attempts is None else max(1, attempts),
            connect=min(each for each in (timeout, connect, options.connect_timeout) if each is not None),
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
        """Make one attempt. It returns a failure, so that the caller raises it outside an exception handler."""
        if refusal := self._refusal(url, bounds, before):
            return refusal
        from .connection_faults import EXPECTED, Attempt, explain

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
        """Return why no request is sent, or `None`."""
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
            except BaseException:  # also a Ctrl-C: a half-read answer must not reach the next request
                connection.close()
                raise
        pools.give(connection)
        return response

    def _proxy_for(self, url: str) -> Proxy | None:
        # Only the instance metadata service is requested without TLS, and it is never behind a proxy.
        if self._proxy is None or not url.lower().startswith("https:"):
            return None
        from .proxies import bypasses

        return None if bypasses(url, self._options.no_proxy) else self._proxy

    def _connections(self) -> Pools:
        process = os.getpid()
        pools = self._pools.get(process)
        if pools is None:
            # A fork while OpenSSL makes its first TLS context would leave its locks held in the child for ever.
            with importing:
                from .connections import Pools

                pools = self._pools.get(process)
                if pools is None:
                    pools = self._pools[process] = Pools(self._options.verify, self._options.server_name)
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
