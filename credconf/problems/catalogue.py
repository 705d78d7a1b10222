"""What each code means: the codes of problems, and Entra's own (AADSTS)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credconf.problems.aadsts.meanings import meaning
from credconf.problems.codes import entries, files, settings, sources, warnings

if TYPE_CHECKING:
    from .explanation import Explanation

CODES: Final[dict[str, Explanation]] = {
    **files.EXPLAINED,
    **settings.EXPLAINED,
    **entries.EXPLAINED,
    **sources.EXPLAINED,
    **warnings.EXPLAINED,
}
"""The codes of problems, by family."""

_ENTRAS = re.compile(r"(?:AADSTS)?\s*([0-9]{4,9}):?", re.IGNORECASE)
_OURS = re.compile(r"(?:(?:error|warning)\[)?([a-z0-9-]+)\]?:?")


def explain(text: str) -> str | None:
    """What a code means and what to do about it, for a terminal; `None` for one that nobody knows.

    Args:
        text: a code of a problem (`unknown-key`), or one of Entra's in any spelling (`AADSTS7000215`, `7000215`).
    """
    entras = _ENTRAS.fullmatch(text.strip())
    if entras is not None:
        return meaning(int(entras[1]))
    ours = _OURS.fullmatch(text.strip().lower().replace("_", "-"))
    return CODES[ours[1]].shown(ours[1]) if ours is not None and ours[1] in CODES else None
