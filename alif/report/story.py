"""What a run's own records tell, and the pieces that both cards share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

from alif import recipe as recipes
from alif import store
from alif.formatting import format_duration, format_usd
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.llm.endpoint import SCRIPTED
from alif.recipe import Recipe
from alif.records import NOT_REVIEWED, STAGES
from alif.runs import Run, StepRecord

__all__ = [
    "MODEL_AUTHOR",
    "REVERSE",
    "RunStory",
    "count_origins",
    "describe_cost",
    "describe_seeds",
    "describe_steps",
    "list_caveats",
    "markdown_table",
    "public_name",
    "read_story",
    "read_story_rows",
]

MODEL_AUTHOR = "language model"
"""How a pack marks a text that a model wrote. Source: `Origin.author`."""
REVERSE = "reverse"
"""How a row says that a model wrote its instruction alone. Source: `Origin.way`."""
ROW_STEPS = ("seeds", "generate", "translate", "filter", "review", "replay", "corpus", "blend")


@dataclass(frozen=True)
class RunStory:
    """What both cards tell."""

    run: Run
    recipe: Recipe
    taught: Pack
    known: Pack
    records: Mapping[str, StepRecord]
    """step.json of each finished step."""

    def facts(self, step: str) -> Mapping[str, Any]:
        """Return what a finished step told beside its counts."""
        record = self.records.get(step)
        return record.counts.facts if record else {}


def read_story(run: Run) -> RunStory:
    """Return what a run's records tell."""
    recipe = recipes.load_recipe(run.root / "recipe.toml")
    steps = (*ROW_STEPS, *STAGES, "evaluate", "export")
    records = {step: record for step in steps if (record := run.record(step))}
    return RunStory(
        run, recipe, packs.load_pack(recipe.language.pack), packs.load_pack(recipe.language.source), records
    )


def describe_seeds(story: RunStory) -> str:
    """Return who wrote the seeds and how many have been read, as counts: people are never named."""
    found = [row["origin"] for row in read_story_rows(story, "seeds")]
    if not found:
        return ""
    authors = Counter(
        "a language model" if origin["author"] == MODEL_AUTHOR else "people" for origin in found
    )
    written = " and ".join(f"{count} written by {who}" for who, count in sorted(authors.items()))
    reviewed = sum(bool(origin["reviewed_by"]) for origin in found)
    read = (
        f"{reviewed} of them have been read and accepted by a reviewer"
        if reviewed
        else f"they are {NOT_REVIEWED}"
    )
    return f"{len(found)} seeds, {written}; {read}."


def list_caveats(story: RunStory) -> list[str]:
    """Return what nobody has read, and whether a teacher was scripted."""
    found = []
    reviewed = [row["origin"]["reviewed_by"] for row in read_story_rows(story, "seeds")]
    if reviewed and not any(reviewed):
        found.append(f"The seeds are **{NOT_REVIEWED}**.")
    if not story.recipe.review.share:
        found.append("No person has read the rows that a model wrote.")
    if any(teacher.base_url == SCRIPTED for teacher in story.recipe.teacher.values()):
        found.append("A teacher was scripted: its rows are the pack's own demo texts.")
    return found


def describe_steps(story: RunStory) -> str:
    """Return a table of what came into each step and what was kept."""
    lines = []
    for step in ROW_STEPS:
        if step in story.records:
            counts = story.records[step].counts
            dropped = ", ".join(f"{count} {reason}" for reason, count in counts.dropped.items())
            lines.append((step, counts.rows_in, counts.kept, dropped))
    return markdown_table(("step", "rows in", "kept", "dropped"), lines) if lines else "No rows yet."


def count_origins(story: RunStory) -> str:
    """Return the mixture's rows and the corpus's documents by origin and licence."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in read_story_rows(story, "blend"):
        origin = row["origin"]
        way = (
            origin.get("way", "").removeprefix("plain").removeprefix(", ")
        )  # a row of an earlier alif does not say it
        parts = (origin["kind"], way, public_name(origin["model"]))
        counts[row["language"], ", ".join(filter(None, parts)), origin["licence"]] += 1
    for document in read_story_rows(story, "corpus"):
        counts[document["language"], f"text, {document['source']}", document["licence"]] += 1
    if not counts:
        return "No rows yet."
    lines = [(*key[:2], key[2] or "not stated", count) for key, count in sorted(counts.items())]
    return markdown_table(("language", "origin", "licence", "n"), lines)


def describe_cost(story: RunStory) -> str:
    """Return what the run has paid and how long it worked."""
    usd = sum(record.cost_usd for record in story.records.values())
    seconds = sum(record.seconds for record in story.records.values())
    return f"{format_usd(usd)} paid to providers, {format_duration(seconds)} of work on one machine."


def public_name(model: str) -> str:
    """Return a model's name as it may be published: of a folder only its own name, since the path may name a person."""
    local = model.startswith(("/", "~", ".")) or PureWindowsPath(model).is_absolute()
    return PureWindowsPath(model).name if local else model


def read_story_rows(story: RunStory, step: str) -> Iterable[dict[str, Any]]:
    """Yield the kept rows of a step; none where it is not done."""
    path = story.run.folder(step) / "examples.jsonl"
    return (row for _, row in store.read_rows(path)) if path.is_file() else ()


def markdown_table(columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; a bar inside a cell would end it."""
    every = [columns, ["---"] * len(columns), *lines]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in every)
