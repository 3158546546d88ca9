"""The page's part on rows: the funnel from replies to rows with its cost, and what the rows are about.

Everything stands in the facts of the step `generate`; a run without that step has neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from alif.facts.data_facts import FunnelCounts, GenerateFacts
from alif.records import FUNNEL_GROUPS
from alif.report import plots

__all__ = ["Cell", "CoverageSection", "FunnelSection", "coverage_section", "funnel_section"]

COLOURS = ("one", "two", "three", "four", "base")
"""Colours of accepted rows and of the reasons that drop most; the other reasons share one more."""


@dataclass(frozen=True)
class FunnelSection:
    """The funnel as tables and figures."""

    groups: Mapping[str, Mapping[str, FunnelCounts]]
    """Counts by task, and by teacher and strategy where there are several."""
    figures: Mapping[str, Markup]
    legend: Sequence[tuple[str, str, str]]
    reasons: Sequence[str]
    """Why pieces were dropped, the most frequent first."""


def funnel_section(facts: GenerateFacts | None) -> FunnelSection | None:
    """Return the funnel of the page; None where nothing was requested."""
    if facts is None or not facts.funnel.whole.requests:
        return None
    whole = facts.funnel.whole
    reasons = sorted(whole.dropped, key=lambda reason: (-whole.dropped[reason], reason))
    drawn = reasons[: len(COLOURS) - 1]
    colours = [*COLOURS[: len(drawn) + 1], "other"]
    names = ["accepted", *(reason.replace("_", " ") for reason in drawn)]
    names += ["other reasons"] if len(reasons) > len(drawn) else []
    groups: dict[str, Mapping[str, FunnelCounts]] = {}
    figures = {}
    for group, title in FUNNEL_GROUPS.items():
        parts: Mapping[str, FunnelCounts] = getattr(facts.funnel, group)
        if len(parts) > (group != "tasks"):
            groups[title] = parts
            about = f"What the teachers wrote, by {title}: {whole.accepted} of {whole.pieces} accepted."
            bars = {}
            for name, counts in parts.items():
                dropped = [counts.dropped.get(reason, 0) for reason in drawn]
                rest = sum(counts.dropped.values()) - sum(dropped)
                bars[name] = [counts.accepted, *dropped, rest]
            figures[title] = plots.plot_bars(f"funnel-{group}", about, bars, colours, "pieces of replies")
    legend = [(name, colour, "■") for name, colour in zip(names, colours, strict=False)]
    return FunnelSection(groups, figures, legend, reasons)


class Cell(NamedTuple):
    """Rows of a task with some value."""

    rows: int
    share: float
    """Of the task's rows."""
    expected: float | None = None
    """Rows expected where this is a gap."""


@dataclass(frozen=True)
class CoverageSection:
    """What the accepted rows are about."""

    tasks: Sequence[str]
    topics: Mapping[str, Mapping[str, Cell]]
    """By topic and task."""
    axes: Mapping[str, Mapping[str, Mapping[str, Cell]]]
    """Length of the answer and register, by task."""


def coverage_section(facts: GenerateFacts | None) -> CoverageSection | None:
    """Return the coverage of the page; None where no row was accepted."""
    if facts is None or not facts.coverage.rows:
        return None
    coverage = facts.coverage
    expected = {(gap.task, gap.topic): gap.expected for gap in coverage.gaps}
    tasks = [task for task, counts in coverage.topics.items() if sum(counts.values())]
    topics = dict.fromkeys(topic for task in tasks for topic in coverage.topics[task])
    axes = {"length of the answer": coverage.difficulties, "register": coverage.registers}
    return CoverageSection(
        tasks,
        {
            topic: {task: _cell(coverage.topics[task], topic, expected.get((task, topic))) for task in tasks}
            for topic in topics
        },
        {
            title: {task: {name: _cell(counts[task], name) for name in counts[task]} for task in tasks}
            for title, counts in axes.items()
        },
    )


def _cell(counts: Mapping[str, int], name: str, expected: float | None = None) -> Cell:
    return Cell(counts[name], round(counts[name] / (sum(counts.values()) or 1), 3), expected)
