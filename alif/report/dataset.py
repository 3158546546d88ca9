"""The rows that a run has made, as a data set in the Hub's layout, ready to upload.

    runs/demo/dataset/
      README.md                                 the data card, with the front matter that hubs read
      data/train-00000-of-00001.parquet         what the Hub loads; validation likewise
      jsonl/train.jsonl                         the same rows, one JSON object a line, for people and other tools

Rows of the mixture that the run's teachers wrote or translated; replayed rows are other people's and stay where they are. Never
part of it: the ledger, the seeds, names of people. Who wrote or read a row is told as "a model", "a person", yes or no; where a
model wrote the question to a passage, "a model, its output the source".
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alif import store
from alif.errors import DataError, MissingExtra
from alif.records import Example
from alif.report.data_card import data_card
from alif.report.story import MODEL_AUTHOR, REVERSE, RunStory, markdown_table, public_name, read_story
from alif.runs import Run

__all__ = ["COLUMNS", "write_dataset"]

MADE = ("teacher", "translated")
"""Kinds of rows that the run has made."""
TEXTS = ("id", "language", "task", "instruction", "input", "output")
ORIGIN = ("kind", "way", "source", "licence", "model")
COLUMNS = (*TEXTS, *ORIGIN, "written_by", "reviewed")
SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
"""The Hub's words for the number of rows, by what it is below."""


def write_dataset(root: Path) -> Path:
    """Write the data set of a run and return its folder.

    Raises:
        DataError: the mixture is not made yet, or holds no row that the run has made.
        MissingExtra: pyarrow is not installed.
    """
    run = Run(root)
    if run.record("blend") is None:
        raise DataError(f"{root}: the step blend is not done", f"alif run {run.name} --until blend")
    held_out = {row["id"] for _, row in store.read_rows(run.folder("blend") / "held_out.jsonl")}
    every = [
        row
        for row in store.read_models(run.folder("blend") / "examples.jsonl", Example)
        if row.origin.kind in MADE
    ]
    if not every:
        raise DataError(
            f"{root}: no teacher has written a row of its mixture", "There is nothing of its own to publish."
        )
    splits = {
        "train": [_public(row) for row in every if row.id not in held_out],
        "validation": [_public(row) for row in every if row.id in held_out],
    }
    folder = root / "dataset"
    for part in ("jsonl", "data"):  # a split that is gone leaves no file behind
        shutil.rmtree(folder / part, ignore_errors=True)
    for name, rows in splits.items():
        if rows:
            store.write_rows(folder / "jsonl" / f"{name}.jsonl", rows)
            _parquet(folder / "data" / f"{name}-00000-of-00001.parquet", rows)
    store.write_text(folder / "README.md", _card(read_story(run), splits))
    return folder


def _public(row: Example) -> dict[str, Any]:
    """Return what of a row is published."""
    origin = row.origin
    by_model = origin.author in ("", MODEL_AUTHOR, origin.model)
    written_by = (
        "a model, its output the source"
        if origin.strategy == REVERSE
        else "a model"
        if by_model
        else "a person"
    )
    found = {key: getattr(row, key) for key in TEXTS} | {key: getattr(origin, key) for key in ORIGIN}
    found["model"] = public_name(origin.model)
    return found | {"written_by": written_by, "reviewed": bool(origin.reviewed_by)}


def _parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        import pyarrow  # noqa: PLC0415  (an extra)
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("Parquet", "hub") from error
    types = {key: pyarrow.bool_() if key == "reviewed" else pyarrow.string() for key in COLUMNS}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(list(rows), schema=pyarrow.schema(types.items())), beside
    )
    beside.replace(path)


def _card(story: RunStory, splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    rows = [row for part in splits.values() for row in part]
    parts = [
        _front_matter(story, splits),
        data_card(story).strip(),
        "## This data set",
        f"The {len(rows):,} rows of the mixture that the run itself has made; the replay rows named above are not in it.",
        markdown_table(("split", "rows"), [(name, len(part)) for name, part in splits.items()]),
        markdown_table(("task", "rows"), sorted(Counter(row["task"] for row in rows).items())),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(story: RunStory, splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    rows = [row for part in splits.values() for row in part]
    licences = {row["licence"] for row in rows}
    licence = licences.pop().lower() if len(licences) == 1 else ""
    size = next((name for most, name in SIZES.items() if len(rows) < most), "n>1M")
    lines = [
        "---",
        f"language: [{', '.join(sorted({row['language'] for row in rows}))}]",
        f"license: {licence or 'other'}",
    ]
    lines += [] if licence else ["license_name: see-the-card"]
    lines += [
        "task_categories: [text-generation]",
        f"size_categories: [{size}]",
        "tags: [alif, synthetic, instruction-tuning]",
    ]
    lines += [f"pretty_name: {story.run.name}", "configs:", "- config_name: default", "  data_files:"]
    for name in (name for name, part in splits.items() if part):
        lines += [f"  - split: {name}", f"    path: data/{name}-*.parquet"]
    return "\n".join([*lines, "---"])
