"""`alif decontaminate`: which questions of a later benchmark stand in what a finished run was trained on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alif import console, records
from alif.commands.arguments import Document, Json, RunName, open_run, print_document
from alif.commands.rows import show_text
from alif.data.mixture.decontaminate import drop_leak, index_file, open_index, read_origins
from alif.dedup.overlap_index import UNDETECTED
from alif.errors import DataError, RecipeError
from alif.language.pack import load_pack
from alif.records import Example
from alif.runs.splits import read_trained_rows
from alif.settings import Benchmarks

__all__ = ["check_later_benchmark"]

SHOWN = 20
"""Matching rows that are printed; --json has all."""
SHOWN_CHARS = 400


def check_later_benchmark(
    run: RunName,
    *,
    benchmark: Annotated[
        str, Parameter(help="A benchmark of the recipe, a file of questions, or hub:OWNER/NAME#SPLIT.")
    ],
    json: Json = False,
) -> None:
    """Find the rows and documents that a run was trained on and that give a question of a benchmark away.

    Nothing is changed. Exit code 1 where there are some: report the score without these questions too.
    """
    folder, recipe = open_run(run)
    steps = {step: folder.folder(step) for step in ("blend", "pairs", "corpus")}
    if not any((path / "examples.jsonl").is_file() for path in steps.values()):
        raise DataError(f"{folder.root}: neither blend nor corpus is done", f"alif run {run} --until blend")
    own, known = load_pack(recipe.language.pack), load_pack(recipe.language.source)
    source = recipe.sources.folder
    if table := recipe.benchmark.get(benchmark):
        index = open_index(own, known, source, Benchmarks(test=()), {benchmark: table})
    elif benchmark.startswith("hub:") or Path(benchmark).expanduser().is_file():
        index = index_file(benchmark, own)
    else:
        names = ", ".join(recipe.benchmark) or "no [benchmark.NAME]"
        hint = f"The recipe has {names}; a file has one question a line."
        raise RecipeError(f"{benchmark}: no benchmark of {folder.root}/recipe.toml, and no file", hint)
    wanted = {
        row.origin.source
        for _, row in read_trained_rows({"blend": steps["blend"]})
        if isinstance(row, Example) and row.origin.kind == "translated"
    }
    origins = read_origins(recipe.translate, source, known, wanted) if wanted else {}
    kinds, matches = Counter({"rows": 0, "documents": 0}), []
    for step, row in read_trained_rows(steps):
        kinds["documents" if isinstance(row, records.Document) else "rows"] += 1
        if leak := drop_leak(row, index, origins):
            matches.append({"step": step, **leak.record()})
    found = {"benchmark": benchmark, "questions": len(index), **kinds, "matches": matches}
    print_document({**found, "undetected": UNDETECTED}, _show, json)
    if matches:
        asked = len({one["nearest"]["id"] for one in matches})
        told = f"{asked} of its {len(index)} questions stand in {len(matches)} rows that {run} was trained on"
        hint = "Report its score without them too; a run of another name can leave these rows out."
        raise DataError(f"{benchmark}: {told}", hint)


def _show(found: Document) -> None:
    for one in found["matches"][:SHOWN]:
        console.print_result("─" * 72)
        console.print_result(f"{one['step']}/examples.jsonl#{one['id']}: {one['evidence']}")
        show_text("question", one["nearest"]["text"][:SHOWN_CHARS])
        for key in ("instruction", "input", "text"):
            if one.get(key):
                show_text(key, one[key][:SHOWN_CHARS])
    if (more := len(found["matches"]) - SHOWN) > 0:
        console.print_result(f"… and {more} more: --json has all.")
    console.print_result(
        f"{found['questions']:,} questions, compared with {found['rows']:,} rows and {found['documents']:,} "
        f"documents: {len(found['matches'])} give one away. {found['undetected']}"
    )
