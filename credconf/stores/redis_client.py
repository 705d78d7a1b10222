"""Calls of a Redis that take a bounded time, whatever state it is in."""

from __future__ import annotations

import contextlib
import time
from threading import BoundedSemaphore, RLock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from credconf.ground.causes import shortage
from credconf.ground.deferred import importing, whole_packages
from credconf.ground.third_parties import despite_warnings
from credconf.ground.workers import TooLong, Workers, bounded
from credconf.settings.formats import shown

from .redis_connections import CONNECTIONS, cause_of, is_passing, reason_of
from .store import Busy, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .redis_address import Options
    from .redis_servers import Servers
    from .redis_sign_in import SignIn
    from .settings import Opening


_T = TypeVar("_T")

_IDLE = 30.0
"""Seconds after which connections are made anew: a firewall may have dropped them without notice."""
_RESTS = 2.0
"""Seconds after which a thread without a call ends: most tokens are in memory, and calls are rare."""
_LONGEST = 4
"""Times of its `timeout`, within which each answer must begin, that a call may take with all that it is made of: the
look-up of a name, a connection, several answers, and the turns of this process where many are short of CPU."""
_NO_ANSWER = "it did not answer several calls"
_NO_PLACE = "this process calls it more often at once than it has connections"
_PAUSES: Final = (1 / 32, 1 / 16, *(1 / 8,) * 7)
"""Of its `timeout`: what is waited for another server that takes over, before each further attempt of one call."""


class RedisClient:
    """A Redis, connected to when it is first called.

    Attributes:
        label: what logs call it.
        timeout: seconds within which each answer must begin.
        is_cluster: whether keys of different hash tags may be on different servers.

    Args:
        cache: the settings of the Redis.
        opening: the URL, the certificates, and the clock.
    """

    def __init__(self, cache: Options, opening: Opening) -> None:
        url = opening.identity.texts.get("token_cache.url") or ""
        hidden = url.startswith("unix:") or "token_cache.url" in opening.identity.hidden
        self.label = "the Redis of token_cache" if hidden else f"the Redis at {_shown(url)}"
        self.is_cluster = cache.cluster
        self._cache = cache
        self._opening = opening
        self.timeout = cache.timeout
        self._longest = _LONGEST * self.timeout
        self._monotonic = opening.monotonic
        self._workers = Workers(CONNECTIONS, "credconf-redis", idle=_RESTS)
        self._servers: Servers | None = None
        self._sign_in: SignIn | None = None
        self._closed = False
        self._used = 0.0
        self._begin()

    def _begin(self) -> None:
        self._lock = RLock()  # a signal handler of its holder may need a token
        self._places = BoundedSemaphore(CONNECTIONS)
        self._calls = 0
        self._hung = 0  # abandoned calls that have not ended

    def call(self, operation: Callable[[Any], _T]) -> _T:
        """Return the result of an operation on a client of redis-py. Where servers take over, it may be tried again.

        Raises:
            Unavailable: it failed, or took too long.
        """
        servers = self._current()
        self._enter()
        call, log = _Call(operation), self._opening.log
        lines: list[Callable[[], object]] = []  # of a sign-in; a log handler that needs a token would wait for itself
        try:
            bounded(self._workers, lambda: log.held_in(lines, lambda: self._do(call, servers)), self._longest)
        except TooLong:
            self._give_up(call, servers)
        except RuntimeError as exc:
            self._places.release()
            call.reason = str(shortage(exc) or "no thread can be started to call it")
        finally:
            for line in lines:
                log.afterwards(line)
        if call.reason is not None:
            raise Unavailable(call.reason)
        return call.results[0]

    def _enter(self) -> None:
        """Have a place among those who call; each has a connection."""
        if self._places.acquire(timeout=self.timeout):
            return
        if self._hung:  # abandoned calls take the places
            raise Unavailable(_NO_ANSWER)
        raise Busy(_NO_PLACE)

    def _do(self, call: _Call[_T], servers: Servers) -> None:
        """On a thread of ours: the look-up of a name has no time-out, and an answer that comes byte by byte no end."""
        with self._lock:
            self._calls += 1
        try:
            call.results.append(despite_warnings(lambda: self._tried(call, servers)))
        except Exception as exc:  # noqa: BLE001 - another server makes redis-py raise anything; see `reason_of`
            servers.forget()
            call.reason = (self._sign_in and self._sign_in.reason_of(cause_of(exc))) or reason_of(exc, self.timeout)
        finally:
            with self._lock:
                call.ended = True
                self._hung -= call.given_up
                self._calls -= 1
                self._used = self._monotonic()
                left = self._servers if self._closed and not self._calls else None
            _disconnect(left)
            self._places.release()

    def _tried(self, call: _Call[_T], servers: Servers) -> _T:
        """The result of a call; where servers take over from each other, it is tried for the time of one answer."""
        for pause in _PAUSES if servers.fails_over else ():
            try:
                return call.operation(servers.client())
            except Exception as exc:
                if call.given_up or not is_passing(exc):
                    raise
                servers.renew()
            time.sleep(pause * self.timeout)
        return call.operation(servers.client())

    def _give_up(self, call: _Call[_T], servers: Servers) -> None:
        """Cut a call that takes too long. That hits the others, too, of a Redis that is of no use to them."""
        with self._lock:
            call.given_up = not call.ended
            self._hung += call.given_up
        _disconnect(servers)
        call.reason = f"it took more than {self._longest:g} s"

    def _current(self) -> Servers:
        with self._lock:
            now = self._monotonic()
            is_unused = not self._calls
            is_stale = is_unused and now - self._used > _IDLE
            is_stale = is_stale or (self._sign_in is not None and self._sign_in.is_due)
            stale = self._servers if is_stale else None
            servers = self._servers = None if is_stale else self._servers
            self._used = now
        if is_unused:  # calls that are under way end first
            _disconnect(stale)
        if servers is not None:
            return servers
        made = self._new()  # not under the lock, where `close()` would wait for the import
        with self._lock:
            servers = self._servers = self._servers or made
        return servers

    def _new(self) -> Servers:
        try:
            return despite_warnings(self._made)
        except Unavailable as exc:
            reason = str(exc)
        except Exception as exc:  # noqa: BLE001 - such as an option that redis-py does not understand
            reason = reason_of(exc, self.timeout)
        raise Unavailable(reason)

    def _made(self) -> Servers:
        with importing, whole_packages():
            from .redis_servers import servers_of, sign_in_of  # they import redis-py

        if self._sign_in is None and self._cache.entra_sign_in:
            self._sign_in = sign_in_of(self._opening)
        return servers_of(self._cache, self._opening, self._sign_in)

    def close(self) -> None:
        """Close the connections, once the calls that are under way have ended; a later call leaves none behind."""
        with self._lock:
            self._closed = True
            servers = None if self._calls else self._servers
        _disconnect(servers)

    def after_fork(self) -> None:
        """In the child of a fork the connections are the parent's; redis-py closes its copies without a word to it."""
        self._servers = None
        if self._sign_in is not None:
            self._sign_in.after_fork()
        self._workers.after_fork()
        self._begin()


class _Call(Generic[_T]):
    """One call. Its results are in a list, because an operation may give `None`."""

    def __init__(self, operation: Callable[[Any], _T]) -> None:
        self.operation = operation
        self.results: list[_T] = []
        self.reason: str | None = None
        self.ended = False
        self.given_up = False


def _disconnect(servers: Servers | None) -> None:
    if servers is not None:
        with contextlib.suppress(Exception):  # a connection that can't be closed is none
            servers.disconnect()


def _shown(url: str) -> str:
    """The hosts of a URL, without user and password."""
    hosts = url.partition("://")[2].rpartition("@")[2].partition("/")[0]
    return ", ".join(shown(f"redis://{host}") for host in hosts.split(","))
