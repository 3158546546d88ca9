"""Model card and data card, written from the run's own records; the texts are *_card.md.jinja.

    runs/demo/card.md                     the data: where rows come from, what was dropped and why, licences
    runs/demo/export/model/README.md      the model: base, languages, scores with intervals, limits, usage

Both are derived, like the report, and can be written again at any time. They name models and licences, never
people: who wrote or read a row appears as a count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alif import store
from alif.facts.release_facts import ExportFacts
from alif.report.card_template import common_values, public_name, render_card
from alif.report.data_card import data_card
from alif.report.licence_chain import licence_chain, list_teacher_terms
from alif.report.snapshot import RunSnapshot, read_run
from alif.report.summary import base_name, data_caveats, model_caveats

__all__ = ["Publication", "estimate_energy", "known_failures", "model_card", "write_cards"]

LEAST_KWH = 0.01
"""Below it no number is given, so that the cards of equal short runs are equal."""
CPU_W, GPU_W = 65, 700
"""Thermal design power that is assumed: of a processor with a few cores, of an H100 or H200. Source: the
makers' data sheets."""
FAILURES_FROM = 0.01
"""Share of answers from which a failure is named."""


@dataclass(frozen=True)
class Publication:
    """What only its publisher knows of a model."""

    repository: str = ""
    """OWNER/NAME."""
    licence: str = ""
    base_licence: str = ""
    forms: Sequence[str] = ()
    """Folders of the other forms beside it."""


def write_cards(root: Path) -> list[Path]:
    """Write the cards of a run folder and return their paths; without an export only the data card."""
    run = read_run(root)
    cards = {root / "card.md": data_card(run)}
    if (root / "export" / "model").is_dir():
        cards[root / "export" / "model" / "README.md"] = model_card(run)
    for path, text in cards.items():
        for leftover in path.parent.glob(f".{path.name}.*"):  # a power cut while a card was written
            leftover.unlink(missing_ok=True)
        store.write_text(path, text)
    return list(cards)


def model_card(run: RunSnapshot, published: Publication = Publication()) -> str:
    """Return the model's README in Markdown, with the front matter that hubs read."""
    base, overall = run.recipe.student.base, [score for score in run.scores if "/" not in score.benchmark]
    return render_card(
        "model_card.md.jinja",
        **common_values(run),
        published=published,
        on_hub=base.count("/") == 1 and public_name(base) == base and not Path(base).is_dir(),
        licences=licence_chain(run, published.base_licence),
        teachers=list_teacher_terms(run),
        failures=known_failures(run),
        energy=estimate_energy(run),
        base_sentence=base_name(run, public_name(base)),
        systems=run.systems,
        scores=dict.fromkeys((score.benchmark, score.metric, score.language) for score in overall),
        caveats=[*data_caveats(run), *model_caveats(run)],
        export=run.facts("export", ExportFacts),
        weights=run.recipe.merge.pairs().get(run.recipe.export.stage),
    )


def known_failures(run: RunSnapshot) -> list[str]:
    """Return what share of the last stage's answers shows each failure, the frequent ones first."""
    found = [
        score
        for score in run.scores
        if (score.stage, score.benchmark) == (run.last_stage, "fidelity") and score.value >= FAILURES_FROM
    ]
    return [
        f"{score.metric.replace('_', ' ')}: {score.value:.0%} of {score.n} answers in {score.language} "
        f"({score.low:.0%} to {score.high:.0%})"
        for score in sorted(found, key=lambda score: -score.value)
    ]


def estimate_energy(run: RunSnapshot) -> str:
    """Return the energy of all work on this machine, with what it assumes."""
    seconds = sum(step.seconds for step in run.steps.values())
    on_gpu = run.recipe.runtime.device != "cpu" and any("nvidia" in name for name in run.environment.packages)
    watts, what = (GPU_W, "a data-centre GPU") if on_gpu else (CPU_W, "a processor")
    used = seconds / 3600 * watts / 1000
    told = f"about {used:.1g} kWh" if used >= LEAST_KWH else f"under {LEAST_KWH} kWh"
    return (
        f"Energy: {told}, at {watts} W, the design power assumed for {what}; nothing was metered, and the "
        "teachers' own work is not in it."
    )
