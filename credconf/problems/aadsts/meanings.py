"""The paragraphs of Entra's codes, by number."""

from __future__ import annotations

from typing import Final

from credconf.problems.aadsts import EXPLAINED
from credconf.problems.explanation import paragraphs

from . import applications, proofs, requests, tenants

MEANINGS: Final = {**proofs.MEANINGS, **applications.MEANINGS, **tenants.MEANINGS, **requests.MEANINGS}

_REFERENCE = "Microsoft's own words, which may be newer: https://login.microsoftonline.com/error?code="


def meaning(code: int) -> str | None:
    """What a code means, its usual causes and what to do, for a terminal of 80 columns.

    Args:
        code: the number.

    Returns:
        `None` for a code that is not in the table.
    """
    if code not in MEANINGS:
        return None
    return "\n\n".join(
        [paragraphs(f"AADSTS{code}: {EXPLAINED[code]}"), paragraphs(MEANINGS[code]), f"{_REFERENCE}{code}"]
    )
