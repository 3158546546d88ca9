"""Model card and data card, written from the run's own records.

    runs/demo/card.md                     the data: where the rows come from, what was dropped and why, licences
    runs/demo/export/model/README.md      the model: base, languages, scores with intervals, limits, how to use it

Both are derived, like the report, and can be written again at any time. They name models and licences, never people: who wrote
or read a row is told as a count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alif import recipe as recipes
from alif import store
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.recipe import Recipe
from alif.records import Score
from alif.runs import Run

__all__ = ["MODEL_AUTHOR", "Story", "data_card", "model_card", "read", "table", "write"]

NOT_REVIEWED = "not reviewed by a native speaker"
MODEL_AUTHOR = "language model"
"""How a pack marks a text that a model wrote. Source: `Origin.author`."""
ROW_STEPS = ("seeds", "generate", "translate", "filter", "review", "replay", "corpus", "blend")
STAGES = {"base": "base", "pretrain": "stage 1", "finetune": "stage 2"}


@dataclass(frozen=True)
class Story:
    """What both cards tell."""

    run: Run
    recipe: Recipe
    taught: Pack
    known: Pack
    records: Mapping[str, Mapping[str, Any]]
    """step.json of each finished step."""

    def facts(self, step: str) -> Mapping[str, Any]:
        record = self.records.get(step)
        return record["counts"]["facts"] if record else {}


def write(root: Path) -> list[Path]:
    """Write the cards of a run folder and return their paths; without an exported model there is only the data card."""
    story = read(Run(root))
    paths = {root / "card.md": data_card(story)}
    model = root / "export" / "model"
    if model.is_dir():
        paths[model / "README.md"] = model_card(story)
    for path, text in paths.items():
        store.write_text(path, text)
    return list(paths)


def read(run: Run) -> Story:
    """Return what a run's records tell."""
    recipe = recipes.load(run.root / "recipe.toml")
    steps = (*ROW_STEPS, *STAGES, "evaluate", "export")
    records = {step: record for step in steps if (record := run.record(step))}
    return Story(run, recipe, packs.load(recipe.language.pack), packs.load(recipe.language.known), records)


def model_card(story: Story) -> str:
    """Return the model's README in Markdown, with the front matter that hubs read."""
    own = story.taught
    parts = [
        _front_matter(story),
        f"# {story.run.name}",
        f"{_base(story)}, taught {own.name} ({own.native_name}) by Alif: it read {own.name} text (stage 1), then learned to "
        f"follow instructions (stage 2). The adapter is merged; the weights are {story.recipe.export.dtype}.",
        "## Use",
        _use(story),
        "## Scores",
        _scores(story),
        "## Limits",
        _limits(story),
        "## Training data and licences",
        _licence(story),
        _seeds(story),
        _funnel(story),
        _origins(story),
        "## Made with",
        _made(story),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def data_card(story: Story) -> str:
    """Return the card of the run's rows and documents in Markdown."""
    own = story.taught
    parts = [
        f"# Data of {story.run.name}",
        f"Instructions in {own.name} ({own.native_name}, `{own.code}`), replay in {story.known.name}, and text for stage 1.",
        "## Seeds",
        _seeds(story),
        "## From what was written to what was kept",
        _funnel(story),
        "## Origins and licences",
        _origins(story),
        "## Cost",
        _cost(story),
        "## Limits",
        _limits(story),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(story: Story) -> str:
    base = story.recipe.student.base
    lines = ["---", f"language: [{story.taught.code}, {story.known.code}]", "library_name: transformers"]
    lines += ["pipeline_tag: text-generation", "tags: [alif]"]
    if base != "tiny" and not Path(base).is_dir():
        lines.append(f"base_model: {base.partition('@')[0]}")
    return "\n".join([*lines, "---"])


def _base(story: Story) -> str:
    parameters = story.facts("base").get("parameters")
    size = f" ({parameters:,} parameters)" if isinstance(parameters, int) else ""
    base = story.recipe.student.base
    return f"A tiny model made from nothing in the run{size}" if base == "tiny" else f"`{base}`{size}"


def _use(story: Story) -> str:
    return f"""\
One question at a time, as it was trained; the tokenizer's chat template writes the prompt of stage 2.

```python
from transformers import pipeline
ask = pipeline("text-generation", "path/of/this/folder")
print(ask([{{"role": "user", "content": "…"}}])[0]["generated_text"][-1]["content"])
```

`alif chat {story.run.name}` does the same in the terminal."""


def _scores(story: Story) -> str:
    path = story.run.folder("evaluate") / "scores.jsonl"
    if not path.is_file():
        return "Not measured."
    scores = [score for score in store.load(path, Score) if "/" not in score.benchmark]
    keys = dict.fromkeys((score.benchmark, score.metric, score.language) for score in scores)
    found = {(score.benchmark, score.metric, score.language, score.stage): score for score in scores}
    rows = []
    for key in keys:
        cells = [found.get((*key, stage)) for stage in STAGES]
        n = next(cell.n for cell in cells if cell)
        rows.append((*key, *(f"{s.value:.3f} ({s.low:.3f} to {s.high:.3f})" if s else "" for s in cells), n))
    return "Value with its 95 % interval.\n\n" + table(("benchmark", "metric", "language", *STAGES.values(), "n"), rows)


def _limits(story: Story) -> str:
    found = []
    if any(True for _ in _rows(story, "seeds")) and not any(row["origin"]["reviewed_by"] for row in _rows(story, "seeds")):
        found.append(f"The seeds are **{NOT_REVIEWED}**.")
    if not story.recipe.review.share:
        found.append("No person has read the rows that a model wrote.")
    if any(teacher.address == "scripted" for teacher in story.recipe.teacher.values()):
        found.append("The teacher was scripted: its rows are the pack's own demo texts.")
    if story.recipe.student.base == "tiny":
        found.append("The base is a tiny model, made to show the method. It knows nothing and its answers are not to be used.")
    found.append("Answers can be wrong, biased or unsafe; nothing was aligned beyond the rows listed here.")
    found.append("Intervals cover the choice of test items, not the spread between training seeds.")
    return "\n".join(f"- {sentence}" for sentence in found)


def _seeds(story: Story) -> str:
    origins = [row["origin"] for row in _rows(story, "seeds")]
    if not origins:
        return ""
    authors = Counter("a language model" if origin["author"] == MODEL_AUTHOR else "people" for origin in origins)
    written = " and ".join(f"{count} written by {who}" for who, count in sorted(authors.items()))
    reviewed = sum(bool(origin["reviewed_by"]) for origin in origins)
    read = f"{reviewed} of them have been read and accepted by a reviewer" if reviewed else f"they are {NOT_REVIEWED}"
    return f"{len(origins)} seeds, {written}; {read}."


def _funnel(story: Story) -> str:
    rows = []
    for step in ROW_STEPS:
        if step in story.records:
            counts = story.records[step]["counts"]
            dropped = ", ".join(f"{count} {reason}" for reason, count in counts["dropped"].items())
            rows.append((step, counts["rows_in"], counts["kept"], dropped))
    return table(("step", "rows in", "kept", "dropped"), rows) if rows else "No rows yet."


def _licence(story: Story) -> str:
    base = story.recipe.student.base
    own = (
        "The base was made in the run from the texts below"
        if base == "tiny"
        else f"The licence of `{base}` applies to the weights"
    )
    return f"{own}; the rows and texts come under the licences in the last table."


def _origins(story: Story) -> str:
    """Return the mixture's rows and the corpus's documents by origin and licence."""
    rows: Counter[tuple[str, str, str]] = Counter()
    for row in _rows(story, "blend"):
        origin = row["origin"]
        rows[row["language"], origin["kind"] + (f", {origin['model']}" if origin["model"] else ""), origin["licence"]] += 1
    for document in _rows(story, "corpus"):
        rows[document["language"], f"text, {document['source']}", document["licence"]] += 1
    if not rows:
        return "No rows yet."
    return table(
        ("language", "origin", "licence", "n"), [(*key[:2], key[2] or "not stated", n) for key, n in sorted(rows.items())]
    )


def _cost(story: Story) -> str:
    cost = sum(record["cost_usd"] for record in story.records.values())
    seconds = sum(record["seconds"] for record in story.records.values())
    return f"${cost:.4f} paid to providers, {seconds:,.0f} seconds of work on one machine."


def _made(story: Story) -> str:
    facts = story.facts("export")
    rows = [(name.replace("_", " "), f"`{value}`") for name, value in facts.items() if value != ""]
    return f"{_cost(story)}\n\n{table(('export', ''), rows)}" if rows else _cost(story)


def _rows(story: Story, step: str) -> Iterable[dict[str, Any]]:
    path = story.run.folder(step) / "examples.jsonl"
    return (row for _, row in store.read_rows(path)) if path.is_file() else ()


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; a bar inside a cell would end it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in lines)
