"""Model card and data card, written from the run's own records.

    runs/demo/card.md                     the data: where rows come from, what was dropped and why, licences
    runs/demo/export/model/README.md      the model: base, languages, scores with intervals, limits, usage

Both are derived, like the report, and can be written again at any time. They name models and licences, never
people: who wrote or read a row appears as a count.
"""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.facts.release_facts import ExportFacts
from alif.records import STAGE_NAMES, STAGES
from alif.report import card_parts
from alif.report.card_parts import escape_markdown, markdown_table, public_name, yaml_text
from alif.report.data_card import data_card
from alif.report.snapshot import RunSnapshot, read_run
from alif.report.summary import base_name, data_caveats, model_caveats

__all__ = ["model_card", "write_cards"]

USAGE = """\
The tokenizer's chat template writes the prompt of stage 2.

```python
from transformers import pipeline
ask = pipeline("text-generation", "path/of/this/folder")
print(ask([{"role": "user", "content": "…"}])[0]["generated_text"][-1]["content"])
```

"""


def write_cards(root: Path) -> list[Path]:
    """Write the cards of a run folder and return their paths; without an export only the data card."""
    run = read_run(root)
    cards = {root / "card.md": data_card(run)}
    if (root / "export" / "model").is_dir():
        cards[root / "export" / "model" / "README.md"] = model_card(run)
    for path, text in cards.items():
        store.write_text(path, text)
    return list(cards)


def model_card(run: RunSnapshot) -> str:
    """Return the model's README in Markdown, with the front matter that hubs read."""
    base, name = run.recipe.student.base, escape_markdown(run.target.name)
    base_licence = "The base was made in the run from the texts below"
    if base != "tiny":
        base_licence = f"The licence of {escape_markdown(public_name(base))} applies to the weights"
    limits = [
        *data_caveats(run),
        *model_caveats(run),
        "Answers can be wrong, biased or unsafe; nothing was aligned beyond the rows listed here.",
    ]
    parts = [
        _front_matter(run),
        f"# {escape_markdown(run.name)}",
        f"{escape_markdown(base_name(run, public_name(base)))}, taught {name} "
        f"({escape_markdown(run.target.native_name)}) by Alif: it read {name} text (stage 1) and learned to "
        f"follow instructions (stage 2). The adapter is merged; the weights are {run.recipe.export.dtype}.",
        "## Use",
        f"{USAGE}`alif chat {run.name}` does the same in the terminal.",
        "## Scores",
        _scores_table(run),
        "## Limits",
        "\n".join(f"- {limit}" for limit in limits),
        "## Training data and licences",
        f"{base_licence}; the rows and texts come under the licences in the last table.",
        card_parts.describe_seeds(run),
        card_parts.steps_table(run),
        card_parts.count_origins(run),
        "## Made with",
        card_parts.describe_cost(run),
        _export_table(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(run: RunSnapshot) -> str:
    base = run.recipe.student.base
    lines = ["---", f"language: [{yaml_text(run.target.code)}, {yaml_text(run.source.code)}]"]
    lines += ["library_name: transformers", "pipeline_tag: text-generation", "tags: [alif]"]
    if base != "tiny" and public_name(base) == base and not Path(base).is_dir():
        lines.append(f"base_model: {yaml_text(base.partition('@')[0])}")
    return "\n".join([*lines, "---"])


def _scores_table(run: RunSnapshot) -> str:
    rows = []
    for key in dict.fromkeys(
        (s.benchmark, s.metric, s.language) for s in run.scores if "/" not in s.benchmark
    ):
        benchmark, metric, language = key
        scores = [run.score(stage, metric, language, benchmark) for stage in STAGES]
        cells = [f"{s.value:.3f} ({s.low:.3f} to {s.high:.3f})" if s else "" for s in scores]
        rows.append((*key, *cells, max(s.n for s in scores if s)))
    table = markdown_table(("benchmark", "metric", "language", *STAGE_NAMES.values(), "n"), rows)
    return f"Value with its 95 % interval.\n\n{table}" if rows else "Not measured."


def _export_table(run: RunSnapshot) -> str:
    if (facts := run.facts("export", ExportFacts)) is None:
        return ""
    values = facts.model_dump(mode="json") | {"base": public_name(facts.base)}
    rows = [(key.replace("_", " "), value) for key, value in values.items() if value != ""]
    return markdown_table(("export", ""), rows)
