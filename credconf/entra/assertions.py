"""Assertions that another issuer has signed: their claims, and what to do when Entra refuses one.

Source: Microsoft's page "Workload identity federation" and its reference of AADSTS error codes.
"""

from __future__ import annotations

import binascii
import json
import re
import shlex
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from credconf.ground.records import record
from credconf.problems.failure import FEDERATION
from credconf.problems.wording import printable
from credconf.references import EXCHANGE_AUDIENCES
from credconf.settings import clouds

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN_TO_ENTRA: Final = frozenset({70021, 700211, 700212, 700213, 7002137, 7002138, 70025})
"""The refusals that a federated credential with the claims of the assertion would prevent."""
_LONGEST: Final = 300
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


@record
class Claims:
    """The claims of an assertion, none of which is a secret.

    Attributes:
        issuer: who issued it (`iss`).
        subject: whom it describes (`sub`).
        audience: for whom it is (`aud`).
        ends_at: when it expires (`exp`), in seconds of Unix time.
    """

    issuer: str
    subject: str
    audience: str
    ends_at: float

    def advice(self, codes: Iterable[int], client_id: str, authority: str | None = None) -> list[str]:
        """Return the lines for a refusal of the assertion; none for another refusal.

        Args:
            codes: the AADSTS codes of the refusal.
            client_id: the application, as messages may show it.
            authority: the host of Entra, whose cloud decides the usual audience.
        """
        refused = FEDERATION.intersection(codes)
        if not refused:
            return []
        lines = ["The assertion that was sent:", *(f"  {line}" for line in self.lines())]
        if refused & _UNKNOWN_TO_ENTRA:
            lines += [
                "To trust it, add a federated credential to the application:",
                f"  {self._command(client_id, authority)}",
            ]
        return lines

    def lines(self) -> list[str]:
        """Return the claims, one a line."""
        return [
            f"issuer:   {_shown(self.issuer)}",
            f"subject:  {_shown(self.subject)}",
            f"audience: {_shown(self.audience)}",
            f"expires:  {utc(self.ends_at)}",
        ]

    def _command(self, client_id: str, authority: str | None) -> str:
        usual = EXCHANGE_AUDIENCES[clouds.cloud_of(authority) or "public"]
        parameters = {
            "name": "credconf",
            "issuer": _shown(self.issuer),
            "subject": _shown(self.subject),
            # The token of a managed identity holds a GUID here, for which a federated credential has the URI.
            "audiences": [usual if _GUID.fullmatch(self.audience) else _shown(self.audience)],
        }
        words = shlex.quote(json.dumps(parameters, ensure_ascii=False))
        client = client_id if client_id.replace("-", "").isalnum() else "CLIENT_ID"
        return f"az ad app federated-credential create --id {client} --parameters {words}"


def claims_of(text: str) -> Claims | None:
    """Return the claims of a JWT; `None` if the text is none. Its signature is Entra's to verify."""
    if not _JWT.fullmatch(text):
        return None
    parts = text.split(".")
    try:
        header, payload = (json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(payload, dict):
        return None
    ends_at = payload.get("exp")
    if isinstance(ends_at, bool) or not isinstance(ends_at, int | float) or not 0 < ends_at < 1e11:  # noqa: PLR2004 - the year 5138
        return None
    audience = payload.get("aud")
    first = audience[0] if isinstance(audience, list) and audience else audience
    return Claims(str(payload.get("iss", "")), str(payload.get("sub", "")), str(first or ""), float(ends_at))


def utc(seconds: float) -> str:
    """Return a time of Unix seconds as text."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _shown(claim: str) -> str:
    return printable(claim)[:_LONGEST]
