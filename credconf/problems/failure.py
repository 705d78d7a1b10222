"""Why there is no token, as data: what travels from Entra to the callers. The errors are in `credconf.errors`."""

from __future__ import annotations

from credconf.ground.limits import shortage
from credconf.ground.records import record

from .aadsts import FEDERATION

_THROTTLED = 429
_CLIENT_ERRORS = range(400, 500)
_TEMPORARY = {408, _THROTTLED}


@record
class Failure:
    """Why there is no token, as data. One failure may reach many callers, each as an exception of its own.

    Attributes:
        message: what happened, to whom, and what to do; no secret is in it.
        error: the OAuth error (`invalid_client`), or the sort of failure (`timeout`, `tls`, `dns`, ...).
        codes: the AADSTS numbers, most specific first.
        correlation_id: Entra's, for its sign-in logs and for support.
        trace_id: Entra's.
        timestamp: Entra's.
        status_code: of the HTTP answer, if there was one.
        retry_after: seconds for which the server asked not to be asked again.
        unavailable: the credential could not even try, because a reference can't be read.
        unretried: the only attempt failed in a way that a further attempt may mend. Requests of callers are
            retried, background refreshes and `verify()` are not.
    """

    message: str
    error: str
    codes: tuple[int, ...] = ()
    correlation_id: str | None = None
    trace_id: str | None = None
    timestamp: str | None = None
    status_code: int | None = None
    retry_after: float | None = None
    unavailable: bool = False
    unretried: bool = False

    @property
    def refused_proof(self) -> bool:
        """Entra refused the secret, the certificate or the assertion itself; another one may be accepted."""
        return self.error == "invalid_client" or not FEDERATION.isdisjoint(self.codes)

    @property
    def refused(self) -> bool:
        """Entra answered and refused: the same request gets the same answer."""
        is_final = self.status_code in _CLIENT_ERRORS and self.status_code not in _TEMPORARY
        return is_final and bool(self.codes or self.refused_proof)


def resource_failure(exc: BaseException) -> Failure | None:
    """The failure of a token request for which the system had no thread, descriptor or memory; `None` for others."""
    lack = shortage(exc)
    return None if lack is None else Failure(f"there is no token: {lack.what}\n{lack.advice}", "resources")
