"""The explanations of all codes: those of problems, and Entra's own (AADSTS)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .codes_of_settings import SETTINGS, WARNINGS
from .codes_of_sources import ENTRIES, FILES, SOURCES
from .failure import ADVICE
from .refusals import MEANINGS
from .rendering import paragraphs

if TYPE_CHECKING:
    from .rendering import Explanation

CODES: Final[dict[str, Explanation]] = {
    **FILES,
    **SETTINGS,
    **ENTRIES,
    **SOURCES,
    **WARNINGS,
}
"""The codes of problems, by family."""

_AADSTS = re.compile(r"(?:AADSTS)?\s*([0-9]{4,9}):?", re.IGNORECASE)
_CODE = re.compile(r"(?:(?:error|warning)\[)?([a-z0-9-]+)\]?:?")
_REFERENCE = "Microsoft's own text, which may be newer: https://login.microsoftonline.com/error?code="


def explain(text: str) -> str | None:
    """The meaning of a code, the usual causes and the fix, for a terminal of 80 columns.

    Args:
        text: a code of a problem (`unknown-key`), or one of Entra's in any spelling (`AADSTS7000215`, `7000215`).

    Returns:
        The explanation; `None` for an unknown code.
    """
    aadsts = _AADSTS.fullmatch(text.strip())
    if aadsts is not None:
        return _refusal(int(aadsts[1]))
    code = _CODE.fullmatch(text.strip().lower().replace("_", "-"))
    return CODES[code[1]].shown(code[1]) if code is not None and code[1] in CODES else None


def _refusal(code: int) -> str | None:
    if code not in MEANINGS:
        return None
    return "\n\n".join([paragraphs(f"AADSTS{code}: {ADVICE[code]}"), paragraphs(MEANINGS[code]), f"{_REFERENCE}{code}"])
