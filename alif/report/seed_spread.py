"""Training seeds apart: runs of one recipe that differ by them alone, as points with their mean and spread.

    test · accepted · Urdu     0.41  0.44  0.39     mean 0.413     spread 0.025, from 0.39 to 0.44

The interval of a point is of its items; how far the points lie apart is of the seeds. The two are never
pooled: other items and another seed are two questions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from alif import recipe as recipes
from alif.report.score_matrix import BENCHMARKS, format_score, format_spread, main_keys
from alif.report.snapshot import RunSnapshot

__all__ = ["SeedPoint", "SeedSpread", "group_seeds", "measure_spread", "title_group"]

SEEDS = ("adapter.seed", "pretrain.seed", "finetune.seed", "prefer.seed")
"""What a training draws at random. Other seeds choose rows, documents or questions."""


@dataclass(frozen=True)
class SeedPoint:
    """What the run of one seed has reached."""

    run: str
    value: float
    low: float
    """Ends of the interval of its items."""
    high: float
    shown: str
    place: float
    """In percent of the axis, from the lowest point to the highest."""


@dataclass(frozen=True)
class SeedSpread:
    """The last stage of several seeds by one metric."""

    benchmark: str
    title: str
    metric: str
    language: str
    points: Sequence[SeedPoint]
    mean: float
    spread: float
    """Standard deviation between the seeds."""
    shown_mean: str
    shown_spread: str


def group_seeds(runs: Sequence[RunSnapshot]) -> list[list[RunSnapshot]]:
    """Return the runs in groups that differ by training seeds alone, in the order of their first runs.

    Two runs with the same seeds are no two seeds: the second begins a group of its own.
    """
    groups: dict[str, dict[str, RunSnapshot]] = {}
    for run in runs:
        settings = recipes.deciding_settings(run.recipe)
        seeds = json.dumps([settings.pop(key) for key in SEEDS])
        key = json.dumps(settings, sort_keys=True)
        if seeds in groups.get(key, {}):
            key = run.name
        groups.setdefault(key, {})[seeds] = run
    return [list(group.values()) for group in groups.values()]


def title_group(group: Sequence[RunSnapshot]) -> str:
    """Return the name of a run, or of the runs that are its seeds."""
    names = ", ".join(run.name for run in group)
    return f"{names} ({len(group)} seeds)" if len(group) > 1 else names


def measure_spread(group: Sequence[RunSnapshot]) -> list[SeedSpread]:
    """Return what the seeds of one group have reached, by the main metric of each benchmark."""
    found = []
    for metric, language, benchmark in main_keys(group[0]) if len(group) > 1 else ():
        scores = [run.score(run.last_stage, metric, language, benchmark) for run in group]
        measured = [(run.name, one) for run, one in zip(group, scores, strict=True) if one]
        if len(measured) < 2:
            continue
        values = [one.value for _, one in measured]
        low, width = min(values), max(values) - min(values)
        points = [
            SeedPoint(
                run=name,
                value=one.value,
                low=one.low,
                high=one.high,
                shown=format_score(one.value, metric, benchmark),
                place=round(100 * (one.value - low) / width, 1) if width else 50.0,
            )
            for name, one in measured
        ]
        mean, spread = round(fmean(values), 6), round(stdev(values), 6)
        found.append(
            SeedSpread(
                benchmark=benchmark,
                title=BENCHMARKS.get(benchmark, benchmark),
                metric=metric,
                language=language,
                points=points,
                mean=mean,
                spread=spread,
                shown_mean=format_score(mean, metric, benchmark),
                shown_spread=format_spread(spread, metric, benchmark),
            )
        )
    return found
