"""The exceptions of a connection, and the message for each.

They go no further than the transport: their tracebacks lead to the request, and so to the secret. `explain` translates
each into a `TransportFailure`.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Any

from credconf.ground.causes import no_descriptor, shortage
from credconf.ground.records import record
from credconf.settings.formats import host_of

from .http import TransportFailure
from .incoming import BadAnswer, TooLarge
from .proxies import ProxyRefused, ProxyUnusable
from .sockets import ConnectTimeout, UnusableBundle

if TYPE_CHECKING:
    from .http import Reason
    from .proxies import Proxy


class BadURL(Exception):
    """The URL is not valid, or not of HTTP."""


class BadProxy(Exception):
    """The URL of the proxy is not valid."""


# Any other exception is a bug, and is not translated.
EXPECTED = (OSError, BadAnswer, BadProxy, BadURL, ProxyRefused, ProxyUnusable, TooLarge)

_UNTRUSTED = frozenset({18, 19, 20, 21})  # OpenSSL's X509_V_ERR_*: self-signed, or an unknown issuer
_HINT = "; if it is right, name its authority in http.ca_bundle"


@record
class Attempt:
    """A failed attempt, for its message.

    Attributes:
        url: The URL of the request. Only its host is shown.
        proxy: The proxy, if the attempt used one. Only its host and port are shown.
        attempts: Number of attempts, with this one.
        elapsed: Seconds that this attempt took.
    """

    url: str
    proxy: Proxy | None
    attempts: int
    elapsed: float

    @property
    def host(self) -> str:
        """The host, with its port if that is not the default."""
        return host_of(self.url)

    @property
    def seconds(self) -> str:
        """The duration with its unit."""
        return f"{self.elapsed:.3g} s"

    def failure(self, reason: Reason, message: str, **known: Any) -> TransportFailure:
        """Return a failure of this attempt."""
        return TransportFailure(reason, message, attempts=self.attempts, **known)


def explain(error: BaseException, attempt: Attempt) -> TransportFailure:
    """Translate an exception into a failure that quotes only messages of OpenSSL and the system.

    Args:
        error: An exception of the types in `EXPECTED`.
        attempt: The attempt that raised it.
    """
    host = attempt.host
    # `getaddrinfo` hides it: behind an error about the name, or where mDNS resolves names, behind EBUSY.
    hidden = isinstance(error, socket.gaierror) or (isinstance(error, OSError) and error.errno == errno.EBUSY)
    if lack := (no_descriptor() if hidden else None) or shortage(error):
        return attempt.failure("resources", f"{host} could not be asked: {lack}")
    if isinstance(error, UnusableBundle):
        message = f"{host} was not asked: http.ca_bundle can't be used: {error}"
        return attempt.failure("tls", message, hint=error.hint)
    if isinstance(error, TooLarge):
        return attempt.failure("too-large", f"the answer of {host} is larger than 1 MiB")
    if isinstance(error, BadAnswer):
        return attempt.failure("other", f"the answer of {host} can't be understood: {error}")
    if isinstance(error, BadURL):
        return attempt.failure("other", f"{host} can't be asked: the URL is not valid")
    return _proxy_failure(error, attempt) or _tls_failure(error, attempt) or _network_failure(error, attempt)


def _proxy_failure(error: BaseException, attempt: Attempt) -> TransportFailure | None:
    proxy = f"the proxy {attempt.proxy}"
    if isinstance(error, BadProxy):
        return attempt.failure("proxy", f"the address of {proxy} is not valid")
    if isinstance(error, ProxyRefused):
        message = f"{proxy}, on the way to {attempt.host}, {error.words}"
        return attempt.failure("proxy", message, retryable=error.retryable)
    if not isinstance(error, ProxyUnusable):
        return None
    inner = explain(error.error, attempt)
    message = f"{proxy}, on the way to {attempt.host}, could not be used: {_detail(error.error)}"
    return attempt.failure("proxy", message, retryable=inner.retryable)


def _tls_failure(error: BaseException, attempt: Attempt) -> TransportFailure | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = _HINT if error.verify_code in _UNTRUSTED else ""
        return attempt.failure("tls", f"the certificate of {attempt.host} was not accepted: {_detail(error)}{hint}")
    # A connection that is dropped during the handshake is an SSLError, too.
    if not isinstance(error, ssl.SSLError) or isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return None
    return attempt.failure("tls", f"TLS with {attempt.host} failed: {_detail(error)}")


def _network_failure(error: BaseException, attempt: Attempt) -> TransportFailure:
    host = attempt.host
    if isinstance(error, socket.gaierror):
        return attempt.failure("dns", f"the name of {host} could not be resolved: {_detail(error)}", retryable=True)
    if isinstance(error, ConnectionRefusedError):
        return attempt.failure("refused", f"{host} refused the connection", retryable=True)
    if isinstance(error, ConnectTimeout):
        return attempt.failure("timeout", f"{host} could not be reached within {attempt.seconds}", retryable=True)
    if isinstance(error, TimeoutError):
        return attempt.failure("timeout", f"{host} did not answer within {attempt.seconds}", retryable=True)
    if isinstance(error, (ConnectionError, ssl.SSLError)):
        message = f"the connection to {host} was dropped before the answer was complete"
        return attempt.failure("reset", message, retryable=True)
    return attempt.failure("connect", f"{host} could not be reached: {_detail(error)}", retryable=True)


def _detail(error: BaseException) -> str:
    """Return the message of the system or of this package; for another exception only the name of its type."""
    if isinstance(error, BadAnswer):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).replace("_", " ").lower()
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, ConnectionResetError):
        return "it closed the connection"
    return type(error).__name__
