"""The page's part on merging: what each weight gained in one language against what it kept of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from alif.facts.evaluation_facts import Comparison
from alif.facts.training_facts import MergeFacts
from alif.report import plots
from alif.report.plots import PlotCross
from alif.report.snapshot import RunSnapshot
from alif.report.summary import ANSWER_BITS, ANSWERS, BITS, retention_rows

__all__ = ["MergeSection", "merge_section"]


@dataclass(frozen=True)
class MergeSection:
    """Figure and table of the merged models of a run."""

    facts: MergeFacts
    weights: Mapping[str, tuple[float, float]]
    """(w1, w2) of the base, of the fine-tuned model and of each merged one between them, by name."""
    figure: Markup
    columns: Sequence[tuple[str, str, str]]
    """Keys of `RunSnapshot.score`: text and answers of the taught language, then what is judged as kept."""


def merge_section(run: RunSnapshot) -> MergeSection | None:
    """Return the page's part on merging; nothing where no merged model was measured."""
    facts = run.facts("merge", MergeFacts)
    measured = list(dict.fromkeys(score.stage for score in run.scores))
    places = [place for place, name in enumerate(measured) if facts and name in facts.weights]
    if not facts or not places:
        return None
    trained = measured[min(places) - 1]  # the last stage
    between = sorted(facts.weights.items(), key=lambda item: item[1])
    weights = {"base": (0.0, 0.0), **dict(between), trained: (1.0, 0.0)}
    taught, known = run.target.code, run.source.code
    panels = {}
    for title, metric, benchmark in (("text", BITS, "heldout"), ("answers", ANSWER_BITS, ANSWERS)):
        points = []
        for name in weights:
            kept, gained = (run.difference(name, metric, code, benchmark) for code in (known, taught))
            if kept and gained:
                label = run.systems[name] if name == trained else name.removeprefix("merge-")
                colour = "two" if name == trained else "one"
                points.append(PlotCross(label, _fall(kept), _fall(gained), colour, margin=kept.margin))
        if points:
            base = PlotCross("base", (0, 0, 0), (0, 0, 0), "base", joined=not facts.instruct)
            panels[f"Held-out {title}"] = [base, *points]
    about = (
        f"{run.target.name} gained against {run.source.name} kept, in bits per byte, with 95 % intervals: "
    )
    told = (
        f"{title}, {point.label}: {point.y[0]:+.3f} and {point.x[0]:+.3f}"
        for title, points in panels.items()
        for point in points[1:]
    )
    axes = (
        f"{run.source.name} kept: bits per byte saved (right is better)",
        f"{run.target.name} gained: bits per byte saved (up is better)",
    )
    kept_of = [(row.metric, row.language, row.benchmark) for row in retention_rows(run)]
    return MergeSection(
        facts=facts,
        weights=weights,
        figure=plots.plot_tradeoff("merge", about + "; ".join(told), panels, axes),
        columns=[(BITS, taught, "heldout"), (ANSWER_BITS, taught, ANSWERS), *sorted(kept_of)],
    )


def _fall(change: Comparison) -> tuple[float, float, float]:
    """Return how far bits per byte fell, with its interval."""
    return -change.difference, -change.high, -change.low
