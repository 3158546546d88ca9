"""The report: one page that opens anywhere, and the same as JSON and Markdown, from a run's files alone.

    runs/demo/report.html report.json report.md              write_report([runs/demo])
    runs/report-small-no-replay.html …json …md               write_report([runs/small, runs/no-replay])

The page loads nothing: style, fonts, figures and one script, which filters answers, stand in it, and its
policy forbids all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup
from pydantic_core import to_jsonable_python

from alif import store
from alif.errors import RecipeError
from alif.facts.data_facts import GenerateFacts
from alif.facts.evaluation_facts import Comparison
from alif.facts.judge_facts import JudgeFacts
from alif.report import data_section, html, plots, summary
from alif.report.answer_browser import DISAGREEMENTS, describe_sample, list_answers
from alif.report.benchmark_card import describe_reproduction, list_benchmark_cards
from alif.report.card_template import render_card
from alif.report.comparison import comparison_document, describe_tests, render_comparison, seed_spreads
from alif.report.failure_causes import find_causes
from alif.report.failure_section import failure_panel
from alif.report.judge_section import judge_document, teacher_judge_table
from alif.report.merge_section import merge_section
from alif.report.plots import PlotPoint
from alif.report.score_matrix import BENCHMARKS, build_matrix
from alif.report.snapshot import RunSnapshot, read_run, sample_dropped, sample_examples
from alif.report.training_section import training_section
from alif.report.verdict_strip import verdict_strip

__all__ = ["ScoreTable", "plot_text", "render_page", "report_document", "score_tables", "write_report"]

LABEL_LENGTH = 34
"""Most characters of a source's name in a figure."""


def write_report(runs: Sequence[Path], tested: Sequence[Comparison] = ()) -> Path:
    """Write the report of one run, or one page that compares several; JSON and Markdown lie beside the page.

    Steps that are not done are left out. `tested` are paired differences of runs: the reports read files, and
    do not compute statistics.

    Raises:
        RecipeError: no run is named, or a folder holds no run.
        DataError: a file of a run is damaged, with path and line.
    """
    if not runs:
        raise RecipeError(
            "a report needs a run", "Name one or several: alif report demo. `alif ls` lists them."
        )
    found = [read_run(run) for run in runs]
    documents = [report_document(run) for run in found]
    if len(found) == 1:
        path = runs[0] / "report.html"
        document, page = documents[0], render_page(found[0])
    else:
        path = runs[0].parent / f"report-{'-'.join(run.name for run in found)}.html"
        document, page = comparison_document(found, documents, tested), render_comparison(found, tested)
    store.write_json(path.with_suffix(".json"), document)
    store.write_text(path.with_suffix(".md"), render_markdown(found, tested))
    store.write_text(path, page)
    return path


def render_markdown(runs: Sequence[RunSnapshot], tested: Sequence[Comparison] = ()) -> str:
    """Return the same verdicts, scores, failures and cards of these runs as Markdown."""
    values = [
        {
            "run": run,
            "strip": verdict_strip(run),
            "notices": summary.list_notices(run),
            "failures": failure_panel(run),
            "cards": list_benchmark_cards(run),
            "reproduction": describe_reproduction(run),
        }
        for run in runs
    ]
    return render_card(
        "report.md.jinja",
        runs=values,
        matrix=build_matrix(runs),
        tested=describe_tests(tested),
        seeds=seed_spreads(runs),
    )


def report_document(run: RunSnapshot) -> dict[str, object]:
    """Return report.json of one run."""
    generate = run.facts("generate", GenerateFacts)
    steps = [
        {
            "name": step,
            "state": record.state,
            **record.counts.model_dump(mode="json"),
            "cost_usd": record.cost_usd,
            "seconds": record.seconds,
        }
        for step, record in run.steps.items()
    ]
    return {
        "run": run.name,
        "about": run.recipe.about,
        "language": run.target.code,
        "known_language": run.source.code,
        "scores": [{"system": score.stage, **score.model_dump(mode="json")} for score in run.scores],
        "differences": [row.model_dump(mode="json") for row in run.differences],
        "strip": [part._asdict() for part in verdict_strip(run)],
        "matrix": to_jsonable_python(build_matrix([run])),
        "failures": to_jsonable_python(failure_panel(run)),
        "benchmarks": to_jsonable_python(list_benchmark_cards(run)),
        "reproduction": to_jsonable_python(describe_reproduction(run)),
        "causes": [cause.model_dump(mode="json") for cause in find_causes(run)],
        "verdicts": summary.stage_verdicts(run),
        "summary": summary.summarise_run(run),
        "notices": summary.list_notices(run),
        "steps": steps,
        "funnel": generate.funnel.model_dump(mode="json") if generate else {},
        "coverage": generate.coverage.model_dump(mode="json") if generate else {},
        "near_duplicates": generate.near_duplicates.model_dump(mode="json") if generate else {},
        "judges": judge_document(run),
        "cost_usd": sum(record.cost_usd for record in run.steps.values()),
        "seconds": round(sum(record.seconds for record in run.steps.values()), 3),
    }


def render_page(run: RunSnapshot) -> str:
    """Return the page of one run."""
    generate = run.facts("generate", GenerateFacts)
    codes, answers = (run.target.code, run.source.code), list_answers(run)
    template = html.jinja_environment().get_template("report.html.jinja")
    return template.render(
        run=run,
        style=html.page_style(codes),
        fonts=html.embedded_fonts(codes),
        summary=summary.summarise_run(run),
        strip=verdict_strip(run),
        matrix=build_matrix([run]),
        headlines=summary.headlines(run),
        notices=summary.list_notices(run),
        retention=summary.retention_rows(run),
        generate=generate,
        funnel=data_section.funnel_section(generate),
        coverage=data_section.coverage_section(generate),
        text_figure=plot_text(run),
        change_figure=_plot_changes(run),
        training=training_section(run),
        merge=merge_section(run),
        judges=run.facts("judge", JudgeFacts),
        teacher_judge=teacher_judge_table([run]),
        tables=score_tables(run),
        failures=failure_panel(run),
        answers=answers,
        sampled=describe_sample(run, answers),
        disagreements=DISAGREEMENTS,
        cards=list_benchmark_cards(run),
        reproduction=describe_reproduction(run),
        examples=sample_examples(run),
        dropped=sample_dropped(run),
        legend=plots.legend(run.systems),
    )


def plot_text(run: RunSnapshot) -> Markup:
    """Plot bits per byte of each language and source, the systems side by side."""
    systems = list(run.systems)
    points: dict[tuple[str, str], list[PlotPoint]] = {}
    for score in run.scores:
        benchmark, _, source = score.benchmark.partition("/")
        if benchmark == "heldout" and score.metric == summary.BITS:
            point = PlotPoint(systems.index(score.stage), score.value, score.low, score.high)
            points.setdefault((score.language, source), []).append(point)
    rows = {}
    for language in (run.target, run.source):
        sources = [source for code, source in points if code == language.code]
        for source in sources if len(sources) > 2 else sources[:1]:  # one source alone says the same as all
            name = source if len(source) <= LABEL_LENGTH else f"…{source[1 - LABEL_LENGTH :]}"
            rows[f"{language.name}: {name or 'all'}"] = points[language.code, source]
    about = "Bits per byte of held-out text at each stage, with 95 % intervals; lower is better."
    return plots.plot_intervals("text", about, rows, "bits per byte (lower is better)")


def _plot_changes(run: RunSnapshot) -> Markup:
    """Plot how bits per byte of text and answers changed from the base, item by item."""
    kinds, systems = {"heldout": "text", summary.ANSWERS: "answers"}, list(run.systems)
    rows: dict[str, list[PlotPoint]] = {}
    for row in run.differences:
        if row.benchmark in kinds and row.against == "base":
            label = f"{run.language(row.language).name} {kinds[row.benchmark]}"
            point = PlotPoint(systems.index(row.stage), row.difference, row.low, row.high)
            rows.setdefault(label, []).append(point)
    about = "Change of bits per byte against the base, with 95 % intervals; left of the line is better."
    return plots.plot_intervals("change", about, rows, "change in bits per byte (left is better)", zero=True)


@dataclass
class ScoreTable:
    """All scores of a benchmark, as keys of `RunSnapshot.score`: (metric, language, benchmark)."""

    name: str
    title: str
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    parts: list[tuple[str, str, str]] = field(default_factory=list)
    """By source or task: their benchmark is `NAME/PART`."""


def score_tables(run: RunSnapshot) -> list[ScoreTable]:
    """Return one table per benchmark, in the order in which they were first written."""
    tables: dict[str, ScoreTable] = {}
    for score in run.scores:
        name, _, part = score.benchmark.partition("/")
        table = tables.setdefault(name, ScoreTable(name, BENCHMARKS.get(name, name)))
        keys, key = table.parts if part else table.rows, (score.metric, score.language, score.benchmark)
        if key not in keys:
            keys.append(key)
    return list(tables.values())
