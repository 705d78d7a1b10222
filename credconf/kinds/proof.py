"""What a kind hands to entra: something that proves who the client is, and the ways to come by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credconf.records import field, record
from credconf.references import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from credconf.references import NotFound, Reader, Stamp


@record
class Proof:
    """A secret or a certificate, ready for MSAL.

    Attributes:
        credential: MSAL's `client_credential`: a secret's text, or a dictionary for a certificate.
        secrets: every text that must not be shown anywhere, for redaction.
        label: which reference it came from, for messages.
        expires_on: the day (UTC) on which it ends, where that is known.
    """

    credential: str | dict[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    label: str
    expires_on: date | None = None

    @property
    def fingerprint(self) -> bytes:
        """What tells it from other proofs in this process, and says nothing of it to anybody."""
        return fingerprint(repr(self.credential))


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
        runs: reading it runs a program.
    """

    path: str
    label: str | None
    read: Callable[[Reader], Proof | NotFound]
    stamp: Callable[[Reader], Stamp]
    runs: bool = False

    def __str__(self) -> str:
        return f"{self.path} ({self.label})" if self.label else self.path
