"""Where a value came from, and what it displaced."""

from __future__ import annotations

from typing import Any, Literal

from credconf.records import field, record, replace

Place = Literal["argument", "environment", "dotenv", "file", "preset", "default"]


@record
class Origin:
    """The place that a value stands in.

    Attributes:
        place: an argument, the process environment, `.env`, a file, the preset of a cloud, or a default.
        name: the variable, the keyword argument, or the cloud whose preset it is.
        file: the path as it was given; `.env` for the dotenv file that was found.
        line: counts from 1; `column` too. They point at the value, where a place has positions.
        column: see `line`.
        entry: the named entry of the file that holds the value (with `extends`, the parent's name).
        found: the file was found in the working directory; nobody named it.
        displaced: the origins of the values that this one won over, highest first.
    """

    place: Place
    name: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    entry: str | None = None
    found: bool = False
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
        """The same origin, knowing what it displaced."""
        return self if self.displaced == displaced else replace(self, displaced=displaced)

    def flat(self) -> tuple[Origin, ...]:
        """The origin, then what it displaced, none of which holds another."""
        return self.over(()), *self.displaced

    def at(self, line: int | None, column: int | None) -> Origin:
        """The same origin at another position of its file."""
        return replace(self, line=line, column=column)


@record
class Value:
    """One value as it was written, with its origin; what was written is in no `repr`.

    Attributes:
        raw: text, a list, a mapping, or whatever Python object an argument held.
        origin: where the value stands.
        key: where its key stands (the same as `origin` for places without keys).
        node: the YAML node, for positions inside the value.
    """

    raw: Any = field(repr=False)
    origin: Origin
    key: Origin
    node: Any = field(default=None, repr=False)

    def place_of(self, path: tuple[str | int, ...]) -> Origin:
        """The origin of what lies at `path` inside this value, as exactly as is known."""
        node = self.node
        for step in path:
            inner = node.child(step) if node is not None else None
            if inner is None:
                break
            node = inner
        return self.origin if node is None else self.origin.at(node.line, node.column)
