"""`alif show`: real rows of a step, each text in its own direction."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from alif import console, pipeline, store
from alif.commands import mixture_picture
from alif.commands.arguments import Json, RunName, open_run
from alif.errors import DataError, RecipeError
from alif.facts import read_facts
from alif.facts.data_facts import BlendFacts
from alif.language import bidi
from alif.runs import manifest

__all__ = ["TEXTS", "show_rows", "show_text"]

TEXTS = ("raw", "title", "instruction", "input", "output", "rejected", "text")
"""Keys of a row that are texts to read."""
HASH_DIGITS = 12
"""Of a SHA-256 on the screen."""
Dropped = Annotated[bool, Parameter(negative="", help="Show rows that were dropped, with the reason.")]


def show_rows(
    run: RunName,
    step: Annotated[str, Parameter(help="A step that is done.")],
    *,
    dropped: Dropped = False,
    n: Annotated[int, Parameter(name=("-n", "--n"), help="Rows to show, spread over the step's file.")] = 5,
    json: Json = False,
) -> None:
    """Read real rows of a step, with their ancestry."""
    folder, _ = open_run(run)
    names = [one.name for one in pipeline.PIPELINE]
    if step not in names:
        raise RecipeError(f"{step}: no such step", f"Steps: {' '.join(names)}.")
    if record := folder.record(step):
        manifest.verify(folder.folder(step), record.files, content=False)
    path = folder.folder(step) / ("dropped.jsonl" if dropped else "examples.jsonl")
    if not path.is_file():
        hint = f"The step has no such rows, or is not done: alif status {run}."
        raise DataError(f"{path}: no such file", hint)
    rows = [row for _, row in store.read_rows(path)]
    sample = [rows[index * len(rows) // n] for index in range(n)] if len(rows) > n else rows
    if json:
        return console.print_json(sample)
    if step == pipeline.BLEND.name and record and not dropped:
        mixture_picture.print_mixture(read_facts(record.counts.facts, BlendFacts))
    for row in sample:
        console.print_result("─" * 72)
        for key in TEXTS:
            if row.get(key):
                show_text(key, row[key])
        facts = [f"{key} {row[key]}" for key in ("task", "reason", "evidence", "source") if row.get(key)]
        for key, value in (row.get("origin") or {}).items():
            text = " ".join(value) if isinstance(value, list) else str(value)
            if value:
                facts.append(f"{key} {text[:HASH_DIGITS] if len(text) == 64 else text}")
        console.print_result(f"{'':>11}  {' · '.join(facts)}")
        if nearest := row.get("nearest"):
            show_text("nearest", nearest["text"])
            console.print_result(f"{'':>11}  {nearest['id']}, ROUGE-L {nearest['similarity']:.3f}")
    return None


def show_text(label: str, text: str) -> None:
    """Print a text of a row, each line in its own direction."""
    direction = bidi.text_direction(text, "ltr")
    console.print_sample(label, [bidi.isolate(line, direction) for line in text.splitlines() or [""]])
