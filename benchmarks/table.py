"""The results as rows, for a table in Markdown and for JSON."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Unit: TypeAlias = Literal["s", "bytes", "requests"]


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        what: the name of the measurement.
        unit: the unit of the numbers.
        theirs: azure-identity's number; `None` if it was not measured.
        ours: credconf's.
        floor: the minimum, measured in the same run, if there is one.
        goal: the budget, in words.
        reached: whether credconf's number is within the budget; `None` without a budget.
        detail: the requests by kind, and other data for the JSON.
        ratios: the ratio of each pair of measurements, if the sides took turns; the numbers are then medians.
    """

    what: str
    unit: Unit
    theirs: float | None
    ours: float
    floor: float | None = None
    goal: str = ""
    reached: bool | None = None
    detail: dict[str, Any] | None = None
    ratios: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Return the ratio of credconf's number to azure-identity's: the median of all pairs, if there are pairs."""
        if self.ratios:
            return statistics.median(self.ratios)
        return self.ours / self.theirs if self.theirs else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """Return the lower and the upper quartile of the ratios."""
        if len(self.ratios) < _ENOUGH:
            return None
        lower, _, upper = statistics.quantiles(self.ratios, n=4)
        return lower, upper

    def as_json(self) -> dict[str, Any]:
        """Return the row with the ratios, for JSON."""
        floors = {}
        if self.floor:
            theirs = None if self.theirs is None else self.theirs / self.floor
            floors = {"theirs_to_floor": theirs, "ours_to_floor": self.ours / self.floor}
        return {**asdict(self), "ours_to_theirs": self.ratio, "spread": self.spread, **floors}


_ENOUGH = 3
"""The smallest number of pairs with a spread."""
HEADS = ("what", "azure-identity", "ours", "ours / theirs", "goal", "")


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    return grid([HEADS, *(_cells(row) for row in rows)])


def grid(cells: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of cells. The first line is the header."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    return "\n".join([lines[0], "| " + " | ".join("-" * max(width, 3) for width in widths) + " |", *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {True: "reached", False: "MISSED", None: ""}[row.reached]
    return row.what, _with_floor(row, row.theirs), _with_floor(row, row.ours), _ratio(row), row.goal, verdict


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    text = f"{row.ratio:.2g}" if row.ratio < 1 else f"{row.ratio:.2f}"
    return f"{text} ({row.spread[0]:.2f} to {row.spread[1]:.2f})" if row.spread else text


def _with_floor(row: Row, number: float | None) -> str:
    if number is None:
        return ""
    text = shown(number, row.unit)
    if not row.floor:
        return text
    times = number / row.floor
    return f"{text} ({times:.0f} floors)" if times >= 10 else f"{text} ({times:.2f} floors)"  # noqa: PLR2004 - two digits


def shown(number: float, unit: Unit) -> str:
    """Return a number with its unit, rounded."""
    if unit == "requests":
        return f"{number:.0f}"
    if unit == "bytes":
        return f"{number:,.0f} B"
    for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if abs(number) * factor >= 1:
            return f"{number * factor:.3g} {name}"
    return f"{number * 1e9:.0f} ns"
