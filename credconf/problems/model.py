"""The model of a problem: where, what, and what to do. It never holds a value."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credconf.config.origins import Origin

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a configuration.

    Attributes:
        code: stable and hyphenated, such as `unknown-key`.
        message: one sentence; names keys, variables and files, never a value.
        severity: an error stops `load()`, a warning does not.
        path: dotted, from the root of the configuration, such as `credentials.billing.client_id`.
        origin: where it is; `None` where no place can be named.
        hint: what to do.
        looked_in: for what is missing, every place that was looked at.
    """

    code: str
    message: str
    severity: Severity = "error"
    path: str | None = None
    origin: Origin | None = None
    hint: str | None = None
    looked_in: tuple[str, ...] = ()

    @property
    def file(self) -> str | None:
        """The path as given, `.env` for the dotenv file, `None` for the environment and arguments."""
        return self.origin.file if self.origin else None

    @property
    def line(self) -> int | None:
        """Counts from 1."""
        return self.origin.line if self.origin else None

    @property
    def column(self) -> int | None:
        """Counts from 1, in characters."""
        return self.origin.column if self.origin else None


def closest(word: str, choices: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The choice that `word` was probably meant to be, compared without case, `-` and `_`."""
    folded = {choice.lower().replace("-", "").replace("_", ""): choice for choice in choices}
    matches = get_close_matches(word[:64].lower().replace("-", "").replace("_", ""), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None
