"""What each code means: the codes of problems, and Entra's own (AADSTS)."""

from __future__ import annotations


def explain(text: str) -> str | None:
    """The title and the paragraph of a code; `None` for one that nobody knows.

    Args:
        text: a code of a problem (`unknown-key`), or one of Entra's (`AADSTS7000215`, also without the letters).
    """
    from .aadsts import explain as action

    digits = text.strip().upper().removeprefix("AADSTS")
    return action(int(digits)) if digits.isascii() and digits.isdigit() else None
