"""Model card and data card, written from the run's own records.

    runs/demo/card.md                     the data: where the rows come from, what was dropped and why, licences
    runs/demo/export/model/README.md      the model: base, languages, scores with intervals, limits, how to use it

Both are derived, like the report, and can be written again at any time. They name models and licences, never people: who wrote
or read a row is told as a count.
"""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.records import STAGE_NAMES, STAGES, Score
from alif.report import story as stories
from alif.report.data_card import data_card
from alif.report.story import RunStory, markdown_table, public_name
from alif.runs import Run

__all__ = ["model_card", "write_cards"]


def write_cards(root: Path) -> list[Path]:
    """Write the cards of a run folder and return their paths; without an exported model there is only the data card."""
    story = stories.read_story(Run(root))
    paths = {root / "card.md": data_card(story)}
    model = root / "export" / "model"
    if model.is_dir():
        paths[model / "README.md"] = model_card(story)
    for path, text in paths.items():
        store.write_text(path, text)
    return list(paths)


def model_card(story: RunStory) -> str:
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
        stories.describe_seeds(story),
        stories.describe_steps(story),
        stories.count_origins(story),
        "## Made with",
        _made(story),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(story: RunStory) -> str:
    base = story.recipe.student.base
    lines = ["---", f"language: [{story.taught.code}, {story.known.code}]", "library_name: transformers"]
    lines += ["pipeline_tag: text-generation", "tags: [alif]"]
    if base != "tiny" and public_name(base) == base and not Path(base).is_dir():
        lines.append(f"base_model: {base.partition('@')[0]}")
    return "\n".join([*lines, "---"])


def _base(story: RunStory) -> str:
    parameters = story.facts("base").get("parameters")
    size = f" ({parameters:,} parameters)" if isinstance(parameters, int) else ""
    base = story.recipe.student.base
    return (
        f"A tiny model made from nothing in the run{size}"
        if base == "tiny"
        else f"`{public_name(base)}`{size}"
    )


def _use(story: RunStory) -> str:
    return f"""\
One question at a time, as it was trained; the tokenizer's chat template writes the prompt of stage 2.

```python
from transformers import pipeline
ask = pipeline("text-generation", "path/of/this/folder")
print(ask([{{"role": "user", "content": "…"}}])[0]["generated_text"][-1]["content"])
```

`alif chat {story.run.name}` does the same in the terminal."""


def _scores(story: RunStory) -> str:
    path = story.run.folder("evaluate") / "scores.jsonl"
    if not path.is_file():
        return "Not measured."
    scores = [score for score in store.read_models(path, Score) if "/" not in score.benchmark]
    keys = dict.fromkeys((score.benchmark, score.metric, score.language) for score in scores)
    found = {(score.benchmark, score.metric, score.language, score.stage): score for score in scores}
    rows = []
    for key in keys:
        cells = [found.get((*key, stage)) for stage in STAGES]
        n = next(cell.n for cell in cells if cell)
        rows.append((*key, *(f"{s.value:.3f} ({s.low:.3f} to {s.high:.3f})" if s else "" for s in cells), n))
    return "Value with its 95 % interval.\n\n" + markdown_table(
        ("benchmark", "metric", "language", *STAGE_NAMES.values(), "n"), rows
    )


def _limits(story: RunStory) -> str:
    found = stories.list_caveats(story)
    if story.recipe.student.base == "tiny":
        found.append(
            "The base is a tiny model, made to show the method. It knows nothing and its answers are not to be used."
        )
    found.append("Answers can be wrong, biased or unsafe; nothing was aligned beyond the rows listed here.")
    found.append("Intervals cover the choice of test items, not the spread between training seeds.")
    return "\n".join(f"- {sentence}" for sentence in found)


def _licence(story: RunStory) -> str:
    base = story.recipe.student.base
    own = (
        "The base was made in the run from the texts below"
        if base == "tiny"
        else f"The licence of `{public_name(base)}` applies to the weights"
    )
    return f"{own}; the rows and texts come under the licences in the last table."


def _made(story: RunStory) -> str:
    facts = dict(story.facts("export"))
    facts |= {"base": public_name(facts["base"])} if "base" in facts else {}
    rows = [(name.replace("_", " "), f"`{value}`") for name, value in facts.items() if value != ""]
    return (
        f"{stories.describe_cost(story)}\n\n{markdown_table(('export', ''), rows)}"
        if rows
        else stories.describe_cost(story)
    )
