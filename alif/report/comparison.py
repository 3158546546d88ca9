"""Several runs on one page: what differs between their recipes, what that did to each number, and what replay did, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from alif import recipe as recipes
from alif.recipe import Recipe
from alif.records import STAGE_NAMES, STAGES
from alif.report import html, plots, summary
from alif.report.plots import PlotPoint, PlotRow
from alif.report.snapshot import RunSnapshot
from alif.report.summary import BITS

__all__ = ["comparison_document", "comparison_page", "differing_settings", "replay_effect"]

SERIES = (1, 2, 3, 4, 0, 5)
"""Colours of the runs, by their number in `plots.COLOURS`."""
MARKS = "●■◆▲▼✚"
"""As the pictures draw the series."""


def comparison_document(runs: Sequence[RunSnapshot], reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON beside the page: the runs' own reports, and what is said about them together."""
    return {
        "runs": [run.name for run in runs],
        "differing": differing_settings([run.recipe for run in runs]),
        "replay": replay_effect(runs),
        "scores": [
            {"run": run.name, **score.model_dump(mode="json")} for run in runs for score in run.scores
        ],
        "reports": list(reports),
    }


def comparison_page(runs: Sequence[RunSnapshot]) -> str:
    """Return the page that compares the runs."""
    languages = {tongue.code: tongue for run in runs for tongue in (run.taught, run.known)}
    return (
        html.jinja_environment()
        .get_template("comparison.html.jinja")
        .render(
            runs=runs,
            style=html.page_style(languages),
            title=", ".join(run.name for run in runs),
            keys={run.name: summary.headlines(run) for run in runs},
            replay=replay_effect(runs),
            differing=differing_settings([run.recipe for run in runs]),
            picture=_picture(runs),
            legend=[
                (run.name, plots.COLOURS[SERIES[index % 6]], MARKS[SERIES[index % 6]])
                for index, run in enumerate(runs)
            ],
            sources=_sources(runs),
            rows=_score_rows(runs),
            answers=_answers(runs),
            last=STAGE_NAMES[STAGES[-1]],
            notices=list(dict.fromkeys(notice for run in runs for notice in summary.list_notices(run))),
        )
    )


def differing_settings(asked: Sequence[Recipe]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all recipes, with each one's value; how fast does not count."""
    names = [name for name in Recipe.model_fields if name not in ("name", "about", "runtime")]
    flat = [
        {
            key: value
            for name in names
            for key, value in recipes.identity_settings(name, getattr(recipe, name)).items()
        }
        for recipe in asked
    ]
    values = {
        key: [found.get(key) for found in flat]
        for key in dict.fromkeys(key for found in flat for key in found)
    }
    return {key: found for key, found in values.items() if any(value != found[0] for value in found)}


def replay_effect(runs: Sequence[RunSnapshot]) -> str:
    """Say in words what replay did to the known language, comparing the first run with replay to the first without.

    The changes of both runs against the base are compared by their intervals; where these overlap, nothing is claimed.
    """
    groups = {bool(run.recipe.replay.rows): run for run in reversed(runs)}
    changes = {
        replayed: (run, change, score)
        for replayed, run in groups.items()
        if (change := run.difference("finetune", BITS, run.known.code))
        and (score := run.score("base", BITS, run.known.code))
    }
    if len(changes) < 2:
        return ""
    parts = []
    for replayed in (True, False):
        run, change, score = changes[replayed]
        rows = f"With {run.recipe.replay.rows:,} rows of replay" if replayed else "without replay"
        low, high = (summary.format_percent(change[end], score.value) for end in ("low", "high"))
        moved = summary.format_percent(change["difference"], score.value)
        parts.append(
            f"{rows} ({run.name}) {run.known.name} bits per byte moved by {moved} (95 % interval {low} to {high})"
        )
    kept, lost = changes[True][1], changes[False][1]
    if kept["high"] < lost["low"]:
        told = f"The intervals do not overlap: with replay less {run.known.name} was lost."
    elif kept["low"] > lost["high"]:
        told = f"The intervals do not overlap: with replay more {run.known.name} was lost."
    else:
        told = "The intervals overlap: so few documents do not tell the two apart."
    return f"{'; '.join(parts)}. {told}"


def _picture(runs: Sequence[RunSnapshot]) -> Markup | str:
    """Draw bits per byte of held-out text by language and stage, the runs side by side."""
    rows = []
    for tongue in (runs[0].taught, runs[0].known):
        for stage in STAGES:
            found = [(index, run.score(stage, BITS, tongue.code)) for index, run in enumerate(runs)]
            dots = [
                PlotPoint(SERIES[index % 6], score.value, score.low, score.high)
                for index, score in found
                if score
            ]
            if dots:
                rows.append(PlotRow(f"{tongue.name}, {STAGE_NAMES[stage]}", dots))
    about = "Bits per byte of held-out text by language, stage and run, with 95 % intervals; lower is better."
    return (
        Markup(plots.plot_intervals("runs", about, rows, "bits per byte (lower is better)")) if rows else ""
    )


def _sources(runs: Sequence[RunSnapshot]) -> list[dict[str, Any]]:
    """Return a row for each held-out source, and one for all alike: bits per byte stage by stage, and what stage 1 did."""
    keys = dict.fromkeys(
        (score.language, score.benchmark)
        for run in runs
        for score in run.scores
        if score.metric == BITS and score.benchmark.partition("/")[0] == "heldout"
    )
    rows = []
    for language, benchmark in sorted(
        keys, key=lambda key: [key[0] == tongue.code for tongue in (runs[0].known, runs[0].taught)]
    ):
        cells = []
        for run in runs:
            base, first = (run.score(stage, BITS, language, benchmark) for stage in STAGES[:2])
            cells.append(
                {
                    "scores": [run.score(stage, BITS, language, benchmark) for stage in STAGES],
                    "moved": summary.format_percent(first.value - base.value, base.value)
                    if base and first
                    else "",
                    "change": run.difference(STAGES[1], BITS, language, benchmark),
                }
            )
        name = benchmark.partition("/")[2] or "all sources alike"
        rows.append({"language": runs[0].tongue(language).name, "source": name, "cells": cells})
    return rows


def _score_rows(runs: Sequence[RunSnapshot]) -> list[dict[str, Any]]:
    """Return a row for each number that any run has for its last stage, with the score and the verdict of every run."""
    keys = dict.fromkeys(
        (score.benchmark, score.metric, score.language)
        for run in runs
        for score in run.scores
        if "/" not in score.benchmark
    )
    return [
        {
            "benchmark": benchmark,
            "metric": metric.replace("_", " "),
            "language": runs[0].tongue(language).name,
            "cells": [
                (
                    run.score(STAGES[-1], metric, language, benchmark),
                    run.difference(STAGES[-1], metric, language, benchmark),
                )
                for run in runs
            ],
        }
        for benchmark, metric, language in keys
    ]


def _answers(runs: Sequence[RunSnapshot]) -> list[dict[str, Any]]:
    """Return the sample questions that all runs were asked, with each run's last answer."""
    by_id = [{row["id"]: row for row in run.answers} for run in runs]
    shared = [row for row in runs[0].answers if all(row["id"] in found for found in by_id)]
    return [
        {
            **row,
            "tongue": runs[0].tongue(row["language"]),
            "said": [found[row["id"]]["answers"].get(STAGES[-1], "") for found in by_id],
        }
        for row in shared
    ]
