"""What a kind hands to entra: something that proves who the client is, and the ways to come by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

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
        same_as: what tells it from other proofs, if that is not its text: an assertion that is issued for each request
            has another text each time.
    """

    credential: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    label: str
    expires_on: date | None = None
    signer: Signer | None = None
    claims: Claims | None = None
    same_as: str | None = None

    @property
    def fingerprint(self) -> bytes:
        """A digest that distinguishes it from other proofs in this process, and reveals nothing about it."""
        return fingerprint(self.same_as or self.credential)

    @property
    def material(self) -> bytes:
        """What a key of a shared token cache is derived from.

        A private key is the same text however its file is written.
        """
        return self.credential.encode(errors="surrogatepass")

    @property
    def parameter(self) -> str:
        """The field of a token request that carries it."""
        return "client_secret" if self.signer is None and self.claims is None else "client_assertion"

    def is_over(self, now: float) -> bool:
        """Whether it is an assertion that has expired, and must not be sent again."""
        return self.claims is not None and self.claims.ends_at <= now

    def for_request(self, audience: str, client_id: str) -> Opaque:
        """What one request proves the client with: the secret, or a new assertion.

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
