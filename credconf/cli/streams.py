"""Streams whose encoding lacks a character: a replacement is shown, whatever the locale of the machine is."""

from __future__ import annotations

import codecs
import sys
from typing import Final

_REPLACEMENTS: Final = {"…": "...", "→": "->", "├": "|", "│": "|", "└": "+", "─": "-", "✓": "ok", "✗": "failed"}
_HANDLER: Final = "credconf.replace"


def forgive_encodings() -> None:
    """Let standard output and standard error replace what their encoding can't show, instead of failing."""
    codecs.register_error(_HANDLER, _replacement)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a stream that somebody else put there may be anything
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


def _replacement(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    escaped = (_REPLACEMENTS.get(letter) or letter.encode("ascii", "backslashreplace").decode() for letter in text)
    return "".join(escaped), error.end
