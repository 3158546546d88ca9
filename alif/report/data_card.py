"""The data card: everything that somebody must know who uses the rows of a run, from the run's own records.

Language and script, licence, seeds and who wrote them, teachers and their terms, prompts by hash, the funnel, cost, limits. The
ledger and people's names are never part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from alif.formatting import format_usd
from alif.llm.endpoint import SCRIPTED, hostname
from alif.records import FUNNEL_GROUPS
from alif.report import story as stories
from alif.report.story import MODEL_AUTHOR, REVERSE, RunStory, markdown_table, public_name

__all__ = ["data_card"]

DIRECTIONS = {"rtl": "right to left", "ltr": "left to right"}
HOLES = 3
"""Holes of the coverage that are named."""


def data_card(story: RunStory) -> str:
    """Return the card of the run's rows and documents in Markdown."""
    parts = [
        f"# Data of {story.run.name}",
        _language(story),
        "## Licence",
        _licence(story),
        "## Seeds",
        _seeds(story),
        "## Teachers and their terms",
        _teachers(story),
        "## Prompts",
        _prompts(story),
        "## From what was written to what was kept",
        stories.describe_steps(story),
        _funnel(story),
        "## Origins and licences",
        stories.count_origins(story),
        "## Cost",
        _cost(story),
        "## Known limits",
        _limits(story),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _language(story: RunStory) -> str:
    own, known = story.taught, story.known
    told = (
        f"Instructions in {own.name} ({own.native_name}, `{own.code}`), written in {own.script.name} script, "
    )
    told += f"{DIRECTIONS[own.direction]}; replay in {known.name} (`{known.code}`), and text for stage 1."
    typed = [name for name, task in own.tasks.items() if task.answer_script != "own"]
    if own.roman and typed:
        told += (
            f" Rows of the task {', '.join(typed)} may be in {own.roman.script} script (`{own.roman.code}`)."
        )
    return told


def _licence(story: RunStory) -> str:
    """Return under which terms the rows stand; what is the user's to decide is said to be."""
    own = (
        f"The texts of the pack {story.taught.code} are {story.taught.licence}. "
        if story.taught.licence
        else ""
    )
    told = (
        f"{own}Rows that a model wrote stand under the terms of their teacher, and under the licence of the passage or row "
        "that they were made from where the tables below name one. "
    )
    if any(row["origin"].get("way") == REVERSE for row in stories.read_story_rows(story, "generate")):
        told += (
            f"Where a row's way is {REVERSE}, the model wrote the instruction alone: the output is the passage, word for word, "
            "by the passage's author and under its licence. "
        )
    return f"{told}Whether they may be published, and under which licence, is for whoever publishes them to decide."


def _seeds(story: RunStory) -> str:
    """Return the seeds by where they come from, their licence and who wrote them, without names."""
    counts: Counter[tuple[str, ...]] = Counter()
    for row in stories.read_story_rows(story, "seeds"):
        origin = row["origin"]
        file = origin["source"].partition("#")[0]
        author = (
            "a language model" if origin["author"] == MODEL_AUTHOR else "a person" if origin["author"] else ""
        )
        read = "by a reviewer" if origin["reviewed_by"] else "by nobody"
        counts[file.rpartition("/")[0] or file, origin["licence"], author, read] += 1
    if not counts:
        return "None yet."
    lines = [(*(part or "not stated" for part in key), count) for key, count in sorted(counts.items())]
    columns = ("source", "licence", "written by", "read", "seeds")
    return f"{stories.describe_seeds(story)}\n\n{markdown_table(columns, lines)}"


def _teachers(story: RunStory) -> str:
    """Return who wrote, where, at which price, and whose terms apply: they are not read for the user, only pointed to."""
    sums = story.facts("generate").get("funnel", {}).get("teachers", {})
    models: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for step in ("generate", "translate"):
        for row in stories.read_story_rows(story, step):
            models.setdefault(row["origin"]["teacher"], set()).add(public_name(row["origin"]["model"]))
            counts[row["origin"]["teacher"]] += 1
    told = []
    for name, teacher in story.recipe.teacher.items():
        scripted = teacher.base_url == SCRIPTED
        where = "in this process" if scripted else hostname(teacher.base_url)
        terms = (
            "none: the pack's own demo texts"
            if scripted
            else f"those of {where} and of the model: read them first"
        )
        named = ", ".join(sorted(models.get(name, {public_name(teacher.model)})))
        each = sums.get(name, {}).get("usd_per_accepted")
        told.append((name, named, where, counts[name], "" if each is None else format_usd(each), terms))
    columns = ("teacher", "model", "where", "rows accepted", "a generated row", "terms")
    return markdown_table(columns, told) if told else "None."


def _prompts(story: RunStory) -> str:
    """Return the prompts by hash, as the steps that sent them have written them down: the same hash is the same wording."""
    found = {**story.facts("generate").get("prompts", {}), **story.facts("translate").get("prompts", {})}
    if not found:
        return "None was sent."
    lines = [(name, ", ".join(digests)) for name, digests in found.items()]
    return f"SHA-256 of each wording, first 16 digits.\n\n{markdown_table(('prompt', 'wordings'), lines)}"


def _funnel(story: RunStory) -> str:
    """Return the funnel of `generate` by task, teacher and way of asking."""
    found = story.facts("generate").get("funnel", {})
    columns = ("sent", "pieces", "read", "accepted", "dropped", "cost", "an accepted row")
    tables = [
        markdown_table((title, *columns), [(name, *_sums(sums)) for name, sums in found[group].items()])
        for group, title in FUNNEL_GROUPS.items()
        if found and found[group]
    ]
    return "\n\n".join(tables)


def _sums(sums: Mapping[str, Any]) -> tuple[Any, ...]:
    dropped = ", ".join(f"{count} {reason}" for reason, count in sums["dropped"].items())
    each = sums["usd_per_accepted"]
    counts = (sums[key] for key in ("requests", "pieces", "parsed", "accepted"))
    return (*counts, dropped, format_usd(sums["usd"]), "" if each is None else format_usd(each))


def _cost(story: RunStory) -> str:
    whole = story.facts("generate").get("funnel", {}).get("whole", {})
    each = whole.get("usd_per_accepted")
    told = (
        ""
        if each is None
        else f" A generated row that was accepted cost {format_usd(each)}, those that were dropped included."
    )
    return stories.describe_cost(story) + told


def _limits(story: RunStory) -> str:
    found = stories.list_caveats(story)
    facts = story.facts("generate")
    if short := ", ".join(facts.get("saturated", ())):
        found.append(
            f"These tasks ended short of their number, since their teachers had nothing new: {short}."
        )
    if holes := facts.get("coverage", {}).get("holes"):
        named = ", ".join(f"{hole['task']} · {hole['topic']} ({hole['rows']} rows)" for hole in holes[:HOLES])
        found.append(f"Hardly anything on {named}, by a rough count of words.")
    if near := facts.get("near_copies", {}).get("pairs"):
        found.append(
            f"{near} pairs of near copies in a sample of {facts['near_copies']['rows']} rows; they were not dropped."
        )
    checked = (
        "facts were checked by nobody but the reviewers"
        if story.recipe.review.share
        else "nobody has checked the facts"
    )
    found.append(f"Checks by machine cover language, letters, form, sums, choices and labels; {checked}.")
    found.append("Rows that models write carry their models' errors and leanings.")
    return "\n".join(f"- {sentence}" for sentence in found)
