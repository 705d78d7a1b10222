"""The data of a problem: position, message, hint. It never holds a value."""

from __future__ import annotations

from typing import Literal

from credconf.ground.records import record, replace

Severity = Literal["error", "warning"]
Place = Literal["argument", "environment", "dotenv", "file", "preset", "default"]


@record
class Origin:
    """The place of a value.

    Attributes:
        place: an argument, the process environment, `.env`, a file, the preset of a cloud, or a default.
        name: the variable, the keyword argument, or the cloud whose preset it is.
        file: the path as it was given; `.env` for the discovered dotenv file.
        line: counts from 1; `column` too. They point at the value, where a place has positions.
        column: see `line`.
        entry: the named entry of the file that holds the value (with `extends`, the parent's name).
        discovered: whether credconf found the file in the working directory by itself.
        displaced: the origins of the values that this one won over, highest first.
    """

    place: Place
    name: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    entry: str | None = None
    discovered: bool = False
    displaced: tuple[Origin, ...] = ()

    def __str__(self) -> str:
        if self.place == "argument":
            return f"argument {self.name}" if self.name else "arguments"
        if self.place == "environment":
            return f"${self.name}" if self.name else "environment"
        if self.place == "preset":
            return f"preset of cloud {self.name}"
        if self.place == "default":
            return "default"
        position = "".join(f":{number}" for number in (self.line, self.column) if number is not None)
        variable = f" ({self.name})" if self.place == "dotenv" and self.name else ""
        return f"{self.file}{position}{variable}"

    def __repr__(self) -> str:
        return f"<Origin {self}>"

    def over(self, displaced: tuple[Origin, ...]) -> Origin:
        """Return the origin with those that it displaced."""
        return self if self.displaced == displaced else replace(self, displaced=displaced)

    def flat(self) -> tuple[Origin, ...]:
        """The origin, then what it displaced, none of which holds another."""
        return self.over(()), *self.displaced

    def at(self, line: int | None, column: int | None) -> Origin:
        """Return the origin at another position of its file."""
        return replace(self, line=line, column=column)


@record
class Excerpt:
    """The line of a problem, with everything blanked that is not a key or punctuation.

    Attributes:
        line: the line number, from 1.
        text: the blanked line; printable characters only.
        indent: the columns of a terminal before the carets.
        width: the number of carets; always one under a blanked value, independent of its length.
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
        origin: its position; `None` without one.
        hint: what to do.
        looked_in: for something that is missing, every place that was searched.
        excerpt: the line at `origin`, without its values; `None` without a line.
        meant: for an unknown key or variable, the setting (dotted, without the entry) or the variable that the hint
            suggests.
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
        """The line number, from 1."""
        return self.origin.line if self.origin else None

    @property
    def column(self) -> int | None:
        """The column in characters, from 1."""
        return self.origin.column if self.origin else None


def joined(path: str, key: str) -> str:
    """The dotted path of a key."""
    return f"{path}.{key}" if path else key
