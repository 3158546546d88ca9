"""The results of a study: table.json for scripts, picture.svg, and one page that opens anywhere.

runs/STUDY/table.json      rows: settings, seed, benchmark, metric, language, value, low, high, n
                           (a row without a seed is the mean over seeds), comparisons, tradeoffs, failures
runs/STUDY/picture.svg     language gained against English kept
runs/STUDY/report.html     both, with a recommendation or the words that the data cannot tell
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from alif import store
from alif.ablate.analysis import Analysis, Effect, analyse_study
from alif.ablate.frontier import SURE
from alif.ablate.grid import StudyRun
from alif.ablate.run_siblings import Failure, find_failures
from alif.evaluate.stats import Estimate
from alif.language import pack as packs
from alif.records import Counts
from alif.report import html, plots
from alif.report.plots import PlotCross

__all__ = ["count_rows", "draw_picture", "recommend", "study_document", "write_study"]

SEED_SIZE = 4.0
BITS = " bits per byte"
DATA_STEPS = ("generate", "translate", "filter", "replay", "blend")
LIKELY = 0.05
"""Least probability of being the best with which a point is named beside others."""


def write_study(found: StudyRun) -> dict[str, object]:
    """Write table, picture and page of a study; return the document of table.json."""
    analysis, failures = analyse_study(found), find_failures(found)
    document = study_document(found, analysis, failures)
    picture = draw_picture(found, analysis)
    store.write_json(found.root / "table.json", document)
    if picture:
        store.write_text(found.root / "picture.svg", stand_alone(picture))
    effects: dict[tuple[str, str, str], list[Effect]] = {}
    for one in analysis.effects:
        effects.setdefault((one.benchmark, one.metric, one.language), []).append(one)
    taught, known = _language_names(found)
    page = html.jinja_environment().get_template("ablation.html.jinja")
    text = page.render(
        style=html.page_style(analysis.languages),
        found=found,
        names=dict(zip(analysis.languages, (taught, known), strict=True)),
        taught=taught,
        known=known,
        recommendation=document["recommendation"],
        saturation=analysis.saturation,
        tuned=analysis.tuned,
        figure=picture,
        tradeoffs={one.point: one for one in analysis.tradeoffs},
        effects=effects,
        data=count_rows(found),
        failures=failures,
    )
    store.write_text(found.root / "report.html", text)
    return document


def study_document(found: StudyRun, analysis: Analysis, failures: Sequence[Failure]) -> dict[str, object]:
    """Return the content of table.json."""
    points = found.study.points()
    rows = [
        {
            "settings": sibling.settings,
            "seed": sibling.seed,
            **score.model_dump(include={"benchmark", "metric", "language", "value", "low", "high", "n"}),
        }
        for sibling, score in analysis.scores
    ]
    means = [
        {
            "settings": points[one.point],
            "seed": None,
            "benchmark": one.benchmark,
            "metric": one.metric,
            "language": one.language,
            **_estimate(one.mean),
            "n": one.mean.n,
        }
        for one in analysis.effects
    ]
    return {
        "study": found.name,
        "question": found.study.question,
        "recipe": found.recipe.name,
        "reference": points[found.reference],
        "seeds": found.study.seeds,
        "rows": [*rows, *means],
        "comparisons": [one.change.model_dump(mode="json") for one in analysis.effects if one.change],
        "tradeoffs": [
            {
                "point": one.point,
                "settings": points[one.point],
                "gained": _estimate(one.gained),
                "kept": _estimate(one.kept),
                "frontier_probability": round(one.frontier, 4),
                "best_probability": round(one.best, 4),
            }
            for one in analysis.tradeoffs
        ],
        "data": {
            step: [
                {"settings": points[label], **one.model_dump(include={"rows_in", "kept", "dropped"})}
                for label, one in counts.items()
            ]
            for step, counts in count_rows(found).items()
        },
        "failures": [
            {name: getattr(one.sibling, name) for name in ("point", "settings", "seed")}
            | {name: getattr(one, name) for name in ("step", "state", "message")}
            for one in failures
        ],
        "tuned": analysis.tuned,
        "recommendation": recommend(found, analysis),
        "saturation": analysis.saturation,
    }


def _estimate(found: Estimate) -> dict[str, float]:
    return {name: round(getattr(found, name), 6) for name in ("value", "low", "high")}


def count_rows(found: StudyRun) -> dict[str, dict[str, Counts]]:
    """Return by step of the data and point what became of its rows, where points differ in that."""
    counted: dict[str, dict[str, Counts]] = {}
    for step in DATA_STEPS:
        records = {label: siblings[0].run.record(step) for label, siblings in found.points.items()}
        counts = {label: record.counts for label, record in records.items() if record}
        if len({(one.rows_in, one.kept) for one in counts.values()}) > 1:
            counted[step] = counts
    return counted


def recommend(found: StudyRun, analysis: Analysis) -> str:
    """Return which point to take and how sure that is, or that the data cannot tell."""
    choice, taught, known = analysis.choice, *_language_names(found)
    if choice is None:
        return (
            "Nothing can be recommended: held-out text of both languages is not measured for the reference."
        )
    rule = f"the most {taught} gained of those that lose at most 2 % of the base's {known} bits per byte"
    if not choice.within_margin:
        lost = f"every point loses more {known} than the margin of 2 %"
        rule = f"{lost}, so the largest sum of {taught} gained and {known} kept in bits per byte"
    ranked = sorted(choice.probability.items(), key=lambda item: -item[1])
    if len(ranked) == 1:
        return "Only one point is measured: there is nothing to choose from."
    likely = ", ".join(f"{label} {share:.2f}" for label, share in ranked if share >= LIKELY)
    if found.study.seeds == 1:
        told = f"The data cannot tell which is the best from one training each; by the items alone {likely}"
        return f"{told}, by {rule}. Another training may land elsewhere: --seeds 3."
    if choice.sure:
        return f"Take {choice.best} (probability {ranked[0][1]:.2f} of being the best): {rule}."
    return f"The data cannot tell which is the best ({likely}; {SURE} would be enough), by {rule}."


def _language_names(found: StudyRun) -> tuple[str, str]:
    language = found.recipe.language
    return packs.load_pack(language.pack).name, packs.load_pack(language.source).name


def draw_picture(found: StudyRun, analysis: Analysis) -> Markup:
    """Draw language gained against English kept, both against the reference; seeds as small points."""
    taught, known = _language_names(found)
    crosses, series = [], itertools.cycle(("one", "two", "three", "four"))
    for one in analysis.tradeoffs:
        colour = next(series) if one.frontier >= 1 / 2 else "other"
        colour = "base" if one.point == found.reference else colour
        label = f"{plots.MARKS[plots.COLOURS.index(colour)]} {one.point} · {one.frontier:.2f}"
        joined = len(found.study.over) == 1
        for kept, gained in one.seeds if len(one.seeds) > 1 and one.point != found.reference else ():
            ends = (kept, kept, kept), (gained, gained, gained)
            crosses.append(PlotCross("", *ends, colour, joined=False, size=SEED_SIZE))
        crosses.append(PlotCross(label, _ends(one.kept), _ends(one.gained), colour, joined))
    if len(crosses) < 2:
        return Markup("")
    about = f"{taught} gained against {known} kept, in bits per byte against {found.reference}: " + "; ".join(
        f"{one.point}: {one.gained.value:+.3f} and {one.kept.value:+.3f}, on the frontier {one.frontier:.2f}"
        for one in analysis.tradeoffs
    )
    axes = (
        f"{known} kept: bits per byte saved (right is better)",
        f"{taught} gained: bits per byte saved (up is better)",
    )
    title = f"Held-out text, against {found.reference}; beside each point its chance to be on the frontier"
    return plots.plot_tradeoff("ablation", about, {title: crosses}, axes)


def _ends(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def stand_alone(picture: Markup) -> str:
    """Return a figure of the page as a file of its own: with its declarations, colours and a background."""
    css = store.read_text(Path(html.__file__).with_name("report.css"))
    colours = dict(re.findall(r"--([a-z]+):(#[0-9a-f]{6})", css.partition("@media")[0]))
    text = re.sub(r"var\(--([a-z]+)\)", lambda match: colours[match[1]], str(picture))
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    text = text.replace("<svg ", f"<svg {spaces} ", 1)
    paper = f'><rect width="100%" height="100%" fill="{colours["paper"]}"/>'
    return text.replace(">", paper, 1)
