"""The comparison matrix: systems by benchmarks, each cell a value with its interval and paired difference.

    system             test · accepted · Urdu        arc_easy · accuracy · English
    base               8.1 %   ─●──                  27.0 %  ──●──
    demo · stage 2     13.0 %    ─●──  +4.9 better   26.0 %  ──●──  −1.0 cannot tell

A difference is coloured only where its paired interval excludes zero and so does Holm's adjusted p; all else
is grey, with the smallest difference that so many items would have shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from alif.facts.evaluation_facts import BenchmarkFacts, Comparison, EvaluateFacts
from alif.records import Score
from alif.report.html import format_number
from alif.report.snapshot import RunSnapshot

__all__ = [
    "BENCHMARKS", "MatrixCell", "MatrixColumn", "MatrixRow", "ScoreMatrix", "Tone", "build_matrix",
    "describe_difference", "find_tone", "format_score", "format_spread", "lower_is_better", "main_keys",
]  # fmt: skip

Tone = Literal["good", "bad", "open"]
Key = tuple[str, str, str]
"""Metric, language and benchmark, as `RunSnapshot.score` wants them."""

BENCHMARKS = {
    "heldout": "Held-out text", "answers": "Held-out answers", "test": "Test questions",
    "fidelity": "Failure signatures",
}  # fmt: skip
"""Titles of the evaluation's own benchmarks; others go by their name."""
SHARES = frozenset(
    ("accepted", "accuracy", "choice", "choice_unreadable", "contains", "exact_match", "exact_match_nospace",
     "number", "number_read")
)  # fmt: skip
"""Metrics that are a share of the items: shown in percent, their differences in points."""
FAMILY_ERROR_RATE = 0.05
"""Source: `alif.evaluate.compare`."""


@dataclass(frozen=True)
class MatrixColumn:
    """A benchmark by its main metric."""

    benchmark: str
    title: str
    metric: str
    language: str
    shots: int
    n: int
    provenance: str
    licence: str
    low: float
    """Ends of the axis that all bars of the column share."""
    high: float
    detectable: str
    """Smallest difference that is shown with 80 % chance, of the cells that cannot tell: its range."""


@dataclass(frozen=True)
class MatrixCell:
    """A system on a benchmark; without a score only `words` says why."""

    words: str = "not measured"
    """The verdict."""
    value: str = ""
    interval: str = ""
    bar: tuple[float, float, float] = (0, 0, 0)
    """Value, start and end of the interval, in percent of the column's axis."""
    change: str = ""
    tone: Tone = "open"
    note: str = ""
    """All that is known of the difference."""


@dataclass(frozen=True)
class MatrixRow:
    """A system of a run."""

    run: str
    system: str
    title: str
    cells: Sequence[MatrixCell]


@dataclass(frozen=True)
class ScoreMatrix:
    """All systems on all benchmarks."""

    columns: Sequence[MatrixColumn]
    rows: Sequence[MatrixRow]


def build_matrix(runs: Sequence[RunSnapshot]) -> ScoreMatrix:
    """Return the matrix of all systems of these runs; differences are from each run's own base."""
    keys = list(dict.fromkeys(key for run in runs for key in main_keys(run)))
    facts = [run.facts("evaluate", EvaluateFacts) for run in runs]
    every = (benchmark for one in facts if one for benchmark in one.benchmarks)
    described: Mapping[str, BenchmarkFacts] = {benchmark.name: benchmark for benchmark in every}
    columns = [_column(key, runs, described.get(key[2])) for key in keys]
    rows = []
    for run, one in zip(runs, facts, strict=True):
        denied = {system.name: system.not_measurable for system in one.systems} if one else {}
        measured = {score.stage for score in run.scores}
        for system, title in run.systems.items():
            if system in measured:
                cells = [
                    _cell(run, system, key, column, denied.get(system, ()))
                    for key, column in zip(keys, columns, strict=True)
                ]
                name = f"{run.name} · {title}" if len(runs) > 1 else title
                rows.append(MatrixRow(run.name, system, name, cells))
    return ScoreMatrix(columns, rows)


def main_keys(run: RunSnapshot) -> list[Key]:
    """Return the main metric of each benchmark and language: the first that was written."""
    found: dict[tuple[str, str], Key] = {}
    for score in run.scores:
        if "/" not in score.benchmark and score.benchmark != "fidelity":
            key = (score.metric, score.language, score.benchmark)
            found.setdefault((score.benchmark, score.language), key)
    return list(found.values())


def lower_is_better(metric: str, benchmark: str) -> bool:
    """Tell whether less of a metric is better: bits, failures, spreads between wordings."""
    return benchmark == "fidelity" or metric.endswith(("bits_per_byte", "_unreadable", "_spread"))


def find_tone(change: Comparison) -> Tone:
    """Return the colour of a difference: good or bad only where its interval and Holm's p exclude zero."""
    sure = change.p_holm < FAMILY_ERROR_RATE and change.low * change.high > 0 and change.n > 1
    if not sure or change.verdict == "not measurable":
        return "open"
    return "bad" if (change.difference > 0) == lower_is_better(change.metric, change.benchmark) else "good"


def format_score(value: float, metric: str, benchmark: str, sign: str = "") -> str:
    """Return a value in its metric's unit: shares in percent, or points where a sign is asked for."""
    if metric not in SHARES and benchmark != "fidelity":
        return format_number(float(value), sign)
    number = format(100 * value, f"{sign}.1f").replace("-", "−")
    return number if sign else f"{number} %"


def difference_unit(metric: str, benchmark: str) -> str:
    """Return the unit of a difference, in words."""
    if metric in SHARES or benchmark == "fidelity":
        return " points"
    return " bits per byte" if metric.endswith("bits_per_byte") else ""


def format_spread(value: float, metric: str, benchmark: str) -> str:
    """Return how far two values lie apart, with its unit: "5.0 points"."""
    return format_score(value, metric, benchmark, "+").lstrip("+") + difference_unit(metric, benchmark)


def describe_difference(change: Comparison) -> str:
    """Return a difference with its interval: "+4.1 points, 95 % CI 1.2 to 7.0"."""
    difference, low, high = (
        format_score(value, change.metric, change.benchmark, "+")
        for value in (change.difference, change.low, change.high)
    )
    unit = difference_unit(change.metric, change.benchmark)
    return f"{difference}{unit}, 95 % CI {low.lstrip('+')} to {high.lstrip('+')}"


def _column(key: Key, runs: Sequence[RunSnapshot], facts: BenchmarkFacts | None) -> MatrixColumn:
    metric, language, benchmark = key
    scores = [one for run in runs for name in run.systems if (one := run.score(name, *key))]
    changes = [change for run in runs for name in run.systems if (change := run.difference(name, *key))]
    unsure = sorted(one.detectable for one in changes if find_tone(one) == "open")
    ends = [format_score(one, metric, benchmark, "+").lstrip("+") for one in unsure[:1] + unsure[-1:]]
    return MatrixColumn(
        benchmark=benchmark,
        title=BENCHMARKS.get(benchmark, benchmark),
        metric=metric,
        language=language,
        shots=scores[0].shots,
        n=scores[0].n,
        provenance=facts.provenance if facts else scores[0].provenance,
        licence=facts.licence if facts else "",
        low=min(one.low for one in scores),
        high=max(one.high for one in scores),
        detectable=" to ".join(dict.fromkeys(ends)) + difference_unit(metric, benchmark) if ends else "",
    )


def _cell(
    run: RunSnapshot, system: str, key: Key, column: MatrixColumn, not_measurable: Sequence[str]
) -> MatrixCell:
    score, change = run.score(system, *key), run.difference(system, *key)
    if score is None:
        denied = column.benchmark in not_measurable
        return MatrixCell("not measurable: it gives no log-probabilities" if denied else "not measured")
    metric, _, benchmark = key
    low, high = (format_score(end, metric, benchmark).removesuffix(" %") for end in (score.low, score.high))
    shown = MatrixCell(
        words="",
        value=format_score(score.value, metric, benchmark),
        interval=f"{low} to {high}",
        bar=_place_bar(score, column),
        note="" if change or system == "base" else "no paired difference from the base",
    )
    if change is None:
        return shown
    return replace(
        shown,
        words=change.verdict.replace("not measurable", "not measurable: the base is at chance"),
        change=format_score(change.difference, metric, benchmark, "+"),
        tone=find_tone(change),
        note=f"{describe_difference(change)} against {change.against}; p {change.p_holm:.3g} after Holm"
        f"{f' ({change.family})' if change.family else ''}; smallest detectable difference "
        f"{format_spread(change.detectable, metric, benchmark)}; n = {change.n}",
    )


def _place_bar(score: Score, column: MatrixColumn) -> tuple[float, float, float]:
    """Return where value and interval stand, in percent of the column's axis."""
    width = column.high - column.low
    value, low, high = (
        round(100 * (one - column.low) / width, 1) if width else 50.0
        for one in (score.value, score.low, score.high)
    )
    return value, low, high
