"""The report: one page that opens anywhere and one JSON file, from the files of a run alone.

    runs/demo/report.html report.json                        write([runs/demo])
    runs/report-small-small-no-replay.html …json             write([runs/small, runs/small-no-replay])

The page loads nothing: style, font and pictures stand in it, there is no script, and its policy forbids all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from alif import store
from alif.errors import RecipeError
from alif.records import STAGE_NAMES, STAGES
from alif.report import comparison, data_section, html, plots, summary
from alif.report.plots import PlotPoint, PlotRow
from alif.report.snapshot import RunSnapshot, read_run
from alif.report.training_section import training_section

__all__ = ["report_document", "write_report"]

BENCHMARKS = {
    "heldout": "Held-out text",
    "answers": "Held-out answers",
    "test": "Test questions",
    "fidelity": "Failure signatures",
}
"""Titles of the evaluation's own benchmarks; others go by their name."""
LEGEND = list(zip(STAGE_NAMES.values(), plots.COLOURS, "●■◆", strict=False))
"""Name, colour and mark of each stage."""
PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "tokenizers",
    "safetensors",
    "numpy",
    "sacrebleu",
    "rapidfuzz",
    "pydantic",
    "aiohttp",
)
"""Packages that are shown first."""


def write_report(runs: Sequence[Path], to: Path | None = None) -> Path:
    """Write the report of one run, or one page that compares several; return the page's path, the JSON file lies beside it.

    Args:
        runs: run folders; steps that are not done are left out of the page.
        to: path of the page; by default report.html in the run's folder, or report-NAME-NAME.html beside the runs.

    Raises:
        RecipeError: no run is named, or a folder holds no run.
        DataError: a file of a run is damaged, with path and line.
    """
    if not runs:
        raise RecipeError(
            "a report needs a run", "Name one or several: alif report demo. `alif ls` lists them."
        )
    found = [read_run(run) for run in runs]
    if len(found) == 1:
        path = to or runs[0] / "report.html"
        data, page = report_document(found[0]), _page(found[0])
    else:
        path = to or runs[0].parent / f"report-{'-'.join(run.name for run in found)}.html"
        data, page = (
            comparison.comparison_document(found, [report_document(run) for run in found]),
            comparison.comparison_page(found),
        )
    store.write_json(path.with_suffix(".json"), data)
    store.write_text(path, page)
    return path


def report_document(run: RunSnapshot) -> dict[str, Any]:
    """Return report.json of one run."""
    return {
        "run": run.name,
        "about": run.recipe.about,
        "language": run.taught.code,
        "known_language": run.known.code,
        "scores": [score.model_dump(mode="json") for score in run.scores],
        "differences": [dict(row) for row in run.differences],
        "verdicts": summary.stage_verdicts(run),
        "summary": summary.summarise_run(run),
        "notices": summary.list_notices(run),
        "steps": [dict(step) for step in run.steps],
        "funnel": data_section.funnel_section(run),
        "coverage": data_section.coverage_section(run),
        "cost_usd": sum(step["cost_usd"] for step in run.steps),
        "seconds": round(sum(step["seconds"] for step in run.steps), 3),
    }


def _page(run: RunSnapshot) -> str:
    packages = run.made_with.get("packages", {})
    return (
        html.jinja_environment()
        .get_template("report.html.jinja")
        .render(
            run=run,
            style=html.page_style((run.taught.code, run.known.code)),
            fonts=html.embedded_fonts((run.taught.code, run.known.code)),
            summary=summary.summarise_run(run),
            keys=summary.headlines(run),
            notices=summary.list_notices(run),
            retention=summary.retention_rows(run),
            stages=STAGE_NAMES,
            funnel=data_section.data_tables(run),
            coverage=data_section.coverage_section(run),
            text_picture=_text_picture(run),
            watching=training_section(run),
            tables=score_tables(run),
            blend=run.facts.get("blend", {}),
            packages={name: packages[name] for name in PACKAGES if name in packages},
            all_packages=packages,
            change_picture=_change_picture(run),
            legend=LEGEND,
        )
    )


def _text_picture(run: RunSnapshot) -> Markup | str:
    """Draw bits per byte of each language and source, the stages side by side."""
    found: dict[tuple[str, str], list[PlotPoint]] = {}
    for score in run.scores:
        benchmark, _, source = score.benchmark.partition("/")
        if benchmark == "heldout" and score.metric == summary.BITS and score.stage in STAGES:
            dot = PlotPoint(STAGES.index(score.stage), score.value, score.low, score.high)
            found.setdefault((score.language, source), []).append(dot)
    languages = [run.taught.code, run.known.code]
    sources = {language: [key for key in found if key[0] == language] for language in languages}
    lines = [
        PlotRow(
            f"{run.tongue(language).name}: {shorten_text(source) if source else 'all'}",
            found[language, source],
        )
        for language, keys in sources.items()
        for _, source in keys
        if not (len(keys) == 2 and source)  # one source alone says the same as all
    ]
    about = "Bits per byte of held-out text at each stage, with 95 % intervals; lower is better."
    return (
        Markup(plots.plot_intervals("text", about, lines, "bits per byte (lower is better)")) if lines else ""
    )


def _change_picture(run: RunSnapshot) -> Markup | str:
    """Draw how bits per byte of text and answers moved from the base, item by item."""
    found: dict[str, list[PlotPoint]] = {}
    for change in run.differences:
        if change["benchmark"] in ("heldout", summary.ANSWERS) and change.get("against", "base") == "base":
            label = f"{run.tongue(change['language']).name} {'text' if change['benchmark'] == 'heldout' else 'answers'}"
            dot = PlotPoint(
                STAGES.index(change["stage"]), change["difference"], change["low"], change["high"]
            )
            found.setdefault(label, []).append(dot)
    lines = [PlotRow(label, dots) for label, dots in found.items()]
    about = "Change of bits per byte against the base, with 95 % intervals; left of the line is better."
    return (
        Markup(
            plots.plot_intervals(
                "change", about, lines, "change in bits per byte (left is better)", zero=True
            )
        )
        if lines
        else ""
    )


def shorten_text(source: str, longest: int = 34) -> str:
    """Return the end of a source's name: the part that tells sources apart."""
    return source if len(source) <= longest else f"…{source[-longest + 1 :]}"


def score_tables(run: RunSnapshot) -> list[dict[str, Any]]:
    """Return one table a benchmark: its rows are metrics and languages, each with the stages' scores and their verdicts."""
    keys = dict.fromkeys((score.benchmark, score.metric, score.language) for score in run.scores)
    tables = []
    for benchmark, group in groupby(sorted(keys, key=_place(keys)), key=lambda key: key[0].partition("/")[0]):
        lines = [_score_row(run, *key) for key in group]
        tables.append(
            {
                "name": benchmark,
                "title": BENCHMARKS.get(benchmark, benchmark),
                "rows": [row for row in lines if not row["part"]],
                "parts": [row for row in lines if row["part"]],
                "signatures": sorted({row["signature"] for row in lines}),
            }
        )
    return tables


def _place(keys: Iterable[tuple[str, str, str]]) -> Any:
    """Return a sort key that keeps the order in which benchmarks were first written."""
    order: dict[str, int] = {}
    for benchmark, _, _ in keys:
        order.setdefault(benchmark.partition("/")[0], len(order))
    return lambda key: order[key[0].partition("/")[0]]


def _score_row(run: RunSnapshot, benchmark: str, metric: str, language: str) -> Mapping[str, Any]:
    scores = {stage: run.score(stage, metric, language, benchmark) for stage in STAGES}
    first = next(score for score in scores.values() if score)
    return {
        "metric": metric.replace("_", " "),
        "part": benchmark.partition("/")[2],
        "language": run.tongue(language).name,
        "n": first.n,
        "scores": scores,
        "differences": {stage: run.difference(stage, metric, language, benchmark) for stage in STAGES},
        "signature": f"{metric}: {first.signature}",
    }
