"""The model of a problem: where, what, and what to do. It never holds a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from credconf.records import record

if TYPE_CHECKING:
    from credconf.config.origins import Origin

Severity = Literal["error", "warning"]


@record
class Excerpt:
    """The line that a problem points at, with everything blanked that is not a key or punctuation.

    Attributes:
        line: counts from 1.
        text: the blanked line; printable characters only.
        indent: how many columns of a terminal stand before the carets.
        width: how many carets there are; always one under a blanked value, whatever its length.
    """

    line: int
    text: str
    indent: int = 0
    width: int = 1


@record
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
        excerpt: the line that `origin` points at, without its values; `None` where there is no line to show.
        meant: for a key or a variable that is unknown, the setting (dotted, without the entry) or the variable that the
            hint suggests.
    """

    code: str
    message: str
    severity: Severity = "error"
    path: str | None = None
    origin: Origin | None = None
    hint: str | None = None
    looked_in: tuple[str, ...] = ()
    excerpt: Excerpt | None = None
    meant: str | None = None

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
