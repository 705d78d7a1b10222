"""What an exception of `urllib3` means, in one sentence: a `TransportFailure`.

The exceptions themselves go no further: they hold the request, and with it the secret. `urllib3` wraps what happened
in up to five layers, in a different order for each version, so the layers are searched, never counted.
"""

from __future__ import annotations

import re
import socket
import ssl
from http.client import HTTPException, IncompleteRead
from typing import TYPE_CHECKING, TypeVar

from urllib3.exceptions import ClosedPoolError, HTTPError, LocationParseError, ProxyError, ProxySchemeUnknown
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from credconf.limits import no_descriptor, shortage
from credconf.records import record

from .http import TransportFailure
from .pools import MissingSocks
from .proxies import host_of, shown
from .sockets import ConnectTimeout, UnusableBundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .http import Reason

E = TypeVar("E", bound=BaseException)

# Whatever else is raised is a bug, and passes through.
EXPECTED = (HTTPError, HTTPException, OSError, MissingSocks)

_PROXY_AUTHENTICATION = 407
_LOWEST_SERVER_ERROR = 500
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_UNTRUSTED = frozenset({18, 19, 20, 21})  # OpenSSL's X509_V_ERR_*: self-signed, or of an issuer that is not known
_HINT = "; if it is right, name its authority in http.ca_bundle"


@record
class Attempt:
    """What a sentence about a failed attempt needs to know.

    Attributes:
        url: of the request; only its host is shown.
        proxy: the URL of the proxy, if one was used; only its host and port are shown.
        attempts: made so far.
        elapsed: seconds that this one took.
    """

    url: str
    proxy: str | None
    attempts: int
    elapsed: float

    @property
    def host(self) -> str:
        """The host, with a port that is not the usual one."""
        return host_of(self.url)

    @property
    def seconds(self) -> str:
        """How long it took, with its unit."""
        return f"{self.elapsed:.3g} s"

    def failure(self, reason: Reason, message: str, *, retryable: bool = False) -> TransportFailure:
        """A failure of this attempt."""
        return TransportFailure(reason, message, attempts=self.attempts, retryable=retryable)


def explain(error: BaseException, attempt: Attempt, *, outside: BaseException | None = None) -> TransportFailure:
    """Say what went wrong, with nothing of the exception's own text but what OpenSSL and the system say.

    Args:
        error: one of `EXPECTED`.
        attempt: what was tried.
        outside: what the caller was handling when the attempt began. It hangs on the chain, but is not ours.
    """
    layers = _layers(error, outside)
    named = no_descriptor() if _first(layers, socket.gaierror) else None
    if lack := named or next((found for layer in layers if (found := shortage(layer))), None):
        return attempt.failure("resources", f"{attempt.host} could not be asked: {lack}")
    if bundle := _first(layers, UnusableBundle):
        return attempt.failure("tls", f"{attempt.host} was not asked: http.ca_bundle can't be used: {bundle}")
    return _proxy_failure(layers, attempt) or _tls_failure(layers, attempt) or _other_failure(layers, attempt)


def _layers(error: BaseException, outside: BaseException | None) -> list[BaseException]:
    """The exception and all that it was made of, outermost first."""
    found: list[BaseException] = [error]
    for layer in found:
        inner = (*layer.args, getattr(layer, "reason", None), layer.__cause__, layer.__context__)
        found.extend(
            each
            for each in dict.fromkeys(one for one in inner if isinstance(one, BaseException))
            if each is not outside and all(each is not known for known in found)
        )
    return found


def _first(layers: Sequence[BaseException], *kinds: type[E]) -> E | None:
    return next((layer for layer in layers if isinstance(layer, kinds)), None)


def _proxy_failure(layers: Sequence[BaseException], attempt: Attempt) -> TransportFailure | None:
    if not attempt.proxy:
        return None
    proxy = f"the proxy {shown(attempt.proxy)}"
    for layer in layers:
        if isinstance(layer, OSError) and (refusal := _TUNNEL.match(str(layer))):
            status = int(refusal[1])
            what = "asks for a user name and a password" if status == _PROXY_AUTHENTICATION else "did not connect"
            message = f"{proxy} {what} on the way to {attempt.host} (HTTP status {status})"
            return attempt.failure("proxy", message, retryable=status >= _LOWEST_SERVER_ERROR)
    if _first(layers, LocationParseError, ProxySchemeUnknown):
        return attempt.failure("proxy", f"the address of {proxy} is not valid")
    if _first(layers, MissingSocks):
        return attempt.failure("proxy", f"{proxy} can't be used: a SOCKS proxy needs the package PySocks")
    if not _first(layers, ProxyError):
        return None
    inner = _tls_failure(layers, attempt) or _other_failure(layers, attempt)
    message = f"{proxy}, on the way to {attempt.host}, could not be used: {_detail(layers)}"
    return attempt.failure("proxy", message, retryable=inner.retryable)


def _tls_failure(layers: Sequence[BaseException], attempt: Attempt) -> TransportFailure | None:
    if rejected := _first(layers, ssl.SSLCertVerificationError):
        hint = _HINT if rejected.verify_code in _UNTRUSTED else ""
        problem = rejected.verify_message.rstrip(".")
        return attempt.failure("tls", f"the certificate of {attempt.host} was not accepted: {problem}{hint}")
    error = _first(layers, ssl.SSLError)
    # A time-out and a dropped connection are SSLErrors, too, where they hit the handshake.
    if error is None or isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or _first(layers, TimeoutError):
        return None
    return attempt.failure("tls", f"TLS with {attempt.host} failed: {_detail(layers)}")


def _other_failure(layers: Sequence[BaseException], attempt: Attempt) -> TransportFailure:
    return _connect_failure(layers, attempt) or _answer_failure(layers, attempt)


def _connect_failure(layers: Sequence[BaseException], attempt: Attempt) -> TransportFailure | None:
    host = attempt.host
    if _first(layers, socket.gaierror):
        return attempt.failure("dns", f"the name of {host} could not be resolved: {_detail(layers)}", retryable=True)
    if _first(layers, ConnectionRefusedError):
        return attempt.failure("refused", f"{host} refused the connection", retryable=True)
    if _first(layers, ConnectTimeout):
        return attempt.failure("timeout", f"{host} could not be reached within {attempt.seconds}", retryable=True)
    return None


def _answer_failure(layers: Sequence[BaseException], attempt: Attempt) -> TransportFailure:
    host = attempt.host
    if _first(layers, TimeoutError, PoolTimeoutError):
        return attempt.failure("timeout", f"{host} did not answer within {attempt.seconds}", retryable=True)
    if _first(layers, ConnectionError, IncompleteRead, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        message = f"the connection to {host} was dropped before the answer was complete"
        return attempt.failure("reset", message, retryable=True)
    if _first(layers, ClosedPoolError):
        return attempt.failure("closed", f"the connections were closed during the request to {host}")
    if _system_error(layers):
        return attempt.failure("connect", f"{host} could not be reached: {_detail(layers)}", retryable=True)
    return attempt.failure("other", f"the request to {host} failed: {_detail(layers)}")


def _system_error(layers: Sequence[BaseException]) -> OSError | None:
    return _first(layers, OSError)


def _detail(layers: Sequence[BaseException]) -> str:
    """The system's words; of anything else the name alone, because its text may quote the request."""
    if rejected := _first(layers, ssl.SSLCertVerificationError):
        return rejected.verify_message.rstrip(".")
    if broken := _first(layers, ssl.SSLError):
        return (broken.reason or type(broken).__name__).replace("_", " ").lower()
    if _first(layers, TimeoutError):
        return "no answer in time"
    error = _system_error(layers)
    if error is not None and error.strerror:
        return error.strerror
    return type(layers[-1] if error is None else error).__name__
