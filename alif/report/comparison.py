"""Several runs on one page: what differs between their recipes, and in each number; the effect of replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from pydantic_core import to_jsonable_python

from alif import recipe as recipes
from alif.facts.evaluation_facts import Comparison
from alif.formatting import format_change
from alif.records import STAGE_NAMES
from alif.report import html, plots, summary
from alif.report.answer_browser import DISAGREEMENTS, compare_answers
from alif.report.judge_section import describe_cells, teacher_judge_table
from alif.report.plots import PlotPoint
from alif.report.score_matrix import (
    BENCHMARKS,
    Tone,
    build_matrix,
    describe_difference,
    find_tone,
    format_spread,
)
from alif.report.seed_spread import SeedSpread, group_seeds, measure_spread, title_group
from alif.report.snapshot import RunSnapshot
from alif.report.summary import BITS
from alif.report.verdict_strip import verdict_strip

__all__ = [
    "RunDifference", "comparison_document", "describe_tests", "render_comparison", "replay_effect",
    "seed_spreads",
]  # fmt: skip

SERIES = (1, 2, 3, 4, 0, 5)
"""Colours of the runs, by their number in `plots.COLOURS`."""


def comparison_document(
    runs: Sequence[RunSnapshot], reports: Sequence[Mapping[str, object]], tested: Sequence[Comparison]
) -> dict[str, object]:
    """Return the JSON beside the page: what is compared, and the runs' own reports."""
    scores = [
        {"run": run.name, "system": score.stage, **score.model_dump(mode="json")}
        for run in runs
        for score in run.scores
    ]
    return {
        "runs": [run.name for run in runs],
        "differing": recipes.differing_settings([run.recipe for run in runs]),
        "replay": replay_effect(runs),
        "scores": scores,
        "matrix": to_jsonable_python(build_matrix(runs)),
        "run_against_run": [one.model_dump(mode="json") for one in tested],
        "seeds": to_jsonable_python(seed_spreads(runs)),
        "teacher_judge": describe_cells(teacher_judge_table(runs)),
        "reports": list(reports),
    }


@dataclass(frozen=True)
class RunDifference:
    """A run against the first by one metric, as both pages show it."""

    title: str
    metric: str
    language: str
    run: str
    against: str
    difference: str
    interval: str
    tone: Tone
    verdict: str
    p: str
    n: int
    detectable: str


def describe_tests(tested: Sequence[Comparison]) -> list[RunDifference]:
    """Return paired differences in words, benchmark by benchmark."""
    told = {one: describe_difference(one).split(", ", 1) for one in tested}
    return [
        RunDifference(
            title=BENCHMARKS.get(one.benchmark, one.benchmark),
            metric=one.metric,
            language=one.language,
            run=one.stage,
            against=one.against,
            difference=told[one][0],
            interval=told[one][1],
            tone=find_tone(one),
            verdict=one.verdict,
            p="< 0.001" if one.p_holm < 0.001 else f"{one.p_holm:.3f}",
            n=one.n,
            detectable=format_spread(one.detectable, one.metric, one.benchmark),
        )
        for one in sorted(tested, key=lambda one: (one.benchmark, one.language))
    ]


def seed_spreads(runs: Sequence[RunSnapshot]) -> dict[str, list[SeedSpread]]:
    """Return what the runs that are seeds of one recipe have reached, by the title of their group."""
    groups = [group for group in group_seeds(runs) if len(group) > 1]
    return {title_group(group): measure_spread(group) for group in groups}


def render_comparison(runs: Sequence[RunSnapshot], tested: Sequence[Comparison]) -> str:
    """Return the page that compares the runs; `tested` are paired differences from the first."""
    languages = dict.fromkeys(language.code for run in runs for language in (run.target, run.source))
    keys = dict.fromkeys((s.metric, s.language, s.benchmark) for run in runs for s in run.scores)
    heldout = [key for key in keys if key[0] == BITS and key[2].partition("/")[0] == "heldout"]
    whose: dict[str, list[str]] = {}
    for run in runs:
        for notice in summary.list_notices(run):
            whose.setdefault(notice, []).append(run.name)
    template = html.jinja_environment().get_template("comparison.html.jinja")
    return template.render(
        runs=runs,
        style=html.page_style(languages),
        title=", ".join(run.name for run in runs),
        headlines={run.name: summary.headlines(run) for run in runs},
        replay=replay_effect(runs),
        teacher_judge=teacher_judge_table(runs),
        differing=recipes.differing_settings([run.recipe for run in runs]),
        figure=_plot_text(runs),
        legend=plots.legend({run.name: run.name for run in runs}, SERIES),
        sources=sorted(heldout, key=lambda key: list(languages).index(key[1])),
        strips={run.name: verdict_strip(run) for run in runs},
        matrix=build_matrix(runs),
        tested=describe_tests(tested),
        seeds=seed_spreads(runs),
        answers=compare_answers(runs),
        disagreements=DISAGREEMENTS,
        stages=STAGE_NAMES,
        change=format_change,
        notices=[
            f"{'All runs' if len(names) == len(runs) else ', '.join(names)}: {notice}"
            for notice, names in whose.items()
        ],
    )


def replay_effect(runs: Sequence[RunSnapshot]) -> str:
    """Describe the effect of replay on the source language: the first run with it against the first without.

    Their changes from the base are compared by their intervals; where these overlap, nothing is claimed.
    """
    by_replay = {bool(run.recipe.replay.rows): run for run in reversed(runs)}
    name, sentences, intervals = runs[0].source.name, [], []
    for replay, run in sorted(by_replay.items(), reverse=True):
        change = run.difference("finetune", BITS, run.source.code)
        base = run.score("base", BITS, run.source.code)
        if change and base:
            ends = (change.difference, change.low, change.high)
            moved, low, high = (format_change(end, base.value) for end in ends)
            condition = f"With {run.recipe.replay.rows:,} rows of replay" if replay else "without replay"
            sentence = f"{condition} ({run.name}) {name} bits per byte moved by {moved}"
            sentences.append(f"{sentence} (95 % interval {low} to {high})")
            intervals.append((change.low, change.high))
    if len(intervals) < 2:
        return ""
    (kept_low, kept_high), (lost_low, lost_high) = intervals
    conclusion = "The intervals overlap: so few documents do not tell the two apart."
    if kept_high < lost_low or kept_low > lost_high:
        less = "less" if kept_high < lost_low else "more"
        conclusion = f"The intervals do not overlap: with replay {less} {name} was lost."
    return f"{'; '.join(sentences)}. {conclusion}"


def _plot_text(runs: Sequence[RunSnapshot]) -> Markup:
    """Plot bits per byte of held-out text by language and stage, the runs side by side."""
    rows: dict[str, list[PlotPoint]] = {}
    for language in (runs[0].target, runs[0].source):
        for stage, title in STAGE_NAMES.items():
            for index, run in enumerate(runs):
                if score := run.score(stage, BITS, language.code):
                    point = PlotPoint(SERIES[index % len(SERIES)], score.value, score.low, score.high)
                    rows.setdefault(f"{language.name}, {title}", []).append(point)
    about = "Bits per byte of held-out text by language, stage and run, with 95 % intervals; lower is better."
    return plots.plot_intervals("runs", about, rows, "bits per byte (lower is better)")
