"""Whether colours are wanted, and which."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Severity

_RESET = "\033[0m"
_BOLD = "\033[1m"
_FRAME = "\033[1;34m"
_SEVERITY: Final[dict[Severity, str]] = {"error": "\033[1;31m", "warning": "\033[1;33m"}


def wants_colour(stream: Any, environ: Mapping[str, str] | None = None) -> bool:
    """Whether text for a stream should be coloured: on a terminal, unless its user asked otherwise.

    `NO_COLOR` (https://no-color.org) forbids colours; `FORCE_COLOR` and `CLICOLOR_FORCE` ask for them where there is no
    terminal, such as the log of a CI job; `CLICOLOR=0` and `TERM=dumb` turn them off on one.

    Args:
        stream: what the text will be written to.
        environ: instead of the process environment.
    """
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return bool(getattr(stream, "isatty", bool)())


class Palette:
    """The parts of a problem's text in their colours, or plain."""

    def __init__(self, severity: Severity, *, colour: bool) -> None:
        self._severity = _SEVERITY[severity]
        self._colour = colour

    def _painted(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colour and text else text

    def severe(self, text: str) -> str:
        """The severity with its code, the carets, and what stands behind them."""
        return self._painted(text, self._severity)

    def bold(self, text: str) -> str:
        """The message."""
        return self._painted(text, _BOLD)

    def frame(self, text: str) -> str:
        """The arrow, the number of the line, and the bars."""
        return self._painted(text, _FRAME)
