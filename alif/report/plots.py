"""Pictures of the report: matplotlib draws them, the page owns them.

Each function returns one `<svg>` to stand inside the page. Text stays text (`svg.fonttype = "none"`), so the browser sets it in
the page's font and shapes Urdu rightly; colours are the page's variables, so a picture follows light, dark and print. The
legend is the page's too, because a browser never lets it overlap. Axes run left to right in every language.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = [
    "COLOURS",
    "PlotLine",
    "PlotPanel",
    "PlotPoint",
    "PlotRow",
    "plot_bars",
    "plot_curves",
    "plot_intervals",
    "plot_lines",
]

COLOURS = ("base", "one", "two", "three", "four", "other")
"""The page's names of its series colours: `var(--base)` …"""
_INK, _MUTED, _LINE = "#000001", "#000002", "#000003"
_SERIES = tuple(f"#0000{16 + index:02x}" for index in range(len(COLOURS)))
_VARIABLES = {_INK: "ink", _MUTED: "muted", _LINE: "line", "#000000": "ink"} | dict(
    zip(_SERIES, COLOURS, strict=True)
)
_MARKERS = ("o", "s", "D", "^", "v", "P")

WIDTH = 10.0
"""Inches; an inch is 72 units of the picture, and the page shows a unit as about a pixel."""
FONT = 12.5
LETTER = 0.105
"""Inches that a letter of a label takes at most."""
CURVE_POINTS = 400
"""Most points that are drawn of a smooth line, whose mean is that of all points."""


@dataclass(frozen=True)
class PlotPoint:
    """A value with its interval, in one of the series (0 …)."""

    series: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PlotRow:
    """A line of an interval picture: a label and its dots."""

    label: str
    dots: Sequence[PlotPoint]


@dataclass(frozen=True)
class PlotLine:
    """Points (step, value) in one of the page's colours."""

    points: Sequence[tuple[float, float]]
    colour: str
    smooth: bool = False


@dataclass(frozen=True)
class PlotPanel:
    """A picture of lines with a title, one of several side by side."""

    title: str
    lines: Sequence[PlotLine]


def plot_intervals(name: str, about: str, rows: Sequence[PlotRow], axis: str, zero: bool = False) -> str:
    """Draw rows of values with 95 % intervals, one colour and marker a series; with `zero`, a line of no change."""
    series = sorted({dot.series for row in rows for dot in row.dots})
    gap = min(0.27, 0.7 / max(len(series), 1))
    height = 0.75 + len(rows) * max(0.4, 0.28 * len(series))
    figure, axes = _canvas(height, [row.label for row in rows], 0.55)
    if zero:
        axes.axvline(0, color=_MUTED, linewidth=1.2)
    for line, row in enumerate(rows):
        for dot in row.dots:
            place = line + (series.index(dot.series) - (len(series) - 1) / 2) * gap
            colour = _SERIES[dot.series % len(_SERIES)]
            axes.plot(
                [dot.low, dot.high],
                [place, place],
                color=colour,
                linewidth=2.2,
                solid_capstyle="round",
                alpha=0.55,
            )
            axes.plot(
                [dot.value], [place], _MARKERS[dot.series % len(_MARKERS)], color=colour, markersize=7.5
            )
    _label_rows(axes, [row.label for row in rows])
    axes.set_xlabel(axis)
    axes.grid(axis="x", color=_LINE)
    return _svg(figure, name, about)


def plot_bars(
    name: str, about: str, rows: Mapping[str, Sequence[int]], colours: Sequence[str], axis: str
) -> str:
    """Draw one stacked bar a row, its parts in these of the page's colours, with the total at its end."""
    figure, axes = _canvas(0.75 + 0.42 * len(rows), list(rows), 0.55)
    for line, parts in enumerate(rows.values()):
        start = 0
        for colour, part in zip(colours, parts, strict=True):
            axes.barh(line, part, left=start, height=0.62, color=_SERIES[COLOURS.index(colour)], linewidth=0)
            start += part
        axes.annotate(
            f"{start:,}", (start, line), (6, 0), textcoords="offset points", va="center", color=_MUTED
        )
    _label_rows(axes, list(rows))
    axes.set_xlim(0, 1.08 * max((sum(parts) for parts in rows.values()), default=1) or 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.set_xlabel(axis)
    axes.grid(axis="x", color=_LINE)
    return _svg(figure, name, about)


def plot_curves(name: str, about: str, panels: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Draw the loss of each training over its optimiser steps, a panel each: thin as measured, thick as a running mean."""
    drawn = []
    for index, (title, points) in enumerate(panels.items()):
        told = [(float(point["step"]), float(point["loss"])) for point in points]
        drawn.append(PlotPanel(title, [PlotLine(told, COLOURS[index % len(COLOURS)], smooth=True)]))
    return plot_lines(name, about, drawn, "loss, nats a token")


def plot_lines(name: str, about: str, panels: Sequence[PlotPanel], axis: str) -> str:
    """Draw panels side by side over the optimiser steps: a line is thick as a running mean, or joins its marked points."""
    with _style(name):
        figure = Figure(figsize=(WIDTH, 3.1))
        for column, panel in enumerate(panels, 1):
            axes = figure.add_subplot(1, len(panels), column)
            _bare(axes)
            for line in panel.lines:
                steps, values = zip(*line.points, strict=True)
                colour = _SERIES[COLOURS.index(line.colour)]
                if line.smooth:
                    shown = slice(None, None, -(-len(steps) // CURVE_POINTS))
                    axes.plot(steps[shown], values[shown], color=colour, linewidth=0.8, alpha=0.4)
                    axes.plot(steps[shown], _smooth(values)[shown], color=colour, linewidth=2)
                else:
                    mark = _MARKERS[COLOURS.index(line.colour) - 1]
                    axes.plot(steps, values, mark, linestyle="-", color=colour, linewidth=2, markersize=6)
            axes.set_title(panel.title, loc="left", color=_INK, fontsize=FONT)
            axes.set_xlabel("optimiser steps")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
            axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
            axes.grid(axis="y", color=_LINE)
        figure.axes[0].set_ylabel(axis)
        figure.subplots_adjust(left=0.07, right=0.99, top=0.89, bottom=0.2, wspace=0.2)
        return _svg(figure, name, about)


def _smooth(values: Sequence[float]) -> list[float]:
    """Return a running mean over a twentieth of the values, narrower towards the ends."""
    widest, last = max(1, len(values) // 40), len(values) - 1
    means = []
    for at in range(len(values)):
        reach = min(widest, at, last - at)
        means.append(math.fsum(values[at - reach : at + reach + 1]) / (2 * reach + 1))
    return means


def _style(name: str) -> Any:
    return mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": name,
            "font.family": "DejaVu Sans",
            "font.size": FONT,
            "axes.labelcolor": _MUTED,
            "axes.edgecolor": _LINE,
            "xtick.color": _MUTED,
            "ytick.color": _MUTED,
            "text.color": _INK,
        }
    )


def _canvas(height: float, labels: Sequence[str], below: float) -> tuple[Figure, Axes]:
    """Return a figure of `height` inches whose left margin holds the longest label."""
    with _style("canvas"):
        figure = Figure(figsize=(WIDTH, height))
        left = min(0.45, (0.3 + LETTER * max((len(label) for label in labels), default=0)) / WIDTH)
        axes = figure.add_axes((left, below / height, 0.985 - left, 1 - (below + 0.1) / height))
        _bare(axes)
    return figure, axes


def _bare(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)


def _label_rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels, color=_INK)
    axes.set_ylim(len(labels) - 0.5, -0.5)


def _svg(figure: Figure, name: str, about: str) -> str:
    """Return a figure as an element of the page: no declarations, unique ids, the page's colours, a sentence for listeners."""
    file = io.StringIO()
    with _style(name), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # the browser has the letters
        figure.savefig(
            file,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    text = file.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.DOTALL)
    body = re.sub(r'(?<=\bid=")|(?<=url\(#)|(?<=xlink:href="#)', f"{name}-", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    width, height = (round(72 * size) for size in figure.get_size_inches())
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(about)}" dir="ltr">{body}'
