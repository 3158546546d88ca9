"""Model card and data card, written from the run's own records; the texts are *_card.md.jinja.

    runs/demo/card.md                     the data: where rows come from, what was dropped and why, licences
    runs/demo/export/model/README.md      the model: base, languages, scores with intervals, limits, usage

Both are derived, like the report, and can be written again at any time. They name models and licences, never
people: who wrote or read a row appears as a count.
"""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.facts.release_facts import ExportFacts
from alif.report.card_template import common_values, public_name, render_card
from alif.report.data_card import data_card
from alif.report.snapshot import RunSnapshot, read_run
from alif.report.summary import base_name, data_caveats, model_caveats

__all__ = ["model_card", "write_cards"]


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


def model_card(run: RunSnapshot) -> str:
    """Return the model's README in Markdown, with the front matter that hubs read."""
    base, overall = run.recipe.student.base, [score for score in run.scores if "/" not in score.benchmark]
    return render_card(
        "model_card.md.jinja",
        **common_values(run),
        on_hub=base != "tiny" and public_name(base) == base and not Path(base).is_dir(),
        base_sentence=base_name(run, public_name(base)),
        systems=run.systems,
        scores=dict.fromkeys((score.benchmark, score.metric, score.language) for score in overall),
        caveats=[*data_caveats(run), *model_caveats(run)],
        export=run.facts("export", ExportFacts),
        weights=run.recipe.merge.pairs().get(run.recipe.export.stage),
    )
