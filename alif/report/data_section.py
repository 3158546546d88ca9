"""From replies to rows: the funnel with what it cost, what the rows are about, and near copies, for the page and its JSON.

Everything stands in the facts of the step `generate`; a run without that step has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from alif.records import FUNNEL_GROUPS
from alif.report import plots
from alif.report.snapshot import RunSnapshot

__all__ = ["coverage_section", "data_tables", "funnel_section"]

COLOURS = ("one", "two", "three", "four", "base")
"""Colours of accepted rows and of the reasons that drop most; the other reasons share one more."""


def funnel_section(run: RunSnapshot) -> dict[str, Any]:
    """Return the funnel of report.json: sums of the whole, and by task, teacher and way; empty where nothing was asked."""
    return dict(_facts(run).get("funnel", {}))


def _facts(run: RunSnapshot) -> Mapping[str, Any]:
    return run.facts.get("generate", {})


def data_tables(run: RunSnapshot) -> dict[str, Any]:
    """Return the funnel of the page: the sums by group with a picture of each group of several, and the legend of all."""
    found = funnel_section(run)
    if not found or not found["whole"]["requests"]:
        return {}
    dropped: Mapping[str, int] = found["whole"]["dropped"]
    reasons = sorted(dropped, key=lambda reason: (-dropped[reason], reason))
    drawn, rest = reasons[: len(COLOURS) - 1], reasons[len(COLOURS) - 1 :]
    names = [
        "accepted",
        *(reason.replace("_", " ") for reason in drawn),
        *(["other reasons"] if rest else []),
    ]
    colours = [*COLOURS[: len(drawn) + 1], "other"]
    shown = [group for group in FUNNEL_GROUPS if found[group] and (group == "tasks" or len(found[group]) > 1)]
    return {
        "whole": found["whole"],
        "groups": {FUNNEL_GROUPS[group]: found[group] for group in shown},
        "pictures": {
            FUNNEL_GROUPS[group]: _picture(group, found[group], drawn, rest, colours) for group in shown
        },
        "legend": [(name, colour, "■") for name, colour in zip(names, colours, strict=False)],
        "reasons": reasons,
        "tolerances": _facts(run).get("tolerances", {}),
    }


def _picture(
    group: str,
    parts: Mapping[str, Mapping[str, Any]],
    drawn: Sequence[str],
    rest: Sequence[str],
    colours: Sequence[str],
) -> Markup:
    """Draw a bar for each task, teacher or way: accepted rows, then the dropped ones by reason."""
    rows = {
        name: [
            sums["accepted"],
            *(sums["dropped"].get(reason, 0) for reason in drawn),
            sum(sums["dropped"].get(reason, 0) for reason in rest),
        ]
        for name, sums in parts.items()
    }
    accepted, pieces = (sum(sums[key] for sums in parts.values()) for key in ("accepted", "pieces"))
    about = f"What the teachers wrote, by {FUNNEL_GROUPS[group]}: {accepted} of {pieces} pieces accepted."
    return Markup(plots.plot_bars(f"funnel-{group}", about, rows, colours, "pieces of replies"))


def coverage_section(run: RunSnapshot) -> dict[str, Any]:
    """Return what the accepted rows are about: a table of topics by task, one of length and register, holes and near copies.

    A cell of the first is (rows, share of the task's rows, rows expected where it is a hole, else None).
    """
    facts = _facts(run)
    found = facts.get("coverage", {})
    if not found.get("rows"):
        return {}
    holes = {(hole["task"], hole["topic"]): hole["expected"] for hole in found["holes"]}
    tasks = [task for task, counts in found["topic"].items() if sum(counts.values())]
    topics = dict.fromkeys(topic for task in tasks for topic in found["topic"][task])
    return {
        "tasks": tasks,
        "topics": {
            topic: {task: _cell(found["topic"][task], topic, holes.get((task, topic))) for task in tasks}
            for topic in topics
        },
        "axes": {
            name: {task: _shares(found[name][task]) for task in tasks} for name in ("difficulty", "register")
        },
        "holes": found["holes"],
        **{key: found[key] for key in ("rows", "cells", "empty")},
        "near_copies": facts.get("near_copies", {}),
        "carriers": facts.get("carriers", {}),
    }


def _cell(
    counts: Mapping[str, int], name: str, expected: float | None = None
) -> tuple[int, float, float | None]:
    return counts[name], round(counts[name] / (sum(counts.values()) or 1), 3), expected


def _shares(counts: Mapping[str, int]) -> dict[str, tuple[int, float, float | None]]:
    return {name: _cell(counts, name) for name in counts}
