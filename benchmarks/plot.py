"""The plot of the costs of one more tenant and of a cached call, by the number of tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_OURS = {"label": "credconf", "color": "#0b6e4f"}
_THEIRS = {"label": "azure-identity", "color": "#c8553d"}


class NoPlot(Exception):
    """The library for plots is not installed."""


def draw(points: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> None:
    """Write the plot as a PNG.

    Args:
        points: what `rows.growth` gave: `ours`, `theirs`, `theirs_cached`.
        path: of the file.

    Raises:
        NoPlot: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        figure = None
    else:
        figure = Figure(figsize=(11, 4.4), dpi=130, layout="constrained")
    if figure is None:
        raise NoPlot("the plot needs matplotlib: pip install 'credconf[bench]'")
    fetched, cached = figure.subplots(1, 2)
    _panel(fetched, "One more tenant's token (HTTP not counted)", "milliseconds of CPU")
    _line(fetched, points["theirs"], "cpu", 1e3, **_THEIRS)
    _line(fetched, points["ours"], "cpu", 1e3, **_OURS)
    _panel(cached, "Cached get_token of a random tenant, async", "microseconds")
    _line(cached, points["theirs_cached"], "cached", 1e6, **_THEIRS)
    _line(cached, points["ours"], "cached", 1e6, **_OURS)
    for axes, lowest in ((fetched, 0.1), (cached, 1)):
        axes.set_ylim(bottom=lowest)  # after the lines, because it stops automatic scaling
        axes.legend(frameon=False)
    figure.savefig(path)


def _panel(axes: Any, title: str, unit: str) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("tenants held")
    axes.set_ylabel(unit)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter("")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _line(axes: Any, points: Sequence[Mapping[str, float]], name: str, factor: float, **look: str) -> None:
    tenants = [point["tenants"] for point in points]
    axes.plot(tenants, [point[name] * factor for point in points], marker="o", **look)
