"""The interface between a kind and `entra`: a proof of the client's identity, the ways to get it, and its expiry.

Entra does not report the expiry of a secret, so the setting `secret_expires_on` holds it. A certificate contains its
own.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, Protocol

from credconf.ground.opaque import Opaque
from credconf.ground.records import field, record
from credconf.references import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from credconf.references import NotFound, Reader, Stamp

    from .assertions import Claims


class Signer(Protocol):
    """Signs client assertions (RFC 7523)."""

    def assertion(self, audience: str, client_id: str) -> Opaque:
        """An assertion for one request: the text of a JWT."""
        ...


@record
class Proof:
    """A secret, a certificate or an assertion, ready for a token request.

    Attributes:
        credential: the text that only its owner has: a secret, an assertion, or a private key as PEM.
        secrets: every text that must not be shown anywhere, for redaction.
        label: which reference it came from, for messages.
        expires_on: the day (UTC) on which it ends, where that is known.
        signer: of the assertions that are sent instead of the text; `None` where the text is sent itself.
        claims: of an assertion that another issuer has signed; `None` for other proofs.
        same_as: what distinguishes it from other proofs, if that is not its text: an assertion that is issued for each
            request has another text each time.
        begins_on: the day (UTC) from which a certificate is valid.
    """

    credential: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    label: str
    expires_on: date | None = None
    signer: Signer | None = None
    claims: Claims | None = None
    same_as: str | None = None
    begins_on: date | None = None

    @property
    def fingerprint(self) -> bytes:
        """A digest that distinguishes it from other proofs in this process, and reveals nothing about it."""
        return fingerprint(self.same_as or self.credential)

    @property
    def material(self) -> bytes:
        """Return the material from which a key of a shared token cache is derived.

        A private key is the same text however its file is written.
        """
        return self.credential.encode(errors="surrogatepass")

    @property
    def parameter(self) -> str:
        """The field of a token request that carries it."""
        return "client_secret" if self.signer is None and self.claims is None else "client_assertion"

    def seconds_left(self, now: float) -> float:
        """The seconds for which it may be sent; without end for what is no assertion of another issuer."""
        return math.inf if self.claims is None else max(0.0, self.claims.ends_at - now)

    def is_over(self, now: float) -> bool:
        """Whether it is an assertion that has expired, and must not be sent again."""
        return self.claims is not None and self.claims.ends_at <= now

    def for_request(self, audience: str, client_id: str) -> Opaque:
        """Return the proof of one request: the secret, or a new assertion.

        Args:
            audience: the URL of the token endpoint.
            client_id: who signs.
        """
        if self.signer is not None:
            return self.signer.assertion(audience, client_id)
        opaque = Opaque()
        opaque.content = self.credential
        return opaque


class Sealed:
    """A proof that is kept beyond one request: no `repr`, `vars()`, copy or pickle of what holds it shows it."""

    __slots__ = ("open",)

    def __init__(self, proof: Proof) -> None:
        # A function has no attributes to look into, and refuses to be pickled.
        self.open: Callable[[], Proof] = lambda: proof

    def __repr__(self) -> str:
        return "<sealed proof>"


@record
class Candidate:
    """One way to come by a proof: a literal, or a reference.

    Attributes:
        path: of the setting, such as `client_secret.1`.
        label: what messages call the reference; `None` for what the configuration holds itself.
        read: the proof as it is now, or why there is none.
        stamp: as long as it is the same, so is the proof; `None` where there is nothing to compare.
        runs: reading it runs a program, or sends a request.
    """

    path: str
    label: str | None
    read: Callable[[Reader], Proof | NotFound]
    stamp: Callable[[Reader], Stamp]
    runs: bool = False

    def __str__(self) -> str:
        return f"{self.path} ({self.label})" if self.label else self.path


STAGES: Final = (1, 7, 30)
"""Days before expiry at which to warn."""
OVER: Final = -1
"""The stage after expiry."""

_warned: set[tuple[str, str, date, int]] = set()


def days_left(expires_on: date, now: float) -> int:
    """Return the whole days from today (UTC) to the expiry: 0 on the day itself, negative after it.

    Args:
        expires_on: The day of the expiry.
        now: Unix time in seconds.
    """
    return (expires_on - datetime.fromtimestamp(now, UTC).date()).days


def stage(expires_on: date, now: float) -> int | None:
    """Return the smallest of `STAGES` that the days left do not exceed.

    Returns:
        `OVER` after the expiry; `None` if more days are left than any stage has.
    """
    days = days_left(expires_on, now)
    return OVER if days < 0 else next((limit for limit in STAGES if days <= limit), None)


def within(reached: int) -> str:
    """Return one of `STAGES` in words."""
    return f"expires within {reached} {'day' if reached == 1 else 'days'}"


def in_days(expires_on: date, now: float) -> str:
    """Return the day of the expiry, and the days until then, in words."""
    days = days_left(expires_on, now)
    if days < 0:
        return f"expired on {expires_on}"
    off = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    return f"expires on {expires_on}, {off}"


def warn_once(warn: Callable[..., object], client: str, name: str, expires_on: date, now: float) -> None:
    """Warn that a secret or certificate expires soon, once in this process for each stage.

    Args:
        warn: Logs a line, with arguments for `%`.
        client: The client id. It is not shown.
        name: The name of the secret or certificate, for the message.
        expires_on: The day of the expiry.
        now: Unix time in seconds.
    """
    reached = stage(expires_on, now)
    if reached is None or (client, name, expires_on, reached) in _warned:
        return
    _warned.add((client, name, expires_on, reached))
    warn("%s %s; create a new one in time", name, in_days(expires_on, now))
