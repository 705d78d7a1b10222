"""What a kind hands to entra: something that proves who the client is."""

from __future__ import annotations

from typing import Any

from credconf.records import field, record


@record
class Proof:
    """A secret or a certificate, ready for MSAL.

    Attributes:
        credential: MSAL's `client_credential`: a secret's text, or a dictionary for a certificate.
        secrets: every text that must not be shown anywhere, for redaction.
        label: which reference it came from, for messages.
    """

    credential: str | dict[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    label: str
