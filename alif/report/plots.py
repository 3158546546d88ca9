"""Draw the report's figures as SVG with matplotlib.

Each function returns one `<svg>` element, or nothing where there is nothing to draw. Text stays text, so the
browser sets it in the page's font and shapes Urdu; colours are the page's CSS variables, so a figure follows
light, dark and print. The page draws the legend, because there it cannot overlap. Axes run left to right in
every language.
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
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = [
    "COLOURS", "PlotCross", "PlotLine", "PlotPoint", "legend", "plot_bars", "plot_intervals", "plot_lines",
    "plot_tradeoff",
]  # fmt: skip

COLOURS = ("base", "one", "two", "three", "four", "other")
"""Names of the page's series colours: `var(--base)` …"""
MARKS = "●■◆▲▼✚"
_MARKERS = ("o", "s", "D", "^", "v", "P")
_INK, _MUTED, _LINE = "#000001", "#000002", "#000003"
_SERIES = tuple(f"#0000{16 + index:02x}" for index in range(len(COLOURS)))
_VARIABLES = {_INK: "ink", _MUTED: "muted", _LINE: "line", "#000000": "ink"}
"""Placeholder colours, replaced by CSS variables in the finished SVG."""
_STYLE: Any = {  # matplotlib types its 300 keys one by one
    "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 12.5, "text.color": _INK,
    "axes.labelcolor": _MUTED, "axes.edgecolor": _LINE, "xtick.color": _MUTED, "ytick.color": _MUTED,
}  # fmt: skip
WIDTH_IN, LETTER_IN = 10.0, 0.105
"""Width of a figure; largest width of a letter of a label. An inch is 72 units of the SVG, or pixels."""
CURVE_POINTS = 400
"""Most points drawn of a smoothed line; its running mean is taken over all points."""


@dataclass(frozen=True)
class PlotPoint:
    """A value with its interval, in one of the series (0 …)."""

    series: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PlotLine:
    """Points (step, value) in one of `COLOURS`."""

    points: Sequence[tuple[float, float]]
    colour: str
    smooth: bool = False
    """Thin as measured, thick as a running mean; else joined, marked points."""


@dataclass(frozen=True)
class PlotCross:
    """A model between two aims: (value, low, high) along each, in one of `COLOURS`."""

    label: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    colour: str
    joined: bool = True
    """Whether the line through the points passes here."""
    margin: float | None = None
    """How far below 0 the first value still counts as kept."""
    size: float = 8
    """Of its mark: smaller for the single trainings behind a point."""


def legend(
    titles: Mapping[str, str], series: Sequence[int] = range(len(COLOURS))
) -> dict[str, tuple[str, str, str]]:
    """Return (title, colour, mark) of each series by its name; after the last colour it begins again."""
    places = [series[index % len(series)] for index in range(len(titles))]
    return {
        name: (titles[name], COLOURS[place], MARKS[place]) for name, place in zip(titles, places, strict=True)
    }


def plot_intervals(
    name: str, about: str, rows: Mapping[str, Sequence[PlotPoint]], axis: str, zero: bool = False
) -> Markup:
    """Draw rows of values with their intervals, by label; with `zero`, a line at no change."""
    if not rows:
        return Markup("")
    series = sorted({point.series for points in rows.values() for point in points})
    gap = min(0.27, 0.7 / max(len(series), 1))
    figure, axes = _row_axes(0.75 + len(rows) * max(0.4, 0.28 * len(series)), list(rows))
    if zero:
        axes.axvline(0, color=_MUTED, linewidth=1.2)
    for line, points in enumerate(rows.values()):
        for point in points:
            y = line + (series.index(point.series) - (len(series) - 1) / 2) * gap
            colour, marker = _SERIES[point.series % len(_SERIES)], _MARKERS[point.series % len(_MARKERS)]
            ends = [point.low, point.high]
            axes.plot(ends, [y, y], color=colour, linewidth=2.2, solid_capstyle="round", alpha=0.55)
            axes.plot([point.value], [y], marker, color=colour, markersize=7.5)
    axes.set_xlabel(axis)
    return _svg(figure, name, about)


def plot_bars(
    name: str, about: str, rows: Mapping[str, Sequence[int]], colours: Sequence[str], axis: str
) -> Markup:
    """Draw one stacked bar a row, its parts in these `COLOURS`, with the total at its end."""
    figure, axes = _row_axes(0.75 + 0.42 * len(rows), list(rows))
    for line, parts in enumerate(rows.values()):
        start = 0
        for colour, part in zip(colours, parts, strict=True):
            axes.barh(line, part, left=start, height=0.62, color=_SERIES[COLOURS.index(colour)], linewidth=0)
            start += part
        offset = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"{start:,}", (start, line), color=_MUTED, **offset)  # type: ignore[arg-type]
    axes.set_xlim(0, 1.08 * max((sum(parts) for parts in rows.values()), default=1) or 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.set_xlabel(axis)
    return _svg(figure, name, about)


def plot_lines(name: str, about: str, panels: Mapping[str, Sequence[PlotLine]], axis: str) -> Markup:
    """Draw panels side by side, by title, over the optimizer steps."""
    if not panels:
        return Markup("")
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH_IN, 3.1))
        for column, (title, lines) in enumerate(panels.items(), 1):
            axes = figure.add_subplot(1, len(panels), column)
            _remove_frame(axes)
            for line in lines:
                steps, values = zip(*line.points, strict=True)
                colour = _SERIES[COLOURS.index(line.colour)]
                if line.smooth:
                    shown = slice(None, None, -(-len(steps) // CURVE_POINTS))
                    axes.plot(steps[shown], values[shown], color=colour, linewidth=0.8, alpha=0.4)
                    axes.plot(steps[shown], running_mean(values)[shown], color=colour, linewidth=2)
                else:
                    marker = _MARKERS[COLOURS.index(line.colour) - 1]
                    axes.plot(steps, values, marker, linestyle="-", color=colour, linewidth=2, markersize=6)
            axes.set_title(title, loc="left", color=_INK, fontsize=_STYLE["font.size"])
            axes.set_xlabel("optimizer steps")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
            axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
            axes.grid(axis="y", color=_LINE)
        figure.axes[0].set_ylabel(axis)
        figure.subplots_adjust(left=0.07, right=0.99, top=0.89, bottom=0.2, wspace=0.2)
    return _svg(figure, name, about)


def plot_tradeoff(
    name: str, about: str, panels: Mapping[str, Sequence[PlotCross]], axes_titles: tuple[str, str]
) -> Markup:
    """Draw panels side by side, by title: points with their intervals both ways, joined in their order.

    Lines stand at no change, and dashed at `margin` of the first axis.
    """
    if not panels:
        return Markup("")
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH_IN, 4.6))
        for column, (title, points) in enumerate(panels.items(), 1):
            axes = figure.add_subplot(1, len(panels), column)
            _remove_frame(axes)
            axes.axhline(0, color=_LINE, linewidth=1.2)
            axes.axvline(0, color=_LINE, linewidth=1.2)
            if points[-1].margin is not None:
                axes.axvline(-points[-1].margin, color=_MUTED, linewidth=1, linestyle=(0, (4, 3)))
            joined = [(point.x[0], point.y[0]) for point in points if point.joined]
            axes.plot(*zip(*joined, strict=True), color=_MUTED, linewidth=1)
            for point in points:
                colour = _SERIES[COLOURS.index(point.colour)]
                (x, *ends_x), (y, *ends_y) = point.x, point.y
                axes.plot(ends_x, [y, y], color=colour, linewidth=2, alpha=0.5, solid_capstyle="round")
                axes.plot([x, x], ends_y, color=colour, linewidth=2, alpha=0.5, solid_capstyle="round")
                axes.plot(
                    [x], [y], _MARKERS[COLOURS.index(point.colour)], color=colour, markersize=point.size
                )
            axes.set_title(title, loc="left", color=_INK, fontsize=_STYLE["font.size"])
            axes.set_xlabel(axes_titles[0])
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
            axes.margins(0.12)
            axes.grid(color=_LINE, linewidth=0.5)
        figure.axes[0].set_ylabel(axes_titles[1])
        figure.subplots_adjust(left=0.09, right=0.97, top=0.92, bottom=0.13, wspace=0.22)
        for axes, points in zip(figure.axes, panels.values(), strict=True):
            _label_points(axes, points)
    return _svg(figure, name, about)


def _label_points(axes: Axes, points: Sequence[PlotCross]) -> None:
    """Write each label beside its point, in the first place inside that no mark and no other label has."""
    axes.get_xlim()  # the scale is final from here on
    at = [axes.transData.transform((one.x[0], one.y[0])) * 72 / axes.figure.dpi for one in points]
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in at]

    def is_free(left: float, low: float, right: float, high: float) -> bool:
        clear = not any(left < x1 and x0 < right and low < y1 and y0 < high for x0, y0, x1, y1 in taken)
        return clear and right < 72 * WIDTH_IN

    for point, (x, y) in zip(points, at, strict=True):
        width = 72 * LETTER_IN * len(point.label)
        shifts = [(right, up) for up in (5, -18, 20, -33) for right in (7, -7 - width)]
        boxes = {
            shift: (x + shift[0], y + shift[1], x + shift[0] + width, y + shift[1] + 15) for shift in shifts
        }
        shift = next((shift for shift, box in boxes.items() if is_free(*box)), shifts[0])
        taken.append(boxes[shift])
        place = (point.x[0], point.y[0])
        axes.annotate(point.label, place, color=_INK, xytext=shift, textcoords="offset points")


def running_mean(values: Sequence[float]) -> list[float]:
    """Return a centred running mean over a twentieth of the values, narrower towards the ends."""
    widest, last = max(1, len(values) // 40), len(values) - 1
    means = []
    for at in range(len(values)):
        reach = min(widest, at, last - at)
        means.append(math.fsum(values[at - reach : at + reach + 1]) / (2 * reach + 1))
    return means


def _row_axes(height_in: float, labels: Sequence[str]) -> tuple[Figure, Axes]:
    """Return a figure with one labelled row per label, whose left margin holds the longest of them."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH_IN, height_in))
        left = min(0.45, (0.3 + LETTER_IN * max((len(label) for label in labels), default=0)) / WIDTH_IN)
        axes = figure.add_axes((left, 0.55 / height_in, 0.985 - left, 1 - 0.65 / height_in))
    _remove_frame(axes)
    axes.set_yticks(range(len(labels)), labels, color=_INK)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="x", color=_LINE)
    return figure, axes


def _remove_frame(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)


def _svg(figure: Figure, name: str, about: str) -> Markup:
    """Return a figure as an SVG element without declarations, with unique ids and `about` as its label."""
    file = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # the browser has the letters
        no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=no_metadata)
    text = file.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.DOTALL)
    body = re.sub(r'(?<=\bid=")|(?<=url\(#)|(?<=xlink:href="#)', f"{name}-", body)
    for colour, variable in (*_VARIABLES.items(), *zip(_SERIES, COLOURS, strict=True)):
        body = body.replace(colour, f"var(--{variable})")
    width, height = (round(72 * size) for size in figure.get_size_inches())
    label = f'role="img" aria-label="{escape(about)}" dir="ltr"'
    return Markup(f'<svg viewBox="0 0 {width} {height}" {label}>{body}')
